#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# pipes.sh - a pipe that nobody reads, as of a pager that was left alone: the watch ends all the same
# when its time is over, and at once at a second signal. What a full disk cut is not left behind.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

# The pipe's reader has it open, and reads nothing.
unread_start() { # ARGS...
	SCOPE_ERR=$LIVE_DIR/scope.err
	: >"$SCOPE_ERR"
	"$EPOLLSCOPE" "$@" -p "$SERVER_PID" >"$LIVE_DIR/pipe" 2>"$SCOPE_ERR" &
	SCOPE_PID=$!
	started "$SCOPE_PID"
}

# Gone, and how: its status and what it could not do.
unread_end() { # NAME WANTED
	local got

	if await "$SCOPE_LIMIT" gone "$SCOPE_PID"; then
		ended "$SCOPE_PID"
		got="$? $(grep cannot "$SCOPE_ERR")"
	else
		kill -KILL "$SCOPE_PID"
		ended "$SCOPE_PID"
		got="still there after $SCOPE_LIMIT s"
	fi
	expect_eq "$1: status and line" "$2" "$got"
}

# Every thread of ours that could wait is waiting: one of them in a write.
in_write() {
	grep -qs '^1 ' /proc/"$SCOPE_PID"/task/*/syscall
}

test_ends() { # NAME LINE ARGS...
	local name=$1 line=$2

	shift 2
	unread_start "$@" -d 1
	unread_end "$name" "1 epollscope: cannot write $line: nobody reads it"
}

test_signals() {
	unread_start slow --over 0ns
	await "$SCOPE_LIMIT" in_write || fail 'two signals' 'expected a write that waits got none'
	kill -TERM "$SCOPE_PID"
	sleep 0.1	# more than an echo of the first
	kill -TERM "$SCOPE_PID"
	unread_end 'two signals' '143 '
}

test_full_disk() {
	local disk=$LIVE_DIR/disk

	mkdir "$disk"
	if ! mount -t tmpfs -o size=16k tmpfs "$disk" 2>"$LIVE_DIR/mount.err"; then
		skip 'full disk' "$(cat "$LIVE_DIR/mount.err")"
		return
	fi
	seq 2000 | sed 's/.*/main;work;function_&;leaf_& 10/' >"$LIVE_DIR/folded"
	scope_run flame --folded "$LIVE_DIR/folded" --svg "$disk/new.svg"
	expect_eq 'full disk: status, lines, files' '1 1 0' \
		"$SCOPE_STATUS $(grep -c 'No space left' "$SCOPE_ERR") $(find "$disk" -type f | wc -l)"
	umount "$disk"
}

test_one_file() {
	local capture=$LIVE_DIR/capture sum

	scope_run record -o "$capture" -p "$SERVER_PID" -d 0.2
	sum=$(cksum <"$capture")
	expect_refusal 64 '-i and --html name one file' report -i "$capture" --html "$LIVE_DIR/./capture"
	expect_eq 'the capture is as it was' "$sum" "$(cksum <"$capture")"
	expect_refusal 64 '--svg and --chrome-trace name one file' \
		flame -i "$capture" --svg "$LIVE_DIR/new" --chrome-trace "$LIVE_DIR/new"
}

start_echo
mkfifo "$LIVE_DIR/pipe"
exec 7<>"$LIVE_DIR/pipe"
load_held connected --connections 4 --rate 4000 --duration 600s
test_ends slow 'to standard output' slow --over 0ns
test_ends record "'-'" record -o -
test_ends timeline "'/dev/stdout'" flame --svg "$LIVE_DIR/svg" --chrome-trace /dev/stdout
test_signals
end "$LOAD_PID"
test_full_disk
test_one_file
stop_server
finish
