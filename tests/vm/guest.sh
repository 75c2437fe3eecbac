#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
#
# guest.sh - the first process of the emulated machine: sets it up, runs the scenarios, switches
# off. Prints results to the second serial line, as all tests do, and `done` as the very last word.
# The words of scenarios are those of tests/live/lib.sh; here is what they need instead of programs
# that this machine lacks. SCENARIOS lists the functions of scenarios.sh in order.

SCENARIOS="boots doctor counts_echo counts_waits counts_light counts_nginx counts_redis slow_whole
	slow_sleep slow_spin conns launched launched_server bad_targets no_privilege no_btf
	bpf_leftovers kernel_log_clean"

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
}

set_up
EPOLLSCOPE=epollscope LIVE=/live LIVE_DIR=/tmp SCOPE_LIMIT=30 NGINX_USER='root root'
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh
# shellcheck source=tests/live/lib_ledger.sh
. tests/live/lib_ledger.sh
# shellcheck source=tests/vm/scenarios.sh
. tests/vm/scenarios.sh
cd /tmp || exit
HEARS_SIGINT=	# busybox's shell lets them hear it

# sockets PORT STATES: how many of that port are in a state that matches, as /proc/net/tcp writes it.
sockets()
{
	awk -v port="$(printf ':%04X$' "$1")" -v states="$2" \
		'$2 ~ port && $4 ~ states { n++ } END { print n + 0 }' /proc/net/tcp /proc/net/tcp6
}

# Connections but those that the server owes nothing more than time (06); 0A listens.
connections_on() { sockets "$1" '[^6A]$'; }
listening() { [ "$(sockets "$1" 0A)" -gt 0 ]; }

# A scenario that cannot go on is followed by the next one.
give_up()
{
	fail "$SCENARIO: $1" "$2"
	return 1
}

# have NAME PROGRAM: false, and a skip, if it is not on this disk.
have()
{
	command -v "$2" >/dev/null && return
	skip "$1" "$2 is not there"
	return 1
}

bpf_ids >"$LIVE_DIR/bpf.before"
LOG_START=$(cut -d' ' -f1 /proc/uptime)
have 'all but the boot' epollscope || SCENARIOS=boots
for SCENARIO in $SCENARIOS; do
	"$SCENARIO"
	end_started
done
echo "done"
sync
poweroff -f
