#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# attach.sh - from exec to the line that says attached, from the end of the window to the end, and what
# is resident meanwhile: with the kernel's maps (rings are most of them) and without. Medians of TURNS.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init
TURNS=${TURNS:-7}
WINDOW_MS=300

now_us() {
	echo "${EPOCHREALTIME/[.,]/}"
}

cpu_us() { # PID
	awk '{ printf "%d\n", $1 / 1000 }' "/proc/$1/schedstat"
}

resident_kib() { # PID: all, without the kernel's maps
	awk '/^[0-9a-f]+-/ { map = /bpf-map/ } /^Rss:/ { all += $2; own += map ? 0 : $2 }
		END { print all, own }' "/proc/$1/smaps"
}

# A line: attach in us, its CPU time in us, after the window in us, resident KiB, without maps.
turn() { # COMMAND...
	local start attached cpu memory

	mkfifo "$LIVE_DIR/err"
	start=$(now_us)
	"$EPOLLSCOPE" "$@" -p "$SERVER_PID" -d 0.$WINDOW_MS >"$LIVE_DIR/out" 2>"$LIVE_DIR/err" &
	SCOPE_PID=$!
	exec 6<"$LIVE_DIR/err"
	until read -r line <&6 && [[ $line = *' attached to '* ]]; do :; done
	attached=$(now_us)
	cpu=$(cpu_us $SCOPE_PID)
	memory=$(resident_kib $SCOPE_PID)
	cat <&6 >"$LIVE_DIR/words"
	wait $SCOPE_PID
	echo "$((attached - start)) $cpu $(($(now_us) - attached - WINDOW_MS * 1000)) $memory"
	exec 6<&-
	rm "$LIVE_DIR/err"
}

median() { # COLUMN
	cut -d ' ' -f "$1" "$LIVE_DIR/turns" | sort -n | sed -n "$(((TURNS + 1) / 2))p"
}

start_epollserver
load_held connected --connections 16 --rate 2000 --duration 600s
printf '%-24s %10s %10s %10s %14s %12s\n' COMMAND 'ATTACH ms' 'its CPU ms' 'AFTER ms' 'RESIDENT KiB' 'without maps'
for command in report 'report --syscalls all' slow conns flame; do
	: >"$LIVE_DIR/turns"
	for ((i = 0; i < TURNS; i++)); do
		# shellcheck disable=SC2086 # words
		turn $command >>"$LIVE_DIR/turns"
	done
	printf '%-24s %10d %10d %10d %14d %12d\n' "$command" $(($(median 1) / 1000)) \
		$(($(median 2) / 1000)) $(($(median 3) / 1000)) "$(median 4)" "$(median 5)"
done
end "$LOAD_PID"
stop_server
finish
