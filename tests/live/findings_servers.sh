#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# findings_servers.sh - servers that are not ours, each with a well-known trouble: the report names
# its cause.
# limit: 200
# shellcheck disable=SC2317,SC2119 # cases are called by name
. tests/live/lib.sh
. tests/live/lib_findings.sh
live_init
build_go slow_lock
findings_init

MS=1000000

# --- redis ---

# GETs at an even rate beside one connection that asks for trouble, ten times a second.
beside_gets() { # REQUEST...
	odd_client pace "$PORT" 10 2 "$@" &
	odd_client pace "$PORT" 500 2 'GET k'
	wait $!
}

redis() { # REQUEST...
	PORT=$(free_port)
	"${ON_SERVER_CPU[@]}" redis-server --bind 127.0.0.1 --port "$PORT" --save '' \
		--appendonly no --enable-debug-command yes --dir "$LIVE_DIR" >"$LIVE_DIR/redis.log" &
	server_started redis $!
	redis-cli -p "$PORT" debug populate "${KEYS:-10}" >/dev/null
	redis-cli -p "$PORT" set k v >/dev/null
	redis-cli -p "$PORT" config set slowlog-log-slower-than 2000 >/dev/null
	redis-cli -p "$PORT" slowlog reset >/dev/null
	watch_it
	beside_gets "$@"
	scope_stop
	INJECTED=$(slowest_command)
	stop_server
}

# What redis itself measured, in ns.
slowest_command() {
	redis-cli -p "$PORT" --json slowlog get 100 | jq '[.[][2]] | max * 1000'
}

LUA='local n = 0 for i = 1, 1500000 do n = n + i end return n'

test_redis() {
	TRIES=2 fault 'redis DEBUG SLEEP 0.03' blocking-call blocked_max_ns 0 redis 'DEBUG SLEEP 0.03'
	also_word 'redis DEBUG SLEEP 0.03' blocking-call call clock_nanosleep
	TRIES=2 fault 'redis Lua script' loop-blocked handler_max_ns 0 redis "EVAL '$LUA' 0"
	KEYS=200000 TRIES=2 fault 'redis KEYS of 200,000' loop-blocked handler_max_ns 0 \
		redis 'KEYS nothing*'
}

also_word() { # NAME CODE KEY WORD
	[[ $1 =~ ${FINDINGS:-.} ]] || return
	expect_eq "$1: $2, $3" "$4" "$(evidence "$2" "$3")"
}

# --- node: a synchronous hash in one handler ---

node_hash() {
	server_with_port node "${ON_SERVER_CPU[@]}" node tests/live/servers/slow_hash.js
	load --protocol http --closed --connections 8 --duration 300ms
	watch_it
	load --protocol http --rate 400 --connections 20 --duration 2s
	watched
	INJECTED=$(sed -n 's/^hash //p' "$LIVE_DIR/node.log" | tail -n 1)
}

# --- Go: a lock held across a slow call; goroutines wait without a system call ---

go_lock() {
	server_with_port go "${ON_SERVER_CPU[@]}" "$LIVE/slow_lock"
	watch_it
	load --protocol http --rate 500 --connections 20 --duration 2s
	watched
}

# --- nginx before a server that stalls ---

nginx_upstream() {
	local upstream upstream_pid

	server_with_port upstream "${ON_SERVER_CPU[@]}" "$SERVER" --protocol http \
		--fault sleep=40ms,every=50
	upstream=$PORT upstream_pid=$SERVER_PID
	PORT=$(free_port)
	nginx_conf 1 | sed "s,return 200 .*;,proxy_pass http://127.0.0.1:$upstream;," \
		>"$LIVE_DIR/nginx.conf"
	nginx -p "$LIVE_DIR" -c "$LIVE_DIR/nginx.conf" 2>"$LIVE_DIR/nginx.out" &
	server_started nginx $!
	watch_it
	load --protocol http --rate 300 --connections 20 --duration 2s
	watched
	kill -TERM "$upstream_pid"
	wait "$upstream_pid"
	forget "$upstream_pid"
}

test_redis
TRIES=2 fault 'node, pbkdf2Sync' loop-blocked handler_max_ns 0 node_hash
TRIES=2 fault 'Go, lock across 20 ms' slow-service service_p99_ns $((20 * MS)) go_lock
TRIES=2 fault 'nginx, upstream stalls 40 ms' slow-upstream upstream_max_ns $((40 * MS)) nginx_upstream
print_rows 'server, trouble | first finding | injected -> found | others'
finish
