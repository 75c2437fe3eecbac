# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""devtools.py - a headless Chromium that a test drives as a person would: by mouse and keys.

It speaks the DevTools protocol over a pipe: no port, no package. Everything that the page logs or
throws, and every request that is not a file of ours or data, is in Browser.faults.
"""
import base64
import json
import os
import shutil
import subprocess
import tempfile

from verdict import end, expect

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
KEYS = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowUp": 38, "ArrowDown": 40, "ArrowLeft": 37,
        "ArrowRight": 39, "Home": 36}
# Where an element is.
BOX = "(r => [r.left, r.top, r.width, r.height])(%s.getBoundingClientRect())"


def program():
    return next((p for p in PROGRAMS if shutil.which(p)), None)


class Browser:
    def __init__(self, *options):
        to_read, to_write = os.pipe(), os.pipe()
        self.profile = tempfile.mkdtemp()
        self.faults = []
        self.loaded = False
        self.last = 0

        def descriptors():  # the browser reads from 3 and writes to 4
            read, write = os.dup(to_read[0]), os.dup(to_write[1])
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            [program(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--no-first-run", "--remote-debugging-pipe", "--disable-background-networking",
             "--user-data-dir=" + self.profile, *options, "about:blank"],
            preexec_fn=descriptors, close_fds=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read[0])
        os.close(to_write[1])
        self.out, self.inp = os.fdopen(to_read[1], "wb"), os.fdopen(to_write[0], "rb")
        self.buffer, self.session = b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def message(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.inp.fileno(), 1 << 20)
            if not piece:
                raise RuntimeError("the browser ended")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def note(self, message):
        kind, what = message.get("method"), message.get("params", {})
        if kind == "Page.loadEventFired":
            self.loaded = True
        elif kind == "Runtime.exceptionThrown":
            self.faults.append(json.dumps(what["exceptionDetails"])[:300])
        elif kind in ("Runtime.consoleAPICalled", "Log.entryAdded"):
            self.faults.append(json.dumps(what)[:300])
        elif kind == "Page.javascriptDialogOpening":
            self.faults.append("dialog: " + what["message"])
        elif kind == "Network.requestWillBeSent":
            if not what["request"]["url"].startswith(("file:", "data:", "about:")):
                self.faults.append("request: " + what["request"]["url"])

    def call(self, method, **params):
        self.last += 1
        request = {"id": self.last, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        self.out.write(json.dumps(request).encode() + b"\0")
        self.out.flush()
        while True:
            answer = self.message()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(method + ": " + answer["error"]["message"])
                return answer["result"]
            self.note(answer)

    def size(self, width, height, scale=1, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=scale, mobile=mobile)
        self.call("Emulation.setTouchEmulationEnabled", enabled=mobile)

    def scheme(self, name, media="", **features):
        """Light or dark, on the screen or in print, with prefers_reduced_motion and such."""
        features["prefers_color_scheme"] = name
        self.call("Emulation.setEmulatedMedia", media=media, features=[
            {"name": k.replace("_", "-"), "value": v} for k, v in features.items()])

    def scripts(self, on):
        self.call("Emulation.setScriptExecutionDisabled", value=not on)

    def open(self, path):
        self.loaded = False
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while not self.loaded:
            self.note(self.message())

    def eval(self, expression):
        """The value; two frames are drawn first, so that what was done is seen."""
        wrapped = ("new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))"
                   ".then(() => (" + expression + "))")
        result = self.call("Runtime.evaluate", expression=wrapped, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:400])
        return result["result"].get("value")

    def mouse(self, kind, x, y):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, clickCount=1,
                  button="none" if kind == "mouseMoved" else "left")

    def click(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(kind, x, y)

    def tap(self, x, y):
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def key(self, name, control=False):
        event = {"key": name, "modifiers": 2 if control else 0,
                 "windowsVirtualKeyCode": KEYS.get(name, ord(name[0].upper())), "code": name}
        text = "\r" if name == "Enter" else name if len(name) == 1 and not control else ""
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text,
                  **event)
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def screenshot(self, path):
        shot = self.call("Page.captureScreenshot", format="png")
        with open(path, "wb") as out:
            out.write(base64.b64decode(shot["data"]))


def drive(width, height, *uses):
    """Runs each of USES with a browser of that size, which must have nothing to complain of."""
    b = Browser()
    try:
        b.size(width, height)
        for use in uses:
            use(b)
        expect("nothing logged, thrown or fetched", [], b.faults)
    finally:
        b.close()
    end()
