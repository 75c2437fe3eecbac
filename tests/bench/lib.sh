# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# lib.sh - what the tables share: servers and load on a core each, one measured load, medians.
#
# A load is one of the load_ functions; it leaves ANSWERED and PER_SECOND. What is measured of it is
# a line "requests/s ns-of-server-CPU-a-request share-of-the-core" in $LIVE_DIR/NAME.turns.
. tests/live/lib.sh

ON_SERVER_CPU='taskset -c 0'
ON_LOAD_CPU='taskset -c 1'
LOAD_LIMIT=600

# --- loads ---

load_epollload() { # PORT OPTIONS...
	TARGET=$1 load --quiet --closed "${@:2}"
	ANSWERED=$(load_jq .requests.answered)
	PER_SECOND=$(load_jq '.requests.answered_per_s | round')
	expect_jq 'no request is lost' "$LIVE_DIR/load.json" '.requests.lost == 0 and .connections.failed == 0' \
		'[.requests, .connections]' >>"$LIVE_DIR/verdicts"
}

let_go() {
	end "$LOAD_PID"
	await_connections 0
}

load_wrk() { # PORT CONNECTIONS SECONDS
	local out=$LIVE_DIR/wrk.out

	$ON_LOAD_CPU wrk -t 1 -c "$2" -d "$3" "http://127.0.0.1:$1/" >"$out"
	ANSWERED=$(awk '/ requests in / { print $1 }' "$out")
	PER_SECOND=$(awk '/^Requests\/sec:/ { printf "%.0f\n", $2 }' "$out")
	expect_eq 'no wrong answer' '' "$(grep -E 'Non-2xx|Socket errors' "$out")" \
		>>"$LIVE_DIR/verdicts"
}

# A line, and an answer of so many bytes. The client's start and end are part of the time.
load_line() { # PORT CONNECTIONS REQUESTS LINE BYTES
	local out=$LIVE_DIR/client.json start=${EPOCHREALTIME/[.,]/}

	$ON_LOAD_CPU "$LIVE/client" --port "$1" --connections "$2" --requests "$3" --line "$4" \
		--size "$5" >"$out"
	ANSWERED=$(jq .answers "$out")
	PER_SECOND=$((ANSWERED * 1000000 / (${EPOCHREALTIME/[.,]/} - start)))
	expect_eq 'every line is answered' "$3" "$ANSWERED" >>"$LIVE_DIR/verdicts"
}

# $CONNECTIONS and $REQUESTS, by a command that takes ours.
closed() { # COMMAND...
	"$@" --connections "$CONNECTIONS" --requests "$REQUESTS"
}

redis_load() { # [OPTION...]
	redis-benchmark -p "$PORT" -n "$REQUESTS" -c "$CONNECTIONS" -t get --csv "$@"
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
median() { # FILE [COLUMN]
	awk -v c="${2:-1}" '{ print $c }' "$1" | sort -n |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# The first, second or third; between two values where it falls there.
quartile() { # FILE COLUMN NUMBER
	awk -v c="$2" '{ print $c }' "$1" | sort -n | awk -v q="$3" \
		'{ v[NR] = $1 } END { at = 1 + (NR - 1) * q / 4; i = int(at)
			print v[i] + (at - i) * ((i < NR ? v[i + 1] : v[i]) - v[i]) }'
}

# The server's CPU ns for each of REQUESTS under a load; they go to FILE.
measure_cpu() { # FILE COMMAND...
	local file=$1 before

	shift
	before=$(schedstat "$SERVER_PID" 1)
	"$@" >"$LIVE_DIR/generator.out" 2>&1 ||
		fail "$*" "expected status 0 got $? $(tail -n 1 "$LIVE_DIR/generator.out")"
	await_connections 0
	echo $((($(schedstat "$SERVER_PID" 1) - before) / REQUESTS)) >>"$file"
}

# Of the last measure_cpu, in ns: the client prints JSON, epollload's is in a file of its own, and
# redis-benchmark --csv ends with columns of ms.
client_p99() {
	if [ ! -s "$LIVE_DIR/generator.out" ]; then
		load_jq .latency_ns.p99
	elif head -c 1 "$LIVE_DIR/generator.out" | grep -q '{'; then
		jq .p99_ns "$LIVE_DIR/generator.out"
	else
		tail -n 1 "$LIVE_DIR/generator.out" | tr -d '"' | awk -F, '{ print $7 * 1000000 }'
	fi
}

row() { # NAME
	printf '%-34s %12s %12s %8s %%\n' "$1" "$(median "$LIVE_DIR/$1.turns" 1)" \
		"$(median "$LIVE_DIR/$1.turns" 2)" "$(median "$LIVE_DIR/$1.turns" 3)"
}

heading() {
	printf '%-34s %12s %12s %10s\n' "$1" 'requests/s' 'CPU ns/req' 'its core'
}

bench_finish() {
	! grep -s '^not ok' "$LIVE_DIR/verdicts" || FAILED=1
	finish
}
