#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# flame.sh - 100,000 and a million folded stacks to SVG: time and peak memory, beside flamegraph.pl
# (FLAMEGRAPH_PL=file, in the PATH, or Debian's) and inferno (INFERNO=file, or in the PATH) if there
# are such. Prints; judges nothing.
set -u
BUILD=${BUILD:-build}
FOLD2SVG=$BUILD/tests/live/fold2svg
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT

# Distinct random walks down a call tree in which few of many callees are usual.
stacks() { # NUMBER
	python3 - "$1" <<'PYTHON'
import random
import sys
r = random.Random(1)
names = ["%s_%s_%d" % (a, b, i) for a in ("ngx_http", "redis", "evbuffer", "ssl_do", "crypto",
         "std::vector<int>::", "json_parser", "http2_frame", "lua_call") for b in ("process",
         "handle", "read", "write", "flush", "lookup", "compare", "decode", "filter")
         for i in range(16)]
seen = set()
while len(seen) < int(sys.argv[1]):
    stack, place = ["nginx", "main", "ngx_worker_process_cycle"], 1
    for _ in range(max(4, min(60, int(r.gauss(23, 4))))):
        place = (place * 31 + int(r.expovariate(1.8)) * 7 + len(stack)) % len(names)
        stack.append(names[place])
    line = ";".join(stack)
    if line not in seen:
        seen.add(line)
        print(line, r.randint(1, 10000000))
PYTHON
}

measure() { # NAME COMMAND...
	local name=$1

	shift
	python3 - "$name" "$DIR/in" "$@" <<'PYTHON'
import os
import resource
import sys
import time
name, path, command = sys.argv[1], sys.argv[2], sys.argv[3:]
begin = time.monotonic()
pid = os.fork()
if not pid:
    os.dup2(os.open(path, os.O_RDONLY), 0)
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
    os.dup2(1, 2)
    os.execvp(command[0], command)
_, status, use = os.wait4(pid, 0)
print("%-28s %7.3f s %7.1f MiB %s" % (name, time.monotonic() - begin, use.ru_maxrss / 1024,
                                       "" if not status else "failed: %d" % status))
PYTHON
}

inferno=${INFERNO:-$(command -v inferno-flamegraph)}
pl=${FLAMEGRAPH_PL:-$(PATH=$PATH:/usr/share/perl5/Devel/NYTProf command -v flamegraph.pl)}
for n in 100000 1000000; do
	stacks $n >"$DIR/in"
	echo "$n stacks, $(($(stat -c %s "$DIR/in") / 1000000)) MB, as they come, then sorted:" \
		"$("$FOLD2SVG" <"$DIR/in" 2>&1 >/dev/null | grep -o 'nodes [0-9]*')"
	measure 'fold2svg' "$FOLD2SVG"
	measure 'fold2svg' "$FOLD2SVG"
	LC_ALL=C sort -o "$DIR/in" "$DIR/in"
	measure 'fold2svg, sorted' "$FOLD2SVG"
	if [ "$n" = 100000 ] && [ -n "$pl" ]; then
		measure 'flamegraph.pl, sorted' perl "$pl"
	fi
	[ -z "$inferno" ] || measure 'inferno, sorted' "$inferno"
done
[ -n "$pl" ] || echo 'flamegraph.pl: not found'
[ -n "$inferno" ] || echo 'inferno: not found'
