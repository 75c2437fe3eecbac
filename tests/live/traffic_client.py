#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Clients of servers/traffic_server.py: traffic_client.py PORT SECONDS [KIND=CONNECTIONS]...

Prints, as JSON, what they saw: {"KIND": {"requests": N, "p99_ns": N}}. A kind is the byte that the
server asks for.
"""
import asyncio
import json
import sys
import time

PORT, SECONDS = int(sys.argv[1]), float(sys.argv[2])
WANTED = dict(word.split("=") for word in sys.argv[3:])


class Seen:
    def __init__(self):
        self.ns = []

    async def ask(self, writer, what, reading):
        start = time.monotonic_ns()
        writer.write(what)
        await reading
        self.ns.append(time.monotonic_ns() - start)

    def told(self):
        self.ns.sort()
        return {"requests": len(self.ns),
                "p99_ns": self.ns[int(len(self.ns) * 0.99)] if self.ns else 0}


async def asks(seen, reader, writer, end):
    await seen.ask(writer, b"q", reader.readexactly(2))
    while time.monotonic() < end:
        await asyncio.sleep(0.005)
        await seen.ask(writer, b"question", reader.readexactly(2))


async def notes(_, reader, writer, end):
    reading = asyncio.create_task(reader.read(-1))
    writer.write(b"n")
    while time.monotonic() < end:
        await asyncio.sleep(0.1)
        writer.write(b"note")
    reading.cancel()


async def streams(seen, reader, writer, end):
    await seen.ask(writer, b"s", reader.readuntil(b"end\n"))
    while time.monotonic() < end:
        await seen.ask(writer, b"next", reader.readuntil(b"end\n"))


async def early(seen, reader, writer, end):
    writer.write(b"e")
    await reader.readexactly(1)
    while time.monotonic() < end:
        writer.write(b"e")
        await asyncio.sleep(0.01)
        await seen.ask(writer, b"e", reader.readexactly(2))
        await asyncio.sleep(0.03)


async def websocket(_, reader, writer, end):
    writer.write(b"GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    reading = asyncio.create_task(reader.read(-1))
    while time.monotonic() < end:
        await asyncio.sleep(0.08)
        writer.write(b"\x81\x82\x01\x02\x03\x04" + bytes((ord("h") ^ 1, ord("i") ^ 2)))
    reading.cancel()


async def head_pairs(seen, reader, writer, _):
    """One request while another is served, once: that makes no overlapping connection."""
    head = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"

    async def both():
        await asyncio.sleep(0.01)
        writer.write(head)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")

    await seen.ask(writer, head, both())


KINDS = {"H": head_pairs, "q": asks, "n": notes, "s": streams, "e": early, "G": websocket}


async def connection(kind, seen, end):
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    await KINDS[kind](seen, reader, writer, end)
    writer.close()


async def main():
    end = time.monotonic() + SECONDS
    seen = {kind: Seen() for kind in WANTED}
    await asyncio.gather(*(connection(kind, seen[kind], end) for kind in WANTED
                           for _ in range(int(WANTED[kind]))))
    print(json.dumps({kind: seen[kind].told() for kind in WANTED}))


asyncio.run(main())
