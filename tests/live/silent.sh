#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# silent.sh - connections that are accepted and say nothing are counted, more of them than there is
# room for notes of accepts; and so are their ends.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

SERVERS=()
HOLDERS=()
SCOPE_LIMIT=60

start_servers() { # N
	local i

	for ((i = 0; i < $1; i++)); do
		server_with_port "server$i" "$EPOLLSERVER"
		SERVERS+=("$SERVER_PID")
		PORTS+=("$PORT")
	done
}

attach_to_all() {
	scope_start report --json -p "$(IFS=,; echo "${SERVERS[*]}")"
}

hold() { # CONNECTIONS-EACH
	local port

	# A single source address makes the kernel look long for a free port.
	for port in "${PORTS[@]}"; do
		"$EPOLLLOAD" --source 127.1.0.1-127.1.0.8 --active 0 --hold --announce --quiet \
			--timeout 30s --connections "$1" "$port" >/dev/null 2>"$LIVE_DIR/holder.$port" &
		HOLDERS+=($!)
		started $!
		await 60 grep -q '^connected' "$LIVE_DIR/holder.$port"
		expect_eq "port $port" "connected $1" "$(grep '^connected' "$LIVE_DIR/holder.$port")"
	done
}

let_go() {
	local pid

	kill -TERM "${HOLDERS[@]}"
	for pid in "${HOLDERS[@]}"; do
		ended "$pid"
	done
	for PORT in "${PORTS[@]}"; do
		await_connections 0
	done
}

expect_counts() { # NAME "OPENED CLOSED ACTIVE OLDER UNKNOWN"
	expect_eq "$1: opened, closed, active, preexisting, unknown" "$2" \
		"$(scope_jq '.connections | [.opened, .closed, .active, .preexisting, .unknown] |
			join(" ")')"
	# A hook that would interrupt itself may be skipped among so many: `missed' is not asked.
	expect_jq "$1: loss" "$SCOPE_OUT" '.loss | [.ring, .map_full, .unmatched, .clock] ==
		[0, 0, 0, 0]' .loss
}

ulimit -n "$(ulimit -Hn)"
if [ "$(ulimit -n)" -lt 18000 ]; then
	skip 'silent connections' "a process may have $(ulimit -n) descriptors, 18000 are needed"
	finish
fi
start_servers 4
attach_to_all
hold 17500	# 70,000 of them: bpf/control.h's ACCEPTS_MAX is 65,536
scope_stop
expect_counts 'opened, silent' '70000 0 70000 0 0'
attach_to_all
let_go
scope_stop
expect_counts 'closed, silent' '0 70000 0 70000 0'
finish
