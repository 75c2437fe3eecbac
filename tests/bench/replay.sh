#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# replay.sh - captures: how fast they are read, how large they are, and what recording costs a server.
#
#   tests/bench/replay.sh [TURNS [REQUESTS]]
#
# Prints medians; nothing is judged here. The synthetic capture holds 5 million records. A live load
# is watched by `report` and by `record`, which also sends every exchange and writes it, in turns.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/bench/lib.sh
live_init
ON_SERVER_CPU=	# nothing is pinned

TURNS=${1:-5}
REQUESTS=${2:-100000}
CONNECTIONS=50
EXCHANGES=2500000
MAKE_CAPTURE=${BUILD:-build}/tests/bench/make_capture

# Seconds of CPU of a command, by its children's times.
cpu_seconds() { # COMMAND...
	local TIMEFORMAT='%U %S'

	{ time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }'
}

bench_replay() {
	local turn command file=$LIVE_DIR/synthetic.cap events=$((2 * EXCHANGES))

	"$MAKE_CAPTURE" "$file" $EXCHANGES
	echo "$events records, $(stat -c %s "$file") bytes: $(awk -v b="$(stat -c %s "$file")" \
		-v n=$EXCHANGES 'BEGIN { printf "%.1f", b / n }') an exchange with its answer"
	for command in 'report' 'slow --over 10ms --json' 'conns --json'; do
		rm -f "$LIVE_DIR/replay"
		for ((turn = 0; turn < TURNS; turn++)); do
			# shellcheck disable=SC2086  # a command with its options
			cpu_seconds "$EPOLLSCOPE" $command -i "$file" >>"$LIVE_DIR/replay"
		done
		printf '%-26s %6.1f M events/s of CPU time\n' "$command -i" \
			"$(awk -v s="$(median "$LIVE_DIR/replay")" -v n=$events 'BEGIN { print n / s / 1e6 }')"
	done
	rm -f "$file"
}

recorder_cpu() { # PID: user and system ticks
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

bench_live() { # NAME COMMAND...
	local name=$1 turn before cap=$LIVE_DIR/live.cap

	shift
	"$@" >"$LIVE_DIR/warm-up" 2>&1
	for ((turn = 0; turn < TURNS; turn++)); do
		measure_cpu "$LIVE_DIR/$name.plain" "$@"
		scope_start report --json -p "$SERVER_PID"
		measure_cpu "$LIVE_DIR/$name.report" "$@"
		scope_stop
		scope_start record -o "$cap" -p "$SERVER_PID"
		before=$(recorder_cpu "$SCOPE_PID")
		measure_cpu "$LIVE_DIR/$name.record" "$@"
		echo $((($(recorder_cpu "$SCOPE_PID") - before) * 1000000000 / $(getconf CLK_TCK) / \
			REQUESTS)) >>"$LIVE_DIR/$name.recorder"
		scope_stop
		stat -c %s "$cap" >>"$LIVE_DIR/$name.bytes"
		"$EPOLLSCOPE" report --json -i "$cap" | jq .loss.ring >>"$LIVE_DIR/$name.lost"
	done
	printf '%-8s %8s %8s %8s %13s %13s %8s %6s\n' "$name" "$(median "$LIVE_DIR/$name.plain")" \
		"$(median "$LIVE_DIR/$name.report")" "$(median "$LIVE_DIR/$name.record")" \
		"$(ratio "$name.record" "$name.report")" "$(median "$LIVE_DIR/$name.recorder")" \
		"$(($(median "$LIVE_DIR/$name.bytes") / REQUESTS))" \
		"$(awk '{ n += $1 } END { print n }' "$LIVE_DIR/$name.lost")"
	stop_server
}

ratio() { # FILE FILE
	awk -v a="$(median "$LIVE_DIR/$1")" -v b="$(median "$LIVE_DIR/$2")" \
		'BEGIN { printf "%.3f\n", a / b }'
}

echo "$TURNS turns; medians"
bench_replay
echo
echo "$REQUESTS requests, $CONNECTIONS connections; the server's CPU ns a request"
printf '%-8s %8s %8s %8s %13s %13s %8s %6s\n' '' plain report record record/report recorder-ns \
	bytes lost
start_nginx 1
bench_live nginx client --http --connections $CONNECTIONS --requests "$REQUESTS"
start_redis
bench_live redis client --line PING --size 7 --connections $CONNECTIONS --requests "$REQUESTS"
bench_finish
