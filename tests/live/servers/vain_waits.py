# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A thread asleep in epoll_wait is woken for nothing at each line of standard input.
import os, select, sys, threading

r, w = os.pipe()
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
asleep = threading.Event()


def loop():
    # Of the lowest class: it runs after whoever wakes it has taken the event away.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    ep = select.epoll()
    ep.register(r, select.EPOLLIN)
    asleep.set()
    ep.poll()


threading.Thread(target=loop, daemon=True).start()
asleep.wait()
print("pid", os.getpid(), flush=True)
for line in sys.stdin:
    os.write(w, b"x")
    os.read(r, 1)
    print("done", flush=True)
os._exit(0)
