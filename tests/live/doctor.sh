#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# doctor.sh - what doctor says of this kernel, and what it measures on a target.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

expect_doctor() { # NAME ARGS...
	local name=$1

	shift
	scope_run doctor "$@"
	expect_eq "$name: status, lines on stderr" '0 0' "$SCOPE_STATUS $(wc -l <"$SCOPE_ERR")"
}

# What is not asked for is not measured.
expect_doctor 'nobody' --json
expect_jq 'nobody: works' "$SCOPE_OUT" \
	'.schema == "epollscope.doctor/1" and .works and .cost == null and .targets == []'

start_echo --size 64
expect_doctor 'idle' -p "$SERVER_PID" --cost --json
expect_jq 'idle: no figures' "$SCOPE_OUT" '[.cost[] | [.with, .exchanges, .bpf_ns_per_exchange]] ==
	[["exchanges", 0, null], ["turns", 0, null], ["stacks", 0, null]]' .cost
expect_doctor 'idle text' -p "$SERVER_PID" --cost
expect_eq 'idle text: rows' 3 "$(grep -c ' idle$' "$SCOPE_OUT")"

# A load that outlasts both.
client_hold --connections 8 --requests 5000000
client_go
expect_doctor 'busy' -p "$SERVER_PID" --cost --json
expect_jq 'busy: figures' "$SCOPE_OUT" '(.cost | length) == 3 and all(.cost[];
	.exchanges > 0 and .bpf_ns_per_exchange > 0 and .firings_per_exchange > 1)' .cost
expect_doctor 'busy text' -P "$PORT" --cost
expect_eq 'busy text: rows that are idle' 0 "$(grep -c ' idle$' "$SCOPE_OUT")"
expect_eq 'busy text: rows with figures' 3 \
	"$(grep -cE '(intervals|Hz) +[0-9]+ +[0-9.]+ +[0-9]+$' "$SCOPE_OUT")"
awk 'length > 100' "$SCOPE_OUT" | grep . &&
	fail 'busy text: width' 'expected at most 100 columns got the above'
expect_eq 'the client runs on' yes "$(gone "$CLIENT_PID" && echo no || echo yes)"
exec 6>&-

finish
