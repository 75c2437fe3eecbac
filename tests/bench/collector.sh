#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# collector.sh - what the collector itself costs: its CPU time an exchange by schedstat, all in (drained,
# decoded, correlated, added up, printed or written), for each command at a high rate.
#
#   tests/bench/collector.sh [TURNS [REQUESTS]]
#
# Prints medians and the spread; nothing is judged here. `idle` is a second without any exchange, in us.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/bench/lib.sh
live_init
ON_SERVER_CPU=	# nothing is pinned
ON_LOAD_CPU=

TURNS=${1:-5}
REQUESTS=${2:-400000}
CONNECTIONS=20

own_ns() {
	awk '{ sum += $1 } END { printf "%.0f\n", sum }' "/proc/$SCOPE_PID"/task/*/schedstat
}

# One load of a command that is attached; its start and its end are not measured.
turn() { # NAME COMMAND...
	local name=$1 before

	shift
	scope_start "$@" -p "$SERVER_PID"
	before=$(own_ns)
	sleep 1
	echo $((($(own_ns) - before) / 1000)) >>"$LIVE_DIR/$name.idle"
	before=$(own_ns)
	redis_load >"$LIVE_DIR/load"
	echo $((($(own_ns) - before) / REQUESTS)) >>"$LIVE_DIR/$name.ns"
	end "$SCOPE_PID"
}

bench() {
	local i

	for ((i = 0; i < TURNS; i++)); do
		turn report report
		turn no-syscalls report --no-syscalls
		turn slow slow
		turn every slow --over 0ns --json
		turn record record --hz 0 -o "$LIVE_DIR/a.cap"
		turn export export --budget 0 --listen 127.0.0.1:0
	done
	printf '%-12s %12s %12s %12s %12s\n' '' 'ns/exchange' least most 'idle us/s'
	for i in report no-syscalls slow every record export; do
		printf '%-12s %12s %12s %12s %12s\n' "$i" "$(median "$LIVE_DIR/$i.ns")" \
			"$(sort -n "$LIVE_DIR/$i.ns" | head -n 1)" \
			"$(sort -n "$LIVE_DIR/$i.ns" | tail -n 1)" "$(median "$LIVE_DIR/$i.idle")"
	done
}

echo "redis GET, $CONNECTIONS connections, $REQUESTS requests, $TURNS turns"
with_server redis bench
bench_finish
