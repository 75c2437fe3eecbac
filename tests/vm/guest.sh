#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
#
# guest.sh - the first process of the emulated machine: sets it up, runs the scenarios, switches
# off. Prints results to the second serial line: ok NAME, not ok NAME: wanted X, saw Y, skip NAME:
# reason, and `done` as the very last word. Below are the words that scenarios are made of; they
# themselves are functions of scenarios.sh. SCENARIOS lists them in order.

SCENARIOS="boots doctor counts_echo counts_waits counts_light counts_nginx counts_redis slow_whole
	slow_sleep slow_spin conns launched launched_server bad_targets no_privilege no_btf
	leaves_nothing kernel_log"

set_up()
{
	/bin/busybox --install -s /bin
	export PATH=/bin:/usr/bin:/sbin:/usr/sbin:/live HOME=/tmp LC_ALL=C
	mount -t devtmpfs devtmpfs /dev
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t tmpfs tmpfs /tmp
	mount -t tmpfs tmpfs /run
	mount -t tracefs tracefs /sys/kernel/tracing
	mount -t bpf bpf /sys/fs/bpf
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	echo root:x:0:0::/tmp:/bin/sh >/etc/passwd
	echo root:x:0: >/etc/group
	ip link set lo up
	stty raw -echo </dev/ttyS1
	exec >/dev/ttyS1 2>&1 </dev/null
	cd /tmp || return
}

# --- Verdicts ---------------------------------------------------------------------------------

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: $2"; }
skip() { echo "skip $1: $2"; }

# same NAME WANTED SEEN
same()
{
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted $2, saw $3"; fi
}

# at_least NAME WANTED SEEN, whole numbers
at_least()
{
	if [ "$3" -ge "$2" ]; then ok "$1"; else not_ok "$1" "wanted $2 or more, saw $3"; fi
}

# have NAME PROGRAM: false, and a skip, if it is not on this disk.
have()
{
	command -v "$2" >/dev/null && return
	skip "$1" "$2 is not there"
	return 1
}

# --- Waiting ----------------------------------------------------------------------------------

# await SECONDS COMMAND...: until the command succeeds.
await()
{
	local tries=$(($1 * 20))

	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 50000
	done
}

# Ended, waited for or not.
gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }

# sockets PATTERN: how many the port's side has in a state that matches, as /proc/net/tcp writes it.
sockets()
{
	awk -v port="$(printf ':%04X$' "$PORT")" -v states="$1" \
		'$2 ~ port && $4 ~ states { n++ } END { print n + 0 }' /proc/net/tcp /proc/net/tcp6
}

# Connections but those that the server owes nothing more than time (06); 0A listens.
connections() { sockets '[^6A]$'; }
no_connection() { [ "$(connections)" = 0 ]; }
listening() { [ "$(sockets 0A)" -gt 0 ]; }

# How many programs, maps and links the kernel holds.
bpf_objects()
{
	local kind

	for kind in prog map link; do
		bpftool -j $kind show | jq length
	done | awk '{ n += $1 } END { print n + 0 }'
}

nothing_loaded() { [ "$(bpf_objects)" = 0 ]; }

# --- Servers and clients ----------------------------------------------------------------------

STARTED=""	# what a scenario started: ended after it, however it went

end_started()
{
	local pid

	for pid in $STARTED; do
		kill -TERM "$pid" 2>/dev/null
		await 5 gone "$pid" || kill -KILL "$pid"
	done
	wait
	STARTED=""
}

# started PID COMMAND...: a server; it serves once the command succeeds. Leaves SERVER.
started()
{
	SERVER=$1
	STARTED="$STARTED $1"
	shift
	await 20 "$@" && return
	not_ok "$SCENARIO" "wanted a server, saw $(tail -n 1 server.out)"
	return 1
}

# start_echo OPTIONS...: leaves SERVER and PORT.
start_echo()
{
	: >server.out
	echo_server "$@" >server.out 2>&1 &
	started $! grep -q '^port ' server.out || return
	PORT=$(sed -n 's/^port //p' server.out)
}

run_client() { client --port "$PORT" "$@" >client.out; }

# hold OPTIONS...: the client's connections are open and used once; the rest waits for let_go.
hold()
{
	rm -f hold.in
	mkfifo hold.in
	: >hold.err
	client --port "$PORT" --hold "$@" <hold.in >hold.out 2>hold.err &
	HOLDER=$!
	STARTED="$STARTED $HOLDER"
	exec 5>hold.in
	await 20 grep -q ready hold.err && return
	not_ok "$SCENARIO" "wanted a client, saw $(tail -n 1 hold.err)"
	return 1
}

let_go()
{
	printf g >&5
	exec 5>&-
	wait "$HOLDER"
}

# --- epollscope -------------------------------------------------------------------------------

attached() { grep -q '^epollscope: attached' scope.err; }
attached_or_gone() { attached || gone "$SCOPE"; }

# scope_start ARGS...: comes back when it is attached; its result goes to scope.out.
scope_start()
{
	: >scope.err
	epollscope "$@" >scope.out 2>scope.err &
	SCOPE=$!
	STARTED="$STARTED $SCOPE"
	await 30 attached_or_gone
	attached && return
	not_ok "$SCENARIO" "wanted epollscope $* attached, saw $(tail -n 1 scope.err)"
	return 1
}

# scope_wait STATUS: its end, which is a result only if it is another.
scope_wait()
{
	local status

	await 30 gone "$SCOPE" || kill -KILL "$SCOPE"
	wait "$SCOPE"
	status=$?
	[ $status = "$1" ] ||
		not_ok "$SCENARIO" "wanted exit status $1, saw $status: $(tail -n 1 scope.err)"
}

# Every connection has been closed by now, so nothing is under way.
scope_stop()
{
	await 20 no_connection || not_ok "$SCENARIO" "wanted 0 connections, saw $(connections)"
	kill -INT "$SCOPE"
	scope_wait 0
}

scope_jq() { jq -rc "$@" scope.out 2>&1; }

# lost_nothing NAME
lost_nothing()
{
	same "$1: loses nothing" "{}" "$(scope_jq '.loss | del(.[] | select(. == 0))')"
}

# refused STATUS WORD COMMAND...: that exit status, one line that holds the word, no result.
refused()
{
	local wanted="status $1, 1 lines, 1 with '$2', 0 of result" seen word=$2

	shift 2
	timeout 30 "$@" >refused.out 2>refused.err
	seen="status $?, $(wc -l <refused.err) lines, $(grep -c "$word" refused.err) with '$word'"
	same "$SCENARIO: $*" "$wanted" "$seen, $(wc -l <refused.out) of result"
	sed 's/^/# /' refused.err
}

# ----------------------------------------------------------------------------------------------

set_up
# shellcheck source=tests/vm/scenarios.sh
. /scenarios.sh
have 'all but the boot' epollscope || SCENARIOS=boots
for SCENARIO in $SCENARIOS; do
	"$SCENARIO"
	end_started
done
echo "done"
sync
poweroff -f
