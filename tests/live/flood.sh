#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# flood.sh - more exchanges than there is room for their records: every count and sum is exact all the
# same, and what is missing from the lines is said.
# limit: 180
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

REQUESTS=200000

# The reader does not run while the load does, which is hundreds of times what its smallest rings hold.
stopped_load() {
	kill -STOP "$SCOPE_PID"
	load --closed --connections 32 --requests "$REQUESTS"
	kill -CONT "$SCOPE_PID"
	expect_eq "$1: the load's answers" "$REQUESTS" "$(load_jq .requests.answered)"
	await_connections 0
}

report_is_exact() {
	scope_start report --json --ring-size 64 -p "$SERVER_PID"
	stopped_load report
	scope_stop
	expect_jq 'report: exchanges' "$SCOPE_OUT" ".exchanges.count == $REQUESTS" .exchanges.count
	expect_jq 'report: each has a service' "$SCOPE_OUT" \
		".exchanges.stages[7].count == $REQUESTS" '.exchanges.stages[7].count'
	# shellcheck disable=SC2016 # jq's own variable
	expect_jq 'report: stages sum to the latency' "$SCOPE_OUT" \
		'(.exchanges.stages | map(.sum_ns) | add) as $sum |
		 (.exchanges.latency_ns.mean * .exchanges.count - $sum | fabs) <= .exchanges.count' \
		'[.exchanges.latency_ns.mean, (.exchanges.stages | map(.sum_ns) | add)]'
	expect_jq 'report: loops' "$SCOPE_OUT" "(.loops | map(.exchanges) | add) == $REQUESTS" .loops
	expect_jq 'report: what is missing from lists is said' "$SCOPE_OUT" '.loss.ring > 1000' .loss
	expect_jq 'report: nothing else is lost' "$SCOPE_OUT" \
		'.loss | .map_full == 0 and .unmatched == 0 and .clock == 0' .loss
}

lines_and_lost() {
	local lost

	scope_start slow --json --over 0ns --ring-size 64 --max-loss 0.01 -p "$SERVER_PID"
	stopped_load slow
	kill -INT "$SCOPE_PID"
	scope_wait 3
	lost=$(sed -n 's/^epollscope: \([0-9]*\) of .* events were lost.*/\1/p' "$SCOPE_ERR")
	expect_between 'slow: lines' 100 $((REQUESTS - 1000)) "$(wc -l <"$SCOPE_OUT")"
	expect_eq 'slow: no exchange twice' "$(wc -l <"$SCOPE_OUT")" \
		"$(jq -r '"\(.conn) \(.number)"' "$SCOPE_OUT" | sort -u | wc -l)"
	expect_between 'slow: lines and what is said to be lost' "$REQUESTS" $((REQUESTS + 1000)) \
		"$(($(wc -l <"$SCOPE_OUT") + ${lost:-0}))"
}

with_server 'epollserver' report_is_exact
with_server 'epollserver' lines_and_lost
finish
