#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# targets.sh - every way to name a target and to end a run. Two servers: only the named one counts.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

N=500
OTHER=300

# Ours is named uniquely, since somebody else's server could match a glob too.
start_pair() {
	NAME=scoped$$
	cp "$LIVE/echo_server" "$LIVE_DIR/$NAME"
	server_with_port other "$LIVE/echo_server" --http
	OTHER_PID=$SERVER_PID
	OTHER_PORT=$PORT
	server_with_port ours "$LIVE_DIR/$NAME" --http
}

load_port() { # PORT REQUESTS
	"$LIVE/client" --http --port "$1" --connections 2 --requests "$2" >"$LIVE_DIR/client.json"
}

load_both() {
	load_port "$PORT" $N
	load_port "$OTHER_PORT" $OTHER
	await_connections 0
}

expect_count() { # NAME EXCHANGES
	expect_jq "$1" "$SCOPE_OUT" ".exchanges.count == $2" '.exchanges.count'
}

test_target() { # NAME EXCHANGES ARGS...
	local name=$1 count=$2

	shift 2
	scope_start report --json "$@"
	load_both
	scope_stop
	expect_count "$name" "$count"
	expect_no_loss "$name"
}

test_names() {
	test_target '-p' $N -p "$SERVER_PID"
	test_target '-p of two' $((N + OTHER)) -p "$SERVER_PID,$OTHER_PID"
	test_target '-c' $N -c "$NAME"
	test_target '-c glob' $N -c "scoped*$$"
	test_target '-P' $N -P "$PORT"
	test_target '-P of two' $((N + OTHER)) -P "$PORT,$OTHER_PORT"
	test_target '-p and -P' $N -p "$SERVER_PID,$OTHER_PID" -P "$PORT"
	scope_start report --json -p "$SERVER_PID"
	scope_stop
	expect_jq 'the report names its target' "$SCOPE_OUT" \
		".targets | map([.pid, .comm]) == [[$SERVER_PID, \"$NAME\"]]" .targets
}

# A group of each hierarchy that is mounted: v2, and one of v1.
test_cgroups() {
	local root group

	for root in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/pids; do
		[ -w "$root/cgroup.procs" ] || continue
		group=$root/epollscope-test-$$
		mkdir "$group" "$group/below" || continue
		echo "$SERVER_PID" >"$group/below/cgroup.procs"
		test_target "--cgroup in $root" $N --cgroup "$group"
		echo "$SERVER_PID" >"$root/cgroup.procs"
		rmdir "$group/below" "$group"
	done
}

test_endings() {
	scope_start report --json -p "$SERVER_PID"
	load_both
	kill -TERM "$SCOPE_PID"
	scope_wait 0
	expect_count 'SIGTERM' $N

	scope_start report --json -p "$SERVER_PID" -d 1
	load_both
	scope_wait 0
	expect_count '-d' $N
	expect_between '-d 1: seconds' 0.99 2 "$(scope_jq .window.seconds)"

	scope_start report -p "$SERVER_PID"
	load_both
	scope_stop
	expect_eq 'text: width' 0 "$(awk 'length > 100' "$SCOPE_OUT" | wc -l)"
	expect_eq 'text: the count is in it' yes "$(grep -q $N "$SCOPE_OUT" && echo yes)"

	"$EPOLLSCOPE" report -p "$SERVER_PID" -d 100ms >/dev/full 2>"$LIVE_DIR/err"
	expect_eq 'no space for the report' '1 1' \
		"$? $(grep -c 'No space left' "$LIVE_DIR/err")"
}

# The second one does not wait for anything.
test_two_signals() {
	scope_start report --json -p "$SERVER_PID"
	kill -STOP "$SCOPE_PID"
	kill -INT "$SCOPE_PID"
	kill -TERM "$SCOPE_PID"
	kill -CONT "$SCOPE_PID"
	await 2 gone "$SCOPE_PID"
	expect_eq 'two signals: it ends' 0 $?
	ended "$SCOPE_PID"
}

test_target_exits() { # SIGNAL
	scope_start report --json -p "$SERVER_PID,$OTHER_PID"
	load_both
	kill "-$1" "$SERVER_PID" "$OTHER_PID"
	scope_wait 0
	expect_count "targets end by $1" $((N + OTHER))
	ended "$SERVER_PID"
	ended "$OTHER_PID"
}

test_statuses() {
	local status

	scope_run report --json -- true
	expect_eq 'launch true' 0 "$SCOPE_STATUS"
	for status in 1 7 64 77 255; do
		scope_run report --json -- sh -c "exit $status"
		expect_eq "launch: exit status $status" "$status" "$SCOPE_STATUS"
	done
	# shellcheck disable=SC2016
	scope_run report --json -- sh -c 'kill -KILL $$'
	expect_eq 'launch: killed' 137 "$SCOPE_STATUS"
	expect_count 'launch: a report all the same' 0
}

# The server is a grandchild; it ends first, by our signal, with status 0.
test_launch() {
	local truth=$LIVE_DIR/launch.truth

	PORT=$(free_port)
	scope_start report --json -- sh -c \
		"$LIVE/echo_server --http --port $PORT --truth $truth >$LIVE_DIR/launched & echo \$! >$LIVE_DIR/launched.pid; wait \$!; exit 9"
	await 10 listening "$PORT"
	load_port "$PORT" $N
	await_connections 0
	kill -TERM "$(cat "$LIVE_DIR/launched.pid")"
	scope_wait 9
	expect_count 'launch: children are followed' $N
	expect_lines 'launch: the server served' $N "$truth"
	expect_no_loss launch
}

# Workers that come after the attach are children too.
test_reload() {
	local old

	start_nginx 2
	scope_start report --json -p "$SERVER_PID"
	old=$(processes_of "$SERVER_PID" | tail -n 1)
	kill -HUP "$SERVER_PID"
	await 10 gone "$old"
	load_port "$PORT" $N
	await_connections 0
	scope_stop
	expect_count 'nginx reloads' $N
	expect_no_loss 'nginx reloads'
	stop_server
}

start_pair
test_names
test_cgroups
test_endings
test_two_signals
test_target_exits TERM
start_pair
test_target_exits KILL
test_statuses
test_launch
test_reload
finish
