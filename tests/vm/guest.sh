#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
#
# guest.sh - the first process of the emulated machine: sets it up, runs the scenarios, switches
# off. Prints results to the second serial line: ok NAME, not ok NAME: reason, skip NAME: reason,
# and `done` as the very last word. A scenario is a function below; SCENARIOS lists them in order.

SCENARIOS="boots doctor counts_redis leaves_nothing kernel_log"

# redis-benchmark asks CONFIG GET on a connection of its own before it starts: one exchange.
REDIS_REQUESTS=2000
REDIS_EXTRA=1

set_up()
{
	/bin/busybox --install -s /bin
	export PATH=/bin:/usr/bin:/sbin:/usr/sbin HOME=/tmp LC_ALL=C
	mount -t devtmpfs devtmpfs /dev
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t tmpfs tmpfs /tmp
	mount -t tmpfs tmpfs /run
	mount -t tracefs tracefs /sys/kernel/tracing
	mount -t bpf bpf /sys/fs/bpf
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	ip link set lo up
	stty raw -echo </dev/ttyS1
	exec >/dev/ttyS1 2>&1 </dev/null
	cd /tmp || return
}

# --- Words for scenarios ----------------------------------------------------------------------

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: $2"; }
skip() { echo "skip $1: $2"; }

# same NAME WANTED SEEN
same()
{
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted $2, saw $3"; fi
}

have_epollscope()
{
	command -v epollscope >/dev/null && return
	skip "$1" "epollscope is not built"
	return 1
}

# await SECONDS COMMAND...: until the command succeeds.
await()
{
	local tries=$(($1 * 10))

	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000
	done
}

# How many programs, maps and links the kernel holds.
bpf_objects()
{
	local kind

	for kind in prog map link; do
		bpftool -j $kind show | jq length
	done | awk '{ n += $1 } END { print n + 0 }'
}

nothing_loaded() { [ "$(bpf_objects)" = 0 ]; }

# The set of links no longer grows: everything is attached.
attached()
{
	local links

	links=$(bpftool -j link show | jq length)
	[ "$links" -gt 0 ] && sleep 1 && [ "$links" = "$(bpftool -j link show | jq length)" ]
}

# --- Scenarios --------------------------------------------------------------------------------

boots()
{
	if [ -s /sys/kernel/btf/vmlinux ]; then
		ok "boots $(uname -r), with BTF"
	else
		not_ok boots "no /sys/kernel/btf/vmlinux"
	fi
}

doctor()
{
	have_epollscope doctor || return
	epollscope doctor >doctor.txt 2>doctor.err
	same "doctor runs" 0 $?
	sed 's/^/# /' doctor.txt doctor.err
}

counts_redis()
{
	local server scope seen

	have_epollscope "counts redis" || return
	redis-server --port 6379 --save '' --daemonize no >redis.log 2>&1 &
	server=$!
	await 20 redis-cli -p 6379 ping || { not_ok "counts redis" "no server"; return; }
	epollscope report -p $server --json >report.json 2>report.err &
	scope=$!
	if ! await 30 attached; then
		not_ok "counts redis" "did not attach: $(tail -n 1 report.err)"
	else
		redis-benchmark -p 6379 -n $REDIS_REQUESTS -c 8 -t get -q >benchmark.log 2>&1
		kill -INT $scope
		wait $scope
		same "report ends well" 0 $?
		seen=$(jq .exchanges.count report.json 2>&1)
		same "counts redis" $((REDIS_REQUESTS + REDIS_EXTRA)) "$seen"
		seen=$(jq -c '.loss | del(.[] | select(. == 0))' report.json 2>&1)
		same "loses nothing" "{}" "$seen"
	fi
	kill $scope $server 2>/dev/null
	wait
}

leaves_nothing()
{
	have_epollscope "leaves nothing" || return
	await 10 nothing_loaded
	same "leaves nothing in the kernel" 0 "$(bpf_objects)"
}

kernel_log()
{
	local faults

	faults=$(dmesg | grep -cE 'WARNING:|BUG:|Oops|general protection|RCU.*stall')
	same "kernel log is clean" 0 "$faults"
	dmesg | grep -E 'WARNING:|BUG:|Oops|general protection|RCU.*stall' | sed 's/^/# /'
}

set_up
for scenario in $SCENARIOS; do
	$scenario
done
echo "done"
sync
poweroff -f
