#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""speedscope.py PAGE FILE...: the real speedscope reads files of ours as they were meant.

PAGE is index.html of its npm package; *.json are timelines, others folded text. Each file is given to it as its own command line does, and
what it made of it comes from its export: profiles, frames, weights. Whatever it warns of is a fault.
"""
import base64
import json
import os
import re
import sys
import tempfile
from collections import Counter

from devtools import Browser
from verdict import end, expect

# What is exported is kept, not downloaded.
CATCH = "URL.createObjectURL = blob => (window.exported = blob.text(), 'data:,'), 0"
STATE = """document.title.endsWith(' - speedscope') ? 'read' :
    document.body.innerText.includes('Something went wrong') ? 'error' : 'busy'"""
HARMLESS = re.compile(r'\{"type": "(log|timeEnd)"|\{"entry": \{"source": "rendering"')
KIND = re.compile('"value": "Importing as ([^"]*)"')


def load(page, path):
    """(what it took the file for, complaints, its export)"""
    b = Browser("--enable-unsafe-swiftshader")
    with tempfile.NamedTemporaryFile("w", suffix=".js") as script, open(path, "rb") as file:
        script.write("speedscope.loadFileFromBase64(%s, '%s')" % (
            json.dumps(os.path.basename(path)), base64.b64encode(file.read()).decode()))
        script.flush()
        b.open(page + "#localProfilePath=" + script.name)
        while b.eval(STATE) == "busy" and not any(f.startswith("dialog") for f in b.faults):
            pass
    export = {"profiles": [], "shared": {"frames": []}}
    if b.eval(STATE) == "read":
        b.eval(CATCH)
        b.key("s", control=True)
        export = json.loads(b.eval("window.exported"))
    b.close()
    complaints = [f for f in b.faults if not HARMLESS.match(f)]
    return "".join(KIND.findall(" ".join(b.faults))), complaints, export


def weights(profile, names, unit):
    """Of all frames of a name: with what they called, a recursive one counted each time."""
    found, stack = Counter(), []
    for event in profile["events"]:
        if event["type"] == "O":
            stack.append(event["at"])
        else:
            found[names[event["frame"]]] += round((event["at"] - stack.pop()) * unit)
    return +found


def folded(page, path):
    name, want, total = os.path.basename(path), Counter(), 0
    with open(path) as file:
        for line in file:
            stack, weight = line.rsplit(" ", 1)
            total += int(weight)
            for frame in stack.split(";"):
                want[frame] += int(weight)
    kind, complaints, export = load(page, path)
    expect(name + ": what it is", "collapsed stack format", kind)
    expect(name + ": without a complaint", [], complaints)
    expect(name + ": one profile of our total", [total], [p["endValue"] for p in export["profiles"]])
    frames = [f["name"] for f in export["shared"]["frames"]]
    got = sum((weights(p, frames, 1) for p in export["profiles"]), Counter())
    expect(name + ": weights of %d frames" % len(want), {}, dict((want - got) + (got - want)))


def threads_of(trace):
    """Of each thread what it is called there, and the time of its slices by name."""
    names, slices, begun = {}, {}, {}
    for e in trace["traceEvents"]:
        key = (e["pid"], e["tid"])
        if e["ph"] == "M":
            names[(e["name"], *key)] = e["args"]["name"]
        elif e["ph"] in "XBE":
            start = begun.get(key) if e["ph"] == "E" else e["ts"]
            begun[key] = start
            took = e.get("dur", 0) if e["ph"] == "X" else e["ts"] - start
            slices.setdefault(key, Counter())[e["name"]] += round(took * 1000)
    called = {}
    for pid, tid in slices:
        process, thread = names.get(("process_name", pid, pid)), names[("thread_name", pid, tid)]
        called[(pid, tid)] = "%s (pid %d), %s (tid %d)" % (process, pid, thread, tid) \
            if process else "%s (pid %d, tid %d)" % (thread, pid, tid)
    return {called[key]: dict(+of) for key, of in slices.items()}


def timeline(page, path):
    name = os.path.basename(path)
    with open(path) as file:
        want = threads_of(json.load(file))
    kind, complaints, export = load(page, path)
    expect(name + ": what it is", "Trace Event Format profile", kind)
    expect(name + ": without a complaint", [], complaints)
    # Its frames have the arguments behind the name.
    frames = [f["name"].split(" {")[0] for f in export["shared"]["frames"]]
    got = {p["name"]: dict(weights(p, frames, 1000)) for p in export["profiles"]}
    expect(name + ": %d threads" % len(want), sorted(want), sorted(got))
    expect(name + ": time of their slices", want, got)


def main():
    for path in sys.argv[2:]:
        (timeline if path.endswith(".json") else folded)(sys.argv[1], path)
    end()


main()
