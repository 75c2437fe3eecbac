#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An event-loop server whose connections carry what their first byte says. Prints "port N".

    q  each read is answered at once; so is this byte
    n  notes that are not answered; news is pushed each 70 ms, asked or not
    s  each read is answered by 20 parts, 20 ms apart
    e  each byte is answered after 20 ms, in order; bytes that come meanwhile are read early
    G  HTTP/1: an upgrade to websocket, then a frame is pushed each 50 ms and those that come are read
    H  HTTP/1 too (HEAD): each request is answered after 30 ms, in order, and read as it comes
"""
import asyncio
import base64
import hashlib
import re

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def answer(reader, writer):
    writer.write(b"ok")
    while await reader.read(4096):
        writer.write(b"ok")


async def push(writer, what, seconds):
    while not writer.is_closing():
        await asyncio.sleep(seconds)
        writer.write(what)


async def notes(reader, writer):
    task = asyncio.create_task(push(writer, b"news", 0.07))
    while await reader.read(4096):
        pass
    task.cancel()


async def stream(reader, writer):
    while True:
        for part in range(20):
            writer.write(b"part%d\n" % part)
            await asyncio.sleep(0.02)
        writer.write(b"end\n")
        if not await reader.read(4096):
            return


async def early(reader, writer):
    queue = asyncio.Queue()

    async def work():
        while True:
            await queue.get()
            await asyncio.sleep(0.02)
            writer.write(b"a")

    task = asyncio.create_task(work())
    queue.put_nowait(b"e")
    while data := await reader.read(4096):
        for byte in data:
            queue.put_nowait(byte)
    task.cancel()


async def websocket(reader, writer):
    head = await reader.readuntil(b"\r\n\r\n")
    key = re.search(rb"Sec-WebSocket-Key: *([^\r]+)", head).group(1)
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    await notes_of(reader, writer)


async def notes_of(reader, writer):
    task = asyncio.create_task(push(writer, b"\x81\x02hi", 0.05))
    while await reader.read(4096):
        pass
    task.cancel()


async def heads(reader, writer):
    queue = asyncio.Queue()

    async def work():
        while True:
            await queue.get()
            await asyncio.sleep(0.03)
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    task = asyncio.create_task(work())
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            queue.put_nowait(head)
    finally:
        task.cancel()


KINDS = {b"H": heads, b"q": answer, b"n": notes, b"s": stream, b"e": early, b"G": websocket}


async def serve(reader, writer):
    try:
        await KINDS[await reader.readexactly(1)](reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
