# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""clients.py KIND PORT [COUNT]: clients that no load generator has; exit status 0 if the server was right.

push: a conversation by tools/push.h, without its code. The others are what the internet sends.
"""
import os
import socket
import struct
import sys
import time

HEADER = struct.Struct(">HBBIIII")
HELLO, WELCOME, SUBSCRIBE, UNSUBSCRIBE, PUBLISH, SEND, MESSAGE, HEARTBEAT, ACK, REFUSE, BYE = range(1, 12)


def connect(port):
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(5)
    return s


def read_all(s):
    got = b""
    try:
        while piece := s.recv(65536):
            got += piece
    except ConnectionResetError:
        pass
    return got


class Push:
    def __init__(self, port, window=100):
        self.socket, self.window, self.sent, self.got, self.bytes = connect(port), window, 0, 0, b""

    def send(self, kind, payload=b""):
        self.sent += kind in (PUBLISH, SEND)
        self.socket.sendall(HEADER.pack(0x4550, 1, kind, len(payload), self.sent, self.got,
                                        self.window) + payload)

    def frame(self):
        """(type, sequence, ack, payload), or None at the end."""
        while len(self.bytes) < 20 or len(self.bytes) < 20 + HEADER.unpack(self.bytes[:20])[3]:
            piece = self.socket.recv(65536)
            if not piece:
                return None
            self.bytes += piece
        _, _, kind, length, sequence, ack, _ = HEADER.unpack(self.bytes[:20])
        payload, self.bytes = self.bytes[20:20 + length], self.bytes[20 + length:]
        if kind == MESSAGE:
            assert sequence == self.got + 1, (sequence, self.got)
            self.got = sequence
        return kind, sequence, ack, payload

    def wait(self, kind):
        while (f := self.frame()) and f[0] != kind:
            pass
        return f

    def hello(self):
        self.send(HELLO)
        self.id, self.beat = struct.unpack(">II", self.wait(WELCOME)[3])
        return self


def word(n):
    return struct.pack(">I", n)


def push(port):
    clients = [Push(port).hello() for _ in range(8)]
    assert len({c.id for c in clients}) == 8
    for c in clients:
        c.send(SUBSCRIBE, word(7))
        assert c.wait(ACK)
    clients[0].send(PUBLISH, word(7) + b"all")
    for c in clients:
        assert c.wait(MESSAGE)[3] == word(7) + word(clients[0].id) + b"all"
    clients[1].send(SEND, word(clients[2].id) + b"you")
    assert clients[2].wait(MESSAGE)[3] == word(0) + word(clients[1].id) + b"you"
    assert clients[1].wait(ACK)[2] == 1
    for c in clients[1:]:
        c.send(UNSUBSCRIBE, word(7))
        assert c.wait(ACK)
    clients[0].send(PUBLISH, word(7) + b"me")
    assert clients[0].wait(MESSAGE)[3][8:] == b"me"
    narrow = Push(port, window=2).hello()
    for i in range(5):
        clients[4].send(SEND, word(narrow.id) + b"%d" % i)
    got = [narrow.wait(MESSAGE)[3][8:] for _ in range(2)]
    narrow.socket.settimeout(0.3)
    try:
        raise AssertionError(f"beyond the window: {narrow.wait(MESSAGE)}")
    except TimeoutError:
        narrow.socket.settimeout(5)
    narrow.send(ACK)
    got += [narrow.wait(MESSAGE)[3][8:] for _ in range(2)]
    assert got == [b"0", b"1", b"2", b"3"], got
    wrong = Push(port).hello()
    wrong.sent = 5
    wrong.send(PUBLISH, word(7))
    assert wrong.wait(MESSAGE) is None


def push_silent(port):
    """Hears heartbeats, sends none, is closed after three intervals; who answers stays."""
    silent, lively = Push(port).hello(), Push(port).hello()
    start, beats = time.monotonic(), 0
    while time.monotonic() < start + 5 * lively.beat / 1000:
        assert lively.wait(HEARTBEAT)
        lively.send(HEARTBEAT)
    while silent.wait(HEARTBEAT):
        beats += 1
    assert beats >= 2, beats


def push_refused(port):
    """More than the server bears: some refused, all acknowledged, the connection stays."""
    c = Push(port).hello()
    kinds = []
    for _ in range(100):
        c.send(SEND, word(c.id))
    while not kinds.count(REFUSE) or kinds.count(REFUSE) + kinds.count(MESSAGE) < 100:
        kinds.append(c.frame()[0])
    assert kinds.count(MESSAGE) >= 5


def push_bye(port):
    c = Push(port).hello()
    print("ready", flush=True)
    assert c.wait(BYE) and c.frame() is None


def half_open(port):
    """Gone without a word: only the server's idle limit ends it."""
    s = connect(port)
    s.sendall(b"GET / HT")
    start = time.monotonic()
    assert read_all(s) == b""
    assert 0.2 < time.monotonic() - start < 3


def half_closed(port):
    s = connect(port)
    s.sendall(b"GET / HTTP/1.1\r\n\r\n" * 3)
    s.shutdown(socket.SHUT_WR)
    assert read_all(s).count(b"200 OK") == 3


def reset(port):
    for request in (b"", b"GET / HT", b"GET / HTTP/1.1\r\n\r\n"):
        for _ in range(20):
            s = connect(port)
            s.sendall(request)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()


def garbage(port):
    for i in range(50):
        s = connect(port)
        s.sendall(b"\x80" + os.urandom(200 * i))
        assert read_all(s)[:12] in (b"HTTP/1.1 400", b"")
    for status, request in (
            (b"400", b"GET\r\n\r\n"), (b"400", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
            (b"405", b"BREW / HTTP/1.1\r\n\r\n"), (b"431", b"GET / HTTP/1.1\r\nA: " + b"a" * 9000),
            (b"413", b"PUT / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"),
            (b"501", b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")):
        s = connect(port)
        s.sendall(request)
        if status == b"405":
            s.shutdown(socket.SHUT_WR)
        got = read_all(s)
        assert got.split(b" ")[1:2] == [status], (request[:40], got[:60])


def slow_sender(port):
    s = connect(port)
    request = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nConnection: close\r\n\r\n"
    for i in range(len(request)):
        s.sendall(request[i:i + 1])
    assert read_all(s).count(b"200 OK") == 2


def slow_reader(port):
    """Many answers that nobody reads for a while: none is lost, others are served."""
    s = connect(port)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(b"GET / HTTP/1.1\r\n\r\n" * 500)
    other = connect(port)
    other.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert read_all(other).count(b"200 OK") == 1
    time.sleep(0.3)
    s.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert read_all(s).count(b"200 OK") == 501


def talks_on(port):
    """Goes on talking after a wrong request: is told so all the same, not reset."""
    s = connect(port)
    s.sendall(b"GET\r\n\r\n")
    assert s.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 400"
    for _ in range(20):
        s.sendall(b"x" * 10000)
    got = b""
    while piece := s.recv(65536):   # a reset would raise
        got += piece
    assert got.startswith(b"HTTP/1.1 400") and b"Connection: close" in got, got
    s.sendall(b"y")
    connect(port).sendall(b"GET\r\n\r\n")


def active(port):
    """Speaks now and then, for longer than the idle limit."""
    s = connect(port)
    for _ in range(6):
        time.sleep(0.15)
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 200")


def third_http(port):
    held = [connect(port) for _ in range(2)]
    for s in held:
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
    third = connect(port)
    third.sendall(b"GET / HTTP/1.1\r\n\r\n")
    got = read_all(third)
    assert got.startswith(b"HTTP/1.1 503") and b"Retry-After: 1\r\n" in got, got


def third_push(port):
    held = [Push(port).hello() for _ in range(2)]
    third = Push(port)
    third.send(HELLO)
    kind, _, _, payload = third.frame()
    assert kind == REFUSE and payload == word(0) + word(1000), (kind, payload)
    assert third.frame() is None
    held[0].send(SEND, word(held[1].id) + b"still here")
    assert held[1].wait(MESSAGE)


def third_echo(port):
    held = [connect(port) for _ in range(2)]
    for s in held:
        s.sendall(b"hello")
        assert s.recv(5) == b"hello"
    assert read_all(connect(port)) == b""


def idle(one, count):
    """Says when there are a hundred, and when there are all; stays until its input ends."""
    clients = [one() for _ in range(100)]
    print("first", flush=True)
    sys.stdin.readline()
    clients += [one() for _ in range(count - 100)]
    print("all", flush=True)
    sys.stdin.read()


def idle_echo(port, count):
    def one():
        s = connect(port)
        s.sendall(b"x")
        assert s.recv(1) == b"x"
        return s
    idle(one, count)


def idle_push(port, count):
    idle(lambda: Push(port).hello(), count)


globals()[sys.argv[1].replace("-", "_")](*map(int, sys.argv[2:]))
