#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# backends.sh - select, poll and epoll over 100, 1,000 and 10,000 connections of which 32 are
# active; level against edge triggering over depths and sizes. The same server, the same load.
#
#   tests/bench/backends.sh [TURNS [SECONDS]]
#
# select ends at descriptor 1,023, some of which the server itself needs: its second step is 1,000
# connections, a third there can't be.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/bench/lib.sh
live_init

TURNS=${1:-5}
SECONDS_EACH=${2:-1}
ACTIVE=32

# A server of its own each time: descriptors and tables as fresh for the one as for the other. The
# idle ones are there before: what connecting costs is not in the figures.
one_backend() { # BACKEND CONNECTIONS
	start_epollserver --backend "$1"
	load_held connected --active 0 --quiet --connections $(($2 - ACTIVE))
	measure "$1, $2" "$SERVER_PID" load_epollload "$PORT" --duration "${SECONDS_EACH}s" \
		--connections $ACTIVE
	let_go
	stop_server
}

one_trigger() { # TRIGGER SIZE DEPTH
	start_epollserver --trigger "$1"
	measure "$1, $2 B, depth $3" "$SERVER_PID" load_epollload "$PORT" \
		--duration "${SECONDS_EACH}s" --connections 100 --size "$2" --pipeline "$3"
	stop_server
}

one_turn() {
	local n size depth

	for n in 100 1000 10000; do
		[ $n -gt 1000 ] || one_backend select $n
		one_backend poll $n
		one_backend epoll $n
	done
	for size in 64 4096; do
		for depth in 1 16; do
			one_trigger level $size $depth
			one_trigger edge $size $depth
		done
	done
}

for ((turn = 0; turn < TURNS; turn++)); do
	one_turn
done
echo "$TURNS turns, alternated, medians; closed loop, one worker"
heading "connections, $ACTIVE of them active"
for n in 100 1000 10000; do
	for backend in select poll epoll; do
		if [ -e "$LIVE_DIR/$backend, $n.turns" ]; then
			row "$backend, $n"
		else
			printf '%-34s %s\n' "$backend, $n" 'impossible: 1,024 descriptors'
		fi
	done
done
heading '100 connections, all active'
for size in 64 4096; do
	for depth in 1 16; do
		row "level, $size B, depth $depth"
		row "edge, $size B, depth $depth"
	done
done
bench_finish
