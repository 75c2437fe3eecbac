#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# findings_servers.sh - servers that are not ours, each with a well-known trouble: the report names
# its cause.
# limit: 200
# shellcheck disable=SC2034 # what the table uses
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init
. tests/live/lib_findings.sh
build_go slow_lock

MS=1000000
HTTP='load --protocol http --connections 20 --duration 2s --rate'
HOLD_US=25000	# of a trouble that computes, whatever the processor's speed: over twice the rule's 10 ms

# What takes longer than 2 ms is in its own log then.
redis() { # KEYS
	start_redis --enable-debug-command yes
	redis-cli -p "$PORT" debug populate "$1"
	redis-cli -p "$PORT" set k v
	redis-cli -p "$PORT" config set slowlog-log-slower-than 2000
	redis-cli -p "$PORT" slowlog reset
} >/dev/null

# The shortest of three runs of a command that takes more than 2 ms, in us, by redis' own log.
took_us() { # COMMAND...
	for _ in 1 2 3; do
		redis-cli -p "$PORT" "$@" >/dev/null
		redis-cli -p "$PORT" --json slowlog get 1 | jq '.[0][2]'
	done | sort -n | head -n 1
}

lua_of() { # ROUNDS
	LUA="local n = 0 for i = 1, $1 do n = n + i end return n"
}

# A script that computes for HOLD_US.
long_script() {
	lua_of 3000000
	lua_of $((3000000 * HOLD_US / $(took_us eval "$LUA" 0)))
	redis-cli -p "$PORT" slowlog reset >/dev/null
}

# So many keys that to look at them all takes HOLD_US.
many_keys() {
	redis-cli -p "$PORT" debug populate $((200000 * HOLD_US / $(took_us keys 'nothing*')))
	redis-cli -p "$PORT" slowlog reset
} >/dev/null

# GETs at an even rate beside one connection that asks for trouble, ten times a second. What redis
# measured of the slowest, in ns, is what is to be found.
beside_gets() { # REQUEST
	odd_client pace "$PORT" 10 2 "$1" &
	odd_client pace "$PORT" 500 2 'GET k'
	wait $!
	MEASURED=$(redis-cli -p "$PORT" --json slowlog get 100 | jq '[.[][2]] | max * 1000')
}

# A synchronous hash in one handler.
node_hash() {
	# shellcheck disable=SC2086 # words
	server_with_port node $ON_SERVER_CPU node tests/live/servers/slow_hash.js
	load --protocol http --closed --connections 8 --duration 300ms
}

longest_hash() {
	sed -n 's/^hash //p' "$LIVE_DIR/node.log" | tail -n 1
}

stalling_upstream() {
	start_epollserver --protocol http --fault sleep=40ms,every=50
	AFTER="end $SERVER_PID"
	start_nginx 1 "$PORT"
}

# A lock of Go's is held across a slow call: goroutines wait for it without a system call.
faults 'server, trouble | first finding | injected -> found | others' <<-'END'
	redis DEBUG SLEEP 0.03 | redis 10 | | beside_gets 'DEBUG SLEEP 0.03' | \
		blocking-call | blocked_max_ns | $MEASURED | 2 | blocking-call call clock_nanosleep
	redis Lua script | redis 10; long_script | | beside_gets "EVAL '$LUA' 0" | \
		loop-blocked | handler_max_ns | $MEASURED | 2
	redis KEYS of a large set | redis 200000; many_keys | | beside_gets 'KEYS nothing*' | \
		loop-blocked | handler_max_ns | $MEASURED | 2
	node, pbkdf2Sync | node_hash | | $HTTP 400 | \
		loop-blocked | handler_max_ns | $(longest_hash) | 2
	Go, lock across 20 ms | server_with_port go $ON_SERVER_CPU $LIVE/slow_lock | | $HTTP 500 | \
		idle-wait | idle_max_ns | $((20 * MS)) | 2
	nginx, upstream stalls 40 ms | stalling_upstream | | $HTTP 300 | \
		slow-upstream | upstream_max_ns | $((40 * MS)) | 2
END
finish
