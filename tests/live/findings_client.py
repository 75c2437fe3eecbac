# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""findings_client.py KIND PORT ARGUMENT...: clients and other trouble that no load generator makes.

trickle PORT BYTES SECONDS N  sends N messages, one every SECONDS, and reads nothing
deaf PORT SECONDS             asks for much, reads nothing for so long, then all of it
leave PORT N                  N connections ask once, get an answer and close
stop PID SECONDS GAP N        stops a process N times for so long; prints the longest time
pace PORT RATE SECONDS REQUEST...  requests at even times, by turns, on a connection; one line each
herd PORT N GAP               N connections one after the other, GAP seconds apart
uring                         a server that holds an io_uring: prints its port
"""
import os
import selectors
import signal
import socket
import sys
import time


def connect(port):
    s = socket.create_connection(("127.0.0.1", int(port)))
    s.settimeout(10)
    return s


def trickle(port, size, gap, count):
    s = connect(port)
    for _ in range(int(count)):
        s.sendall(b"x" * int(size))
        time.sleep(float(gap))
    s.close()


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def deaf(port, seconds):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
    s.settimeout(10)
    s.connect(("127.0.0.1", int(port)))
    s.sendall(GET)
    time.sleep(float(seconds))
    s.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    while s.recv(1 << 20):
        pass
    s.close()


def leave(port, count):
    all_of_them = [connect(port) for _ in range(int(count))]
    for s in all_of_them:
        s.sendall(GET)
        s.recv(65536)
    for s in all_of_them:
        s.close()


def stop(pid, seconds, gap, count):
    longest = 0
    for _ in range(int(count)):
        begin = time.monotonic_ns()
        os.kill(int(pid), signal.SIGSTOP)
        time.sleep(float(seconds))
        os.kill(int(pid), signal.SIGCONT)
        longest = max(longest, time.monotonic_ns() - begin)
        time.sleep(float(gap))
    print(longest)


def pace(port, rate, seconds, *requests):
    s = connect(port)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    due, end, n = time.monotonic(), time.monotonic() + float(seconds), 0
    while due < end:
        time.sleep(max(0, due - time.monotonic()))
        s.sendall(requests[n % len(requests)].encode() + b"\r\n")
        while not s.recv(1 << 20).endswith(b"\r\n"):
            pass
        due += 1 / float(rate)
        n += 1


def herd(port, count, gap):
    for _ in range(int(count)):
        s = connect(port)
        s.sendall(b"x" * 64)
        s.recv(64)
        s.close()
        time.sleep(float(gap))


def uring():
    import ctypes
    params = ctypes.create_string_buffer(120)
    if ctypes.CDLL(None, use_errno=True).syscall(425, 4, params) < 0:
        sys.exit(f"io_uring_setup: {os.strerror(ctypes.get_errno())}")
    listener = socket.create_server(("127.0.0.1", 0))
    selector = selectors.EpollSelector()
    selector.register(listener, selectors.EVENT_READ)
    print("port", listener.getsockname()[1], flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                selector.register(listener.accept()[0], selectors.EVENT_READ)
            elif data := key.fileobj.recv(65536):
                key.fileobj.sendall(data)
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
