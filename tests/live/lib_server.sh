# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# lib_server.sh - epollserver and epollload as the tests of the two themselves use them. Sourced after
# lib.sh and live_init.

SERVER=${SERVER:-${BUILD:-build}/epollserver}
LOAD=${BUILD:-build}/epollload

for program in "$SERVER" "$LOAD"; do
	[ -x "$program" ] && continue
	fail "$(basename "$program")" "expected $program to be built"
	finish
done

start() { # OPTIONS...
	server_with_port epollserver "$SERVER" "$@"
}

# A counter of the last statistics, over all loops unless told.
stat_of() { # NAME [LOOP]
	sed -n "s/^stats loop=${2:-all} / /p" "$LIVE_DIR/epollserver.log" | tail -n 1 | tr ' ' '\n' |
		sed -n "s/^$1=//p"
}

# The load generator's report is in $LIVE_DIR/load.json then.
load() { # PROTOCOL OPTIONS...
	"$LOAD" --json --quiet --protocol "$@" "$PORT" >"$LIVE_DIR/load.json" 2>"$LIVE_DIR/load.err"
}

loaded() { # FILTER
	jq -r "$1" "$LIVE_DIR/load.json"
}

stop_and_expect() { # NAME STATISTIC VALUE
	stop_server
	expect_eq "$1: $2" "$3" "$(stat_of "$2")"
}

expect_ok() { # NAME COMMAND...
	local name=$1 out

	shift
	if out=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "expected status 0 got $? $(tail -n 1 <<<"$out")"
	fi
}
