#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# async_server.py - servers whose answers or descriptors come late, and what they know of it.
#
#   async_server.py streams         asyncio streams: read and answer lie in two passes of the loop.
#                                   The request's first byte says what the handler does first: b computes,
#                                   s sleeps in a call, t awaits a timer, n nothing.
#   async_server.py oneshot [LATE]  EPOLLONESHOT; every LATEth answer is armed again only 20 ms later
#
# Prints "port N", and at SIGTERM what it did, as words NAME=VALUE.
import asyncio
import select
import signal
import socket
import sys
import time

TOLD = {}


def tell(name, value=1):
    TOLD[name] = TOLD.get(name, 0) + value


def end(*_):
    print(" ".join(f"{k}={v}" for k, v in TOLD.items()), flush=True)
    sys.exit(0)


async def handle(reader, writer):
    while what := await reader.read(200):
        kind, began, cpu = chr(what[0]), time.monotonic_ns(), time.thread_time_ns()
        while kind == "b" and time.thread_time_ns() - cpu < 15_000_000:
            pass
        if kind == "s":
            time.sleep(0.015)
        elif kind == "t":
            await asyncio.sleep(0.015)
        tell(f"{kind}_count")
        tell(f"{kind}_ns", time.thread_time_ns() - cpu if kind == "b" else time.monotonic_ns() - began)
        writer.write(b"ok")
    writer.close()


async def streams():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def oneshot(late):
    arm = select.EPOLLIN | select.EPOLLONESHOT
    listener, ep, socks, due, k = socket.create_server(("127.0.0.1", 0)), select.epoll(), {}, [], 0
    print("port", listener.getsockname()[1], flush=True)
    ep.register(listener, select.EPOLLIN)
    while True:
        wait = max(0, due[0][0] - time.monotonic()) if due else None
        for fd, _ in ep.poll(wait):
            if fd == listener.fileno():
                s = listener.accept()[0]
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                socks[s.fileno()] = s
                ep.register(s, arm)
                continue
            if not socks[fd].recv(200):
                ep.unregister(fd)
                socks.pop(fd).close()
                continue
            k += 1
            tell("count")
            if late and k % late == 0:
                tell("late")
                due.append((time.monotonic() + 0.02, fd))
            else:
                ep.modify(fd, arm)
            socks[fd].send(b"ok")
        while due and due[0][0] <= time.monotonic():
            fd = due.pop(0)[1]
            if fd in socks:
                ep.modify(fd, arm)


signal.signal(signal.SIGTERM, end)
if sys.argv[1] == "streams":
    asyncio.run(streams())
else:
    oneshot(int((sys.argv + [0])[2]))
