#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# capture.sh - captures of every released format version stay readable.
#
# capture-VERSION.b64 is a capture in base64, capture-VERSION.expected what capture.jq must find in
# its report, capture-VERSION.folded its stacks if it has any: mode cpu, then offcpu. They were written
# by capture_sample_write (tests/unit/capture_sample.c) with 8 exchanges, 4 in a round, from 1.1 on with
# stacks. A file that is here once is never written anew.
set -u
cd "$(dirname "$0")/../.." || exit 1

EPOLLSCOPE=${EPOLLSCOPE:-build/epollscope}
failed=0

for file in tests/golden/capture-*.b64; do
	name=$(basename "$file" .b64)
	got=$(base64 -d "$file" | "$EPOLLSCOPE" report -i - --json | jq -S -f tests/golden/capture.jq)
	if [ "$got" = "$(cat "${file%.b64}.expected")" ]; then
		echo "ok $name: the same report"
	else
		diff "${file%.b64}.expected" - <<<"$got"
		echo "not ok $name: expected the same report got the above"
		failed=1
	fi
	if [ -e "${file%.b64}.folded" ]; then
		if for mode in cpu offcpu; do
			base64 -d "$file" | "$EPOLLSCOPE" flame -i - --mode $mode --debug-dir /nonexistent 2>/dev/null
		done | diff "${file%.b64}.folded" -; then
			echo "ok $name: the same stacks"
		else
			echo "not ok $name: expected the same stacks got the above"
			failed=1
		fi
	fi
	lines=$(base64 -d "$file" | "$EPOLLSCOPE" slow -i - --over 0ns --json | wc -l)
	conns=$(base64 -d "$file" | "$EPOLLSCOPE" conns -i - --json | wc -l)
	if [ "$lines $conns" = '8 1' ]; then
		echo "ok $name: exchanges and connections"
	else
		echo "not ok $name: expected 8 exchanges and 1 connection got $lines and $conns"
		failed=1
	fi
done
exit $failed
