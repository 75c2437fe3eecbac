# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""table.py - the cases: what runs, what it may be called, what must be said of it and what must not.

Each is followed by near misses, in which nothing of the kind is wrong. A finding that is not allowed
fails, warnings too. `must` holds codes (one of a|b), /words/ of the report, and =conditions on the
report `r`, the clients `c`, `holds` and `kind(NAME)` of the traffic; `never` are words of the
diagnosis. `not_yet` says what the program has still to learn: such a row is a skip that is counted.
"""
from dataclasses import dataclass, field


@dataclass
class Row:
    name: str
    server: str
    load: list
    allow: str = ""
    must: list = field(default_factory=list)
    never: list = field(default_factory=list)
    not_yet: str = ""
    beside: list = field(default_factory=list)
    counts: bool = True	# exchanges are the clients' answers
    computes: bool = False	# takes a processor for some ms at a time
    alone: bool = False
    before: float = 0	# s of load before the attach
    seconds: float = 3
    target: str = "pid"
    options: str = ""
    load_cpu: bool = False	# the load has the last processor


CLIENT = r"the client or the network"
TEN = "10x50 q"

TRAFFIC = [
    Row("one-way peer", "epoll news=350", ["4x20 q", "1x2n note"],
        must=["=kind('one-way')['connections'] == 1", "=kind('one-way')['latency_ns'] is None",
              "=kind('request-response')['exchanges'] == c['answered']",
              "=r['exchanges']['latency_ns']['max'] < 170e6"],
        never=["slow-", "send"]),
    Row("one-way peer, near: it asks", "epoll", ["4x20 q", "1x2 q"]),
    Row("notes and news both ways", "epoll news=40", ["10x20 q", "5x20n note"],
        must=["=kind('one-way')['connections'] == 5",
              "=kind('request-response')['exchanges'] == c['answered']"]),
    Row("streamed answer", "epoll", ["5x0.6 stream 40 20", "4x20 q"],
        must=["/stream/"], never=["read too slowly", "small"]),
    Row("streamed answer, near: one part", "epoll", ["5x20 stream 1 20", "4x20 q"]),
    Row("several at once", "epoll", ["4x100m q /100 later 100"], counts=False,
        must=["=kind('overlapping')['connections'] == 4"], never=["slow-", CLIENT],
        not_yet="traffic kinds"),
    Row("several at once, near: one at a time", "epoll", ["40x10 q /100 later 100"],
        must=["=kind('overlapping')['connections'] == 0"], never=[CLIENT, "computes"],
        allow="slow-upstream idle-wait"),
    Row("HTTP/2, ten streams", "http2", ["http2 10"], counts=False,
        must=["=kind('overlapping')['connections'] == 4", "='http/2' in protocols"],
        never=["slow-", CLIENT]),
    Row("HTTP/2, near: one stream", "http2", ["http2 1"], counts=False,
        must=["='http/2' in protocols"], never=[CLIENT], allow="slow-upstream idle-wait"),
    Row("read early, served later", "serial", ["5x10t later 20"], counts=False,
        must=["=kind('overlapping')['connections'] == 5"], never=["slow-", CLIENT]),
    Row("read early, near: one at a time", "serial", ["5x20 later 20"],
        must=["=kind('overlapping')['connections'] == 0"], never=[CLIENT], allow="slow-upstream idle-wait"),
    Row("long polls", "epoll", ["20x0.5 later 1500", "4x50 q"], counts=False, allow="idle-wait",
        never=["upstream", "slow", CLIENT], not_yet="long polls are a population of their own"),
]

HOLDS = [
    Row("hold of the whole loop", "epoll", ["10x40 q", "1x1.2@ hold 1500"], computes=True,
        must=["=holds['max_ns'] >= 1.5e9", "=holds['open_loop_wait_ns']['p99'] > 0.5e9",
              "loop-blocked|hold"],
        allow="loop-blocked slow-service accept-starved"),
    Row("hold, near: it comes later", "epoll", ["10x40 q", "1x1.2@ later 1500"],
        must=["=holds['max_ns'] < 1e9"]),
    Row("a watch inside a hold", "epoll", ["10x40 q", "1x0.5@ hold 5000"], before=1.5, seconds=2,
        computes=True, counts=False,
        must=["/since before/", "=holds['worst'][0]['in_progress']",
              "=holds['worst'][0]['waiting'] >= 9"],
        allow="loop-blocked"),
    Row("a watch inside, near: nobody asks", "epoll", ["1x0.2@ q"], before=1, seconds=2, counts=False),
    Row("rare stalls", "epoll", ["2x400 q", "1x2 sleep 50"],
        must=["=holds['count'] >= 5", "=25e6 < holds['open_loop_wait_ns']['p99'] < 75e6",
              "/nanosleep/"],
        allow="blocking-call loop-blocked hold", never=["computed"]),
    Row("rare stalls, near: short ones", "epoll", ["2x400 q", "1x2 sleep 1"]),
    Row("own work after the events", "epoll cron=late hold=60 every=500", [TEN], computes=True,
        must=["loop-blocked|hold|own-work", "/own work/"], allow="loop-blocked accept-starved",
        never=[r"behind the connection", "Single handlers"]),
    Row("own work in a turn of its own", "epoll cron=own hold=60 every=500", [TEN], computes=True,
        must=["loop-blocked|hold|own-work", "/own work/"], allow="loop-blocked accept-starved",
        never=[r"behind the connection", "Single handlers"]),
    Row("own work, near: 1 ms of it", "epoll cron=late hold=1 every=500", [TEN]),
    Row("own work for long, beside a hog", "epoll cron=late hold=500 every=1500", [TEN], alone=True,
        beside=["hog 0"], load_cpu=True, seconds=5, must=["loop-blocked|hold|own-work", "cpu-starved"],
        allow="loop-blocked hold own-work cpu-starved"),
]

ASYNC = [
    Row("coroutine computes", "streams", ["1x45 q /20 burn 20"], computes=True,
        must=["slow-service|loop-blocked"], allow="slow-service loop-blocked",
        never=["turns later", "waits for others"]),
    Row("coroutine computes, eight clients", "streams", ["8x40 q /20 burn 20"], computes=True,
        must=["slow-service|loop-blocked"], allow="slow-service loop-blocked",
        never=["turns later", "waits for others"], not_yet="asynchronous service is split"),
    Row("coroutine sleeps", "streams", ["1x45 q /20 sleep 20"], must=["blocking-call"],
        allow="blocking-call", never=["turns later", "computes"]),
    Row("coroutine, near: it awaits", "streams", ["8x40 q /20 later 20"], allow="slow-upstream idle-wait",
        never=["computes", "blocking", "slept"]),
    Row("proxy beside a CPU hog", "nginx --loops+1", ["4x25h"], alone=True, beside=["hog -5"],
        load_cpu=True, must=["cpu-starved"], allow="cpu-starved",
        never=["upstream"]),
    Row("proxy, near: its upstream is slow", "nginx --fault+sleep=40ms,every=20", ["8x50h"],
        must=["slow-upstream"], allow="slow-upstream"),
    Row("one worker thread for bursts", "pool 1 10000 1", ["12x4b q"], must=["/worker|other thread/"],
        allow="worker-wait", seconds=4,
        never=["another connection", "take fewer", "EPOLLEXCLUSIVE"]),
    Row("workers, near: one for each", "pool 12 1000 20", ["12x20 q"], allow="blocking-call",
        never=["busy", "take fewer"]),
    Row("a goroutine that computes", "spinning x", ["1x45h"], computes=True,
        must=["/goroutine|own/"], allow="cpu-starved go-scheduler slow-service loop-blocked",
        never=["fewer events"], not_yet="Go's own processor"),
    Row("goroutines, near: none computes", "spinning", ["1x45h", "4x20h"]),
    Row("an interpreter's lock", "epoll gil=1", ["4x50 q"], computes=True,
        must=["/5(\\.\\d+)? ms/", "lock-contention|blocking-call|slow-service"],
        allow="lock-contention blocking-call slow-service cpu-starved",
        never=["another program"]),
]

READINESS = [
    Row("re-armed late, alone", "epoll rearm=90", ["1x60 q"], must=["/not armed|unarmed|re-?arm/"],
        allow="unarmed ctl-churn", never=["softirq", "fewer events"]),
    Row("re-armed late, ten", "epoll rearm=90", ["10x25 q"], must=["/not armed|unarmed|re-?arm/"],
        allow="unarmed ctl-churn", never=["softirq", "fewer events", "another connection"]),
    Row("re-armed, near: at once", "epoll rearm=0", ["10x50 q"], allow="", not_yet="re-arming is no churn"),
    Row("the end is ignored", "epoll eof=ignored", ["10x50 q", "1x1f q"], alone=True,
        must=["poll-spin", "/CLOSE.WAIT/", "/close/"], allow="poll-spin close-wait-leak",
        never=["read what an event"]),
    Row("the end, near: it is closed", "epoll", ["10x50 q", "1x1f q"], counts=False),
]

CLAIMS = [
    Row("100-continue that never comes", "expect", ["40x1e"], must=["/100.?continue/", r"/1\.0\d? s/"],
        allow="slow-request", never=["not the server", "Nothing to mend"], seconds=3.5),
    Row("100-continue, near: it comes", "expect says=1", ["40x1e"], counts=False),
    Row("100-continue, near: the body is late", "expect", ["40x1w"], seconds=3.5,
        allow="slow-request", never=["100"],
        not_yet="the header is not read, so its clock is said as a possibility"),
    Row("Nagle against a delayed ACK", "epoll", ["10x15p burn 0"],
        must=["/Nagle|delayed ACK/", "/40(\\.\\d)? ms/"], allow="slow-request nagle-delay",
        never=["Nothing to mend"]),
    Row("Nagle, near: a pause of its own", "epoll", ["10x15s burn 0"], allow="slow-request",
        never=["Nagle", "delayed ACK"]),
    Row("an answer corked", "epoll cork=1", ["10x4 q"], must=["/cork/"],
        allow="nagle-delay corked send-blocked"),
    Row("a timed wait expires", "epoll", ["4x50 q /20 timed 20"], alone=True, beside=["hog 10"],
        load_cpu=True, must=["blocking-call|lock-contention", "/timed|expired|time-?out/"],
        allow="blocking-call lock-contention cpu-starved", never=["released by"]),
    Row("a timed wait, near: the lock is held", "epoll", ["4x50 q /20 locked 20"],
        must=["lock-contention"], allow="lock-contention", never=["expired"]),
    Row("page faults", "faulting 50 20000", ["10x40 q"], must=["/page fault/"],
        allow="blocking-call page-fault", never=["429496", "asynchronous form"]),
    Row("page faults, near: none", "faulting 50 0", ["10x40 q"]),
    Row("a second listener", "epoll", ["120x0.7o q"], target="port", beside=["listener"], counts=False,
        must=["/listening socket of port/", "/open in/", "accept-starved"], allow="accept-starved"),
    Row("a second listener, near: it serves", "epoll", ["1x60o q"], target="port",
        beside=["listener says=1"]),
    Row("another's queue overflows", "epoll", [TEN], beside=["overflow"]),
    Row("quota, its group first", "epoll", ["10x20 burn 5"], alone=True,
        beside=["server last", "quota 30"], must=["cpu-throttled", "=evidence('cpu-throttled', "
        "'throttled_periods') == throttled"], allow="cpu-throttled loop-blocked slow-service batch-queueing"),
    Row("quota, its group last", "epoll", ["10x20 burn 5"], alone=True,
        beside=["server first", "quota 30"], must=["cpu-throttled", "=evidence('cpu-throttled', "
        "'throttled_periods') == throttled"], allow="cpu-throttled loop-blocked slow-service batch-queueing"),
    Row("quota, near: not reached", "epoll", [TEN], beside=["quota 90"]),
]

# At least 1,000 exchanges, and a tail of any length is one.
ANY_TAIL = "--threshold tail=0ns"
OPEN = "epollload --protocol http --rate 1000 --connections 20"
ECHO = "client [\"--connections\", \"8\", \"--requests\", \"4000\", "

HEALTHY = [
    Row(f"healthy {name}", server, [load], options=ANY_TAIL, seconds=2, load_cpu=True)
    for name, server, load in (
        ("nginx", "nginx", OPEN), ("haproxy", "haproxy", OPEN), ("node", "node", OPEN), ("Go", "go", OPEN),
        ("epollserver", "epollserver --protocol http", OPEN),
        ("redis", "redis", ECHO + "\"--line\", \"PING\", \"--size\", \"7\"]"),
        ("memcached", "memcached", ECHO + "\"--line\", \"get k\", \"--size\", \"5\"]"),
        ("asyncio, streams", "streams", "10x100 q"), ("epoll in Python", "epoll", "10x100 q"),
        ("proxy", "nginx --loops+1", OPEN))
]

ROWS = TRAFFIC + HOLDS + ASYNC + READINESS + CLAIMS + HEALTHY
