#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# callers.sh - who called a function of the C library, which has no frame pointers: by name, with the
# time that the program's own clock says; live and replayed; on real servers no caller is invented.
# limit: 240
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

ROUNDS=40
ROUND_NS=5000000

own() { # NAME: by the program's clock, ns
	awk -v n="$1" '$1 == n { print $2 }' "$LIVE_DIR/own"
}

# Watched from before it begins until its end.
blocker() { # EPOLLSCOPE'S ARGS...
	mkfifo "$LIVE_DIR/go"
	"$LIVE/blocker" "$ROUNDS" <"$LIVE_DIR/go" >"$LIVE_DIR/own" &
	BLOCKER_PID=$!
	started "$BLOCKER_PID"
	exec 7>"$LIVE_DIR/go"
	await 10 grep -q ready "$LIVE_DIR/own"
	scope_start "$@" -p "$BLOCKER_PID"
	echo >&7
	exec 7>&-
	scope_wait 0
	ended "$BLOCKER_PID"
	rm "$LIVE_DIR/go"
}

# Its own time has the way into the call and out of it, and waiting for a processor, in it.
expect_time() { # NAME CALL
	expect_between "$1: ns in $2" $((ROUNDS * ROUND_NS * 9 / 10)) "$(own "$1")" \
		"$(weight ";main;run;$1;(.*;)?$2;[^;]*_\\[k\\].* ")"
}

test_offcpu() {
	blocker record -o "$LIVE_DIR/a.cap" --hz 1999 -v
	notes
	scope_run flame -i "$LIVE_DIR/a.cap" --mode offcpu
	expect_time blk_usleep 'usleep(;[^;]*)?;[^;]*nanosleep[^;]*'
	expect_time blk_nanosleep '[^;]*nanosleep[^;]*'
	expect_time blk_read '[^;]*read[^;]*'
	expect_time blk_lock '[^;]*mutex_lock[^;]*(;[^;]*)?'
	scope_run flame -i "$LIVE_DIR/a.cap" --mode cpu
	expect_between 'burn_clock: samples in what it calls' $(($(own burn_clock) * 7 / 10)) \
		$(($(own burn_clock) * 13 / 10)) "$(weight ';main;run;burn_clock[; ]')"
	expect_eq 'burn_clock: none beside it' 0 "$(weight ';main;run;[^;]*(clock_gettime|vdso)')"
}

test_replay() {
	blocker flame --mode offcpu -o "$LIVE_DIR/b.cap"
	cp "$SCOPE_OUT" "$LIVE_DIR/live.out"
	scope_run flame -i "$LIVE_DIR/b.cap" --mode offcpu
	expect_eq 'replayed: the same text' '' "$(diff "$LIVE_DIR/live.out" "$SCOPE_OUT" | head -n 6)"
	expect_between 'replayed: not empty' 1 1000000 "$(wc -l <"$SCOPE_OUT")"
}

# The tail of a server that sleeps in a named function, in the service of a request.
test_tail() {
	local hits

	start_epollserver --size 64 --fault sleep=5ms,every=100 --truth "$LIVE_DIR/truth"
	scope_start flame -p "$SERVER_PID" --mode tail
	watched_client --requests 4000 --connections 1
	stop_server
	notes
	hits=$(awk '$10 { n++ } END { print n + 0 }' "$LIVE_DIR/truth")
	expect_eq 'tail: hits' 40 "$hits"
	expect_between 'tail: ns asleep below the fault' $((hits * 5000000 * 9 / 10)) \
		"$(awk '$10 { sum += $8 - $5 } END { printf "%.0f", sum }' "$LIVE_DIR/truth")" \
		"$(weight '^service;.*;slow_sleep;(.*;)?[^;]*nanosleep[^;]*;')"
}

# Every caller that was taken for one is code; what is not is counted.
test_server() { # NAME CLIENT OPTIONS...
	local name=$1

	shift
	scope_start record -p "$SERVER_PID" -o "$LIVE_DIR/c.cap" --hz 1999 -v
	watched_client --requests 20000 --connections 8 "$@"
	notes
	expect_between "$name: callers found" 1 1000000000 \
		"$(sed -nE 's/.*user stacks, ([0-9,]+) extended,.*/\1/p' "$SCOPE_ERR" | tr -d ,)"
	expect_eq "$name: callers that are no code" 0 \
		"$(sed -nE 's/.*, ([0-9]+) rejected$/\1/p' "$SCOPE_ERR")"
}

build_c blocker
test_offcpu
test_replay
test_tail
with_server nginx test_server nginx --http
with_server redis test_server redis --line PING --size 7
finish
