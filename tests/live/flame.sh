#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# flame.sh - stacks of a server that knows its shares, of real ones, and how the command ends.
# limit: 300
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

LOAD_S=4	# seconds of load where samples are wanted

# flame on the server that was started last, while a client is answered N times.
flame() { # REQUESTS CLIENT OPTIONS... -- FLAME OPTIONS...
	local requests=$1 client=()

	shift
	while [ "$1" != -- ]; do
		client+=("$1")
		shift
	done
	shift
	scope_start flame -p "$SERVER_PID" "$@"
	watched_client --requests "$requests" "${client[@]}"
}

# Of the stacks that match OF, waiting for a processor left out, in hundredths of a per cent.
share() { # PATTERN OF
	awk -v p="$1" -v of="$2" '/\[runnable\] [0-9]+$/ { next } $0 ~ of { all += $NF; if ($0 ~ p) part += $NF }
		END { printf "%.0f\n", all ? part * 10000 / all : -1 }' "$SCOPE_OUT"
}

said() { # WORDS: the number that stands before them on stderr
	grep -oE "[0-9,]+ $1" "$SCOPE_ERR" | head -n 1 | tr -cd 0-9
}

# --- shares ---

# Every request computes for 400 us; one in 80 also in slow_hash and slow_sort, 2400 and 1200 us. These
# are the tail: 60 and 30 % of it, but 6.7 and 3.4 % of all computing.
NAMED=(--fault slow-cpu=400us --fault "slow-hash=2400us,every=80"
	--fault "slow-sort=1200us,every=80")

# What a function has of the services that it struck, as the server stamped them: of the usual one,
# since others may have waited for a processor.
known_share() { # US
	awk '$10 >= 131072 { print $8 - $5 }' "$LIVE_DIR/truth" | sort -n |
		awk -v us="$1" '{ v[NR] = $1 } END { printf "%.0f", us * 1000 / v[int((NR + 1) / 2)] * 10000 }'
}

expect_share() { # NAME US PATTERN
	local known

	known=$(known_share "$2")
	expect_between "$1: within 3 points of $known" $((known - 300)) $((known + 300)) \
		"$(share "$3" '^service;')"
}

# Others on the processors choose the tail otherwise: a run that waited for them is shown and repeated,
# twice at most.
tail_of_named() {
	local try waited

	for try in first second third; do
		: >"$LIVE_DIR/truth"
		start_epollserver --size 64 "${NAMED[@]}" --truth "$LIVE_DIR/truth"
		flame $((LOAD_S * 2000)) --connections 1 -- --mode tail --hz 9999
		OTHERS=$(others_percent)
		stop_server
		notes
		waited=$(weight '\\[runnable\\]')
		[ $((waited * 20)) -gt "$(weight .)" ] || [ "$OTHERS" -ge 25 ] || return 0
		echo "# $try run: waited $waited ns for a processor, others had $OTHERS %"
	done
	return 1
}

test_shares() {
	local requests=$((LOAD_S * 2000))

	if tail_of_named; then
		expect_share 'tail: slow_hash' 2400 ';slow_hash[; ]'
		expect_share 'tail: slow_sort' 1200 ';slow_sort[; ]'
	else
		skip 'tail: shares of two functions' 'others had the processors in three runs'
	fi
	start_epollserver --size 64 "${NAMED[@]}"
	flame $requests --connections 1 -- --mode cpu --hz 997
	expect_between 'cpu: slow_hash, 6.7 % and less' 100 900 "$(share ';slow_hash[; ]' .)"
	expect_between 'cpu: slow_sort, 3.4 % and less' 50 600 "$(share ';slow_sort[; ]' .)"
	expect_eq 'cpu: total is samples times period' "$(($(said samples) * (1000000000 / 997)))" \
		"$(weight .)"
	stop_server
}

# --- blocked ---

# Read in the same run: what every exchange's own split says, and the timeline.
test_blocked() { # NAME FAULT FRAME
	local hits

	start_epollserver --size 64 --fault "$2" --truth "$LIVE_DIR/truth"
	flame 400 --connections 4 -- --mode offcpu --by stage --chrome-trace "$LIVE_DIR/trace.json"
	stop_server
	notes
	expect_eq "$1: waits for events" 0 "$(grep -cE 'ep_poll|epoll_wait' "$SCOPE_OUT")"
	expect_results "$1: timeline: " python3 tests/live/trace_check.py "$LIVE_DIR/trace.json" "$SCOPE_OUT"
	# The truth's own stamps lie outside of the blocked time, the fault's time inside.
	hits=$(awk '$10 { n++ } END { print n + 0 }' "$LIVE_DIR/truth")
	expect_eq "$1: hits" 40 "$hits"
	expect_between "$1: ns blocked in $3, by the truth" $((hits * 5000000 * 9 / 10)) \
		"$(awk '$10 { sum += $8 - $5 } END { printf "%.0f", sum }' "$LIVE_DIR/truth")" \
		"$(weight "^service;.*$3")"
}

test_idle() {
	start_epollserver --size 64
	client_hold --connections 1 --requests 1
	scope_start flame -p "$SERVER_PID" --mode offcpu -d 1
	scope_wait 0
	expect_eq 'idle: nothing blocked' '' "$(cat "$SCOPE_OUT")"
	expect_eq 'idle: it is said' 1 "$(grep -c 'nothing to show: the target was not blocked' "$SCOPE_ERR")"
	client_go
	client_wait
	stop_server
}

# Threads that wait for a request, or a connection, in the very call: idle as well.
test_idle_in_read() {
	start_echo --blocking
	client_hold --connections 2 --requests 20
	scope_start flame -p "$SERVER_PID" --mode offcpu
	client_go
	client_wait
	await_connections 0
	scope_stop
	stop_server
	notes
	expect_eq 'idle in a read: waits for data' '' "$(grep -E 'tcp_recvmsg|inet_csk_accept' "$SCOPE_OUT")"
}

# Asleep since before the attach, woken for nothing, asleep again: idle all the time.
test_woken_in_vain() {
	local pid i

	mkfifo "$LIVE_DIR/vain"
	python3 tests/live/servers/vain_waits.py <"$LIVE_DIR/vain" >"$LIVE_DIR/vain.out" &
	pid=$!
	started "$pid"
	exec 7>"$LIVE_DIR/vain"
	await 10 grep -q '^pid' "$LIVE_DIR/vain.out"
	# shellcheck disable=SC2016
	await 10 awk '/^State:/ && $2 != "S" { busy = 1 } END { exit busy }' "/proc/$pid/task/"*/status
	scope_start flame -p "$pid" --mode offcpu
	for i in 1 2 3; do
		echo >&7
		await 10 awk -v n="$i" '/done/ { n-- } END { exit n > 0 }' "$LIVE_DIR/vain.out"
	done
	scope_stop
	exec 7>&-
	await 10 gone "$pid"
	ended "$pid"
	expect_eq 'woken in vain: three times' 3 "$(grep -c "^done" "$LIVE_DIR/vain.out")"
	expect_eq 'woken in vain: waits for events' '' "$(grep epoll_wait "$SCOPE_OUT")"
}

# Sleeps 2 ms again and again, as SLEEPER_PID.
start_sleeper() { # COMMAND... in front of it
	: >"$LIVE_DIR/sleeper"
	"$@" python3 -c 'import time
print("ready", flush=True)
while True: time.sleep(0.002)' >"$LIVE_DIR/sleeper" &
	SLEEPER_PID=$!
	started "$SLEEPER_PID"
	await 10 grep -q ready "$LIVE_DIR/sleeper"
}

# A thread that does nothing but sleep: not more of it than the watch was long.
test_window() {
	local pid window

	start_sleeper env
	pid=$SLEEPER_PID
	scope_run flame -p "$pid" -d 1 --mode offcpu --svg "$LIVE_DIR/window.svg" \
		--chrome-trace "$LIVE_DIR/window.json"
	end "$pid"
	window=$(grep -oE 'pid [0-9]+, [0-9.]+ s from' "$LIVE_DIR/window.svg" | head -n 1 |
		awk '{ printf "%.0f", $3 * 1e6 }')
	# In us; the window is rounded to 10 ms, and there is a moment between hooks and its beginning.
	expect_between 'window: all of it asleep, and nothing outside' $((window / 2)) $((window * 11 / 10)) \
		"$(jq '[.traceEvents[] | select(.cat == "off-cpu") | .ts] | max - min' "$LIVE_DIR/window.json")"
}

# Timers wake the target, and hit a stranger on its processor anywhere: no room for its stacks.
test_strangers() {
	local cpu pid spinner

	cpu=$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
	taskset -c "$cpu" bash -c 'f() { local i; for ((i = 0; i < 100; i++)); do :; done; }; while :; do f; done' &
	spinner=$!
	started "$spinner"
	start_sleeper taskset -c "$cpu"
	pid=$SLEEPER_PID
	scope_run flame -p "$pid" -d 1.5 --mode wakeup
	notes
	end "$spinner"
	end "$pid"
	expect_between 'strangers: off-CPU intervals' 30 1000000 "$(said 'off-CPU intervals')"
	expect_between 'strangers: stacks' 1 $(($(said 'off-CPU intervals') / 4)) "$(said 'stacks$')"
	expect_between 'strangers: woken by interrupts' 1 1000000000000 "$(weight '^\[interrupt\]')"
}

# A map of names that the target did not write is not believed, and that is said.
test_foreign_map() {
	local map

	start_epollserver --size 64 --fault slow-cpu=300us,every=7
	map=/tmp/perf-$SERVER_PID.map
	echo '0 7fffffffffffffff invented' >"$map"
	chown 65534 "$map"
	flame 1000 --connections 4 -- --mode cpu --hz 1999
	rm "$map"
	stop_server
	expect_eq 'foreign map: a note' 1 "$(grep -c "note: perf map $map skipped: .*others could write" "$SCOPE_ERR")"
	expect_eq 'foreign map: not believed' 0 "$(grep -c invented "$SCOPE_OUT")"
}

# --- totals ---

test_totals() {
	local said

	start_epollserver --size 64 --fault sleep=1ms,every=10 --fault slow-cpu=300us,every=7
	flame 4000 --connections 8 -- --mode tail
	notes
	# Both in nanoseconds, one rounded to three digits.
	said=$(sed -nE 's/.*; ([0-9.]+ [a-z]+) of their .*/\1/p' "$SCOPE_ERR")
	expect_eq 'tail: total is what its stages took' "$said" "$(weight . | as_said)"
	expect_eq 'tail: first frames' '' \
		"$(cut -d';' -f1 "$SCOPE_OUT" | grep -vxE 'runqueue|busy|return|dispatch|service' | sort -u)"
	flame 4000 --connections 8 -- --mode wakeup --by stage
	expect_eq 'wakeup: last frames' epollserver "$(sed -E 's/ [0-9]+$//; s/.*;//' "$SCOPE_OUT" | sort -u)"
	flame 4000 --connections 8 -- --against typical
	expect_eq 'against typical: two columns' 0 "$(grep -cvE ' [0-9]+ [0-9]+$' "$SCOPE_OUT")"
	stop_server
}

as_said() {
	awk '{ u = "ns"; v = $1
		if (v >= 1e9) { v /= 1e9; u = "s" } else if (v >= 1e6) { v /= 1e6; u = "ms" }
		else if (v >= 1e3) { v /= 1e3; u = "us" }
		d = v >= 100 ? 0 : v >= 10 ? 1 : 2
		printf "%.*f %s\n", d, v, u }'
}

# A capture knows how long each of its samples stands for.
test_recorded() {
	start_epollserver --size 64 --fault slow-cpu=300us,every=7
	scope_start record -p "$SERVER_PID" -o "$LIVE_DIR/flame.cap" --hz 1999
	watched_client --requests 4000 --connections 8
	stop_server
	scope_run flame -i "$LIVE_DIR/flame.cap" --mode cpu
	notes
	expect_between 'capture: samples' 10 1000000 "$(said samples)"
	expect_eq 'capture: total is samples times period' "$(($(said samples) * (1000000000 / 1999)))" \
		"$(weight .)"
	scope_run flame -i "$LIVE_DIR/flame.cap" --mode cpu --hz 10
	expect_eq 'capture: whatever --hz says' "$(($(said samples) * (1000000000 / 1999)))" "$(weight .)"
}

# --- real servers ---

test_server() { # NAME FUNCTIONS CLIENT OPTIONS...
	local name=$1 functions=$2

	shift 2
	flame 30000 --connections 8 "$@" -- --mode cpu --hz 1999
	notes
	expect_between "$name: stacks with its own functions" 1 1000000000000 \
		"$(weight "$functions")"
	expect_eq "$name: samples" "$(($(said samples) * (1000000000 / 1999)))" "$(weight .)"
	stop_server
}

test_servers() {
	start_nginx 1
	test_server nginx ';ngx_[a-z_]+' --http
	start_redis
	test_server redis ';(aeProcessEvents|readQueryFromClient|processCommand|call|aeMain|writeToClient)' \
		--line PING --size 7
	start_node --perf-basic-prof --logfile="$LIVE_DIR/v8.log" --no-logfile-per-isolate
	test_server node ';(LazyCompile|JS|Function|Builtin|Bytecode[A-Za-z]*|Script):' --http
	start_go
	test_server go ';(net/http|main)\.' --http
	rm -f /tmp/perf-"$SERVER_PID".map
}

# --- how it ends ---

test_ends() {
	start_epollserver --size 64
	scope_run flame -p "$SERVER_PID" -d 1 --svg "$LIVE_DIR/none/x.svg"
	expect_eq 'svg that cannot be written' "1 1" "$SCOPE_STATUS $(grep -c "cannot write" "$SCOPE_ERR")"
	expect_eq 'svg that cannot be written: before the watch' 0 "$(grep -c attached "$SCOPE_ERR")"
	echo old >"$LIVE_DIR/old.json"
	scope_run flame -p 4194303 -d 1 --chrome-trace "$LIVE_DIR/old.json" --svg "$LIVE_DIR/new.svg"
	expect_eq 'no target: files are as before' "66 old 0" "$SCOPE_STATUS $(cat "$LIVE_DIR/old.json") $(
		find "$LIVE_DIR" -name new.svg | wc -l)"
	scope_run flame -p "$SERVER_PID" -d 0
	expect_eq 'duration 0' 64 "$SCOPE_STATUS"
	scope_run flame -p "$SERVER_PID" -d 1 --svg /dev/full
	expect_eq 'full disk' "1 1" "$SCOPE_STATUS $(grep -c 'cannot write' "$SCOPE_ERR")"
	scope_run flame -p "$SERVER_PID" -d 1
	expect_eq 'nobody asks: empty, and said' "0 0 1" "$SCOPE_STATUS $(stat -c %s "$SCOPE_OUT") $(
		grep -c 'nothing to show' "$SCOPE_ERR")"
	expect_eq 'nobody asks: nothing of a tail' 0 "$(grep -c ': tail:' "$SCOPE_ERR")"
	scope_run flame -p "$SERVER_PID" -d 1 --svg "$LIVE_DIR/empty.svg" --chrome-trace "$LIVE_DIR/old.json"
	expect_eq 'nobody asks: an empty picture' "0 1" "$SCOPE_STATUS $(grep -c '</svg>' "$LIVE_DIR/empty.svg")"
	expect_jq 'nobody asks: a timeline' "$LIVE_DIR/old.json" '.traceEvents | length >= 0'
	stop_server
}

# A program that is gone when its stacks get their names; its child too.
test_program() {
	scope_run flame --mode cpu --hz 997 -- bash -c '
		spin() { local i; for ((i = 0; i < 100000; i++)); do :; done; }; (spin); spin; exit 3'
	expect_eq 'program: its status' 3 "$SCOPE_STATUS"
	notes
	expect_between 'program: named after its end' 1 1000000000000 "$(weight ';(execute_command|execute_)')"
}

# --- what is gone when the stacks get their names ---

# Of what was on the CPU in the user's code, in hundredths of a per cent; a share that nobody's names
# lower is of libraries without frame pointers.
expect_named() { # NAME FUNCTION ARGUMENTS...
	local name=$1 function=$2

	shift 2
	scope_run flame --mode cpu --hz 1999 -- "$LIVE_DIR/images" "$@"
	notes
	expect_between "$name: $function" 1 1000000000000 "$(weight ";${function}[; ]")"
	expect_between "$name: frames without a name" 0 500 "$(share '\\[(unknown|anon|plugin[^]]*)\\]' .)"
}

test_images() {
	local flags=(-std=gnu11 -O1 -fno-omit-frame-pointer)

	"${CC:-cc}" "${flags[@]}" -o "$LIVE_DIR/images" tests/live/servers/images.c
	"${CC:-cc}" "${flags[@]}" -DPLUGIN -shared -fPIC -o "$LIVE_DIR/plugin.so" \
		tests/live/servers/images.c
	expect_named 'short children' child_burn fork 100
	expect_named 'before an exec' first_burn exec
	expect_eq 'after an exec' 1 "$(grep -c ';second_burn' "$SCOPE_OUT" | awk '{ print ($1 > 0) }')"
	expect_named 'a closed library' plugin_burn plugin "$LIVE_DIR/plugin.so"
}

test_shares
test_blocked sleep sleep=5ms,every=10 '[;](clock_)?nanosleep|hrtimer_nanosleep'
test_blocked lock lock=5ms,every=10 'futex'
test_idle
test_idle_in_read
test_woken_in_vain
test_window
test_strangers
test_foreign_map
test_totals
test_recorded
test_servers
test_ends
test_program
test_images
finish
