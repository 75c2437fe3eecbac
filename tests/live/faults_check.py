# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""faults_check.py RUN NAME BIT CHECK...: what a fault did, exchange by exchange.

RUN is the folder that lib_truth.sh fills. The exchanges that the truth file marks with BIT (a number
of --list-faults) are the hit ones. Each CHECK is one of the functions below and its arguments, as
`service:oncpu:2ms` or `report:.handoff`; prints a line for each, exit status 1 if one failed.
Amounts are within 2 % or 20 us.
"""
import json
import os
import re
import sys
from collections import Counter

from truth_match import read_truth

SLACK_NS = 20000
SLACK = 0.02
NEAR = 0.1


def ns_of(text):
    value, unit = re.fullmatch(r"([0-9.]+)(ns|us|ms|s)", text).groups()
    return float(value) * {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[unit]


def slack(ns):
    return max(SLACK_NS, SLACK * ns)


def median(values):
    return sorted(values)[len(values) // 2]


class Exchange:
    """One exchange, as all three saw it."""

    def __init__(self, line, stamps, client):
        self.line = line
        (self.accepted, self.returned, self.read, self.got, self.send, self.answered, self.tid,
         self.faults, self.loop, self.messages, self.bytes) = stamps
        self.client = client	# first before, after, last before, after, answered; or None
        self.stages = {entry["stage"]: entry for entry in line["stages"]}

    def ns(self, stage, part="ns"):
        return self.stages[stage][part] or 0

    def without_waiting(self, stage, part="ns"):
        """A whole stage without what its thread waited for a processor: that is no fault's doing."""
        return self.ns(stage, part) - (self.ns(stage, "runnable_ns") if part == "ns" else 0)


class Run:
    def __init__(self, folder, bit):
        with open(f"{folder}/report.json") as file:
            self.report = json.load(file)
        with open(f"{folder}/stats") as file:
            last = [line for line in file if line.startswith("stats loop=all")][-1]
        self.stats = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", last)}
        lines = {}
        with open(f"{folder}/slow.json") as file:
            for text in file:
                line = json.loads(text)
                lines[(int(line["remote"].rsplit(":", 1)[1]), line["number"])] = line
        stamped = os.path.exists(f"{folder}/client.truth")
        clients = read_truth(f"{folder}/client.truth") if stamped else {}
        server = read_truth(f"{folder}/server.truth")
        self.all = [Exchange(lines[key], stamps, clients.get(key))
                    for key, stamps in server.items() if key in lines]
        self.missing = len(server) - len(self.all)
        self.lines = len(lines)
        self.hit = [e for e in self.all if e.faults >> bit & 1]
        self.spared = [e for e in self.all if not e.faults >> bit & 1]

    def syscall(self, name, what="count"):
        return sum(entry[what] for entry in self.report["syscalls"] if entry["name"] == name)

    def loops(self, what):
        return sum(loop[what] for loop in self.report["loops"])


# --- checks: each returns (good, what it saw) ---

def counts(run, hits=None):
    """Every stamped exchange has its line, the report counts as many, nothing lost; HITS are hit."""
    count = run.report["exchanges"]["count"]
    good = run.missing == 0 and run.lines == len(run.all) == count and \
        not any(run.report["loss"].values())
    if hits is not None:
        good = good and len(run.hit) == int(hits)
    return good, f"{count} counted, {run.lines} lines, {len(run.all)} stamped, {len(run.hit)} hit"


# The processor itself may be away for some ms, and nobody is told: of 200 spared exchanges one may have
# met that. Where the client has to be in time too, of 20 hit ones one may have met a late client.
STRAY = 200
LATE = 20


def separates(run, value, amount, late=0):
    """The hit ones have at least the amount, and no other has."""
    below = [e for e in run.hit if value(e) < amount]
    above = [e for e in run.spared if value(e) >= amount]
    low = min((value(e) for e in run.hit), default=0)
    high = max((value(e) for e in run.spared), default=0)
    return (bool(run.hit) and len(below) <= late and len(above) <= len(run.spared) / STRAY,
            f"{len(run.hit)} hit have {low / 1000:.0f} us and more, others up to {high / 1000:.0f} us, "
            f"{len(below)} and {len(above)} astray")


def part(run, stage, which, amount):
    """STAGE's part WHICH (ns, oncpu_ns, ...) is AMOUNT and more for the hit ones, and for no other."""
    late = max(1, len(run.hit) / LATE) if which == "ns" else 0
    return separates(run, lambda e: e.without_waiting(stage, which), ns_of(amount), late)


def near(run, stage, which, amount):
    """The median of it is AMOUNT and what the spared ones have, or as long as the stamps say.

    A handler that computes for AMOUNT of its own time is on its processor for longer: interrupts. What
    nobody stamped may be longer by a tenth: a timer's slack, and how late its interrupt is."""
    want = ns_of(amount) + median([e.ns(stage, which) for e in run.spared] or [0])
    got = median([e.without_waiting(stage, which) for e in run.hit])
    most = want * (1 + NEAR)
    if stage == "service":
        most = max(most, median([e.answered - e.got for e in run.hit]))
    if stage == "accept":
        most = max(most, median([e.accepted - e.client[0] for e in run.hit]))
    low = want * (1 - NEAR) if stage == "dispatch" else want	# there the client keeps the time
    return (low - slack(want) <= got <= most + slack(most),
            f"median {got / 1000:.0f} us, injected and usual {want / 1000:.0f} us")


def service_as_stamped(run):
    """Each hit service, and their sum, is what the server stamped."""
    wrong = [e for e in run.hit
             if not e.send - e.got - slack(e.ns("service")) <= e.ns("service")
             <= e.answered - e.read + slack(e.ns("service"))]
    ours = sum(e.ns("service") for e in run.hit)
    theirs = sum(e.answered - e.got for e in run.hit)
    low, high = sum(e.send - e.got for e in run.hit), sum(e.answered - e.read for e in run.hit)
    return (not wrong and low - slack(low) <= ours <= high + slack(high),
            f"sum {ours / 1e6:.3f} ms, stamped {theirs / 1e6:.3f} ms, {len(wrong)} outside")


def accept_as_stamped(run):
    """The accept stage of each first exchange ends with the accept, and begins with its data."""
    wrong, longest, total = [], 0, 0
    for e in run.all:
        # Who lost the processor on the way out of the accept stamped late, and is runnable until then.
        late = e.ns("dispatch", "runnable_ns") + e.ns("service", "runnable_ns")
        low, high = e.accepted - e.client[1] - late, e.accepted - e.client[0]
        ours = e.ns("accept")
        longest, total = max(longest, ours), total + ours
        if not low - slack(high) <= ours <= max(high, 0) + slack(high):
            wrong.append(e)
    return (len(wrong) <= max(3, len(run.all) / 1000),
            f"sum {total / 1e6:.1f} ms, longest {longest / 1e6:.1f} ms, {len(wrong)} outside")


def report_stage(run, stage):
    """The report's sum of the stage is the lines', two programs' stamps of the same hooks.

    What comes between the two, an interrupt or the processor's absence, moves single stamps: the sums
    agree, or without the largest of each the usual stage does, within a bucket and the hooks between."""
    entry = [s for s in run.report["exchanges"]["stages"] if s["stage"] == stage][0]
    lines = [e.ns(stage) for e in run.all]
    usual, theirs = median(lines), entry["p50_ns"] or 0
    sums = abs(entry["sum_ns"] - sum(lines)) <= max(SLACK * sum(lines), 1000 * len(lines))
    far = abs(entry["sum_ns"] - sum(lines)) > sum(lines) / 4 + 5000 * len(lines)
    return (sums or not far and abs(theirs - usual) <= max(2 * SLACK * usual, 2000),
            f"report {entry['sum_ns'] / 1e6:.3f} ms, lines {sum(lines) / 1e6:.3f} ms, medians "
            f"{theirs / 1000:.0f} and {usual / 1000:.0f} us")


def offcpu(run, kind, amount):
    """The report's off-CPU time of that kind: AMOUNT for each hit one, or what they were blocked."""
    entry = [o for o in run.report["sched"]["offcpu"] if o["kind"] == kind][0]
    blocked = sum(e.ns("service", "blocked_ns") for e in run.hit)
    if amount == "lines":
        good = abs(entry["sum_ns"] - blocked) <= slack(blocked)
    else:
        least = ns_of(amount) * len(run.hit)
        # A timer may be late, and a contender's wait ends with the other's: as the lines say.
        good = entry["count"] == len(run.hit) and \
            least <= entry["sum_ns"] <= max(least * (1 + NEAR), blocked * (1 + SLACK))
    return good, f"{entry['count']} times, {entry['sum_ns'] / 1e6:.3f} ms, lines " \
                 f"{blocked / 1e6:.3f} ms"


def calls(run, name, want, what="count"):
    """The report's count of a system call is WANT: an expression of hits, answers, opened, accepts."""
    names = {"hits": len(run.hit), "answers": len(run.all), "turns": run.loops("turns"),
             "opened": run.report["connections"]["opened"], "eagain": run.syscall(name, "eagain")}
    got, wanted = run.syscall(name, what), eval(want, {}, names)	# our own script's words
    return got == wanted, f"{name} {what} {got}, {want} = {wanted}"


def as_stats(run, *names):
    """The report's turns and events are the server's own."""
    got = {name: run.loops(name) for name in names}
    want = {name: run.stats[name] for name in names}
    return got == want, f"{got}, the server's {want}"


def spins(run):
    """All turns but the first, whose beginning nobody saw, are epoll_wait calls that never slept."""
    turns, got, slept = run.loops("turns"), run.syscall("epoll_wait"), run.loops("wakeups")
    return 0 <= turns - got <= 1 and slept == 0, f"{turns} turns, {got} calls, {slept} slept"


def ratio(run, above, below, low, high):
    """One of the report's figures to another."""
    figures = {"exchanges": len(run.all), "turns": run.loops("turns"), "events": run.loops("events"),
               "wakeups": run.loops("wakeups"), "woken": run.report["sched"]["wakeups"],
               "accepts": run.report["connections"]["opened"],
               "eagain": run.syscall("accept4", "eagain")}
    got = figures[above] / max(figures[below], 1)
    return float(low) <= got <= float(high), f"{figures[above]} {above}, {figures[below]} {below}"


def handoff(run):
    """Handed over are the hit ones and no other, to the thread that stamped them."""
    marked = {id(e) for e in run.all if e.line["handoff"]}
    right = marked == {id(e) for e in run.hit}
    threads = all(e.line["tid"] == e.tid for e in run.all)
    count = run.report["exchanges"]["handoff"]
    return (right and threads and count == len(run.hit),
            f"report {count}, lines {len(marked)}, hit {len(run.hit)}, threads {threads}")


def by_thread(run):
    """Each loop's exchanges are those that its thread stamped."""
    ours = {loop["tid"]: loop["exchanges"] for loop in run.report["loops"] if loop["exchanges"]}
    theirs = dict(Counter(e.tid for e in run.all))
    return ours == theirs, f"{sorted(ours.values())}, stamped {sorted(theirs.values())}"


def one_loop(run):
    """The hit ones are all in one loop's thread."""
    threads = {e.line["tid"] for e in run.hit}
    return len(threads) == 1, f"{len(run.hit)} hit by {len(threads)} threads"


def send(run, amount):
    """First to last byte handed over: AMOUNT and more for the hit ones, until the client had all."""
    done, what = separates(run, lambda e: e.line["send_ns"], ns_of(amount))
    wrong = sum(1 for e in run.hit if e.client and
                e.line["send_ns"] > e.client[4] - e.send + slack(e.line["send_ns"]))
    # The server's processor may be away after the delivery and before the send is over.
    return (done and wrong <= max(1, len(run.hit) / LATE),
            f"{what}, {wrong} ended after the client had it all")


def close_wait(run):
    """Connections in CLOSE_WAIT are those that the server leaked."""
    got = run.report["connections"]["by_state"].get("CLOSE_WAIT", 0)
    return got == run.stats["leaked"] > 0, f"{got}, the server leaked {run.stats['leaked']}"


def accept_wait(run, amount, n):
    """N connections waited for the accept for AMOUNT, all of them as long as accept_as_stamped says."""
    wait = run.report["connections"]["accept_wait_ns"]
    want = ns_of(amount) * int(n)
    # From the handshake's end, a little before the data.
    most = sum(e.accepted - e.client[0] for e in run.all) + 1000000 * len(run.all)
    return (want <= wait["sum_ns"] <= most,
            f"sum {wait['sum_ns'] / 1e6:.1f} ms of {wait['count']}, injected {want / 1e6:.1f} ms")


def in_pieces(run):
    """Exactly the hit answers took more than one send, and no answer has lost a byte."""
    several = {id(e) for e in run.all if e.line["send_ns"]}
    sizes = {e.line["bytes_out"] for e in run.hit}
    whole = all(e.line["bytes_out"] == e.bytes for e in run.all)
    return (several == {id(e) for e in run.hit} and whole,
            f"{len(several)} sent in pieces, {len(run.hit)} hit, of {sizes} bytes")


def unread(run):
    """Hit are the exchanges of two requests, and no part of the wait is called receive."""
    two = {id(e) for e in run.all if e.messages == 2}
    receive = sum(e.ns("receive") for e in run.all)
    return (two == {id(e) for e in run.hit} and receive == 0,
            f"{len(two)} of two requests, {len(run.hit)} hit, receive {receive} ns")


CHECKS = {f.__name__: f for f in (
    counts, part, in_pieces, near, service_as_stamped, accept_as_stamped, report_stage, offcpu, calls, as_stats,
    ratio, handoff, by_thread, one_loop, send, close_wait, accept_wait, unread,
    spins)}


def main():
    folder, name, bit = sys.argv[1:4]
    run = Run(folder, int(bit))
    failed = False
    for text in sys.argv[4:]:
        check, *arguments = text.split(":")
        good, saw = CHECKS[check](run, *arguments)
        failed |= not good
        print(f"ok {name}: {text} ({saw})" if good else
              f"not ok {name}: {text}: {CHECKS[check].__doc__} Got {saw}")
    sys.exit(failed)


main()
