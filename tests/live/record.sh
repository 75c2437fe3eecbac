#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# record.sh - captures: the same report from the file as live, byte for byte; flight recorder; size
# limits; a full disk; a killed recorder; damage.
# limit: 240
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

CAP=$LIVE_DIR/a.cap

replay() { # ARGS...: leaves REPLAY_STATUS, replay.out, replay.err
	timeout 20 "$EPOLLSCOPE" "$@" >"$LIVE_DIR/replay.out" 2>"$LIVE_DIR/replay.err"
	REPLAY_STATUS=$?
}

# --- byte for byte ---

# The load's requests are counted; both reports and every exchange's line agree.
test_same() { # NAME REQUESTS COMMAND...
	local name=$1 requests=$2 format

	shift 2
	for format in '' --json; do
		# shellcheck disable=SC2086  # no word at all when empty
		scope_start report $format -p "$SERVER_PID" -o "$CAP"
		"$@" >"$LIVE_DIR/load.out" 2>&1
		await_connections 0
		scope_stop
		# shellcheck disable=SC2086
		replay report $format -i "$CAP"
		expect_eq "$name${format:+ $format}: status, lines on stderr" '0 0' \
			"$REPLAY_STATUS $(wc -l <"$LIVE_DIR/replay.err")"
		expect_same "$name${format:+ $format}: the same report" "$SCOPE_OUT" \
			"$LIVE_DIR/replay.out"
	done
	expect_eq "$name: exchanges" "$requests" "$(jq .exchanges.count "$SCOPE_OUT")"
	replay slow -i "$CAP" --over 0ns --json
	expect_lines "$name: slow --over 0ns, every exchange" "$requests" "$LIVE_DIR/replay.out"
	replay conns -i "$CAP" --json
	expect_eq "$name: conns, every closed connection" \
		"$(jq .connections.closed "$SCOPE_OUT")" "$(wc -l <"$LIVE_DIR/replay.out")"
}

start_nginx 2
test_same nginx 5000 client --http --connections 20 --requests 5000
stop_server
start_redis
test_same redis 3000 client --connections 5 --requests 3000 --line PING --size 7
stop_server
start_epollserver --protocol http --loops 2 --fault sleep=2ms,every=100
test_same epollserver 4000 client --http --connections 20 --requests 4000
stop_server

# --- one capture, in every state ---

start_nginx 1
scope_start record -p "$SERVER_PID" -o "$CAP"
watched_client --http --connections 20 --requests 20000
expect_eq 'record: what it says' 1 "$(grep -c 'wrote 20,000 exchanges and 20 connections' "$SCOPE_ERR")"
expect_eq 'record: nobody else may read it' 600 "$(stat -c %a "$CAP")"
replay report --json -i "$CAP"
cp "$LIVE_DIR/replay.out" "$LIVE_DIR/whole.json"
expect_jq 'record: nothing is left out' "$LIVE_DIR/whole.json" \
	'.exchanges.count == 20000 and (.syscalls | length) > 2 and .notes == []' .notes

"$EPOLLSCOPE" report --json -i - <"$CAP" >"$LIVE_DIR/piped.json"
expect_same 'from a pipe' "$LIVE_DIR/whole.json" "$LIVE_DIR/piped.json"
mkdir "$LIVE_DIR/open" && cp "$CAP" "$EPOLLSCOPE" "$LIVE_DIR/open" && chmod -R a+rX "$LIVE_DIR"
chmod a+r "$LIVE_DIR/open/a.cap"
setpriv --reuid=65534 --regid=65534 --clear-groups "$LIVE_DIR/open/epollscope" report --json \
	-i "$LIVE_DIR/open/a.cap" >"$LIVE_DIR/nobody.json"
expect_same 'without root' "$LIVE_DIR/whole.json" "$LIVE_DIR/nobody.json"
replay slow -i "$CAP" --json
expect_between 'slow: the tail alone' 100 4000 "$(wc -l <"$LIVE_DIR/replay.out")"
"$EPOLLSCOPE" slow -i "$CAP" --over 0ns 2>"$LIVE_DIR/replay.err" | head -n 1 >"$LIVE_DIR/replay.out"
expect_eq 'slow | head: no complaint' 0 "$(wc -l <"$LIVE_DIR/replay.err")"

# Where the first chunk of a type begins.
chunk_at() { # TYPE
	python3 - "$CAP" "$1" <<'END'
import struct, sys
data = open(sys.argv[1], 'rb').read()
at = struct.unpack_from('<I', data, 12)[0]
while struct.unpack_from('<I', data, at + 4)[0] != int(sys.argv[2]):
    at += 32 + (struct.unpack_from('<I', data, at + 12)[0] + 7) // 8 * 8
print(at)
END
}

# The kernel's sums and those of the records are the same.
head -c "$(chunk_at 2)" "$CAP" >"$LIVE_DIR/cut.cap"
replay report --json -i "$LIVE_DIR/cut.cap"
expect_eq 'cut: status' 1 "$REPLAY_STATUS"
expect_eq 'cut: one line that names the place' 1 \
	"$(grep -c "damaged at offset $(chunk_at 2): the file ends without its trailer" "$LIVE_DIR/replay.err")"
expect_jq 'cut: what is not known is null' "$LIVE_DIR/replay.out" \
	'.syscalls == null and .sched == null and .connections == null and .loss == null'
jq .exchanges "$LIVE_DIR/whole.json" >"$LIVE_DIR/kernel.json"
jq .exchanges "$LIVE_DIR/replay.out" >"$LIVE_DIR/records.json"
expect_same 'cut: exchanges added up as in the kernel' "$LIVE_DIR/kernel.json" \
	"$LIVE_DIR/records.json"
# 1 is INCOMPLETE: the recorder was killed there.
printf '\x01\x00\x00\x00\xfe\xff\xff\xff' |
	dd of="$LIVE_DIR/cut.cap" bs=1 seek=16 conv=notrunc status=none
replay report -i "$LIVE_DIR/cut.cap"
expect_eq 'interrupted: status, lines on stderr, note' '0 0 1' \
	"$REPLAY_STATUS $(wc -l <"$LIVE_DIR/replay.err") $(grep -c 'recording was interrupted' \
	"$LIVE_DIR/replay.out")"

for view in slow conns flame; do
	replay $view -i "$LIVE_DIR/cut.cap"
	expect_eq "interrupted: $view says so" '0 1' "$REPLAY_STATUS $(grep -c \
		'note: the recording was interrupted' "$LIVE_DIR/replay.err")"
done

# A flip in the records: the sums are whole, and so is the report but for single exchanges.
cp "$CAP" "$LIVE_DIR/flipped.cap"
printf X | dd of="$LIVE_DIR/flipped.cap" bs=1 seek=$(($(chunk_at 1) + 5000)) conv=notrunc status=none
replay report --json --top 0 -i "$LIVE_DIR/flipped.cap"
expect_eq 'flipped: status, lines on stderr' '1 1' \
	"$REPLAY_STATUS $(grep -c "offset $(chunk_at 1): chunk 0 is not" "$LIVE_DIR/replay.err")"
expect_jq 'flipped: exchanges' "$LIVE_DIR/replay.out" '.exchanges.count == 20000' .exchanges.count

for bad in "66 $LIVE_DIR/none.cap" "1 $EPOLLSCOPE" "1 /dev/null" "1 $LIVE_DIR"; do
	replay report -i "${bad#* }"
	expect_eq "-i ${bad##*/}: status, lines on stdout and stderr" "${bad%% *} 0 1" \
		"$REPLAY_STATUS $(wc -l <"$LIVE_DIR/replay.out") $(wc -l <"$LIVE_DIR/replay.err")"
done

# --- the recorder in trouble ---

load_in_background() {
	"$LIVE/client" --port "$PORT" --http --connections 20 --requests 10000000 \
		>"$LIVE_DIR/load.out" 2>&1 &
	LOAD_PID=$!
	started "$LOAD_PID"
}

stop_load() {
	end "$LOAD_PID"
	await_connections 0
}

larger_than() { # BYTES FILE
	[ "$(stat -c %s "$2")" -gt "$1" ]
}

load_in_background
scope_start record -p "$SERVER_PID" -o "$CAP"
await 10 larger_than 100000 "$CAP"
kill -KILL "$SCOPE_PID"
ended "$SCOPE_PID"
replay report --json -i "$CAP"
expect_eq 'kill -9: status, lines on stderr' '0 0' "$REPLAY_STATUS $(wc -l <"$LIVE_DIR/replay.err")"
expect_jq 'kill -9: exchanges, and a note' "$LIVE_DIR/replay.out" \
	'.exchanges.count > 1000 and (.notes[0] | startswith("the recording was interrupted"))' .notes

scope_start record -p "$SERVER_PID" -o "$CAP" --max-size 1M
scope_wait 0
expect_eq '--max-size: said' 1 "$(grep -c -- '--max-size is reached: wrote' "$SCOPE_ERR")"
expect_between '--max-size: bytes' 400000 1048576 "$(stat -c %s "$CAP")"
replay report --json -i "$CAP"
expect_jq '--max-size: a whole capture' "$LIVE_DIR/replay.out" \
	'.exchanges.count > 1000 and .syscalls != null and .notes == []' .notes

# A limit on file sizes stands for a full disk that keeps what it took.
ulimit -S -f 300
scope_start record -p "$SERVER_PID" -o "$CAP"
scope_wait 1
ulimit -S -f unlimited
expect_eq 'disk full: one line that says so' 1 "$(grep -c 'cannot write .*: File too large' "$SCOPE_ERR")"
replay report --json -i "$CAP"
expect_eq 'disk full: status of the replay' '0 0' "$REPLAY_STATUS $(wc -l <"$LIVE_DIR/replay.err")"
expect_jq 'disk full: what is whole' "$LIVE_DIR/replay.out" '.exchanges.count > 1000' .exchanges.count
scope_start record -p "$SERVER_PID" -o /dev/full
scope_wait 1
expect_eq '/dev/full' 1 "$(grep -c 'No space left on device' "$SCOPE_ERR")"
scope_start report -p "$SERVER_PID" -o /dev/full
scope_wait 1
expect_eq '/dev/full: the report all the same' 1 "$(grep -c '^WORST' "$SCOPE_OUT")"


# --- standard output ---

"$EPOLLSCOPE" record -o - -p "$SERVER_PID" -d 0.5 2>"$SCOPE_ERR" >"$LIVE_DIR/out.cap"
expect_eq '-o -: status' 0 $?
replay report --json -i "$LIVE_DIR/out.cap"
expect_jq '-o -: a whole capture' "$LIVE_DIR/replay.out" \
	'.exchanges.count > 100 and .notes == []' '[.exchanges.count, .notes]'
"$EPOLLSCOPE" record -o - -p "$SERVER_PID" -d 0.5 2>"$SCOPE_ERR" | head -c 100 >/dev/null
expect_eq '-o - | head: status, said' '1 1' \
	"${PIPESTATUS[0]} $(grep -c "cannot write '-': Broken pipe" "$SCOPE_ERR")"

# --- flight recorder ---

triggered() {
	kill -USR1 "$SCOPE_PID"
	gone "$SCOPE_PID"
}

# A trigger before there is anything to write does nothing; the file is opened before the attach.
rm -f "$CAP"
"$EPOLLSCOPE" record -p "$SERVER_PID" -o "$CAP" --ring 0.5 2>"$SCOPE_ERR" &
SCOPE_PID=$!
started "$SCOPE_PID"
await 10 test -e "$CAP"
kill -USR1 "$SCOPE_PID"
await 10 grep -q attached "$SCOPE_ERR"
await 10 triggered
scope_wait 0
expect_eq 'flight recorder: SIGUSR1 before and after the attach' 1 "$(grep -c 'SIGUSR1: wrote' "$SCOPE_ERR")"
# Without --ring it is an end like any other.
scope_start record -p "$SERVER_PID" -o "$CAP"
await 10 triggered
scope_wait 0
replay report --json -i "$CAP"
expect_eq 'SIGUSR1 without --ring: said, a whole capture' '1 0 0' "$(grep -c 'SIGUSR1: wrote' "$SCOPE_ERR") $(
	wc -l <"$LIVE_DIR/replay.err") $(jq '.notes | length' "$LIVE_DIR/replay.out")"
for command in slow\ --over\ 0ns 'flame --mode offcpu --svg /dev/full' 'report --html /dev/full'; do
	# shellcheck disable=SC2086  # words
	"$EPOLLSCOPE" $command -i "$CAP" >/dev/full 2>"$LIVE_DIR/replay.err"
	expect_eq "$command: no space, said" '1 yes' "$? $(
		grep -q 'No space left on device' "$LIVE_DIR/replay.err" && echo yes)"
done
scope_start record -p "$SERVER_PID" -o "$CAP" --ring 0.5
sleep 1.2	# longer than the window
kill -USR1 "$SCOPE_PID"
scope_wait 0
replay report --json -i "$CAP"
expect_between 'flight recorder: its window, s, of 1.2' 0.4 0.9 "$(jq .window.seconds "$LIVE_DIR/replay.out")"
expect_jq 'flight recorder: exchanges, loss, and a note' "$LIVE_DIR/replay.out" \
	'.exchanges.count > 100 and .loss.ring == 0 and .syscalls == null and
	(.notes[0] | startswith("from a flight recorder"))' '[.exchanges.count, .loss, .notes]'
stop_load
stop_server

start_epollserver --fault sleep=200ms,every=1000
scope_start record -p "$SERVER_PID" -o "$CAP" --ring 60 --until 'slow>150ms'
"$LIVE/client" --port "$PORT" --connections 1 --requests 1500 --size 64 >"$LIVE_DIR/load.out" 2>&1
scope_wait 0
expect_eq '--until: said' 1 "$(grep -ce '--until matched' "$SCOPE_ERR")"
replay slow --over 150ms --json -i "$CAP"
expect_lines '--until: the slow exchange is there' 1 "$LIVE_DIR/replay.out"
expect_jq '--until: and those before it' "$LIVE_DIR/replay.out" '.number == 1000' .number
stop_server

# --- what is there before ---

scope_run record -o "$LIVE_DIR/new.cap" -p 2147483647
expect_eq 'no such target: status, no file' "66 no" \
	"$SCOPE_STATUS $([ -e "$LIVE_DIR/new.cap" ] && echo yes || echo no)"
before=$(cksum <"$CAP")
scope_run record -o "$CAP" -p 2147483647
expect_eq 'no such target: an older file stays' "$before" "$(cksum <"$CAP")"
scope_run record -o "$LIVE_DIR/no/dir.cap" -p $$
expect_eq 'no such folder: status' 66 "$SCOPE_STATUS"
finish
