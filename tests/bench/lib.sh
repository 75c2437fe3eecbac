# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# lib.sh - what the tables share: servers and load on a core each, one measured load, medians.
#
# A load is one of the load_ functions; it leaves ANSWERED and PER_SECOND. What is measured of it is
# a line "requests/s ns-of-server-CPU-a-request share-of-the-core" in $LIVE_DIR/NAME.turns.
. tests/live/lib.sh

EPOLLSERVER=${BUILD:-build}/epollserver
EPOLLLOAD=${BUILD:-build}/epollload
SERVER_CORE=0
LOAD_CORE=1

on_load_core() { # COMMAND...
	taskset -c $LOAD_CORE "$@"
}

# Pins the server that was started last, its workers too.
pin_server() {
	local pid

	for pid in $(processes_of "$SERVER_PID"); do
		taskset -a -c -p $SERVER_CORE "$pid" >/dev/null
	done
}

start_epollserver() { # OPTIONS...
	server_with_port epollserver "$EPOLLSERVER" "$@"
	pin_server
}

# --- loads ---

load_epollload() { # PORT OPTIONS...
	local port=$1 out=$LIVE_DIR/load.json

	shift
	on_load_core "$EPOLLLOAD" --json --quiet --closed "$@" "$port" >"$out"
	ANSWERED=$(jq .requests.answered "$out")
	PER_SECOND=$(jq '.requests.answered_per_s | round' "$out")
	expect_jq 'no request is lost' "$out" '.requests.lost == 0 and .connections.failed == 0' \
		'[.requests, .connections]' >>"$LIVE_DIR/verdicts"
}

# Opens connections to the server that was started last; sets HOLDER_PID.
hold_idle() { # CONNECTIONS
	: >"$LIVE_DIR/idle.err"
	# Not on_load_core: $! would be a shell's.
	taskset -c $LOAD_CORE "$EPOLLLOAD" --active 0 --hold --announce --quiet --connections "$1" "$PORT" \
		>"$LIVE_DIR/idle.out" 2>"$LIVE_DIR/idle.err" &
	HOLDER_PID=$!
	STARTED+=("$HOLDER_PID")
	await 30 grep -q '^connected' "$LIVE_DIR/idle.err"
	expect_eq 'idle connections' "connected $1" "$(grep connected "$LIVE_DIR/idle.err")" \
		>>"$LIVE_DIR/verdicts"
}

let_go() {
	kill -TERM "$HOLDER_PID"
	wait "$HOLDER_PID"
	forget "$HOLDER_PID"
	await_connections 0
}

load_wrk() { # PORT CONNECTIONS SECONDS
	local out=$LIVE_DIR/wrk.out

	on_load_core wrk -t 1 -c "$2" -d "$3" "http://127.0.0.1:$1/" >"$out"
	ANSWERED=$(awk '/ requests in / { print $1 }' "$out")
	PER_SECOND=$(awk '/^Requests\/sec:/ { printf "%.0f\n", $2 }' "$out")
	expect_eq 'no wrong answer' '' "$(grep -E 'Non-2xx|Socket errors' "$out")" \
		>>"$LIVE_DIR/verdicts"
}

# A line, and an answer of so many bytes. The client's start and end are part of the time.
load_line() { # PORT CONNECTIONS REQUESTS LINE BYTES
	local out=$LIVE_DIR/client.json start=${EPOCHREALTIME/[.,]/}

	on_load_core "$LIVE/client" --port "$1" --connections "$2" --requests "$3" --line "$4" \
		--size "$5" >"$out"
	ANSWERED=$(jq .answers "$out")
	PER_SECOND=$((ANSWERED * 1000000 / (${EPOCHREALTIME/[.,]/} - start)))
	expect_eq 'every line is answered' "$3" "$ANSWERED" >>"$LIVE_DIR/verdicts"
}

# --- one turn, many turns ---

# One load of the server PID.
measure() { # NAME PID LOAD...
	local name=$1 pid=$2 cpu start

	shift 2
	start=${EPOCHREALTIME/[.,]/}
	cpu=$(schedstat "$pid" 1)
	"$@"
	cpu=$(($(schedstat "$pid" 1) - cpu))
	echo "$PER_SECOND $((cpu / ANSWERED)) \
		$((cpu / 10 / (${EPOCHREALTIME/[.,]/} - start)))" >>"$LIVE_DIR/$name.turns"
}

# The lower of the middle ones.
median_of() { # NAME COLUMN
	awk -v c="$2" '{ print $c }' "$LIVE_DIR/$1.turns" | sort -n |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

row() { # NAME
	printf '%-34s %12s %12s %8s %%\n' "$1" "$(median_of "$1" 1)" "$(median_of "$1" 2)" \
		"$(median_of "$1" 3)"
}

heading() {
	printf '%-34s %12s %12s %10s\n' "$1" 'requests/s' 'CPU ns/req' 'its core'
}

bench_finish() {
	grep '^not ok' "$LIVE_DIR/verdicts" && FAILED=1
	finish
}
