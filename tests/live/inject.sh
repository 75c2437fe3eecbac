#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# inject.sh - the Nth call of one kind into the kernel fails, for several N: epollscope ends with one line
# that says what failed and status 1, 69 or 77, or it got on without and its report is whole. It never
# crashes, and nothing stays in the kernel.
#
#   ALL=yes tests/live/inject.sh	every N: takes minutes
# limit: 170
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

# A short run whose calls may fail.
run_short() { # WORDS BEFORE IT...
	timeout -k 1 "$SCOPE_LIMIT" "$@" "$EPOLLSCOPE" "${COMMAND[@]}" -p "$SERVER_PID" -d 0.05 \
		>"$LIVE_DIR/out" 2>"$LIVE_DIR/err"
}

# The dynamic linker's calls, which fail in its own words, are as many in this one.
run_nothing() { # WORDS BEFORE IT...
	"$@" "$EPOLLSCOPE" --version >"$LIVE_DIR/out" 2>"$LIVE_DIR/err"
}

traced() { # HOW STRACE-OPTIONS...
	local how=$1

	shift
	"$how" strace -f -qqq --seccomp-bpf -o "$LIVE_DIR/trace" "$@"
}

calls_of() { # HOW CALL
	traced "$1" -e "trace=$2"
	grep -c "$2(" "$LIVE_DIR/trace"
}

# Nothing, or why the end of a run was not as it should be.
wrong_end() { # STATUS
	local lines

	lines=$(grep -vc -e 'epollscope: attached to' -e 'epollscope: note: ' "$LIVE_DIR/err")
	case $1 in
	0)
		jq -e '.schema == "epollscope.report/1"' "$LIVE_DIR/out" >/dev/null 2>&1 ||
			echo "status 0 and no report, but $(head -c 200 "$LIVE_DIR/out" "$LIVE_DIR/err")"
		;;
	1 | 69 | 77)
		[ "$lines" = 1 ] && grep -q '^epollscope: .*[a-z]' "$LIVE_DIR/err" && return
		echo "status $1 and $lines lines: $(head -n 3 "$LIVE_DIR/err")"
		;;
	*) echo "status $1: $(head -n 3 "$LIVE_DIR/err")" ;;
	esac
}

fail_at() { # CALL ERROR N: nothing, or what is wrong
	local status why

	traced run_short -e "trace=$1" -e "inject=$1:error=$2:when=$3"
	status=$?
	STATUSES="$STATUSES $status"
	why=$(wrong_end $status)
	[ -z "$why" ] || echo "call $3: $why" >>"$LIVE_DIR/bad"
}

# One result for so many of the places where such a call can fail.
inject() { # CALL ERROR PLACES
	local first last n step

	: >"$LIVE_DIR/bad"
	STATUSES=
	first=$(($(calls_of run_nothing "$1") + 1))
	last=$(calls_of run_short "$1")
	step=$(((last - first) / $3 + 1))
	[ -z "${ALL:-}" ] || step=1
	for ((n = first; n <= last; n += step)); do
		fail_at "$1" "$2" $n
	done
	[ -n "$STATUSES" ] || echo "there is no such call" >"$LIVE_DIR/bad"
	expect_eq "$1 fails with $2, each ${step}th of $((last - first + 1)): status$STATUSES" '' \
		"$(cat "$LIVE_DIR/bad")"
}

# libbpf asks whether arrays can be mapped: where they can't be, ours are not there.
test_unmapped() {
	local n

	: >"$LIVE_DIR/bad"
	STATUSES=
	traced run_short -e trace=bpf
	n=$(grep 'bpf(' "$LIVE_DIR/trace" | grep -n 'map_flags=BPF_F_MMAPABLE' | head -n 1 | cut -d: -f1)
	fail_at bpf EPERM "$n"
	expect_eq "arrays that can't be mapped" '1 ' "${STATUSES# } $(cat "$LIVE_DIR/bad")"
}

if ! command -v strace >/dev/null; then
	skip "$TEST" 'strace is not installed'
	finish
fi
start_epollserver
COMMAND=(report --json)
test_unmapped
inject bpf EPERM 16
inject bpf ENOMEM 8
inject mmap ENOMEM 8
inject perf_event_open EMFILE 3
inject openat EMFILE 6
inject clone3 EAGAIN 2
inject eventfd2 EMFILE 1
inject memfd_create EMFILE 1
inject epoll_create1 EMFILE 1
COMMAND=(report --json --html "$LIVE_DIR/page.html")
inject perf_event_open EPERM 2
stop_server
finish
