# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""server.py KIND [OPTION=VALUE]...: servers that do what a request says, each in a way of its own.

Requests are lines. `q` is answered at once, `note` never; `burn MS` and `sleep MS` hold the thread
first, `later MS` is answered by a timer, `stream N MS` in N parts, `hold MS` computes and sends on,
`timed MS` waits for a lock that nobody gives, `locked MS` for one that another thread holds. Who
noted something is pushed news. Each answer is a line `ok`.

epoll       a loop of callbacks. cron=late|own hold=MS every=MS: work of the loop itself, after a turn's
            events or in a turn of its own; news=MS: pushed to those who note; eof=ignored; rearm=MS: EPOLLONESHOT,
            one descriptor in 20 is armed so late (0: all at once); gil=1: a thread computes beside;
            cork=1: answers are corked and not let go
streams     asyncio's coroutines
serial      an asyncio protocol that reads early and serves one request after the other
expect      asyncio, POST with a body; says=1: it answers Expect: 100-continue
listener    holds a second listener of port=N and accepts nothing, or says=1: serves it
overflow    holds a listener whose queue of 1 is full
Prints `port N`.
"""
import asyncio
import heapq
import select
import socket
import sys
import threading
import time

EVERY_20TH = 20


def burn(ms):
    end = time.thread_time() + ms / 1000
    while time.thread_time() < end:
        pass


class Loop:
    """Callbacks on epoll."""

    def __init__(self, options):
        self.options = options
        self.listener = listen(options)
        self.ep = select.epoll()
        self.ep.register(self.listener, select.EPOLLIN)
        self.peers, self.connections, self.timers = [], {}, []
        self.count = self.tick = 0
        self.lock, self.never = threading.Lock(), threading.Lock()
        self.never.acquire()
        self.oneshot = select.EPOLLONESHOT if "rearm" in options else 0
        self.cron = time.monotonic() + self.ms("every", 1000)
        if "news" in options:
            self.after(self.ms("news"), self.push)
        if options.get("cron") == "own":
            self.after(self.ms("every", 1000), self.own_work)
        if "gil" in options:
            threading.Thread(target=burn, args=(1e9,), daemon=True).start()

    def ms(self, name, default=0):
        return float(self.options.get(name, default)) / 1000

    def after(self, seconds, callback, *arguments):
        self.tick += 1
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.tick, callback, arguments))

    def push(self):
        for peer in self.peers:
            peer.send(b"news\n")
        self.after(self.ms("news"), self.push)

    def own_work(self):
        burn(self.ms("hold") * 1000)
        self.after(self.ms("every", 1000), self.own_work)

    def run(self):
        while True:
            wait = max(0, self.timers[0][0] - time.monotonic()) if self.timers else None
            for fd, _ in self.ep.poll(wait):
                if fd == self.listener.fileno():
                    self.accept()
                else:
                    self.readable(fd)
            while self.timers and self.timers[0][0] <= time.monotonic():
                _, _, callback, arguments = heapq.heappop(self.timers)
                callback(*arguments)
            if self.options.get("cron") == "late" and time.monotonic() >= self.cron:
                burn(self.ms("hold") * 1000)
                self.cron = time.monotonic() + self.ms("every", 1000)

    def accept(self):
        s = self.listener.accept()[0]
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if "cork" in self.options:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self.connections[s.fileno()] = [s, b""]
        self.ep.register(s, select.EPOLLIN | self.oneshot)

    def readable(self, fd):
        s, rest = self.connections[fd]
        data = s.recv(65536)
        if not data:
            if self.options.get("eof") != "ignored":
                self.close(fd)
            return
        *lines, self.connections[fd][1] = (rest + data).split(b"\n")
        for line in lines:
            self.count += 1
            command, *arguments = line.decode().split()
            getattr(self, "do_" + command.lower())(s, *map(float, arguments))
        if self.oneshot:
            self.rearm(fd)

    def rearm(self, fd):
        late = self.ms("rearm") if self.count % EVERY_20TH == 0 else 0
        if late:
            self.after(late, self.ep.modify, fd, select.EPOLLIN | self.oneshot)
        else:
            self.ep.modify(fd, select.EPOLLIN | self.oneshot)

    def close(self, fd):
        s = self.connections.pop(fd)[0]
        self.ep.unregister(fd)
        if s in self.peers:
            self.peers.remove(s)
        s.close()

    def answer(self, s, text=b"ok\n"):
        if s.fileno() >= 0:
            s.send(text)

    # --- requests ---

    def do_q(self, s):
        self.answer(s)

    def do_note(self, s):
        if s not in self.peers:
            self.peers.append(s)

    def do_burn(self, s, ms):
        burn(ms)
        self.answer(s)

    def do_sleep(self, s, ms):
        time.sleep(ms / 1000)
        self.answer(s)

    def do_later(self, s, ms):
        self.after(ms / 1000, self.answer, s)

    def do_stream(self, s, n, ms):
        self.answer(s, b"part\n" if n > 1 else b"ok\n")
        if n > 1:
            self.after(ms / 1000, self.do_stream, s, n - 1, ms)

    def do_hold(self, s, ms):
        end = time.monotonic() + ms / 1000
        while time.monotonic() < end:
            self.answer(s, b"part\n")
            burn(min(50, ms))
        self.answer(s)

    def do_timed(self, s, ms):
        self.never.acquire(timeout=ms / 1000)
        self.answer(s)

    def do_locked(self, s, ms):
        held = threading.Event()

        def holder():
            with self.lock:
                held.set()
                time.sleep(ms / 1000)
        threading.Thread(target=holder).start()
        held.wait()
        with self.lock:
            self.answer(s)


def listen(options):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", int(options.get("port", 0))))
    listener.listen(int(options.get("backlog", 1024)))
    print("port", listener.getsockname()[1], flush=True)
    return listener


# --- asyncio ---

async def coroutine(reader, writer):
    while line := await reader.readline():
        command, *arguments = line.decode().split()
        ms = float(arguments[0]) if arguments else 0
        if command == "burn":
            burn(ms)
        elif command == "sleep":
            time.sleep(ms / 1000)
        elif command == "later":
            await asyncio.sleep(ms / 1000)
        writer.write(b"ok\n")
    writer.close()


class Serial(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.queue, self.busy = transport, [], False

    def data_received(self, data):
        self.queue += data.decode().split("\n")[:-1]
        self.next()

    def next(self):
        if self.busy or not self.queue:
            return
        _, *ms = self.queue.pop(0).split()
        self.busy = True
        asyncio.get_running_loop().call_later(float(ms[0]) / 1000 if ms else 0, self.done)

    def done(self):
        self.busy = False
        self.transport.write(b"ok\n")
        self.next()


def post(says):
    async def handler(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if says:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()
    return handler


async def serve(kind, options):
    if kind == "serial":
        await (await asyncio.get_running_loop().create_server(Serial, sock=listen(options))).serve_forever()
    handler = coroutine if kind == "streams" else post("says" in options)
    await (await asyncio.start_server(handler, sock=listen(options))).serve_forever()


def overflow():
    """Two connections in a queue of one: the rest of them overflow."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    print("port", listener.getsockname()[1], flush=True)
    clients = []
    while True:
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(listener.getsockname())
        clients = clients[-50:] + [s]
        time.sleep(0.02)


def main():
    kind, options = sys.argv[1], dict(word.split("=") for word in sys.argv[2:])
    if kind == "epoll" or kind == "listener" and "says" in options:
        Loop(options).run()
    elif kind == "listener":
        kept = listen(options)
        threading.Event().wait()
        kept.close()
    elif kind == "overflow":
        overflow()
    else:
        asyncio.run(serve(kind, options))


main()
