# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# lib_truth.sh - epollserver under epollload, both with a truth file, watched by report and slow.
#
# Sourced after lib.sh. Everything a run leaves is in $RUN: server.truth, client.truth, load.json,
# report.json, slow.json, server.log, and stats, the server's counters at the end of the watch.

RING=16384	# KiB: holds them all, however late the reader gets a processor
RUN=
REPORT_OPTIONS=	# more of them for report

# As anyone would who measures: the server and its load on processors of their own.
if [ "$(nproc)" -ge 2 ] && [ -z "${UNPINNED:-}" ]; then
	ON_SERVER_CPU='taskset -c 0'
	ON_LOAD_CPU='taskset -c 1'
fi

watch_begin() { # SERVER OPTIONS...
	RUN=$LIVE_DIR/run
	rm -rf "$RUN"
	mkdir "$RUN"
	start_epollserver --truth "$RUN/server.truth" "$@"
	# shellcheck disable=SC2086 # words
	scope_start report --json $REPORT_OPTIONS -p "$SERVER_PID"
	REPORT_PID=$SCOPE_PID
	mv "$SCOPE_OUT" "$RUN/report.json"
	mv "$SCOPE_ERR" "$RUN/report.err"
	scope_start slow --over 0ns --json --ring-size "$RING" -p "$SERVER_PID"
}

# A load that must succeed. One that pipelines can leave no stamps: plain load is for that.
load_stamped() { # OPTIONS...
	load --truth "$RUN/client.truth" "$@" || fail epollload "$(cat "$LIVE_DIR/load.err")"
}

# Both watches end, and say how they did.
scopes_wait() {
	cp "$LIVE_DIR/load.json" "$RUN"
	scope_wait 0
	SCOPE_PID=$REPORT_PID
	mv "$SCOPE_OUT" "$RUN/slow.json"
	cp "$RUN/report.err" "$SCOPE_ERR"
	scope_wait 0
}

# A server that never rests ends before the watch: its counters stand still then.
watch_end_with_server() {
	await_connections 0
	stop_server
	cp "$LIVE_DIR/epollserver.log" "$RUN/stats"
	scopes_wait
}

watch_end() { # [CONNECTIONS LEFT]
	await_connections "${1:-0}"
	kill -INT "$REPORT_PID" "$SCOPE_PID"
	scopes_wait
	ask_stats
	cp "$LIVE_DIR/epollserver.log" "$RUN/stats"
	stop_server
}

# What each of the four counted: answers, stamps, the report's exchanges, lines.
counts() {
	echo "$(jq .requests.answered "$RUN/load.json")" "$(wc -l <"$RUN/server.truth")" \
		"$(jq .exchanges.count "$RUN/report.json")" "$(wc -l <"$RUN/slow.json")"
}

run_report_has() { # NAME FILTER [SHOW]
	expect_jq "$1" "$RUN/report.json" "$2" "${3:-.}"
}
