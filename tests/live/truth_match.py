# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""truth_match.py SLOW SERVER CLIENT [MISSES]: compares each exchange with the stamps of both ends.

The n-th line of a remote port is the n-th exchange of the connection with that port. The kernel's
stamps lie between the applications' stamps before and after a call, so each stage has an interval
in which it must lie, give or take 2 % or 20 us. A thread that loses its processor on the way out of
a call has returned for the kernel, but not yet for itself: the waits may be shorter, and the next
stage longer, by as long as that stage says the thread was runnable. Exit status 0 if 99.9 % (or
1 - MISSES), or all but three, of each kind match: interrupts and a busy host show on the way out of
a call too. A timer's interrupt takes 15 to 50 us of a virtual machine, and one that hits a return
hits all that the turn delivers.

The last line has the share within, the furthest outside in us, and how far the ledger is from the
server's own stamps as they are: return to the end of the read, and from there to the end of the
send.
"""
import json
import sys
from collections import defaultdict

WAITS = ("accept", "receive", "wakeup", "runqueue", "busy", "return")
KINDS = ("waits", "dispatch", "service", "latency")
MISSES = 0.001
MISSES_OF_FEW = 3


def read_slow(path):
    """Lists of lines by remote port, in the order of their end."""
    lines = defaultdict(list)
    with open(path) as file:
        for text in file:
            line = json.loads(text)
            lines[int(line["remote"].rsplit(":", 1)[1])].append(line)
    for of_port in lines.values():
        of_port.sort(key=lambda line: line["time"])
    return lines


def read_truth(path):
    """Stamps by (port, number)."""
    with open(path) as file:
        rows = [[int(word) for word in text.split()] for text in file]
    return {(row[0], row[1]): row[2:] for row in rows}


def intervals(server, client, number, late):
    """The lowest and highest value that each compared time may have; late: see above."""
    accepted, returned, read, got, send, answered = server[:6]
    first_before, first_after, last_before, last_after = client[:4]
    # The wait ends when epoll_wait is back, or with the data, or the accept, if these are later.
    after_accept = accepted if number == 1 else 0
    end_low = max(returned, last_before, after_accept)
    end_high = max(returned, min(last_after, read), after_accept)
    return {
        "waits": (end_low - min(first_after, end_low) - late, end_high - first_before),
        "dispatch": (read - end_high, got - end_low + late),
        "service": (send - got, answered - read + late),
        "latency": (send - first_after, answered - first_before),
    }


def measured(line):
    stage = {entry["stage"]: entry["ns"] for entry in line["stages"]}
    late = sum(entry["runnable_ns"] or 0 for entry in line["stages"]
               if entry["stage"] in ("dispatch", "service"))
    return late, {
        "waits": sum(stage[name] for name in WAITS),
        "dispatch": stage["dispatch"],
        "service": stage["service"],
        "latency": line["latency_ns"],
    }


def within(value, low, high):
    slack = max(20000, value * 0.02)
    return low - slack <= value <= high + slack


def within_share(good, compared, outside):
    """In steps that never round a miss away."""
    if good == compared:
        return "100 %"
    share = int(good / compared * 10000) / 100
    return f"{share:.2f} % ({outside / 1000:.0f} us)"


def middle_and_p99(differences):
    ordered = sorted(abs(ns) for ns in differences)
    last = len(ordered) - 1
    return f"{ordered[last // 2] / 1000:.1f}/{ordered[last * 99 // 100] / 1000:.1f}"


def main():
    slow, server, client = read_slow(sys.argv[1]), read_truth(sys.argv[2]), read_truth(sys.argv[3])
    good = defaultdict(int)
    shown = defaultdict(int)
    outside = defaultdict(int)
    differences = defaultdict(list)
    compared = 0
    for port, lines in slow.items():
        for number, line in enumerate(lines, 1):
            key = (port, number)
            if key not in server or key not in client:
                print(f"connection {port} has no exchange {number}")
                continue
            compared += 1
            late, values = measured(line)
            _, returned, _, got, _, answered = server[key][:6]
            differences["dispatch"].append(values["dispatch"] - (got - returned))
            differences["service"].append(values["service"] - (answered - got))
            bounds = intervals(server[key], client[key], number, late)
            for kind, (low, high) in bounds.items():
                if within(values[kind], low, high):
                    good[kind] += 1
                    continue
                outside[kind] = max(outside[kind], low - values[kind], values[kind] - high)
                if shown[kind] < 3:
                    shown[kind] += 1
                    print(f"{kind} {values[kind]} not in {low}..{high}: {port} {number} "
                          + " ".join(f"{s['stage']} {s['ns']}/{s['runnable_ns']}"
                                     for s in line["stages"] if s["ns"]))
    missing = len(server) - compared
    if not compared:
        print("nothing to compare")
        sys.exit(1)
    print("counts", compared, *(compared - good[kind] for kind in KINDS))
    print(f"{compared} compared, {missing} missing, within: " + ", ".join(
        f"{kind} {within_share(good[kind], compared, outside[kind])}" for kind in KINDS)
        + "; us from the stamps, median/P99: " + ", ".join(
        f"{kind} {middle_and_p99(of_kind)}" for kind, of_kind in differences.items()))
    misses = float(sys.argv[4]) if len(sys.argv) > 4 else MISSES
    most = max(misses * compared, MISSES_OF_FEW)
    enough = all(compared - good[kind] <= most for kind in KINDS)
    sys.exit(0 if enough and missing == 0 else 1)


if __name__ == "__main__":
    main()
