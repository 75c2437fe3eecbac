#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# ledger.sh - every exchange's stages sum to its latency, and a known fault lands in its stage.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
. tests/live/lib_ledger.sh
live_init

N=2000
CONNECTIONS=8
EVERY=50
FAULTS=$((N / EVERY))
FAULT=20000000	# ns

# Server and client have a processor each, if there are two: whose request it is that meets a fault
# is not ours to say, but that others come meanwhile is.
read -ra cpus < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)))')
SERVER_CPU=${cpus[0]}
taskset -cp "${cpus[-1]}" $$ >/dev/null

echo_apart() { # OPTIONS...
	start_echo "$@"
	pin "$SERVER_CPU" "$SERVER_PID"
}

# The fault is in the service's part PART of exactly every EVERY-th exchange. It may be longer on a busy
# machine, whose timers are late, but not the median by half of it.
check_fault() { # NAME PART
	local part=".s.service.$2"

	expect_eq "$1: services with $2 >= 20 ms" $FAULTS \
		"$(lines_with "$part >= $FAULT")"
	expect_between "$1: median $2 of the faults" $FAULT $((FAULT * 3 / 2)) \
		"$(lines_jq "[.[] | $part | select(. >= $FAULT)] | sort | .[length / 2 | floor]")"
}

# All other connections wait for the fault's end: in busy, those of the same batch in dispatch.
# Fewer if the client itself gets no processor in time, and at the last fault: the run is over. What
# the server waited for a processor is another matter, and told apart.
check_neighbours() { # NAME PART
	local waiting busy
	local of_busy='(.s.busy.ns - (.s.busy.runnable_ns // 0))'
	local of_dispatch='(.s.dispatch.ns - (.s.dispatch.runnable_ns // 0))'
	local wrong=".s.busy.$2 < $of_busy / 2"

	waiting=$(lines_with "$of_busy + $of_dispatch >= $MOST")
	expect_between "$1: neighbours that waited" $((FAULTS * (CONNECTIONS - 1) / 3)) \
		$((FAULTS * (CONNECTIONS - 1))) "$waiting"
	busy=$(lines_with "$of_busy >= $MOST")
	expect_between "$1: neighbours with busy" $((FAULTS / 2)) "$waiting" "$busy"
	expect_eq "$1: neighbours whose busy is not of that kind" 0 \
		"$(lines_with "$of_busy >= $MOST and .s.busy.blocked_ns != null and ($wrong)")"
	# More than 64 switches inside one wait are not remembered: that is said, not guessed. It takes a
	# processor shared with something that wakes every half millisecond.
	expect_between "$1: neighbours whose busy could not be split" 0 $((busy / 2)) \
		"$(lines_with ".s.busy.ns >= $MOST and .s.busy.blocked_ns == null")"
}

test_fault() { # NAME PART SERVER OPTIONS...
	local name=$1 part=$2 try found

	shift 2
	# A kernel may leave a context switch untold, and then a sleep looks like work (README, limits):
	# a run with one fault too few gets a second and a third, and is shown.
	for try in first second third; do
		echo_apart "$@"
		watch_slow --connections $CONNECTIONS --requests $N
		found=$(lines_with ".s.service.$part >= $FAULT")
		[ "$found" != $((FAULTS - 1)) ] && break
		echo "# $name, $try run: $found of $FAULTS faults; once more"
	done
	check_lines "$name" $N
	check_fault "$name" "$part"
	check_neighbours "$name" "$part"
}

# Three pieces with two pauses of 2 ms; each is read as it comes, or a few together by a server that was
# late.
test_pieces() {
	local n=200

	echo_apart --size 300
	watch_slow --connections 1 --requests $n --size 300 --pieces 3 --pause-us 2000
	check_lines pieces $n
	expect_eq 'pieces: latency >= 4 ms' $n "$(lines_with '.latency_ns >= 4000000')"
	expect_between 'pieces: all of it in receive' $((n * 9 / 10)) $n \
		"$(lines_with '.s.receive.ns >= 4000000')"
	expect_between 'pieces: the other stages are less than a fourth of it' $((n / 2)) $n \
		"$(lines_with '(.latency_ns - .s.receive.ns) * 4 < .s.receive.ns')"
}

# Without pieces no exchange has a receive stage.
test_whole() {
	echo_apart
	watch_slow --connections $CONNECTIONS --requests $N
	check_lines whole $N
	expect_eq 'whole: receive' 0 "$(lines_jq '[.[] | .s.receive.ns] | add')"
}

# A thread for each connection, asleep in its own read: nothing holds the data up but its wake-up.
test_blocking() { # COMMAND: to record, system calls are timed too
	local command=$1

	echo_apart --blocking
	client_hold --connections 2 --requests $N
	if [ "$command" = slow ]; then
		scope_start slow --over 0ns --json -p "$SERVER_PID"
	else
		scope_start record -p "$SERVER_PID" -o "$LIVE_DIR/blocking.cap"
	fi
	client_go
	client_wait
	await_connections 0
	scope_stop
	stop_server
	[ "$command" = slow ] || scope_run slow --over 0ns --json -i "$LIVE_DIR/blocking.cap"
	check_lines "blocking, $command" $N
	# A client on the other processor may be as fast as the server's way into the next read.
	expect_between "blocking, $command: met asleep" $((N / 10)) $N \
		"$(lines_with '.s.busy.ns == 0 and .s.wakeup.ns + .s.runqueue.ns > 0')"
	expect_eq "blocking, $command: asleep and busy" 0 \
		"$(lines_with '.s.busy.ns > 0 and .s.runqueue.ns > 0')"
}

sleeping=(--sleep-every "$EVERY" --sleep-ms 20)
spinning=(--spin-every "$EVERY" --spin-ms 20)
test_whole
test_fault 'sleep, level' blocked_ns "${sleeping[@]}"
test_fault 'sleep, edge' blocked_ns "${sleeping[@]}" --edge
test_fault 'spin, level' oncpu_ns "${spinning[@]}"
test_fault 'spin, edge' oncpu_ns "${spinning[@]}" --edge
test_pieces
test_blocking slow
test_blocking record
finish
