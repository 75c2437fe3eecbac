# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
# lib_machine.sh - what else the machine did meanwhile: a witness that knows nothing of what we
# measured. Plain shell, since the emulated machines use it too. Sourced by lib.sh.

# Its processors' ticks that were not idle, the host's share of them (steal) too, and those of our
# own: this script's processes, ended and waited for or not.
machine_ticks() {
	awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 + $9 }' /proc/stat
}

our_ticks() {
	local pid

	for pid in $(processes_of $$); do
		sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null
	done | awk '{ sum += $12 + $13 + $14 + $15 } END { print sum + 0 }'
}

# From here on it is looked at; scope_start calls it.
watch_machine() {
	MACHINE_BEGAN="$(cut -d' ' -f1 /proc/uptime) $(machine_ticks) $(our_ticks)"
}

# What others took since then, in per cent of one processor. It knows nothing of what we measured.
others_percent() {
	echo "$MACHINE_BEGAN $(our_ticks) $(machine_ticks) $(cut -d' ' -f1 /proc/uptime)" |
		awk '{ wall = ($6 - $1) * 100; print int(100 * ($5 - $2 - $4 + $3) / (wall < 1 ? 1 : wall)) }'
}

# A figure that only an undisturbed machine gives: where others had a quarter of a processor or more,
# it is told and not judged.
expect_undisturbed() { # NAME LOW HIGH ACTUAL, numbers
	local others

	others=$(others_percent)
	if [ "$others" -ge 25 ] && ! jq -en "$2 <= $4 and $4 <= $3" >/dev/null 2>&1; then
		skip "$1" "others had $others % of a processor: expected $2..$3 got $4"
	else
		expect_between "$@"
	fi
}
