#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# oracle.sh - figures that others know too: the scheduler's own, strace's counts, tcplife's lines.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

N=20000
CONNECTIONS=16

# Both count from the moment a thread is in a queue. The scheduler's clock is read as it begins to
# switch, ours when it tells of the switch: the choice of the next thread, our own programs and an
# interrupt now and then lie between, some us a wait. Two programs that compute on the server's
# processor make the waits so long that this is little; whoever else wants it makes them longer for
# both of us.
ON_THE_WAY=20000
read -r CPU < <(taskset -cp $$ | sed 's/.*[:,-] *//')
HOGS=2

check_runqueue() { # NAME
	local delay waits sum count longest unseen

	delay=$(($(schedstat "$SERVER_PID" 2) - BEFORE[0]))
	waits=$(($(schedstat "$SERVER_PID" 3) - BEFORE[1]))
	scope_stop
	end_hogs
	read -r count sum longest < <(scope_jq '.sched.runqueue_ns | "\(.count) \(.sum_ns) \(.max)"')
	# A thread is known from its first wait on, so that one is not seen; nor is a hidden switch's.
	unseen=$((waits > count ? waits - count : 0))
	expect_between "$1: run-queue time, beside the scheduler's $delay in $waits waits" \
		$((delay * 97 / 100 - unseen * longest)) $((delay * 103 / 100 + waits * ON_THE_WAY)) "$sum"
	# Else the allowance would be all there is.
	expect_ok "$1: a wait is longer than what we allow" [ "$delay" -gt $((waits * 10 * ON_THE_WAY)) ]
	# A switch that the kernel did not tell of is a wait that nobody saw.
	unseen=$(scope_jq '.sched.switches_missed // 0')
	expect_between "$1: waits for a processor" $((waits * 99 / 100 - 5 - 2 * unseen)) \
		$((waits * 101 / 100 + 5)) "$count"
}

start_hogs() {
	local i

	HOG_PIDS=()
	for ((i = 0; i < HOGS; i++)); do
		taskset -c "$CPU" nice -n -10 sh -c 'while :; do :; done' &
		HOG_PIDS+=($!)
		started $!
	done
}

end_hogs() {
	local pid

	for pid in "${HOG_PIDS[@]}"; do
		end "$pid" KILL
	done
}

attach_and_remember() {
	pin "$CPU" "$SERVER_PID"
	start_hogs
	scope_start report --json -p "$SERVER_PID"
	BEFORE=("$(schedstat "$SERVER_PID" 2)" "$(schedstat "$SERVER_PID" 3)")
}

test_runqueue_echo() {
	start_echo --loops 2 --sleep-every 100 --sleep-ms 1
	attach_and_remember
	client --connections $CONNECTIONS --requests $N >"$LIVE_DIR/generator.out"
	await_connections 0
	check_runqueue 'echo, 2 loops'
	stop_server
}

test_runqueue_redis() {
	start_redis
	attach_and_remember
	redis-benchmark -p "$PORT" -n $N -c $CONNECTIONS -t get -q >"$LIVE_DIR/generator.out"
	await_connections 0
	check_runqueue redis
	stop_server
}

# strace's count of a system call; it counts when a call ends.
strace_count() { # NAME
	awk -v name="$1" '$NF == name { print $4 }' "$LIVE_DIR/strace.count"
}

scope_count() { # NAME
	jq --arg name "$1" '[.syscalls[] | select(.name == $name) | .count] | add // 0' "$SCOPE_OUT"
}

# Both watch the same run, strace for a little longer: while nothing but the wait goes on.
test_syscalls() {
	local name strace

	start_echo
	client_hold --connections 3 --requests 1000
	$HEARS_SIGINT strace -f -c -o "$LIVE_DIR/strace.count" -p "$SERVER_PID" \
		2>"$LIVE_DIR/strace.err" &
	strace=$!
	started "$strace"
	await 10 grep -q attached "$LIVE_DIR/strace.err"
	scope_start report --json --syscalls all -p "$SERVER_PID"
	client --connections 2 --requests 1000 >"$LIVE_DIR/generator.out"
	client_go
	client_wait
	await_connections 0
	scope_stop
	end "$strace" INT
	for name in recvfrom sendto accept4 epoll_ctl close; do
		expect_eq "strace: $name" "$(strace_count $name)" "$(scope_count $name)"
	done
	# The wait under way at the attach has no start: its end belongs to strace alone.
	expect_eq 'strace: epoll_wait' $(($(strace_count epoll_wait) - 1)) "$(scope_count epoll_wait)"
	stop_server
}

# tracefs is mounted for tcplife alone; it prints its head when it is attached.
start_tcplife() {
	: >"$LIVE_DIR/tcplife"
	# shellcheck disable=SC2016
	$HEARS_SIGINT unshare -m --propagation private sh -c '
		mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
		exec stdbuf -oL tcplife -w -L "$1"' tcplife "$PORT" >"$LIVE_DIR/tcplife" 2>&1 &
	TCPLIFE=$!
	started "$TCPLIFE"
	await 20 grep -q '^PID' "$LIVE_DIR/tcplife"
}

stop_tcplife() { # LINES
	await 10 enough_lines "$1" "$LIVE_DIR/tcplife"
	end "$TCPLIFE" INT
}

enough_lines() { # LINES FILE
	[ "$(grep -cE '^[0-9]' "$2")" -ge "$1" ]
}

tcplife_ports() {
	awk '/^[0-9]/ { print $4, $6 }' "$LIVE_DIR/tcplife" | sort
}

conn_ports() {
	jq -r '"\(.local_port) \(.remote_port)"' "$SCOPE_OUT" | sort
}

# The largest difference of the bytes, sent or received. tcplife prints hundredths of KB and counts a
# FIN as a byte.
TCPLIFE_BYTES=$((10 / 2 + 1 + 1))
bytes_difference() {
	join <(awk '/^[0-9]/ { print $6, $7 * 1024, $8 * 1024 }' "$LIVE_DIR/tcplife" | sort) \
		<(jq -r '"\(.remote_port) \(.bytes_out) \(.bytes_in)"' "$SCOPE_OUT" | sort) |
		awk 'function off(a, b) { a = a > b ? a - b : b - a; if (a > max) max = a }
			{ off($2, $4); off($3, $5) } END { print max + 0 }'
}

# How many durations differ by more than 100 us, by 1 %. Both are told by the same two events, one
# after the other: an interrupt between them is seen once in a while, and touches one connection.
durations_apart() {
	join <(awk '/^[0-9]/ { print $6, $9 * 1000 }' "$LIVE_DIR/tcplife" | sort) \
		<(jq -r '"\(.remote_port) \(.duration_ns / 1000)"' "$SCOPE_OUT" | sort) |
		tee "$LIVE_DIR/durations" |
		awk '{ d = $2 > $3 ? $2 - $3 : $3 - $2; n += d > 100 && d > $2 / 100 } END { print n + 0 }'
}

test_tcplife() {
	if ! command -v tcplife >/dev/null; then
		skip tcplife 'not installed'
		return
	fi
	start_echo --size 64
	start_tcplife
	scope_start conns --json -p "$SERVER_PID"
	client --connections 5 --requests 1000 >"$LIVE_DIR/generator.out"
	client --connections 5 --requests 100 --close server >"$LIVE_DIR/generator.out"
	client --connections 2 --requests 20 --conn-per-request >"$LIVE_DIR/generator.out"
	await_connections 0
	stop_tcplife 30
	scope_stop
	expect_lines 'tcplife: connections' 30 "$SCOPE_OUT"
	expect_eq 'tcplife: ports' "$(tcplife_ports)" "$(conn_ports)"
	expect_between 'tcplife: bytes differ by' 0 $TCPLIFE_BYTES "$(bytes_difference)"
	expect_between 'tcplife: durations apart' 0 3 "$(durations_apart)"
	expect_lines 'tcplife: durations compared' 30 "$LIVE_DIR/durations"
	stop_server
}

test_runqueue_echo
test_runqueue_redis
test_syscalls
test_tcplife
finish
