#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# symbols_match.py PID RESOLVER COUNT - functions of the C library that PID has mapped: what our
# resolver calls an address in each, against nm and eu-addr2line. Any of the names that nm gives to
# the function's start is right. Prints "nm ASKED RIGHT" and "eu JSON".
import json
import os
import random
import re
import subprocess
import sys

pid, resolver, count = sys.argv[1], sys.argv[2], int(sys.argv[3])


def output(command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def library():
    for line in open(f"/proc/{pid}/maps"):
        fields = line.split()
        if len(fields) == 6 and "/libc.so" in fields[5] and fields[2] == "00000000":
            return fields[5], int(fields[0].split("-")[0], 16)
    sys.exit("no C library")


path, base = library()
names, sizes = {}, {}
for line in output(["nm", "-D", "-S", "--defined-only", path]).splitlines():
    fields = line.split()
    if len(fields) == 4 and fields[2] in "TtWwi":
        start = int(fields[0], 16)
        names.setdefault(start, set()).add(fields[3].split("@")[0])
        sizes[start] = max(sizes.get(start, 0), int(fields[1], 16))

# A separate debug file knows more names of the same functions.
build_id = re.search(r"Build ID: (\w+)", output(["readelf", "-n", path])).group(1)
debug = f"/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
if os.path.exists(debug):
    for line in output(["nm", "--defined-only", debug]).splitlines():
        fields = line.split()
        if int(fields[0], 16) in names and fields[1] in "TtWwi":
            names[int(fields[0], 16)].add(fields[2].split("@")[0])

# A start inside another function would be two right answers.
starts = sorted(names)
alone = [s for i, s in enumerate(starts)
         if sizes[s] > 1 and (i == 0 or starts[i - 1] + sizes[starts[i - 1]] <= s)]
random.seed(1)
chosen = random.sample(alone, min(count, len(alone)))
inside = [base + s + sizes[s] // 2 for s in chosen]

questions = f"add {pid}\n" + "".join(f"user {pid} {a:x}\n" for a in inside)
answers = output([resolver], questions).splitlines()[1:]
ours = [a.split(" ", 2)[2] for a in answers]
wrong = [(o, sorted(names[s])) for o, s in zip(ours, chosen) if o not in names[s]]
print("nm", len(chosen), len(chosen) - len(wrong))
for o, expected in wrong[:5]:
    print("# got", o, "expected one of", expected)

lines = output(["eu-addr2line", "-f", "-p", pid] + [f"0x{a:x}" for a in inside]).splitlines()
compared, differ = 0, []
for s, o, theirs in zip(chosen, ours, lines[::2]):
    # An inlined function stands in the one that has the address.
    theirs = theirs.split(" in ")[-1].split("@")[0]
    if theirs == "??":
        continue
    compared += 1
    if theirs != o and theirs not in names[s]:
        differ.append([o, theirs])
print("eu", json.dumps({"compared": compared, "differ": differ}))
