#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# holds.sh - a loop that is held a known number of times, for a known time: every hold is counted, belongs
# to whom it was for, and foretells what a load that does not wait for its answers meets.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init
build_c hold_server

HELD_MS=40
TIMES=12

hold_server() { # HOW MS TIMES EVERY_MS
	server_with_port hold "$LIVE/hold_server" "$@"
}

# Holds of the report as the server made them; one that got no CPU for so long is no such hold.
made() { # MEMBER CONDITION
	echo ".holds.worst | map(select(.$1 >= ${HELD_MS}000000 and ($2)))"
}

asleep() {
	made blocked_ns true
}

through() {
	grep -q '^held' "$LIVE_DIR/hold.log"
}

# Watches the server through its holds, under a load.
watch_holds() { # EXTRA-SCOPE-OPTIONS... -- LOAD-OPTIONS...
	local options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	load_held connected --duration 20s "$@"
	scope_start report --json -p "$SERVER_PID" "${options[@]}"
	kill -USR1 "$SERVER_PID"
	await 10 through
	sleep 0.2
	scope_stop
	end "$LOAD_PID"
}

# Run delay of the server so far, ns: where others take its CPU, that holds it too, and is found.
run_delay() {
	schedstat "$SERVER_PID" 2
}

codes() {
	scope_jq '[.diagnosis[] | select(.severity != "info") | .code] | join(" ")'
}

# A closed loop: only as many exchanges meet a hold as there are connections.
test_asleep() {
	hold_server sleep "$HELD_MS" "$TIMES" 200
	watch_holds -o "$LIVE_DIR/holds.capture" -- --closed --connections 6
	expect_eq 'asleep: every hold is counted' "$TIMES" "$(scope_jq "$(asleep) | length")"
	expect_eq 'asleep: none began before the watch or is not over' 0 \
		"$(scope_jq "$(asleep) | map(select(.in_progress or .before_watch)) | length")"
	expect_jq 'asleep: in which call' "$SCOPE_OUT" \
		"$(asleep) | all(.call == \"clock_nanosleep\")" .holds.worst
	expect_jq 'asleep: for a connection' "$SCOPE_OUT" \
		"$(asleep) | all(.held_by // \"127.0.0.1:\" | startswith(\"127.0.0.1:\"))" .holds.worst
	# Those that came with the same wait are served in the same turn.
	expect_jq 'asleep: others waited behind it' "$SCOPE_OUT" \
		"$(asleep) | any(.waiting > 0) and all(.waiting <= 6)" .holds.worst
	expect_jq 'asleep: sum and count of all turns' "$SCOPE_OUT" \
		".holds.count >= $TIMES and .holds.sum_ns >= $TIMES * ${HELD_MS}000000" .holds
	expect_jq 'asleep: is found' "$SCOPE_OUT" 'any(.diagnosis[]; .code == "blocking-call")' \
		.diagnosis
	"$EPOLLSCOPE" report --json -i "$LIVE_DIR/holds.capture" >"$LIVE_DIR/replayed"
	expect_eq 'asleep: a replay says the same' "$(scope_jq .holds)" \
		"$(jq -r -c .holds "$LIVE_DIR/replayed")"
	stop_server
}

test_own() {
	hold_server own "$HELD_MS" "$TIMES" 200
	watch_holds -- --closed --connections 6
	expect_eq 'own work: every hold is counted' "$TIMES" \
		"$(scope_jq "$(made ns '.held_by == "own work"') | length")"
	expect_eq 'own work: no connection is blamed' 0 \
		"$(scope_jq "$(made ns '.held_by // "" | startswith("127.")') | length")"
	expect_jq 'own work: is found' "$SCOPE_OUT" 'any(.diagnosis[]; .code == "cpu-starved" or
		(.code == "loop-blocked" and (.summary | contains("own")) and
		(.evidence | has("connection") | not)))' .diagnosis
	stop_server
}

# Requests that come at their own times wait as foretold. The server's CPU time may be short on a busy
# machine: that lengthens both.
test_foretold() {
	local told met

	hold_server sleep 100 6 500
	watch_holds -- --rate 500 --connections 8 --pipeline 64
	told=$(scope_jq .holds.open_loop_wait_ns.p99)
	met=$(load_jq .latency_ns.p99)
	echo "# open loop: P99 foretold $told ns, met $met ns"
	expect_between 'open loop: what was foretold of what was met' 0.5 2 \
		"$(awk -v t="$told" -v m="$met" 'BEGIN { print m ? t / m : 0 }')"
	stop_server
}

# The watch lies inside a hold, or begins in it.
test_inside() {
	hold_server burn 6000 1 0
	load_held connected --closed --connections 4 --duration 10s --timeout 10s
	kill -USR1 "$SERVER_PID"
	sleep 1
	scope_start report --json -p "$SERVER_PID" -d 2
	scope_wait 0
	expect_jq 'inside: held since before the watch, and still' "$SCOPE_OUT" \
		'.holds.count == 1 and .holds.worst[0].in_progress and .holds.worst[0].before_watch' \
		.holds
	expect_eq 'inside: the others wait' 3 "$(scope_jq .holds.worst[0].waiting)"
	expect_jq 'inside: on the CPU' "$SCOPE_OUT" \
		'.holds.worst[0].oncpu_ns + .holds.worst[0].runnable_ns >= .holds.worst[0].ns * 0.99' \
		.holds
	expect_jq 'inside: is found' "$SCOPE_OUT" 'any(.diagnosis[]; .summary |
		startswith("The event loop has been held since before the watch"))' .diagnosis
	scope_start report --json -p "$SERVER_PID"
	await 10 through
	sleep 0.2
	scope_stop
	expect_eq 'across: began before the watch, ended in it' 1 \
		"$(scope_jq '.holds.worst | map(select(.before_watch and (.in_progress | not))) | length')"
	end "$LOAD_PID"
	stop_server
}

# Near misses, which no P99 shows: pauses of 8 ms, and one of 12 ms; and nobody who waits.
test_silent() { # NAME HOW MS TIMES EVERY_MS LOAD-OPTIONS...
	local name="$1" delay

	hold_server "$2" "$3" "$4" "$5"
	shift 5
	delay=$(run_delay)
	watch_holds -- "$@"
	delay=$(($(run_delay) - delay))
	if [ "$delay" -gt 50000000 ] && [ -n "$(codes)" ]; then
		skip "$name: nothing is found" "others took the server's CPU for $delay ns"
	else
		expect_eq "$name: nothing is found" '' "$(codes)"
	fi
	stop_server
}

test_asleep
test_own
test_foretold
test_inside
test_silent 'pauses of 8 ms' sleep 8 12 200 --closed --connections 4
test_silent 'one of 12 ms' sleep 12 1 0 --closed --connections 4
test_silent 'one client' sleep 30 12 200 --closed --connections 1
finish
