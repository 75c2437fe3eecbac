# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
# lib_guest.sh - what the first process of an emulated machine needs: it sets the machine up, has the
# words of tests/live/lib.sh, and here is what they need instead of programs that this machine lacks.
# What it prints goes to the second serial line.

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
HEARS_SIGINT=	# busybox's shell lets them hear it
cd /tmp || exit

# sockets PORT STATES: how many of that port are in a state that matches, as /proc/net/tcp writes it.
sockets()
{
	awk -v port="$(printf ':%04X$' "$1")" -v states="$2" \
		'$2 ~ port && $4 ~ states { n++ } END { print n + 0 }' /proc/net/tcp /proc/net/tcp6
}

# Connections but those that the server owes nothing more than time (06); 0A listens.
connections_on() { sockets "$1" '[^6A]$'; }
listening() { [ "$(sockets "$1" 0A)" -gt 0 ]; }

switch_off()
{
	echo "done"
	sync
	poweroff -f
}
