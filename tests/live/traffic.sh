#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# traffic.sh - what a connection carries: exchanges are counted as their clients count them, and what is no
# exchange is said beside them and is in no percentile.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

SECONDS_LONG=4

# "connections exchanges" of a kind.
row() { # KIND
	scope_jq ".traffic[] | select(.kind == \"$1\") | \"\(.connections) \(.exchanges)\""
}

# Three rows, and what the ledger has.
expect_traffic() { # NAME EXCHANGES REQUEST-RESPONSE OVERLAPPING-CONNECTIONS ONE-WAY-CONNECTIONS
	expect_eq "$1: exchanges of the ledger" "$2" "$(scope_jq .exchanges.count)"
	expect_eq "$1: request-response" "$3 $2" "$(row request-response)"
	expect_eq "$1: overlapping connections" "$4" "$(row overlapping | cut -d' ' -f1)"
	expect_eq "$1: one-way" "$5 0" "$(row one-way)"
	expect_jq "$1: one-way connections have no latency" "$SCOPE_OUT" \
		'.traffic[] | select(.kind == "one-way") | .latency_ns == null' .traffic
	expect_no_loss "$1"
}

expect_protocol() { # NAME KIND PROTOCOL CONNECTIONS
	expect_eq "$1: protocol" "$4" \
		"$(scope_jq ".traffic[] | select(.kind == \"$2\") | .protocols.\"$3\"")"
}

start_kinds() {
	server_with_port kinds python3 tests/live/servers/traffic_server.py
}

start_http2() {
	server_with_port http2 node tests/live/servers/http2_server.js
}

start_memcached() {
	PORT=$(free_port)
	memcached -u nobody -l 127.0.0.1 -p "$PORT" -t 1 >"$LIVE_DIR/memcached.log" 2>&1 &
	server_started memcached $!
}

start_mosquitto() {
	PORT=$(free_port)
	printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$PORT" >"$LIVE_DIR/mosquitto.conf"
	mosquitto -c "$LIVE_DIR/mosquitto.conf" >"$LIVE_DIR/mosquitto.log" 2>&1 &
	server_started mosquitto $!
}

# Clients of the server of kinds, watched from before their connections on.
watch_kinds() { # REPORT-OPTIONS KIND=CONNECTIONS...
	local options="$1"

	shift
	# shellcheck disable=SC2086 # words
	scope_start report --json $options -p "$SERVER_PID"
	python3 tests/live/traffic_client.py "$PORT" "$SECONDS_LONG" "$@" >"$LIVE_DIR/seen.json"
	await_connections 0
	scope_stop
}

seen() { # FILTER
	jq -r "$1" "$LIVE_DIR/seen.json"
}

beside_requests() {
	local live

	watch_kinds "-o $LIVE_DIR/mixed.cap" q=4 n=2
	expect_traffic 'notes and news beside requests' "$(seen .q.requests)" 4 0 2
	expect_jq 'notes and news beside requests: P99 is that of the clients' "$SCOPE_OUT" \
		".exchanges.latency_ns.p99 <= 2 * $(seen .q.p99_ns)" .exchanges.latency_ns
	live=$(scope_jq .traffic)
	scope_run report --json -i "$LIVE_DIR/mixed.cap"
	expect_eq 'notes and news: a capture tells the same' "$live" "$(scope_jq .traffic)"
	scope_run conns --json -i "$LIVE_DIR/mixed.cap"
	expect_eq 'notes and news: connections have their kind' '4 2' "$(jq -rs \
		'"\(map(select(.kind == "request-response")) | length) \(map(select(.kind == "one-way")) | length)"' \
		"$SCOPE_OUT")"
}

streamed() {
	watch_kinds '' s=3
	expect_traffic 'streamed answers' "$(seen .s.requests)" 3 0 0
}

read_early() {
	watch_kinds '' e=3
	expect_traffic 'requests read early' 0 0 3 0
	expect_jq 'requests read early: reads while an answer was due' "$SCOPE_OUT" \
		'.reads_while_due > 0' .reads_while_due
}

# Once on each connection, which stays what it is.
read_early_once() {
	watch_kinds '' H=5
	expect_traffic 'one request read early' 5 5 0 0
	expect_jq 'one request read early: what is due is served since its own read' "$SCOPE_OUT" \
		'[.exchanges.stages[] | select(.stage == "receive" or .stage == "service") |
			[.stage, .count, .sum_ns >= 5 * 30000000]] ==
			[["receive", 0, false], ["service", 5, true]]' .exchanges.stages
}

# The handshake is an exchange; frames are none.
frames() {
	watch_kinds '' G=3
	expect_traffic 'websocket frames' 3 0 0 3
	expect_protocol 'websocket frames' one-way websocket 3
}

multiplexed() {
	scope_start report --json -p "$SERVER_PID"
	expect_ok 'HTTP/2 client' node tests/live/http2_client.js "$PORT" 1000
	await_connections 0
	scope_stop
	expect_traffic HTTP/2 0 0 2 0
	expect_protocol HTTP/2 overlapping http/2 2
	expect_jq 'HTTP/2: a lower bound of the latency' "$SCOPE_OUT" \
		'.traffic[1].latency_ns.p50 > 0' .traffic
}

redis() { # ARGS...
	redis-cli -p "$PORT" "$@" >/dev/null
}

all_news() {
	[ "$(grep -c hello "$LIVE_DIR/news")" = 20 ]
}

published() {
	scope_start report --json -p "$SERVER_PID"
	redis-cli -p "$PORT" subscribe news >"$LIVE_DIR/news" &
	SUBSCRIBER=$!
	started "$SUBSCRIBER"
	await 5 grep -q subscribe "$LIVE_DIR/news"
	redis -r 20 publish news hello
	await 5 all_news
	scope_stop
	expect_traffic 'redis: published' 21 1 0 1
	expect_protocol 'redis: published' one-way redis 1
	end "$SUBSCRIBER"
}

replica_is_up() {
	redis-cli -p "$REPLICA_PORT" info replication | grep -q master_link_status:up
}

replicated() {
	REPLICA_PORT=$(free_port)
	redis-server --bind 127.0.0.1 --port "$REPLICA_PORT" --save '' --dir "$LIVE_DIR" \
		--replicaof "127.0.0.1 $PORT" >"$LIVE_DIR/replica.log" 2>&1 &
	REPLICA=$!
	started "$REPLICA"
	await 20 replica_is_up
	scope_start report --json -p "$SERVER_PID"
	redis -r 200 -i 0.015 set key value
	scope_stop
	expect_traffic 'redis: replicated' 200 1 0 1
	expect_protocol 'redis: replicated' one-way redis 1
	end "$REPLICA"
}

cached() {
	local i

	scope_start report --json -p "$SERVER_PID"
	exec 7<>"/dev/tcp/127.0.0.1/$PORT"
	for i in {1..50}; do
		printf 'get key%s\r\n' "$i" >&7
		read -r _ <&7
	done
	exec 7>&-
	await_connections 0
	scope_stop
	expect_traffic memcached 50 1 0 0
	expect_protocol memcached request-response memcached 1
}

messages() {
	local qos="$1" i

	scope_start report --json -p "$SERVER_PID"
	mosquitto_sub -p "$PORT" -q "$qos" -t t -C 40 >"$LIVE_DIR/messages" &
	SUBSCRIBER=$!
	started "$SUBSCRIBER"
	await 5 no_fewer_than 1 "$PORT"
	sleep 0.3
	for i in {1..40}; do
		echo "message $i"
		sleep 0.03
	done | mosquitto_pub -p "$PORT" -q "$qos" -t t -l
	ended "$SUBSCRIBER"
	await_connections 0
	scope_stop
	expect_traffic "MQTT, QoS $qos" 0 0 0 2
	expect_protocol "MQTT, QoS $qos" one-way mqtt 2
}

no_fewer_than() { # CONNECTIONS PORT
	[ "$(connections_on "$2")" -ge "$1" ]
}

with_server kinds beside_requests
with_server kinds streamed
with_server kinds read_early
with_server kinds read_early_once
with_server kinds frames
with_server http2 multiplexed
with_server redis published
with_server redis replicated
with_server memcached cached
if command -v mosquitto >/dev/null; then
	with_server mosquitto messages 0
	with_server mosquitto messages 1
else
	skip MQTT 'needs mosquitto'
fi
finish
