# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""client.py PORT SECONDS GROUP...: clients at even times; prints what they saw, as JSON.

A GROUP is `CONNECTIONSxRATE[MANNER] REQUEST[ /N OTHER]`: so many connections ask RATE times a second each,
every Nth time OTHER. Who is late asks at once and is not early again. MANNER is a letter:
n  nobody answers; what comes is read
m  several under way: it does not wait for an answer
p  two pieces a request, the first without TCP_NODELAY
t  two requests, half of the second's time apart, then both answers
o  a connection for each request
e  POST with Expect: 100-continue, a connection each, and a second's patience
w  the same POST without it, the body a second later
h  GET of HTTP/1
b  all connections at once
f  it asks once, ends its half and stays
s  two pieces a request, 25 ms apart
@  once, RATE seconds after the beginning
"""
import asyncio
import json
import re
import socket
import sys
import time

LATENCIES = []
COUNTS = {"asked": 0, "answered": 0, "failed": 0}
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4096\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Connection:
    def __init__(self, port):
        self.port = port

    async def open(self, nodelay=True):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, nodelay)

    def send(self, data):
        COUNTS["asked"] += 1
        self.writer.write(data)
        return time.monotonic()

    async def answer(self, since):
        while True:
            line = await self.reader.readline()
            if not line:
                raise ConnectionError
            if line == b"ok\n":
                break
        self.count(since)

    def count(self, since):
        COUNTS["answered"] += 1
        LATENCIES.append(time.monotonic() - since)


async def ask(c, manner, request):
    data = request.encode() + b"\n"
    if manner == "n":
        c.send(data)
    elif manner == "m":
        c.pending.append(c.send(data))
    elif manner in "ps" and manner:
        since = c.send(data[:-2])
        await asyncio.sleep(0.025 if manner == "s" else 0)
        c.writer.write(data[-2:])
        await c.answer(since)
    elif manner == "t":
        first = c.send(data)
        await asyncio.sleep(0.01)
        second = c.send(data)
        await c.answer(first)
        await c.answer(second)
    elif manner == "f":
        await c.answer(c.send(data))
        c.writer.write_eof()
        await asyncio.sleep(60)
    elif manner in ("e", "w"):
        await post(c, manner == "e")
    elif manner == "h":
        since = c.send(GET)
        if not await c.reader.read(65536):
            raise ConnectionError
        c.count(since)
    else:
        await c.answer(c.send(data))


async def post(c, expects):
    since = c.send(POST + (b"Expect: 100-continue\r\n" if expects else b"") + b"\r\n")
    try:
        await asyncio.wait_for(c.reader.readuntil(b"100 Continue\r\n\r\n"), 1)
    except asyncio.TimeoutError:
        pass
    c.writer.write(b"x" * 4096)
    if not await c.reader.read(65536):
        raise ConnectionError
    c.count(since)


async def collect(c):
    """Answers of a connection with several under way, in whatever order they come."""
    while line := await c.reader.readline():
        if line == b"ok\n" and c.pending:
            c.count(c.pending.pop(0))


async def connection(port, begin, end, first, gap, manner, words):
    request, every, other = words
    fresh = manner in ("o", "e", "w")
    c, n, due = Connection(port), 0, begin + first
    if not fresh:
        await c.open(manner != "p")
    c.pending = []
    collecting = asyncio.create_task(collect(c)) if manner in ("m", "n") else None
    while due < end:
        await asyncio.sleep(max(0, due - time.monotonic()))
        if fresh:
            await c.open()
        n += 1
        await ask(c, manner, other if every and n % every == 0 else request)
        if fresh:
            c.writer.close()
        due = max(due + gap, time.monotonic() - gap)
    if collecting:
        await asyncio.sleep(0.3)
        collecting.cancel()
    c.writer.close()


async def guarded(*arguments):
    try:
        await connection(*arguments)
    except (OSError, asyncio.IncompleteReadError):
        COUNTS["failed"] += 1


async def main():
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    begin, tasks = time.monotonic() + 0.1, []
    for group in sys.argv[3:]:
        n, rate, manner, request, every, other = re.fullmatch(
            r"(\d+)x([\d.]+?)([a-z]|@?)(?: (.*?)(?: /(\d+) (.*))?)?", group).groups()
        n, rate, words = int(n), float(rate), (request or "q", int(every or 0), other)
        for i in range(n):
            if manner == "@":
                tasks.append(guarded(port, begin, begin + rate + 0.001, rate, 1e9, "", words))
            else:
                first = 0 if manner == "b" else i / n / rate
                tasks.append(guarded(port, begin, begin + seconds, first, 1 / rate, manner, words))
    tasks = [asyncio.create_task(task) for task in tasks]
    _, waiting = await asyncio.wait(tasks, timeout=seconds + 1.5)
    COUNTS["unanswered"] = len(waiting)
    for task in waiting:
        task.cancel()
    LATENCIES.sort()
    at = (lambda q: LATENCIES[min(len(LATENCIES) - 1, int(q * len(LATENCIES)))] * 1e9) if LATENCIES else lambda q: 0
    print(json.dumps({**COUNTS, "p50_ns": at(.5), "p99_ns": at(.99), "max_ns": at(1)}))


asyncio.run(main())
