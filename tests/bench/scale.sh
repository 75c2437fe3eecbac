#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# scale.sh - what watching costs an exchange when there is more of everything: connections, threads,
# processes. Prints; judges only that every exchange was counted. docs/scale.md reads it.
#
#   TURNS=5 SECONDS_EACH=0.5 tests/bench/scale.sh [held|active|threads|targets]...
#
# held N     N connections are open, 50 of them in a closed loop
# active N   all of N connections are
# threads N  epollserver with N loops, as many connections, at least 50
# targets N  N servers of a loop each, 50 connections for all of them
#
# A point alternates loads that are watched by `report` and loads that are not. Turns: of an event loop,
# for an exchange. Ratio: the server's CPU time for a request, watched, to that of the loads beside it,
# the median. BPF: ns for an exchange with the kernel's statistics on (60 ns of a firing are theirs).
# Collector: its own CPU time for an exchange, start and end included.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/bench/lib.sh
SCOPE_LIMIT=120
live_init

TURNS=${TURNS:-5}
SECONDS_EACH=${SECONDS_EACH:-0.5}
ulimit -n "$(ulimit -Hn)"

servers_cpu() {
	local pid sum=0

	for pid in "${SERVERS[@]}"; do
		sum=$((sum + $(schedstat "$pid" 1)))
	done
	echo "$sum"
}

# Leaves CPU, the servers' ns for a request.
one_load() {
	local before

	before=$(servers_cpu)
	load_epollload "${PORTS[0]}" "${LOAD[@]}" --requests "$REQUESTS" "${PORTS[@]:1}"
	for PORT in "${PORTS[@]}"; do
		await_connections 0
	done
	CPU=$((($(servers_cpu) - before) / ANSWERED))
}

watched_load() {
	scope_start report --json -p "$(IFS=,; echo "${SERVERS[*]}")"
	one_load
	RSS=$(awk '/^VmHWM/ { print $2 }' "/proc/$SCOPE_PID/status")
	scope_stop
	expect_eq "$NAME: exchanges" "$ANSWERED" "$(scope_jq .exchanges.count)" >>"$LIVE_DIR/verdicts"
}

# So many requests as take SECONDS_EACH.
warm_up() {
	REQUESTS=$((20 * CONNECTIONS > 2000 ? 20 * CONNECTIONS : 2000))
	one_load
	one_load
	REQUESTS=$(awk -v rate="$PER_SECOND" -v s="$SECONDS_EACH" -v n="$REQUESTS" \
		'BEGIN { m = int(rate * s); print m < n ? n : m }')
}

point() { # NAME
	local turn plain bpf file=$LIVE_DIR/point

	NAME=$1
	: >"$file"
	warm_up
	one_load
	for ((turn = 0; turn < TURNS; turn++)); do
		plain=$CPU
		watched_load
		echo "$CPU $(scope_jq "([.loops[].turns] | add / $ANSWERED | tostring) + \" \" +
			(.overhead.collector_cpu_seconds * 1e9 / $ANSWERED | tostring)")" >"$LIVE_DIR/watched"
		one_load
		echo "$plain $CPU $(cat "$LIVE_DIR/watched")" |
			awk '{ print $3 * 2 / ($1 + $2), ($1 + $2) / 2, $3, $4, $5 }' >>"$file"
	done
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
	watched_load
	echo 0 >/proc/sys/kernel/bpf_stats_enabled
	bpf=$(scope_jq '.overhead.bpf_ns_per_exchange // 0 | round')
	printf '%-16s %6.2f %9.0f %9.0f %7.3f  %.3f-%.3f %8d %10.0f %9.1f\n' "$NAME" "$(median "$file" 4)" \
		"$(median "$file" 2)" "$(median "$file" 3)" "$(quartile "$file" 1 2)" \
		"$(quartile "$file" 1 1)" "$(quartile "$file" 1 3)" "$bpf" "$(median "$file" 5)" \
		"$(awk -v kb="$RSS" 'BEGIN { print kb / 1024 }')"
}

# --- what there is more of ---

servers() { # COUNT OPTIONS...
	local i n=$1

	shift
	SERVERS=()
	PORTS=()
	for ((i = 0; i < n; i++)); do
		server_with_port "server$i" "$EPOLLSERVER" "$@"
		SERVERS+=("$SERVER_PID")
		PORTS+=("$PORT")
	done
}

stop_servers() {
	for SERVER_PID in "${SERVERS[@]}"; do
		stop_server
	done
}

measure_with() { # NAME CONNECTIONS ACTIVE
	CONNECTIONS=$3
	LOAD=(--connections "$2" --active "$3")
	point "$1"
	stop_servers
}

held() {
	local n

	for n in 50 1000 10000; do
		servers 1
		measure_with "held $n" "$n" 50
	done
}

active() {
	local n

	for n in 1 10 100 1000 5000; do
		servers 1
		measure_with "active $n" "$n" "$n"
	done
}

threads() {
	local n

	for n in 1 10 100 1000; do
		servers 1 --loops "$n"
		measure_with "threads $n" $((n > 50 ? n : 50)) $((n > 50 ? n : 50))
	done
}

targets() {
	local n

	for n in 1 10 50; do
		servers "$n"
		measure_with "targets $n" 50 50
	done
}

echo "$TURNS turns, $SECONDS_EACH s a load; $(uname -r), $(nproc) CPUs, $(date +%F)"
printf '%-16s %6s %9s %9s %7s  %-11s %8s %10s %9s\n' point turns 'plain ns' 'CPU ns' ratio quartiles \
	'BPF ns' 'collector' 'RSS MiB'
for what in "${@:-held active threads targets}"; do
	for dimension in $what; do
		"$dimension"
	done
done
bench_finish
