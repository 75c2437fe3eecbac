#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# overhead.sh - what being watched costs: the server's CPU time for a request beside that of the
# same server a moment before and after, not watched. Prints; judges nothing.
#
#   TURNS=15 SERVERS='redis node' ROWS='null report' SECONDS_EACH=0.3 CONNECTIONS=50 tests/bench/overhead.sh
#
# work_N is epollserver with N us of work for a request, loops_N one with N threads.
# Without a variable: 15 turns, all servers, all rows whose program is here. A turn is a load without
# anything, then for each row a watched load and another one without; so each watched load has two
# neighbours, and a drift of the machine cancels. A row shows the median of its ratios to the mean of
# both, and their quartiles; the same of the client's P99; and BPF ns a request, of one more load with
# the kernel's statistics on (they cost 60 ns a firing here).
# none is a load like its neighbours; null is one beside a tracer that attaches nothing (`sleep`).
# What those two differ from 1 is the machine's noise: no other row means more than that.
# CPU time is the run time of all of the server's threads (/proc/PID/task/*/schedstat).
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/bench/lib.sh
live_init
ON_SERVER_CPU='' ON_LOAD_CPU=''	# nothing is pinned
NGINX_USER='root root'	# whose workers may read our folder

TURNS=${TURNS:-15}
SERVERS=${SERVERS:-nginx nginx_file redis redis_pipelined node go work_0 work_10 work_50}
ROWS=${ROWS:-none null report report_all slow export record flame syscount runqlat perf}
SECONDS_EACH=${SECONDS_EACH:-0.3}
CONNECTIONS=${CONNECTIONS:-50}
CALLS=2000000

# START is with_server's word and options; LOAD makes $REQUESTS.
describe() { # SERVER
	case $1 in
	nginx) START='nginx 1' LOAD='closed client --http' ;;
	nginx_file) START='nginx 1' LOAD='closed client --http --path /files/page' ;;
	redis) START=redis LOAD=redis_load ;;
	redis_pipelined) START=redis LOAD='redis_load -P 16' ;;
	node | go) START=$1 LOAD='closed client --http' ;;
	loops_*) START="epollserver --loops ${1#loops_}" LOAD='closed load --quiet --closed' ;;
	work_*) START="epollserver --fault slow-cpu=${1#work_}us" LOAD='closed load --quiet --closed' ;;
	esac
}

# --- what watches ---

# Others take one process: of nginx, that is the worker.
command_of() { # ROW
	local one

	one=$(processes_of "$SERVER_PID" | tail -n 1)
	case $1 in
	null) echo sleep 1000000 ;;
	report) echo "$EPOLLSCOPE report --json -p $SERVER_PID" ;;
	report_all) echo "$EPOLLSCOPE report --json --syscalls all -p $SERVER_PID" ;;
	slow) echo "$EPOLLSCOPE slow --over 10ms -p $SERVER_PID" ;;
	export) echo "$EPOLLSCOPE export --listen 127.0.0.1:0 -p $SERVER_PID" ;;
	record) echo "$EPOLLSCOPE record -o $LIVE_DIR/capture -p $SERVER_PID" ;;
	flame) echo "$EPOLLSCOPE flame -p $SERVER_PID" ;;
	syscount) echo "syscount -L -p $one" ;;
	runqlat) echo "runqlat -p $one 1000000 1" ;;
	perf) echo "perf trace -s -p $one" ;;
	esac
}

has_row() { # ROW
	case $1 in
	report_all) "$EPOLLSCOPE" report --help | grep -q -- '--syscalls ' ;;
	syscount | runqlat | perf) command -v "$1" >/dev/null ;;
	esac
}

newest_program() { bpftool -j prog show | jq 'map(.id) | max // 0'; }
has_program() { [ "$(newest_program)" -gt "$LAST_PROGRAM" ]; }

# Others do not say when they are attached: their first program is the sign, and half a second more.
watch_start() { # ROW
	WATCH_PID=
	LAST_PROGRAM=$(newest_program)
	: >"$LIVE_DIR/watch.err"
	[ "$1" != none ] || return 0
	rm -f "$LIVE_DIR/capture"
	# shellcheck disable=SC2046 # words
	$HEARS_SIGINT $(command_of "$1") >"$LIVE_DIR/watch.out" 2>"$LIVE_DIR/watch.err" &
	WATCH_PID=$!
	started "$WATCH_PID"
	case $1 in
	null) ;;
	perf) sleep 1 ;;
	syscount | runqlat) await "$SCOPE_LIMIT" has_program && sleep 0.5 ;;
	*) await "$SCOPE_LIMIT" grep -q '^epollscope: attached' "$LIVE_DIR/watch.err" ;;
	esac && return
	fail "$1" "expected it to attach got $(tail -n 1 "$LIVE_DIR/watch.err")"
	watch_stop
	false
}

watch_stop() {
	[ -z "$WATCH_PID" ] || end "$WATCH_PID" INT
}

# --- loads, turns and rows ---

# Leaves CPU, the server's ns for a request, and P99.
one_load() {
	: >"$LIVE_DIR/cpu"
	# shellcheck disable=SC2086 # words
	measure_cpu "$LIVE_DIR/cpu" $LOAD
	CPU=$(cat "$LIVE_DIR/cpu")
	P99=$(client_p99)
}

# So many requests as take SECONDS_EACH.
warm_up() {
	local start

	REQUESTS=2000
	one_load
	start=${EPOCHREALTIME/[.,]/}
	one_load
	REQUESTS=$(awk -v n=2000 -v us=$((${EPOCHREALTIME/[.,]/} - start)) -v s="$SECONDS_EACH" \
		'BEGIN { n *= s * 1e6 / us; print n < 1000 ? 1000 : int(n) }')
	one_load
}

# CPU and P99 of the last load are of the neighbour before.
one_pair() { # SERVER ROW
	local before="$CPU $P99" watched

	watch_start "$2" || return
	one_load
	watched="$CPU $P99"
	watch_stop
	one_load
	echo "$before $watched $CPU $P99" | awk '{ plain = ($1 + $5) / 2
		print $3 / plain, $4 * 2 / ($2 + $6), plain, $3 }' >>"$LIVE_DIR/$1.$2"
}

# BPF ns a request, of the programs that came with the row.
bpf_ns() { # ROW
	if [[ " none null perf " = *" $1 "* ]]; then
		echo -
		return
	fi
	watch_start "$1" >&2 || return
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
	one_load
	echo 0 >/proc/sys/kernel/bpf_stats_enabled
	bpftool -j prog show | jq "map(select(.id > $LAST_PROGRAM) | .run_time_ns // 0) | add // 0 |
		. / $REQUESTS | floor"
	watch_stop
}

bench_server() { # SERVER
	local turn row file

	warm_up
	for ((turn = 0; turn < TURNS; turn++)); do
		one_load
		for row in $PRESENT; do
			one_pair "$1" "$row"
		done
	done
	for row in $PRESENT; do
		file=$LIVE_DIR/$1.$row
		[ -s "$file" ] || continue
		printf '%-16s %-11s %7.3f  %.3f-%.3f %9.0f %9.0f %8.2f %9s\n' "$1" "$row" \
			"$(quartile "$file" 1 2)" "$(quartile "$file" 1 1)" "$(quartile "$file" 1 3)" \
			"$(quartile "$file" 3 2)" "$(quartile "$file" 4 2)" "$(quartile "$file" 2 2)" \
			"$(bpf_ns "$row")"
	done
}

# What a system call costs a process that is not watched while another one is.
bench_unwatched() {
	for ((turn = 0; turn < TURNS; turn++)); do
		"$LIVE/syscall_loop" "$CALLS" >>"$LIVE_DIR/calls.plain"
		watch_start report
		"$LIVE/syscall_loop" "$CALLS" >>"$LIVE_DIR/calls.watched"
		watch_stop
	done
	echo "ns of a getppid of a process that is not watched, nobody is/another one is:" \
		"$(median "$LIVE_DIR/calls.plain") $(median "$LIVE_DIR/calls.watched")"
}

build_c syscall_loop
head -c 16384 /dev/zero >"$LIVE_DIR/page"
PRESENT=
for row in $ROWS; do
	! has_row "$row" || PRESENT="$PRESENT $row"
done
echo "$TURNS turns, $SECONDS_EACH s a load, $CONNECTIONS connections; $(uname -r), $(nproc) CPUs, $(date +%F)"
printf '%-16s %-11s %7s  %-11s %9s %9s %8s %9s\n' server row ratio quartiles 'plain ns' 'CPU ns' \
	'P99' 'BPF ns'
for server in $SERVERS; do
	describe "$server"
	with_server "$START" bench_server "$server"
done
with_server epollserver bench_unwatched
bench_finish
