#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# skipped.sh - exchanges of which a hook was skipped, the arrival's, the read's or the send's, are
# counted all the same, and marked.
# shellcheck disable=SC2016 # variables of jq
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init
build_c skip_server

REQUESTS=801	# a hundred of each kind, a plain one between any two

# Where target_bits lies in the program's variables.
offset=$(readelf -sW "$BUILD"/bpf/*/epollscope.bpf.o 2>/dev/null |
	awk '$8 == "target_bits" { print "0x" $2; exit }')

server_with_port skip "$LIVE/skip_server" "$offset"
scope_start report --json --syscalls off -p "$SERVER_PID"
watched_client --connections 1 --requests "$REQUESTS" --size 64
expect_eq 'skipped by the server' 'arrivals 100 reads 100 sends 100 both 100' \
	"$(grep arrivals "$LIVE_DIR/skip.log")"
expect_eq 'exchanges' "$REQUESTS" "$(scope_jq .exchanges.count)"
expect_eq 'estimated' 400 "$(scope_jq .exchanges.estimated)"
expect_eq 'unmatched' 0 "$(scope_jq .loss.unmatched)"
expect_jq 'one at a time, so together no longer than the watch' "$SCOPE_OUT" \
	'.window.seconds as $s | .exchanges | .latency_ns.mean * .count <= $s * 1e9' \
	.exchanges.latency_ns
expect_jq 'stages sum to the latency' "$SCOPE_OUT" \
	'.exchanges | (.latency_ns.mean * .count - ([.stages[].sum_ns] | add) | fabs) < .count' \
	.exchanges.stages
finish
