#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
#
# icount_guest.sh - the first process of a machine whose clock counts instructions: what a request
# costs redis, watched in several ways. Prints `NAME INSTRUCTIONS TURNS`, both for 1,000 requests, or
# with PROGRAMS=yes on the kernel's command line what epollscope says about its programs; `done` is the
# very last word.
#
# How many requests a turn of the server's loop takes is up to the scheduler, and a turn costs a third
# of a request: left to itself that made figures that differ by 5 %. So there are two: `one` is a
# server that runs as soon as a request is there, and takes it alone; `many` is one that waits until
# its 20 clients have nothing more to send, and takes all they sent.

REQUESTS=4000

# shellcheck source=tests/vm/lib_guest.sh
. /tests/vm/lib_guest.sh

give_up()
{
	echo "not ok $1: $2"
	switch_off
}

load() # REQUESTS
{
	redis-benchmark -p "$PORT" -c 20 -n "$1" -t get -q >/dev/null
}

# The scheduler adds up the server's run time in ns, and an instruction takes one. The first requests
# of a row make its state.
loads() # NAME
{
	local order time turns

	for order in 'one -f -p 1' 'many -b -p 0'; do
		# shellcheck disable=SC2086 # words
		chrt ${order#* } "$SERVER_PID"
		load 400
		time=$(schedstat "$SERVER_PID" 1)
		turns=$(schedstat "$SERVER_PID" 3)
		load $REQUESTS
		time=$(($(schedstat "$SERVER_PID" 1) - time))
		turns=$(($(schedstat "$SERVER_PID" 3) - turns))
		echo "$1_${order%% *} $((time * 1000 / REQUESTS)) $((turns * 1000 / REQUESTS))"
	done
}

# watched NAME COMMAND...: the same loads, watched by that command of epollscope. Its attachment is
# not part of them: an idle machine's clock jumps, so the sleep is for what follows the attachment.
watched()
{
	local name=$1

	shift
	scope_start "$@"
	sleep 2
	loads "$name"
	kill -INT "$SCOPE_PID"
	ended "$SCOPE_PID" || give_up "$name" "status $? $(tail -n 1 "$SCOPE_ERR")"
}

# This option's form changes: --syscalls off replaces --no-syscalls.
has_syscalls_option() { epollscope report --help | grep -q -- '--syscalls '; }
light=--no-syscalls
! has_syscalls_option || light='--syscalls off'

figures()
{
	sleep 10	# the rest of the boot
	load 1000
	loads untraced
	# shellcheck disable=SC2086 # words
	watched light report $light -p "$SERVER_PID"
	watched report report -p "$SERVER_PID"
	! has_syscalls_option || watched report_all report --syscalls all -p "$SERVER_PID"
}

programs()
{
	loads warm 1
	for options in "$light" ''; do
		# shellcheck disable=SC2086 # words
		watched "report_${options:-default}" report -v $options -p "$SERVER_PID"
		sed -n 's/^epollscope: \(on_[a-z_]* .*\)/# \1/p' "$SCOPE_ERR"
	done
}

REDIS_PORT=7000
start_redis
if [ "${PROGRAMS:-}" = yes ]; then
	programs
else
	figures
fi
switch_off
