#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# capture.sh - what is printed live and what its capture prints are the same bytes, for every command;
# files without symbols are known by their build-id; rate, depth and window have effect.
# limit: 240
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

CAP=$LIVE_DIR/a.cap
FAULTS=(--fault 'sleep=2ms,every=50' --fault slow-cpu=100us)

# The command with -o, while a client is answered N times on C connections; leaves live.out.
record() { # N C COMMAND...
	local requests=$1 connections=$2

	shift 2
	scope_start "$@" -p "$SERVER_PID" -o "$CAP"
	watched_client --connections "$connections" --requests "$requests" --size 64
	cp "$SCOPE_OUT" "$LIVE_DIR/live.out"
	cp "$SCOPE_ERR" "$LIVE_DIR/live.err"
}

replay() { # COMMAND...
	scope_run "$@" -i "$CAP"
	[ "$SCOPE_STATUS" = 0 ] || fail "replay $*" "expected status 0 got $SCOPE_STATUS: $(cat "$SCOPE_ERR")"
}

# --- the same bytes ---

test_same() { # LINES COMMAND...
	local least=$1

	shift
	record 3000 8 "$@"
	replay "$@"
	expect_same "$*: live and replayed" "$LIVE_DIR/live.out" "$SCOPE_OUT"
	expect_between "$*: lines" "$least" 1000000 "$(wc -l <"$LIVE_DIR/live.out")"
	# Another view of the same file has all that a recording has.
	replay report --json
	expect_jq "$*: its report" "$SCOPE_OUT" '.exchanges.count == 3000 and .connections.closed == 8
		and (.syscalls | length) > 2 and .notes == []' '[.exchanges.count, .connections, .notes]'
}

test_all_same() {
	start_epollserver --size 64 "${FAULTS[@]}"
	test_same 30 slow
	test_same 30 slow --json
	test_same 60 slow --over 2ms
	test_same 100 slow --over 2ms --waterfall
	test_same 9 conns
	test_same 8 conns --json
	test_same 5 flame
	test_same 5 flame --mode cpu --hz 997
	test_same 1 flame --mode offcpu --by stage
	test_same 1 flame --mode wakeup
	test_same 5 flame --against typical
	stop_server
}

# The page of the live run and that of its capture have the same flame graph.
section() { # FILE
	sed -n '/<section id="flame"/,/<\/section>/p' "$1"
}

test_page() {
	start_epollserver --size 64 "${FAULTS[@]}"
	record 4000 8 report --html "$LIVE_DIR/live.html" --hz 499
	replay report --html "$LIVE_DIR/replay.html"
	section "$LIVE_DIR/live.html" >"$LIVE_DIR/live.section"
	section "$LIVE_DIR/replay.html" >"$LIVE_DIR/replay.section"
	expect_same 'report --html -o: the same flame graph' "$LIVE_DIR/live.section" \
		"$LIVE_DIR/replay.section"
	expect_eq 'report --html -o: with frames, none without a stack' '1 0' \
		"$(grep -c '>clock_nanosleep\|>hrtimer_nanosleep' "$LIVE_DIR/live.section" | sed 's/[1-9].*/1/') $(
		grep -c '\[no stack\]' "$LIVE_DIR/replay.section")"
	record 1000 4 report
	replay report --html "$LIVE_DIR/replay.html"
	expect_eq 'report -o without stacks: the page says so' 1 \
		"$(section "$LIVE_DIR/replay.html" | grep -c 'Not recorded: no stacks were taken')"
	replay flame
	expect_eq 'report -o without stacks: flame says so' 1 "$(grep -c 'no stacks were recorded' "$SCOPE_ERR")"
	stop_server
}

# --- rate and depth ---

test_rate() {
	start_epollserver --size 64 "${FAULTS[@]}"
	record 3000 4 flame --mode cpu --period 2ms
	expect_eq '--period 2ms: weights are multiples of it' 0 \
		"$(awk '$NF % 2000000' "$LIVE_DIR/live.out" | wc -l)"
	replay flame --mode cpu --hz 50
	expect_same 'a capture has its own rate' "$LIVE_DIR/live.out" "$SCOPE_OUT"
	stop_server
}

# The deepest part of the kernel and of the program, and the number of the latter below the thread's name.
deepest() { # FILE
	awk '{ sub(/ [0-9]+$/, ""); n = split($0, f, ";"); k = 0
		for (i = 2; i <= n; i++) if (f[i] ~ /_\[k\]$/) k++
		u = n - 1 - k; if (k > kmax) kmax = k; if (u > umax) umax = u }
		END { print kmax + 0, umax + 0 }' "$1"
}

test_depth() {
	start_epollserver --size 64 "${FAULTS[@]}"
	record 2000 4 flame --mode offcpu --depth 3
	expect_eq '--depth 3: kernel and user frames of the deepest' '3 3' "$(deepest "$LIVE_DIR/live.out")"
	expect_eq '--depth 3: no frame of our hooks' 0 "$(grep -c 'bpf_' "$LIVE_DIR/live.out")"
	expect_eq '--depth 3: cut stacks are told' 1 \
		"$(grep -c 'cut: deeper than 3 frames' "$LIVE_DIR/live.err")"
	replay flame --mode offcpu
	expect_same '--depth 3: replayed' "$LIVE_DIR/live.out" "$SCOPE_OUT"
	expect_eq '--depth 3: told of the capture' 1 "$(grep -c 'cut: deeper than 3 frames' "$SCOPE_ERR")"
	record 2000 4 flame --mode offcpu
	expect_between 'without it: kernel frames' 4 127 "$(deepest "$LIVE_DIR/live.out" | cut -d' ' -f1)"
	echo 64 >"$LIVE_DIR/max_stack"
	# shellcheck disable=SC2016 # the inner shell's
	unshare --mount bash -c 'mount --bind "$1" /proc/sys/kernel/perf_event_max_stack && shift && exec "$@"' - \
		"$LIVE_DIR/max_stack" "$EPOLLSCOPE" flame --depth 65 -p "$SERVER_PID" -d 1 \
		>"$LIVE_DIR/deep.out" 2>"$LIVE_DIR/deep.err"
	expect_eq '--depth beyond the kernel: status, one line' '64 1 1' "$? $(wc -l <"$LIVE_DIR/deep.err") $(
		grep -c 'kernel.perf_event_max_stack' "$LIVE_DIR/deep.err")"
	# shellcheck disable=SC2016
	unshare --mount bash -c 'mount --bind "$1" /proc/sys/kernel/perf_event_max_stack && shift && exec "$@"' - \
		"$LIVE_DIR/max_stack" "$EPOLLSCOPE" flame --mode cpu -p "$SERVER_PID" -d 0.2 \
		>"$LIVE_DIR/deep.out" 2>"$LIVE_DIR/deep.err"
	expect_eq 'no --depth: what the kernel takes' 0 "$?"
	stop_server
}

# --- window ---

# Sixty-four connections queue up for one loop, then one has it alone: by a window of one second the
# latter has a tail of its own, by that of all it has none but outliers.
alone() { # OPTIONS...: lines of the connection that was alone
	replay slow --json "$@"
	jq -c "select(.conn == $ALONE)" "$SCOPE_OUT" | wc -l
}

test_window() {
	local all second

	start_epollserver --size 64 --fault slow-cpu=200us
	scope_start slow -p "$SERVER_PID" -o "$CAP" --json
	client --connections 64 --requests 4000 --size 64 >"$LIVE_DIR/client.json"
	watched_client --connections 1 --requests 12000 --size 64
	stop_server
	cp "$SCOPE_OUT" "$LIVE_DIR/live.out"
	replay slow --over 0ns --json
	ALONE=$(jq .conn "$SCOPE_OUT" | sort -n | uniq -c | awk '$1 == 12000 { print $2 }')
	replay slow --json
	expect_same 'slow: the tail, live and replayed' "$LIVE_DIR/live.out" "$SCOPE_OUT"
	all=$(alone)
	second=$(alone --window 1)
	expect_between "--window 1: slow lines of the second load, $all without" $((all + 10)) 3000 "$second"
	replay flame
	cp "$SCOPE_OUT" "$LIVE_DIR/all.folded"
	replay flame --window 1
	expect_eq '--window 1: flame says whose P99' 1 \
		"$(grep -c 'exchanges at or above the P99 of their 1.00 s' "$SCOPE_ERR")"
	expect_eq '--window 1: another tail' yes \
		"$(cmp -s "$LIVE_DIR/all.folded" "$SCOPE_OUT" || echo yes)"
	expect_eq '--window 1: nothing of it was dropped' 0 "$(grep -c 'not in it' "$SCOPE_ERR")"
	expect_eq '--window 1: total is what its stages took' \
		"$(sed -nE 's/.*; ([0-9.]+ [a-z]+) of their .*/\1/p' "$SCOPE_ERR")" \
		"$(awk '{ sum += $NF } END { v = sum / 1e9; u = "s"; if (v < 1) { v *= 1e3; u = "ms" }
			d = v >= 100 ? 0 : v >= 10 ? 1 : 2; printf "%.*f %s\n", d, v, u }' "$SCOPE_OUT")"
}

# Of those below the threshold the kernel can send one in 1024 of a connection, for others than slow.
test_nothing_beside() {
	start_epollserver --size 64 --fault slow-cpu=50us
	scope_start slow --json -p "$SERVER_PID"
	watched_client --connections 1 --requests 20480 --size 64
	stop_server
	expect_between 'slow: lines of every 1024th exchange, of 20' 0 5 \
		"$(jq -c 'select(.number % 1024 == 0)' "$SCOPE_OUT" | wc -l)"
}

# What record was told is what the readers take.
test_window_kept() {
	start_epollserver --size 64 --fault slow-cpu=200us
	scope_start record -p "$SERVER_PID" -o "$CAP" --window 1.5
	watched_client --connections 1 --requests 8000 --size 64
	stop_server
	replay slow --json
	cp "$SCOPE_OUT" "$LIVE_DIR/kept.out"
	replay slow --json --window 1.5
	expect_same 'record --window: the same as if it were told again' "$LIVE_DIR/kept.out" "$SCOPE_OUT"
	replay flame
	expect_eq 'record --window: flame too' 1 "$(grep -c 'P99 of their 1.50 s' "$SCOPE_ERR")"
}

# --- files without symbols ---

test_build_id() {
	local id address name

	id=$(build_id_of "$EPOLLSERVER")
	mkdir -p "$LIVE_DIR/debug/.build-id/${id:0:2}"
	objcopy --only-keep-debug "$EPOLLSERVER" "$LIVE_DIR/debug/.build-id/${id:0:2}/${id:2}.debug"
	strip -o "$LIVE_DIR/bare" "$EPOLLSERVER"
	EPOLLSERVER=$LIVE_DIR/bare start_epollserver --size 64 "${FAULTS[@]}"
	rm "$LIVE_DIR/bare"
	record 3000 4 record --hz 499
	stop_server
	expect_eq 'stripped: record says it' 1 "$(grep -c '1 of the target.s files have no symbols here' "$LIVE_DIR/live.err")"
	replay flame --mode cpu
	cp "$SCOPE_OUT" "$LIVE_DIR/bare.folded"
	expect_eq 'stripped: the build-id is told' 1 "$(grep -c "/bare has no symbols here; build-id $id" "$SCOPE_ERR")"
	expect_between 'stripped: frames are addresses in the file' 1 1000000 \
		"$(grep -cE ';\[bare\+0x[0-9a-f]+\]' "$LIVE_DIR/bare.folded")"
	expect_eq 'stripped: no other of its frames' 0 "$(grep -c '\[bare\]' "$LIVE_DIR/bare.folded")"
	# By the unwind table: one frame for all addresses of a function. A PLT is none.
	grep -oE '\[bare\+0x[0-9a-f]+' "$LIVE_DIR/bare.folded" | sort -u | sed 's/.*+0x//' >"$LIVE_DIR/addresses"
	expect_eq 'stripped: frames are where functions begin' '' "$(while read -r address; do
		addr2line -f -e "$EPOLLSERVER" "$address" | head -n 1 | grep -qF '??' ||
			nm "$EPOLLSERVER" | grep -qiE "^0*$address t " || echo "$address"
	done <"$LIVE_DIR/addresses")"
	replay flame --mode cpu --debug-dir "$LIVE_DIR/debug"
	expect_eq '--debug-dir: no address is left' 0 "$(grep -c '\[bare' "$SCOPE_OUT")"
	expect_eq '--debug-dir: no word of it' 0 "$(grep -c 'no symbols here' "$SCOPE_ERR")"
	# Each frame as addr2line has it, outermost where functions were inlined.
	while read -r address; do
		addr2line -i -f -e "$EPOLLSERVER" "$address" | tail -n 2 | head -n 1
	done <"$LIVE_DIR/addresses" | grep -vF '??' | sort -u >"$LIVE_DIR/names"
	while read -r name; do
		# GCC's parts of functions have names of their own in the symbol table.
		grep -qE ";$name(\.[a-z0-9.]+)?[; ]" "$SCOPE_OUT" || echo "$name"
	done <"$LIVE_DIR/names" >"$LIVE_DIR/missing"
	expect_eq "--debug-dir: addr2line's $(wc -l <"$LIVE_DIR/names") functions" '' "$(head -n 5 "$LIVE_DIR/missing")"
	expect_between '--debug-dir: functions' 3 1000 "$(wc -l <"$LIVE_DIR/names")"
	# Of another build: nothing.
	address=$LIVE_DIR/debug/.build-id/${id:0:2}/${id:2}.debug
	objcopy --only-keep-debug "$EPOLLSCOPE" "$address"
	replay flame --mode cpu --debug-dir "$LIVE_DIR/debug"
	expect_same '--debug-dir: a file of another build names nothing' "$LIVE_DIR/bare.folded" "$SCOPE_OUT"
}

test_all_same
test_page
test_rate
test_depth
test_window
test_window_kept
test_nothing_beside
test_build_id
finish
