#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# budget.sh - --budget under load: what is left out, that counts and latency are not, that every output
# says so, and that what was left out comes back when the load is gone.
# limit: 180
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

REQUESTS=400000
CAP=$LIVE_DIR/a.cap

load_redis() { # REQUESTS
	redis-benchmark -h 127.0.0.1 -p "$PORT" -c 20 -n "$1" -t get -q >"$LIVE_DIR/benchmark" 2>&1
}

said() { # WORDS
	grep -q "$1" "$SCOPE_ERR"
}

# Before the load ends the last step is reached: it goes on until then.
load_until_said() { # WORDS
	LOADED=0
	while ! said "$1" && [ "$LOADED" -lt $((20 * REQUESTS)) ]; do
		load_redis "$REQUESTS"
		LOADED=$((LOADED + REQUESTS))
	done
}

# redis-benchmark asks once more, for the configuration: CONFIG GET, two of them on a connection.
expect_count() { # NAME REQUESTS
	expect_between "$1: exchanges" "$2" $(($2 + 2 * $2 / REQUESTS)) "$(scope_jq .exchanges.count)"
}

test_down_to_counts() {
	scope_start report --json --budget 0.1% -o "$CAP" -p "$SERVER_PID"
	load_until_said 'no on-CPU'
	scope_stop
	expect_count '0.1 %' "$LOADED"
	expect_jq '0.1 %: shed in order' "$SCOPE_OUT" \
		'[.overhead.shed[].what] == ["records", "syscall_windows", "splits"]' .overhead
	expect_jq '0.1 %: for less and less time' "$SCOPE_OUT" \
		'.overhead.shed | .[0].seconds > .[1].seconds and .[1].seconds > .[2].seconds and
		 .[2].seconds > 0 and (map(.times == 1 and .back == null and .first != null) | all)' \
		.overhead
	expect_jq '0.1 %: what it took' "$SCOPE_OUT" \
		'.overhead | .budget == 0.001 and .measured_share > 0.001' .overhead
	expect_jq '0.1 %: each has a stage' "$SCOPE_OUT" \
		'.exchanges | .stages[7].count == .count' '.exchanges | [.count, .stages[7].count]'
	# shellcheck disable=SC2016 # jq's own variable
	expect_jq '0.1 %: stages sum to the latency' "$SCOPE_OUT" \
		'(.exchanges.stages | map(.sum_ns) | add) as $sum |
		 (.exchanges.latency_ns.mean * .exchanges.count - $sum | fabs) <= .exchanges.count' \
		'[.exchanges.latency_ns.mean, (.exchanges.stages | map(.sum_ns) | add)]'
	expect_jq '0.1 %: nothing is lost' "$SCOPE_OUT" '.loss.ring == 0' .loss
	expect_jq '0.1 %: the tail is not explained' "$SCOPE_OUT" \
		'[.diagnosis[].code] - ["insufficient-data", "poll-spin", "imbalance", "retransmits"] == []' \
		'[.diagnosis[].code]'
	shed_live=$(scope_jq '.overhead.shed | tojson')
}

# The capture of that watch tells the same.
test_replay() {
	scope_run report --json -i "$CAP"
	expect_eq 'replay: shed' "$shed_live" "$(scope_jq '.overhead.shed | tojson')"
	scope_run report -i "$CAP"
	expect_eq 'replay: BUDGET of the text' 4 "$(grep -c '^BUDGET\|Left out to be cheaper' "$SCOPE_OUT")"
	scope_run slow -i "$CAP"
	expect_eq 'replay: slow says it' 3 "$(grep -c 'Left out to be cheaper' "$SCOPE_ERR")"
	scope_run conns -i "$CAP"
	expect_eq 'replay: conns says it' 3 "$(grep -c 'Left out to be cheaper' "$SCOPE_ERR")"
}

test_enough() {
	scope_start report --json --budget 100% -p "$SERVER_PID"
	load_redis "$REQUESTS"
	scope_stop
	expect_count '100 %' "$REQUESTS"
	expect_jq '100 %: nothing is shed' "$SCOPE_OUT" \
		'.overhead | .budget == 1 and .shed == [] and .measured_share > 0' .overhead
	expect_jq '100 %: system calls' "$SCOPE_OUT" '.syscalls | map(.sampled) | any' .syscalls
	expect_jq '100 %: the worst are listed' "$SCOPE_OUT" '.worst | length == 3' .worst
}

# An idle target: our clock ticks fit in, and what is not used costs nothing.
test_comes_back() {
	scope_start slow --over 0ns --json --budget 20% -p "$SERVER_PID"
	load_until_said 'no single exchanges'
	await 60 said 'single exchanges.* again'
	expect_eq 'slow: said that they are back' 1 "$(grep -c 'single exchanges.* again' "$SCOPE_ERR")"
	before=$(wc -l <"$SCOPE_OUT")
	redis-cli -h 127.0.0.1 -p "$PORT" get nothing >"$LIVE_DIR/cli"
	scope_stop
	expect_between 'slow: a line for what came then' $((before + 1)) $((before + 3)) \
		"$(wc -l <"$SCOPE_OUT")"
	expect_eq 'slow: said at the end' 1 \
		"$(grep -c 'Left out to be cheaper: single exchanges.*, back at' "$SCOPE_ERR")"
}

test_stacks_first() {
	scope_start flame --mode cpu --budget 0.1% -p "$SERVER_PID"
	load_until_said 'no on-CPU'
	scope_stop
	expect_eq 'flame: stacks go first' 'no stacks for now' \
		"$(sed -n 's/.*: \(no .* for now\)$/\1/p' "$SCOPE_ERR" | head -n 1)"
}

with_server redis test_down_to_counts
test_replay
with_server redis test_enough
with_server redis test_comes_back
with_server redis test_stacks_first
finish
