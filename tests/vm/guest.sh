#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
#
# guest.sh - the first process of the emulated machine: runs the scenarios and switches off. Prints
# results as all tests do, and `done` as the very last word. SCENARIOS lists the functions of
# scenarios.sh in order.

SCENARIOS="boots doctor counts_echo counts_waits counts_light counts_nginx counts_redis slow_whole
	slow_sleep slow_spin conns launched launched_server bad_targets no_privilege no_btf
	bpf_leftovers kernel_log_clean"

# shellcheck source=tests/vm/lib_guest.sh
. /tests/vm/lib_guest.sh
# shellcheck source=tests/live/lib_ledger.sh
. /tests/live/lib_ledger.sh
# shellcheck source=tests/vm/scenarios.sh
. /tests/vm/scenarios.sh

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
switch_off
