#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# async_client.py PORT CONNECTIONS REQUESTS PAUSE_MS KINDS - so many connections at once send so many
# requests each, one after the other. A request is its kind's letter, the next one of KINDS, once for b,
# twice for s, three times for t, four times for n: its length tells what it was.
import socket
import sys
import threading
import time

port, connections, requests, pause_ms, kinds = *map(int, sys.argv[1:5]), sys.argv[5]


def client(n):
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(requests):
        kind = kinds[(n + i) % len(kinds)]
        s.sendall(kind.encode() * ("bstn".index(kind) + 1))
        if not s.recv(200):
            sys.exit("closed")
        time.sleep(pause_ms / 1000)
    s.close()


threads = [threading.Thread(target=client, args=(n,)) for n in range(connections)]
for t in threads:
    t.start()
for t in threads:
    t.join()
