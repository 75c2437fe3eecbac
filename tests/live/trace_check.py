# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""trace_check.py TRACE [FOLDED]: a timeline is what its format wants, and agrees with the flame graph.

Every event has its members with the right types, Perfetto's importer has nothing to complain of
(trace_rules.py), flows come in pairs, end in the wait that they ended and begin in its waker.
With FOLDED, of `flame --mode offcpu --by stage` in the same run: blocked slices sum to its total,
and the blocked time of the services of all exchanges to its stacks under service, to the nanosecond.
"""
import json
import sys
from collections import Counter, defaultdict

import trace_rules
from trace_rules import ns
from verdict import end, expect

TIMED = {"name": str, "cat": str, "pid": int, "tid": int, "ts": (int, float)}
NEEDS = {
    "M": {"name": str, "pid": int, "tid": int, "args": dict},
    "X": {**TIMED, "dur": (int, float)},
    "B": TIMED,
    "E": TIMED,
    "b": {**TIMED, "id": str},
    "e": {**TIMED, "id": str},
    "s": {**TIMED, "id": int},
    "f": {**TIMED, "id": int, "bp": str},
}


def malformed(event):
    needs = NEEDS.get(event.get("ph"))
    if not needs:
        return True
    return any(not isinstance(event.get(key), kind) for key, kind in needs.items()) or \
        event.get("ts", 0) < 0 or event.get("dur", 0) < 0


def off_cpu(events):
    """(thread, name, from, to) of what has a beginning and an end of its own; these are neighbours."""
    begun, found = {}, []
    for e in events:
        thread = (e["pid"], e["tid"])
        if e["ph"] == "B":
            begun[thread] = e
        elif e["ph"] == "E":
            found.append((thread, e["name"], ns(begun[thread]["ts"]), ns(e["ts"])))
    return found


def flows_astray(events, waits):
    """Flows without their other half, from no wake-up, or to the end of no wait."""
    halves, bad = defaultdict(list), 0
    wakes = {(e["pid"], e["tid"], e["ts"]) for e in events if e["name"] == "wakes"}
    ends = {(thread, to) for thread, name, _, to in waits if name.startswith("blocked: ")}
    for e in events:
        if e["ph"] == "s":
            bad += (e["pid"], e["tid"], e["ts"]) not in wakes
        elif e["ph"] == "f":
            bad += ((e["pid"], e["tid"]), ns(e["ts"])) not in ends
        else:
            continue
        halves[e["id"]].append(e["ph"])
    return bad + sum(h != ["s", "f"] for h in halves.values())


def main():
    with open(sys.argv[1]) as file:
        trace = json.load(file, parse_constant=lambda c: sys.exit(f"not ok {c}"))
    events = trace["traceEvents"]
    expect("members", ["displayTimeUnit", "traceEvents", "otherData"], list(trace))
    expect("malformed events", [], [e for e in events if malformed(e)][:3])
    expect("faults by Perfetto's rules", {}, dict(trace_rules.faults(events)))
    begun = [e["id"] for e in events if e["ph"] == "b" and e["name"] == "exchange"]
    expect("ids of two exchanges", [], [i for i, n in Counter(begun).items() if n > 1])
    waits = off_cpu(events)
    expect("flows astray", 0, flows_astray(events, waits))
    named = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name"}
    expect("threads without a name", set(), {(e["pid"], e["tid"]) for e in events} - named)
    expect("left out", 0, trace["otherData"]["left_out"])
    print(f"# {len(events)} events,", {ph: sum(e["ph"] == ph for e in events) for ph in NEEDS})
    if len(sys.argv) > 2:
        with open(sys.argv[2]) as file:
            folded = [line.rsplit(" ", 1) for line in file]
        expect("blocked slices are the total of offcpu", sum(int(n) for _, n in folded),
               sum(to - start for _, name, start, to in waits if name.startswith("blocked: ")))
        expect("blocked time of the services is that under service",
               sum(int(n) for stack, n in folded if stack.startswith("service;")),
               sum(e["args"]["blocked_ns"] for e in events
                   if e["ph"] == "b" and e["name"] == "service" and "args" in e))
    end()


main()
