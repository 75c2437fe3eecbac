#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# lifecycle.sh - connections: whose they are, who closes them and how, what went over them.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

SIZE=64

# A connection of ten exchanges. Bytes are the application's: no FIN among them. Those sent are
# counted when they are acknowledged: a reset may come before the last answer's acknowledgement.
test_close() { # NAME CLOSED_BY REASON STATES CLIENT OPTIONS...
	local name=$1 by=$2 reason=$3 states=$4 bytes=$((SIZE * 10)) least=$((SIZE * 10))

	shift 4
	[ "$reason" = fin ] || least=$((SIZE * 9))
	scope_start conns --json -p "$SERVER_PID"
	watched_client --connections 1 --requests 10 "$@"
	expect_eq "$name" \
		"$SERVER_PID echo_server server $ADDRESS $ADDRESS $PORT false 10 $bytes $by $reason $states" \
		"$(jq -r '[.pid, .comm, .role, .local, .remote, .local_port, .preexisting, .exchanges, .bytes_in,
			.closed_by, .reason, (.states | keys | join("+"))] |
			join(" ")' "$SCOPE_OUT")"
	expect_between "$name: bytes out" "$least" $bytes "$(jq .bytes_out "$SCOPE_OUT")"
	expect_eq "$name: the states' times are the duration" 0 \
		"$(jq '([.states[]] | add) - .duration_ns' "$SCOPE_OUT")"
	expect_jq "$name: plausible" "$SCOPE_OUT" '.max_latency_ns > 0 and .srtt_ns > 0 and
		.accept_wait_ns > 0 and .accept_wait_ns < .duration_ns and .retransmits == 0'
}

test_closings() { # [--ipv6]
	local name=${1:-ipv4}

	ADDRESS=127.0.0.1
	[ $# = 0 ] || ADDRESS=::1
	start_echo "$@"
	test_close "$name client closes" remote fin CLOSE_WAIT+ESTABLISHED+LAST_ACK "$@"
	test_close "$name server closes" local fin ESTABLISHED+FIN_WAIT1+FIN_WAIT2 \
		"$@" --close server
	test_close "$name client resets" remote reset_received ESTABLISHED \
		"$@" --close client-reset
	test_close "$name server resets" local reset_sent ESTABLISHED \
		"$@" --close server-reset
	stop_server
}

# Opened, and used once, before the attach.
test_preexisting() {
	start_echo
	client_hold --connections 3 --requests 30
	scope_start conns --json -p "$SERVER_PID"
	client_go
	client_wait
	await_connections 0
	scope_stop
	expect_eq 'preexisting: lines, preexisting, owners, exchanges' "3 3 3 30" \
		"$(jq -sr --argjson pid "$SERVER_PID" '[length, (map(select(.preexisting)) | length),
			(map(select(.pid == $pid)) | length), (map(.exchanges) | add)] | join(" ")' \
			"$SCOPE_OUT")"
	expect_eq 'preexisting: accept wait is unknown' 3 \
		"$(jq -s 'map(select(.accept_wait_ns == null)) | length' "$SCOPE_OUT")"
	stop_server
}

# The acceptor sleeps 30 ms, the request is there meanwhile: accept wait and the stage both; within a
# factor of two, since the client may be late, and the acceptor's timer.
test_late_accept() {
	start_echo --accept-delay-ms 30
	scope_start conns --json -p "$SERVER_PID"
	watched_client --requests 10
	expect_between 'late accept: accept wait' 30000000 60000000 \
		"$(jq .accept_wait_ns "$SCOPE_OUT")"
	scope_start slow --over 10ms --json -p "$SERVER_PID"
	watched_client --requests 10
	expect_between 'late accept: accept stage' 15000000 60000000 \
		"$(jq '.stages[] | select(.stage == "accept") | .ns' "$SCOPE_OUT")"
	stop_server
}

# Each connection's last answer meets a closed socket, whose reset comes back within the send: the
# kernel has taken the answer all the same, so the exchange counts.
test_abandoned() {
	local n=50

	start_echo --truth "$LIVE_DIR/truth"
	scope_start report --json -p "$SERVER_PID"
	watched_client --connections $n --requests $n --close abandon
	stop_server
	expect_lines 'abandoned: answers that the kernel took' $n "$LIVE_DIR/truth"
	expect_jq 'abandoned: exchanges' "$SCOPE_OUT" ".exchanges.count == $n" .exchanges.count
	expect_no_loss abandoned
}

# An acceptor that was asleep in accept when we came.
test_blocking_accept() {
	start_echo --blocking
	scope_start report --json -p "$SERVER_PID"
	watched_client --connections 4 --requests 40
	expect_eq 'blocking accept: exchanges, opened, closed' '40 4 4' \
		"$(scope_jq '[.exchanges.count, .connections.opened, .connections.closed] | join(" ")')"
	stop_server
}

# Ports are reused and connections short: no exchange of one is another's.
test_short_connections() {
	local n=2000

	start_echo --loops 2
	scope_start report --json -p "$SERVER_PID"
	watched_client --connections 4 --requests $n --conn-per-request
	expect_eq 'short connections: exchanges, opened, closed, active' "$n $n $n 0" \
		"$(scope_jq '[.exchanges.count, .connections.opened, .connections.closed,
			.connections.active] | join(" ")')"
	expect_no_loss 'short connections'
	stop_server
}

test_closings
test_closings --ipv6
test_preexisting
test_late_accept
test_abandoned
test_blocking_accept
test_short_connections
finish
