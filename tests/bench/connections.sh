#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# connections.sh - connections in steps, up to what the machine bears, watched by epollscope: memory
# for each, messages and context switches a second, and whether epollscope counts every one.
#
#   tests/bench/connections.sh [HIGHEST]		1,000 · 10,000 · 100,000 · 1,000,000
#
# A process holds a limited number of descriptors, so servers and holders come in pairs of up to
# 18,000 connections, each pair with a port and eight source addresses of its own: with one, the
# kernel looks for a free source port ten times as long as it connects. All servers run from the start. At each step a new watch sees the new connections open and 64 others being used for 2 s
# in a closed loop, through all servers. Steps end where less than 3 GB would be left.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/bench/lib.sh
SCOPE_LIMIT=120
live_init

HIGHEST=${1:-1000000}
ACTIVE=64
LEFT_KB=$((3 << 20))
PAIR_BYTES=16000	# a connection's both ends and what watches it, for the guess whether it fits
SERVERS=()
PORTS=()
HOLDERS=()
HELD=0

ulimit -n "$(ulimit -Hn)"
CELL=$(($(ulimit -n) - 1000))
[ "$CELL" -le 18000 ] || CELL=18000

# --- what is read ---

meminfo_kb() { # NAME
	awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo
}

# Proportional share of user memory, bytes.
pss() { # PID...
	local pid

	for pid; do
		grep '^Pss:' "/proc/$pid/smaps_rollup"
	done | awk '{ sum += $2 } END { printf "%.0f\n", sum * 1024 }'
}

switches() {
	local pid

	for pid in "${SERVERS[@]}"; do
		cat "/proc/$pid"/task/*/status
	done | awk '/ctxt_switches/ { sum += $2 } END { print sum }'
}

# The size of this folder is the number of descriptors (Linux 6.2).
descriptors() {
	local folders=("${SERVERS[@]/#//proc/}")

	stat -c %s "${folders[@]/%//fd}" | awk '{ sum += $1 } END { print sum }'
}

servers_cpu() {
	local pid

	for pid in "${SERVERS[@]}"; do
		cat "/proc/$pid"/task/*/schedstat
	done | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

each() { # BYTES CONNECTIONS
	awk -v b="$1" -v n="$2" 'BEGIN { printf "%.0f\n", b / n }'
}

# --- servers, holders ---

start_servers() {
	local i

	for ((i = 0; i < $1; i++)); do
		# shellcheck disable=SC2086 # words
		server_with_port "server$i" $ON_SERVER_CPU "$EPOLLSERVER"
		SERVERS+=("$SERVER_PID")
		PORTS+=("$PORT")
	done
}

# What the kernel calls reclaimable is what open sockets hold: no room.
fits() { # CONNECTIONS
	[ $(($(meminfo_kb MemAvailable) - $(meminfo_kb SReclaimable) - $1 * PAIR_BYTES / 1024)) -gt $LEFT_KB ]
}

# One at a time: a burst of connections from all of them would only test the accept queues.
hold() { # CONNECTIONS
	local i=${#HOLDERS[@]} said=$LIVE_DIR/holder${#HOLDERS[@]}

	$ON_LOAD_CPU "$EPOLLLOAD" --active 0 --hold --announce --quiet --timeout 60s \
		--connections "$1" --source "127.1.$i.1-127.1.$i.8" "${PORTS[i]}" >"$said.out" 2>"$said" &
	HOLDERS+=($!)
	started $!
	await 120 grep -q '^connected' "$said"
	expect_eq 'holder' "connected $1" "$(grep '^connected' "$said")" >>"$LIVE_DIR/verdicts"
	HELD=$((HELD + $1))
}

# 1 if there is no room for all of them.
hold_up_to() { # CONNECTIONS
	local n

	while [ $HELD -lt "$1" ]; do
		n=$(($1 - HELD < CELL ? $1 - HELD : CELL))
		fits "$n" || return 1
		hold "$n"
	done
}

# --- a step ---

# Leaves ANSWERED, PER_SECOND, CPU (ns a message) and SWITCHES (a second).
use_some() {
	local cpu switches

	cpu=$(servers_cpu)
	switches=$(switches)
	load_epollload "${PORTS[0]}" --connections $ACTIVE --duration 2s "${PORTS[@]:1}"
	CPU=$((($(servers_cpu) - cpu) / ANSWERED))
	SWITCHES=$((($(switches) - switches) * PER_SECOND / ANSWERED))
	await 10 settled
}

# What was closed is closed on the servers' side too, which is where it is counted.
settled() {
	[ "$(descriptors)" = $((BASE_DESCRIPTORS + HELD)) ] &&
		[ -z "$(ss -Htn state last-ack)" ]
}

# shellcheck disable=SC2016 # jq's
# The report against what was done; its counts have to be equal.
counted() { # NAME OPENED CLOSED ACTIVE OLDER EXCHANGES
	expect_eq "$1: opened, closed, active, older, exchanges" "$2 $3 $4 $5 $6" \
		"$(scope_jq '.connections as $c | "\($c.opened) \($c.closed) \($c.active) " +
			"\($c.preexisting) \(.exchanges.count)"')" | tee -a "$LIVE_DIR/verdicts"
	COUNTS=$(scope_jq '.connections | "\(.active) active, \(.opened) opened, \(.closed) closed"')
	LOST=$(scope_jq '.loss | to_entries | map(select(.value > 0) | "\(.key) \(.value)") |
		join(", ") | if . == "" then "nothing" else . end')
}

# What the kernel gives back after a watch, bytes; it takes a moment and tells nobody.
watch_memory_freed() { # SLAB-KB-BEFORE
	local last=-1 now

	while :; do
		sleep 1
		now=$(meminfo_kb Slab)
		[ $((last - now)) -gt 1024 ] || [ "$last" = -1 ] || break
		last=$now
	done
	echo $((($1 - now) * 1024))
}

step() { # CONNECTIONS
	local older=$HELD more slab rss status=0

	scope_start report --json -p "$(IFS=,; echo "${SERVERS[*]}")"
	hold_up_to "$1" || status=1
	[ $HELD -gt $older ] || { scope_stop; return 1; }
	more=$((HELD - older))
	use_some
	slab=$(meminfo_kb Slab)
	rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$SCOPE_PID/status")
	scope_stop
	counted "$HELD held" $((more + ACTIVE)) $ACTIVE $HELD "$older" "$ANSWERED"
	memory_row "$rss" "$(watch_memory_freed "$slab")"
	work_row
	return $status
}

memory_row() { # RSS-KB WATCH-BYTES
	printf '%9d %9s %9s %10s %11s %11s\n' $HELD \
		"$(each $(($(pss "${SERVERS[@]}") - BASE_PSS)) $HELD)" \
		"$(each "$(pss "${HOLDERS[@]}")" $HELD)" \
		"$(each $((($(meminfo_kb Slab) - BASE_SLAB) * 1024)) $HELD)" \
		"$(each "$2" $HELD)" "$(awk -v kb="$1" 'BEGIN { printf "%.1f MiB\n", kb / 1024 }')" \
		>>"$LIVE_DIR/memory"
}

work_row() {
	printf '%9d %12s %10s %12s   %s; lost: %s\n' $HELD "$PER_SECOND" "$CPU" "$SWITCHES" \
		"$COUNTS" "$LOST" >>"$LIVE_DIR/work"
}

# All holders go; a watch that began when all were there sees each of them close.
end_holders() {
	local pid older=$HELD

	scope_start report --json -p "$(IFS=,; echo "${SERVERS[*]}")"
	kill -TERM "${HOLDERS[@]}"
	for pid in "${HOLDERS[@]}"; do
		ended "$pid"
	done
	HELD=0
	await 60 settled
	scope_stop
	counted 'all closed' 0 $older 0 $older 0
	printf '%9d %12s %10s %12s   %s; lost: %s\n' 0 - - - "$COUNTS" "$LOST" >>"$LIVE_DIR/work"
}

start_servers $(((HIGHEST + CELL - 1) / CELL + 2))	# the first steps leave two cells not full
BASE_DESCRIPTORS=$(descriptors)
BASE_PSS=$(pss "${SERVERS[@]}")
BASE_SLAB=$(meminfo_kb Slab)
for n in 1000 10000 100000 1000000; do
	[ $n -le "$HIGHEST" ] || break
	step $n || { echo "stopped at $HELD: less than 3 GB would be left"; break; }
done
end_holders
echo "${#SERVERS[@]} server processes, bytes for each connection held"
printf '%9s %9s %9s %10s %11s %11s\n' held server load kernel 'its watch' epollscope \
	'' '' '' 'both ends' 'in kernel' 'at most'
cat "$LIVE_DIR/memory"
echo
echo "$ACTIVE more connections used in a closed loop, watched"
printf '%9s %12s %10s %12s   %s\n' held messages/s 'CPU ns/msg' switches/s 'epollscope counted'
cat "$LIVE_DIR/work"
bench_finish
