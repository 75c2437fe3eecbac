#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# load.sh - epollload: its counts are the server's own, its times are kept, nothing is omitted.
#
# Beside wrk -t1 -c16 on echo_server --http, alternated three times on two busy processors: p50 wrk
# 118-135 us, epollload --closed 99-164 us; requests/s wrk 81-95 thousand, epollload 93-141 thousand.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

OUT=$LIVE_DIR/load.json
TRUTH=$LIVE_DIR/server.truth

# Every request is somewhere, whatever happened.
expect_sum() { # NAME
	expect_jq "$1: the sum" "$OUT" '.requests | .intended == .sent + .unsent and
		.sent == .answered + .refused + .lost' .requests
	expect_jq "$1: histogram" "$OUT" '.requests.answered == .latency_ns.count and
		([.latency_buckets[][1]] | add // 0) == .latency_ns.count' .latency_ns
}

# N sent, N answered, and the server saw N on that many connections.
expect_truth() { # NAME N CONNECTIONS
	expect_sum "$1"
	expect_eq "$1: sent and answered" "$2 $2" \
		"$(load_jq '"\(.requests.sent) \(.requests.answered)"')"
	stop_server
	expect_lines "$1: server's count" "$2" "$TRUTH"
	expect_eq "$1: connections" "$3 $3" \
		"$(load_jq .connections.opened) $(awk '$2 == 1' "$TRUTH" | wc -l)"
}

test_counts() { # NAME N CONNECTIONS SERVER-OPTIONS -- OPTIONS...
	local name=$1 n=$2 connections=$3 options=()

	shift 3
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	start_echo --truth "$TRUTH" "${options[@]}"
	load --requests "$n" "$@"
	expect_truth "$name" "$n" "$connections"
}

# How many of the arrivals are further from where the rate puts them, seen from the usual one, than
# half a per cent of the time.
arrivals_astray() { # RATE SECONDS
	sort -n -k 5 "$TRUTH" | awk -v rate="$1" '{ printf "%.0f\n", $5 - NR / rate * 1e9 }' | sort -n |
		awk -v slack="$2" '{ off[NR] = $1 }
			END { usual = off[int((NR + 1) / 2)]; slack *= 5e6
				for (i = 1; i <= NR; i++) n += off[i] < usual - slack || off[i] > usual + slack
				print n + 0 }'
}

# The server's arrivals tell the rate, not our own clock alone. Some of them may be late on a busy
# machine, but not most: who is late catches up.
test_rate() { # RATE
	local name="open loop at $1/s"

	start_echo --truth "$TRUTH"
	watch_machine
	load --rate "$1" --duration 2s --connections 32
	expect_undisturbed "$name: sent" "$(($1 * 90 / 100))" "$(($1 * 101 / 100))" \
		"$(load_jq '.requests.sent_per_s')"
	expect_truth "$name" $((2 * $1)) 32
	expect_undisturbed "$name: arrivals not in their time" 0 $((2 * $1 / 5)) \
		"$(arrivals_astray "$1" 2)"
	echo "# $name: send error $(load_jq '.send_error_ns | {p50, p99, max}' | tr -d '\n ')"
}

# Half the rate on average while it grows.
test_ramp() {
	start_echo --truth "$TRUTH"
	load --rate 1000 --duration 2s --ramp 1s --connections 4
	expect_truth 'ramp' 1500 4
	sort -n -k 5 "$TRUTH" >"$TRUTH.sorted"
	# 500 if it began with the whole rate, 250 at an even one.
	expect_between 'ramp: in the first half of it' 90 180 \
		"$(awk 'NR == 1 { from = $5 } $5 < from + 5e8 { n++ } END { print n }' "$TRUTH.sorted")"
}

slower_than() { # MS
	load_jq "[.latency_buckets[] | select(.[0] > $1 * 1e6) | .[1]] | add // 0"
}

# One request of 4,000 stalls the server for 200 ms. At 1,000 a second 200 are due meanwhile, and
# wait from 200 ms down to nothing: 180 of them 20 ms or more, the worst 40 (P99) 160 ms or more. A
# busy machine adds to that; a load that omits them has one of them all.
test_stall() {
	local stall=(--sleep-every 2500 --sleep-ms 200)

	start_echo --truth "$TRUTH" "${stall[@]}"
	load --rate 1000 --requests 4000 --connections 8
	expect_truth 'stall, open loop' 4000 8
	expect_between 'stall, open loop: requests slower than 20 ms' 160 2000 "$(slower_than 20)"
	expect_between 'stall, open loop: P99' 140000000 400000000 "$(load_jq .latency_ns.p99)"
	expect_between 'stall, open loop: P99.9' 180000000 500000000 "$(load_jq .latency_ns.p999)"
	expect_between 'stall, open loop: held' 160 2000 "$(load_jq .requests.held)"
	start_echo --truth "$TRUTH" "${stall[@]}"
	load --closed --requests 4000
	expect_truth 'stall, closed loop' 4000 1
	expect_between 'stall, closed loop: requests slower than 100 ms' 1 3 "$(slower_than 100)"
	expect_between 'stall, closed loop: P99' 0 20000000 "$(load_jq .latency_ns.p99)"
}

test_slow() {
	test_counts 'slow sender' 40 2 --size 300 -- --closed --connections 2 --size 300 \
		--slow-sender 3/10ms
	expect_between 'slow sender: two pauses' 20000000 60000000 "$(load_jq .latency_ns.p50)"
	test_counts 'slow reader' 5 1 --size 262144 -- --closed --size 262144 --slow-reader 16k/10ms
	expect_between 'slow reader: sixteen reads' 140000000 1000000000 "$(load_jq .latency_ns.p50)"
	test_counts 'one slow sender of three' 3000 3 -- --rate 1000 --connections 3 \
		--slow-connections 1 --slow-sender 2/20ms
	expect_between 'one slow sender of three: the others' 0 10000000 "$(load_jq .latency_ns.p50)"
}

client_addresses() {
	ss -Htn state established "sport = :$PORT" | awk '{ sub(/:[0-9]+$/, "", $4); print $4 }' |
		sort | uniq -c | awk '{ print $2 "x" $1 }' | tr '\n' ' '
}

all_connected() {
	[ "$(connections_on "$PORT")" = "$1" ]
}

test_sources() {
	local pid

	start_echo --truth "$TRUTH"
	load --rate 100 --requests 100 --connections 8 --threads 2 --source 127.0.1.7-127.0.1.10 &
	pid=$!
	await 5 all_connected 8
	expect_eq 'source addresses' '127.0.1.10x2 127.0.1.7x2 127.0.1.8x2 127.0.1.9x2 ' \
		"$(client_addresses)"
	wait "$pid"
	expect_truth 'source addresses' 100 8
}

# A few carry requests, by turns to two servers; the others are there all the time.
test_idle() {
	local ports=() servers=() truths=()

	for i in 1 2; do
		start_echo --truth "$TRUTH.$i"
		ports+=("$PORT") servers+=("$SERVER_PID") truths+=("$TRUTH.$i")
	done
	TARGET=${ports[0]} load_held 'done' --closed --requests 300 --connections 1000 --active 3 \
		--threads 2 --source 127.0.2.1-127.0.2.9 "${ports[1]}"
	expect_eq 'idle connections: words' 'connected 1000 done' "$(xargs <"$LIVE_DIR/load.err")"
	expect_eq 'idle connections: held' '500 500' \
		"$(connections_on "${ports[0]}") $(connections_on "${ports[1]}")"
	end "$LOAD_PID"
	expect_eq 'idle connections: exit status' 0 $?
	expect_sum 'idle connections'
	expect_jq 'idle connections: counts' "$OUT" '.requests.answered == 300 and .targets == 2 and
		.connections == { asked: 1000, active: 3, opened: 1000, closed_by_server: 0,
		failed: 0, open_at_end: 1000 }' .connections
	for SERVER_PID in "${servers[@]}"; do
		stop_server
	done
	expect_eq "idle connections: servers' counts" '300 3' \
		"$(cat "${truths[@]}" | wc -l) $(cat "${truths[@]}" | awk '$2 == 1' | wc -l)"
}

nginx_status() { # requests and connections so far, this question's own not counted
	curl -s "http://127.0.0.1:$PORT/status" | awk 'NR == 3 { print $3 - 1, $2 - 1 }'
}

test_nginx() { # NAME N CONNECTIONS OPTIONS...
	local name="nginx, $1" n=$2 connections=$3 before after

	shift 3
	read -ra before < <(nginx_status)
	load --protocol http --requests "$n" "$@"
	await_connections 0
	read -ra after < <(nginx_status)
	expect_sum "$name"
	expect_eq "$name: answered, opened" "$n $connections" \
		"$(load_jq .requests.answered) $(load_jq .connections.opened)"
	# the question before is one more of each
	expect_eq "$name: server's count" "$n $connections" \
		"$((after[0] - before[0] - 1)) $((after[1] - before[1] - 1))"
}

test_http() {
	start_nginx 1
	test_nginx 'closed loop' 20000 16 --closed --connections 16
	test_nginx 'open loop' 4000 16 --rate 4000 --connections 16 --threads 2
	test_nginx 'pipelining' 20000 4 --closed --connections 4 --pipeline 8
	test_nginx 'a connection per request' 1000 1000 --rate 1000 --connections 64 \
		--conn-per-request
	test_nginx 'slow sender' 20 2 --closed --connections 2 --slow-sender 4/5ms
	load --protocol http --path /status --size 10 --closed --requests 50
	expect_sum 'refusals'
	expect_eq 'refusals' '0 50' "$(load_jq .requests.answered) $(load_jq .requests.refused)"
	stop_server
}

# The reference server's statistics say at its end what it delivered.
test_push() { # NAME N CONNECTIONS OPTIONS...
	local name="push, $1" n=$2 connections=$3 deliveries=${deliveries:-$2}

	shift 3
	start_epollserver --protocol push --truth "$TRUTH" --heartbeat 200
	load --protocol push --requests "$n" "$@"
	expect_sum "$name"
	expect_eq "$name: answered, opened" "$n $connections" \
		"$(load_jq .requests.answered) $(load_jq .connections.opened)"
	stop_server
	expect_eq "$name: server's messages" "$deliveries" \
		"$(stat_of delivered)"
}

# More than the server bears: what it refused, and what it took, is what we saw. Pipelined, so that
# refusals overtake answers.
test_refusals() {
	local options=(--protocol push --rate 1000 --burst 5 --queue 5 --max-connections 0)

	start_epollserver "${options[@]}"
	load --protocol push --rate 20k --requests 4000 --connections 40 --pipeline 4
	expect_sum 'push, refusals'
	stop_server
	expect_eq 'push, refusals: answered, refused' \
		"$(load_jq .requests.answered) $(load_jq .requests.refused)" \
		"$(stat_of delivered) $(stat_of refused)"
	expect_jq 'push, refusals: some' "$OUT" '.requests.refused > 0 and .requests.lost == 0' .requests
}

# Each of N published messages reaches every subscriber of its topic, once; the server says so too.
test_topics() { # NAME N DELIVERIES CONNECTIONS OPTIONS...
	local name="topics, $1" n=$2 deliveries=$3

	test_push "$name" "$n" "$4" "${@:5}"
	expect_jq "$name: deliveries" "$OUT" ".deliveries == { expected: $deliveries,
		received: $deliveries } and .delivery_ns.count == $deliveries" .deliveries
}

# HTTP spoken to the echo server comes back, and is no answer.
test_garbled() {
	start_echo --size 8
	load --protocol http --closed --requests 3
	expect_eq 'garbled answers' '0 3' "$(load_jq .requests.answered) $(load_jq .lost.garbled)"
	expect_sum 'garbled answers'
	stop_server
}

test_server_dies() {
	local pid

	start_echo
	load --rate 2000 --requests 4000 --connections 4 --timeout 500ms &
	pid=$!
	await 5 all_connected 4
	sleep 0.5
	end "$SERVER_PID" KILL
	wait "$pid"
	expect_sum 'server dies'
	expect_jq 'server dies' "$OUT" '.requests.answered > 0 and .requests.unsent > 0 and
		.requests.intended == 4000 and .failed.refused > 0' .requests
	load --closed
	expect_eq 'no server: exit status, words' \
		"1 epollload: cannot connect to 127.0.0.1:$PORT: Connection refused" \
		"$? $(cat "$LIVE_DIR/load.err")"
}

# A server that stopped listens on, and answers nothing.
test_silence() {
	local pid

	start_echo
	load --rate 2000 --requests 2000 --connections 4 --timeout 200ms &
	pid=$!
	await 5 all_connected 4
	sleep 0.3
	kill -STOP "$SERVER_PID"
	wait "$pid"
	kill -CONT "$SERVER_PID"
	expect_sum 'silence'
	expect_jq 'silence' "$OUT" '.requests.answered > 0 and .lost.timeout > 0 and
		.requests.lost == .lost.timeout and .requests.intended == 2000' .requests
	stop_server
}

# On a terminal, and only there.
test_progress() {
	start_echo
	script -qec "$EPOLLLOAD --rate 100 --duration 1200ms $PORT >$OUT" /dev/null \
		>"$LIVE_DIR/terminal" </dev/null
	expect_eq 'progress on a terminal: lines' yes \
		"$(tr '\r' '\n' <"$LIVE_DIR/terminal" | grep -cE '^[01]\.[0-9] s  sent [0-9]+  answered' |
			awk '{ print ($1 >= 2 ? "yes" : $1) }')"
	script -qec "$EPOLLLOAD --quiet --rate 100 --duration 1200ms $PORT >$OUT" /dev/null \
		>"$LIVE_DIR/terminal" </dev/null
	expect_eq 'progress on a terminal: --quiet' 0 "$(wc -c <"$LIVE_DIR/terminal")"
	stop_server
}

test_interrupt() {
	local pid

	start_echo --truth "$TRUTH"
	$HEARS_SIGINT "$EPOLLLOAD" --json --rate 1000 --duration 1m "$PORT" >"$OUT" &
	pid=$!
	started "$pid"
	await 5 all_connected 1
	sleep 0.5
	kill -INT "$pid"
	ended "$pid"
	expect_eq 'interrupt: exit status' 0 $?
	expect_sum 'interrupt'
	expect_between 'interrupt: sent' 300 20000 "$(load_jq .requests.sent)"
	stop_server
	expect_between "interrupt: server's count" "$(load_jq .requests.answered)" \
		"$(load_jq .requests.sent)" "$(wc -l <"$TRUTH")"
}

test_expect() {
	start_echo
	load --closed --requests 100 --expect-count 100
	expect_eq 'expected count: exit status, words' '0 ' "$? $(cat "$LIVE_DIR/load.err")"
	load --closed --requests 100 --expect-count 101
	expect_eq 'unexpected count: exit status, words' \
		'1 epollload: expected 101 answers, got 100' "$? $(cat "$LIVE_DIR/load.err")"
	"$EPOLLLOAD" --closed --requests 100 "$PORT" >/dev/full 2>"$LIVE_DIR/load.err"
	expect_eq 'full disk: exit status' 1 $?
	stop_server
}

# One line, which names what is wrong, and 64.
test_bad() { # NAMED ARGS...
	local named=$1 status

	shift
	timeout 5 "$EPOLLLOAD" "$@" >"$OUT" 2>"$LIVE_DIR/load.err"
	status=$?
	if [ "$status" = 64 ] && [ ! -s "$OUT" ] && [ "$(wc -l <"$LIVE_DIR/load.err")" = 1 ] &&
		grep -qF -- "$named" "$LIVE_DIR/load.err"; then
		pass "bad arguments: $*"
	else
		fail "bad arguments: $*" "expected 64 and $named got $status $(cat "$LIVE_DIR/load.err")"
	fi
}

test_arguments() {
	local limit

	test_bad 'no target' --closed
	test_bad '--closed for' 80
	test_bad 'exclude' --closed --rate 5 80
	for value in 0 -5 1e3 0x10 12a '' 99999999999999999999; do
		test_bad "--rate $value" --rate "$value" 80
	done
	for value in 0 -1 1e99 5 s 1.s 1x 99999h; do
		test_bad "--duration $value" --closed --duration "$value" 80
	done
	for value in 0 65536 http 80x :80 1k; do
		test_bad "$value" --closed "$value"
	done
	test_bad '--connections 0' --closed --connections 0 80
	test_bad '--threads 2' --closed --threads 2 80
	test_bad '--pipeline 2000' --closed --pipeline 2000 80
	test_bad '--protocol gopher' --closed --protocol gopher 80
	test_bad '--source 127.0.0.9-127.0.0.1' --closed --source 127.0.0.9-127.0.0.1 80
	test_bad '--slow-sender 1/1ms' --closed --slow-sender 1/1ms 80
	test_bad '--slow-reader 5' --closed --slow-reader 5 80
	test_bad '--size 0' --closed --size 0 80
	test_bad '--ramp' --closed --duration 1s --ramp 2s 80
	test_bad '--path' --closed --protocol http --path "a b" 80
	test_bad '--frobnicate' --closed --frobnicate 80
	test_bad '--active 2' --closed --active 2 80
	test_bad '--active 0' --closed --active 0 80
	test_bad '--topics' --closed --protocol push --topics 2 80
	test_bad '--hold' --closed --hold --conn-per-request 80
	limit=$(ulimit -Hn)
	test_bad "limit of $limit" --closed --connections "$limit" 80
	"$EPOLLLOAD" --help >"$OUT" 2>&1
	expect_eq 'help: exit status, widest line fits' '0 1' \
		"$? $(awk 'length > m { m = length } END { print m <= 100 }' "$OUT")"
}

test_counts 'closed loop' 20000 16 -- --closed --connections 16
test_counts 'two threads' 20001 15 -- --closed --connections 15 --threads 2
test_counts 'pipelining' 20000 4 -- --closed --connections 4 --pipeline 16
test_counts 'pipelining, open loop' 5000 2 -- --rate 5000 --connections 2 --pipeline 8
test_counts 'large messages' 200 4 --size 1048576 -- --closed --connections 4 --size 1048576
test_counts 'a connection per request' 2000 2000 -- --closed --connections 8 --conn-per-request
for rate in 100 1000 10000; do
	test_rate "$rate"
done
test_ramp
test_stall
test_slow
test_sources
test_idle
test_http
test_push 'closed loop' 10000 4 --closed --connections 4
test_push 'pipelining' 10000 2 --closed --connections 2 --pipeline 8 --threads 2
test_push 'open loop' 2000 16 --rate 2000 --connections 16
test_push 'heartbeats' 4 2 --rate 2 --connections 2
test_push 'a connection per request' 200 200 --rate 400 --connections 8 --conn-per-request
test_topics 'open loop' 2000 24000 26 --rate 2000 --connections 26 --active 2 --topics 2 \
	--threads 2
test_topics 'pipelining, closed loop' 4000 20000 6 --closed --pipeline 8 --connections 6 \
	--active 1 --topics 1
test_refusals
test_garbled
test_server_dies
test_silence
test_progress
test_interrupt
test_expect
test_arguments
finish
