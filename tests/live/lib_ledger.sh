# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
# lib_ledger.sh - what `slow --over 0ns --json` must keep of every exchange. Plain shell, since the
# emulated machines use it too. Sourced after live/lib.sh.

MOST=10000000	# ns: a neighbour's request comes before half of a fault of 20 ms is over

# Works on the lines as one array, each with .s, its stages by name.
lines_jq() { # FILTER
	jq -sr 'map(.s = ([.stages[] | {key: .stage, value: .}] | from_entries)) | '"$1" "$SCOPE_OUT"
}

# How many lines are so.
lines_with() { # CONDITION
	lines_jq "[.[] | select($1)] | length"
}

# Of the server that was started last, which is ended.
watch_slow() { # CLIENT OPTIONS...
	scope_start slow --over 0ns --json -p "$SERVER_PID" || return
	watched_client "$@"
	stop_server
}

check_lines() { # NAME COUNT
	expect_eq "$1: lines" "$2" "$(lines_jq length)"
	expect_eq "$1: eight stages in order" \
		'["accept","receive","wakeup","runqueue","busy","return","dispatch","service"]' \
		"$(lines_jq '[.[] | [.stages[].stage] | tojson] | unique | join(" ")')"
	expect_eq "$1: stages that don't sum to the latency" 0 \
		"$(lines_with '([.stages[].ns] | add) != .latency_ns')"
	expect_eq "$1: splits that don't sum to their stage" 0 \
		"$(lines_jq '[.[].stages[] | select(.oncpu_ns != null) |
			select(.oncpu_ns + .runnable_ns + .blocked_ns + (.others_ns // 0) +
				(.idle_ns // 0) + (.unarmed_ns // 0) != .ns)] | length')"
}
