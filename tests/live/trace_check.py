# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""trace_check.py TRACE [FOLDED]: a timeline is what its format wants, and agrees with the flame graph.

Every event has its members with the right types; slices of a thread lie within one another or
apart; asynchronous slices open and close in order; flows come in pairs and begin and end in slices.
With FOLDED, of `flame --mode offcpu --by stage` in the same run: blocked slices sum to its total,
and the blocked time of the services of all exchanges to its stacks under service, to the nanosecond.
"""
import json
import sys
from collections import defaultdict

NEEDS = {
    "M": {"name": str, "pid": int, "tid": int, "args": dict},
    "X": {"name": str, "cat": str, "pid": int, "tid": int, "ts": (int, float), "dur": (int, float)},
    "b": {"name": str, "cat": str, "pid": int, "tid": int, "ts": (int, float), "id": str},
    "e": {"name": str, "cat": str, "pid": int, "tid": int, "ts": (int, float), "id": str},
    "s": {"name": str, "cat": str, "pid": int, "tid": int, "ts": (int, float), "id": int},
    "f": {"name": str, "cat": str, "pid": int, "tid": int, "ts": (int, float), "id": int, "bp": str},
}
failed = 0


def expect(name, want, got):
    global failed
    if want == got:
        print(f"ok timeline: {name}")
    else:
        failed += 1
        print(f"not ok timeline: {name}: expected {want} got {got}")


def ns(micros):
    return round(micros * 1000)


def malformed(event):
    needs = NEEDS.get(event.get("ph"))
    if not needs:
        return True
    return any(not isinstance(event.get(key), kind) for key, kind in needs.items()) or \
        event.get("ts", 0) < 0 or event.get("dur", 0) < 0


def crossing(slices):
    """Slices of one thread that overlap without one being inside the other."""
    bad, ends = 0, []
    for start, neg_ns in sorted((s, -d) for s, d in slices):
        end = start - neg_ns
        while ends and ends[-1] <= start:
            ends.pop()
        bad += bool(ends) and end > ends[-1]
        ends.append(end)
    return bad


def async_faults(events):
    """Those that do not close what they opened last, and what stays open."""
    stack, bad = defaultdict(list), 0
    for e in events:
        open_ = stack[(e["cat"], e["id"])]
        if e["ph"] == "b":
            open_.append((e["name"], e["ts"]))
        elif not open_ or open_[-1][0] != e["name"] or open_.pop()[1] > e["ts"]:
            bad += 1
    return bad + sum(map(len, stack.values()))


def flows_astray(events, slices):
    """Flows without their other half, or that touch no slice."""
    halves, bad = defaultdict(list), 0
    starts = {(tid, start) for tid, of in slices.items() for start, _ in of}
    for e in events:
        halves[e["id"]].append(e["ph"])
        bad += ((e["pid"], e["tid"]), ns(e["ts"])) not in starts
    return bad + sum(h != ["s", "f"] for h in halves.values())


def main():
    with open(sys.argv[1]) as file:
        trace = json.load(file, parse_constant=lambda c: sys.exit(f"not ok timeline: {c}"))
    events = trace["traceEvents"]
    expect("members", ["displayTimeUnit", "traceEvents", "otherData"], list(trace))
    expect("malformed events", [], [e for e in events if malformed(e)][:3])
    slices = defaultdict(list)
    for e in events:
        if e["ph"] == "X":
            slices[(e["pid"], e["tid"])].append((ns(e["ts"]), ns(e["dur"])))
    expect("crossing slices", 0, sum(map(crossing, slices.values())))
    expect("asynchronous slices that do not close", 0,
           async_faults([e for e in events if e["ph"] in "be"]))
    expect("flows astray", 0, flows_astray([e for e in events if e["ph"] in "sf"], slices))
    named = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name"}
    expect("threads without a name", set(), {(e["pid"], e["tid"]) for e in events} - named)
    expect("left out", 0, trace["otherData"]["left_out"])
    print(f"# {len(events)} events,", {ph: sum(e["ph"] == ph for e in events) for ph in NEEDS})
    if len(sys.argv) > 2:
        with open(sys.argv[2]) as file:
            folded = [line.rsplit(" ", 1) for line in file]
        expect("blocked slices are the total of offcpu", sum(int(n) for _, n in folded),
               sum(ns(e["dur"]) for e in events if e["ph"] == "X" and e["name"] == "blocked"))
        expect("blocked time of the services is that under service",
               sum(int(n) for stack, n in folded if stack.startswith("service;")),
               sum(e["args"]["blocked_ns"] for e in events
                   if e["ph"] == "b" and e["name"] == "service" and "args" in e))
    sys.exit(failed > 0)


main()
