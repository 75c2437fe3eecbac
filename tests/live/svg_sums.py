#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""svg_sums.py NAME FOLDED SVG: a flame graph that somebody else drew of folded text has its weights.

The total, and of every name the sum over its frames, a recursive one counted each time. Of text
with two columns the second is drawn, and frames without any of it may be missing: only the total
is compared, and that frames have their change.
"""
import re
import sys
from collections import Counter
from xml.sax.saxutils import unescape

from verdict import end, expect

TITLE = re.compile(r"<title>([^<]*) \(([0-9,]+) samples, [0-9.]+%(; [-+]?[0-9.]+%)?\)</title>")
QUOTES = {"&quot;": '"', "&apos;": "'", "&#39;": "'"}


def plain(name):
    """As they are shown: brackets are round ones, a mark for the kernel is a colour."""
    return re.sub(r"_\[[kwij]\]$", "", name.translate(str.maketrans("<>", "()")))


def main():
    names, total, columns = Counter(), 0, 1
    with open(sys.argv[2]) as file:
        for line in file:
            stack, columns, weight = re.fullmatch(r"(.*?)((?: \d+)*) (\d+)\n", line).groups()
            total += int(weight)
            for name in stack.split(";"):
                names[plain(name)] += int(weight)
    with open(sys.argv[3]) as file:
        titles = TITLE.findall(file.read())
    drawn, changes = Counter(), 0
    for name, weight, change in titles:
        drawn[plain(unescape(name, QUOTES))] += int(weight.replace(",", ""))
        changes += bool(change)
    expect(sys.argv[1] + ": total", total, drawn.pop("all", None))
    if columns:
        expect(sys.argv[1] + ": change of every frame", len(titles), changes + 1)
    else:
        expect(sys.argv[1] + ": weights of %d frames" % len(names), {}, dict((names - drawn) + (drawn - names)))
    end()


main()
