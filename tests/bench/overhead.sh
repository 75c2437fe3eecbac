#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# overhead.sh - what being watched costs: the server's CPU time for a request, watched and not, taken
# in turns; and what a system call of a process costs that is not watched while another one is.
#
#   tests/bench/overhead.sh [TURNS [REQUESTS]]
#
# CPU time is the run time of all threads in /proc/PID/task/*/schedstat, which a closed-loop client
# can't hide. Prints medians over the turns; nothing is judged here.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/bench/lib.sh
live_init
ON_SERVER_CPU=	# nothing is pinned

TURNS=${1:-5}
REQUESTS=${2:-100000}
CONNECTIONS=50
CALLS=2000000

ratio() { # A B
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", a / b }'
}

# Also the client's P99, where the generator tells it.
one_turn() { # NAME COMMAND...
	local name=$1

	shift
	measure_cpu "$LIVE_DIR/$name.plain" "$@"
	client_p99 >>"$LIVE_DIR/$name.plain.p99"
	scope_start report --json -p "$SERVER_PID"
	measure_cpu "$LIVE_DIR/$name.watched" "$@"
	client_p99 >>"$LIVE_DIR/$name.watched.p99"
	scope_stop
	scope_jq .overhead.bpf_ns_per_exchange >>"$LIVE_DIR/$name.bpf"
	scope_jq .overhead.collector_cpu_seconds >>"$LIVE_DIR/$name.collector"
	expect_jq "$name: exchanges" "$SCOPE_OUT" ".exchanges.count >= $REQUESTS" .exchanges.count \
		>>"$LIVE_DIR/verdicts"
	expect_no_loss "$name" >>"$LIVE_DIR/verdicts"
}

# In us; ours prints JSON, redis-benchmark --csv ends with columns of ms.
client_p99() {
	if head -c 1 "$LIVE_DIR/generator.out" | grep -q '{'; then
		jq '.p99_ns / 1000 | floor' "$LIVE_DIR/generator.out"
	else
		tail -n 1 "$LIVE_DIR/generator.out" | tr -d '"' | awk -F, '{ print $7 * 1000 }'
	fi
}

bench_server() { # NAME COMMAND...
	local name=$1 turn plain watched

	shift
	"$@" >"$LIVE_DIR/warm-up" 2>&1
	for ((turn = 0; turn < TURNS; turn++)); do
		one_turn "$name" "$@"
	done
	plain=$(median "$LIVE_DIR/$name.plain")
	watched=$(median "$LIVE_DIR/$name.watched")
	printf '%-8s %10s %10s %8s %12.0f %10s %10s %13s\n' "$name" "$plain" "$watched" \
		"$(ratio "$watched" "$plain")" "$(median "$LIVE_DIR/$name.bpf")" \
		"$(median "$LIVE_DIR/$name.plain.p99")" "$(median "$LIVE_DIR/$name.watched.p99")" \
		"$(median "$LIVE_DIR/$name.collector")"
	stop_server
}

bench_unwatched() {
	local turn

	start_echo --size 64
	for ((turn = 0; turn < TURNS; turn++)); do
		"$LIVE/syscall_loop" $CALLS >>"$LIVE_DIR/calls.plain"
		scope_start report --json -p "$SERVER_PID"
		"$LIVE/syscall_loop" $CALLS >>"$LIVE_DIR/calls.watched"
		scope_stop
	done
	printf '\nns for a getppid of a process that is not watched, while another one is not/is: '
	echo "$(median "$LIVE_DIR/calls.plain") $(median "$LIVE_DIR/calls.watched")"
	stop_server
}

build_c syscall_loop
echo "$TURNS turns of $REQUESTS requests, $CONNECTIONS connections; medians; watched by report --json"
printf '%-8s %10s %10s %8s %12s %10s %10s %13s\n' '' 'CPU ns/req' watched ratio 'BPF ns/exch' \
	'p99 us' watched 'collector s'
start_nginx 1
bench_server nginx client --http --connections $CONNECTIONS --requests "$REQUESTS"
start_redis
bench_server redis redis-benchmark -p "$PORT" -n "$REQUESTS" -c $CONNECTIONS -t get --csv
bench_unwatched
bench_finish
