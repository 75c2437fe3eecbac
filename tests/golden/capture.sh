#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# capture.sh - captures of every released format version stay readable. This is regression only: what
# is expected is what epollscope itself printed once, nobody else's word.
#
# capture-VERSION.b64 is a capture in base64, capture-VERSION.expected what capture.jq must find in
# its report, capture-VERSION.folded its stacks if it has any: mode cpu, then offcpu. They were written
# by capture_sample_write (tests/unit/capture_sample.c) with 8 exchanges, 4 in a round, from 1.1 on with
# stacks. A file that is here once is never written anew.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
test_begin

for file in tests/golden/capture-*.b64; do
	name=$(basename "$file" .b64)
	cap=$LIVE_DIR/$name
	base64 -d "$file" >"$cap"
	"$EPOLLSCOPE" report -i "$cap" --json | jq -S -f tests/golden/capture.jq >"$cap.report"
	expect_same "$name: the same report" "${file%.b64}.expected" "$cap.report"
	if [ -e "${file%.b64}.folded" ]; then
		for mode in cpu offcpu; do
			"$EPOLLSCOPE" flame -i "$cap" --mode $mode --debug-dir /nonexistent 2>/dev/null
		done >"$cap.folded"
		expect_same "$name: the same stacks" "${file%.b64}.folded" "$cap.folded"
	fi
	expect_eq "$name: exchanges and connections" '8 1' \
		"$("$EPOLLSCOPE" slow -i - --over 0ns --json <"$cap" | wc -l) $(
		"$EPOLLSCOPE" conns -i - --json <"$cap" | wc -l)"
done
finish
