#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# counts.sh - counts are equal, not close: exchanges and connections against what generators sent.
#
# epollscope attaches by pid to a server that serves already: HELD connections are open and used
# once before, and carry HELD_REQUESTS more while it watches, beside the generator's N.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

N=20000
CONNECTIONS=20
HELD=5
HELD_REQUESTS=1000

# What redis-benchmark adds by itself: a connection that asks CONFIG GET save and appendonly in
# one send (so one exchange), before the C connections of the run.
REDIS_BENCHMARK_EXTRA_CONNECTIONS=1
REDIS_BENCHMARK_EXTRA_EXCHANGES=1

# ab opens exactly C connections and sends exactly N. hey sends exactly N when C divides it, but
# opens spare connections when none is idle at the moment: the server's own count tells how many.
# wrk sends what it can: nginx's count tells. Asking nginx for its count is itself one connection
# with one request, which its answer includes.
STATUS_ITSELF=1

attach_to_serving() { # CLIENT OPTIONS...
	client_hold --connections $HELD --requests $HELD_REQUESTS "$@"
	await_connections $HELD
	scope_start report --json -p "$SERVER_PID"
}

let_go() {
	client_go
	client_wait
	await_connections 0
	scope_stop
}

check() { # NAME EXCHANGES OPENED
	local reported

	reported=$(scope_jq '[.exchanges.count, .connections.opened, .connections.closed,
		.connections.preexisting, .connections.active] | join(" ")')
	expect_eq "$1: exchanges, opened, closed, preexisting, active" \
		"$(($2 + HELD_REQUESTS)) $3 $(($3 + HELD)) $HELD 0" "$reported"
	expect_jq "$1: every exchange has a service" "$SCOPE_OUT" \
		'[.exchanges.stages[] | select(.stage == "service") | .count] == [.exchanges.count]' \
		'.exchanges.stages'
	expect_no_loss "$1"
}

# "connections requests" of nginx so far, this question left out.
nginx_count() {
	curl -s "http://127.0.0.1:$PORT/status" |
		awk -v itself=$STATUS_ITSELF 'NR == 3 { print $1 - itself, $3 - itself }'
}

# Exchanges whose answer found the connection gone: nginx counted the request, no byte was taken.
nginx_broken() {
	grep -cE '(send|writev|sendfile)\(\) failed' "$LIVE_DIR/nginx.log"
}

# The two counts lie outside of the watched time; the first question itself must be left out.
nginx_case() { # NAME COMMAND...
	local name=$1 before after broken

	shift
	broken=$(nginx_broken)
	read -ra before < <(nginx_count)
	client_hold --connections $HELD --requests $HELD_REQUESTS --http
	await_connections $HELD
	scope_start report --json -p "$SERVER_PID"
	"$@" "http://127.0.0.1:$PORT/" >"$LIVE_DIR/generator.out" 2>&1
	let_go
	read -ra after < <(nginx_count)
	GENERATED_CONNECTIONS=$((after[0] - before[0] - STATUS_ITSELF - HELD))
	GENERATED=$((after[1] - before[1] - STATUS_ITSELF - HELD - HELD_REQUESTS))
	broken=$(($(nginx_broken) - broken))
	check "$name" $((GENERATED - broken)) $GENERATED_CONNECTIONS
}

test_nginx() {
	start_nginx 2
	nginx_case 'nginx hey' hey -n $N -c $CONNECTIONS
	expect_eq 'nginx hey: requests' $N "$GENERATED"
	nginx_case 'nginx ab' ab -q -k -n $N -c $CONNECTIONS
	expect_eq 'nginx ab: requests, connections' "$N $CONNECTIONS" \
		"$GENERATED $GENERATED_CONNECTIONS"
	nginx_case 'nginx wrk' wrk -t 1 -c $CONNECTIONS -d 1s
	stop_server
}

test_redis() {
	start_redis
	attach_to_serving --line PING --size 7
	redis-benchmark -p "$PORT" -n $N -c $CONNECTIONS -t get -q >"$LIVE_DIR/generator.out"
	let_go
	check 'redis redis-benchmark' $((N + REDIS_BENCHMARK_EXTRA_EXCHANGES)) \
		$((CONNECTIONS + REDIS_BENCHMARK_EXTRA_CONNECTIONS))
	stop_server
}

# Servers that write "connections C requests R" when they end.
test_counting() { # NAME
	local count

	"start_$1"
	attach_to_serving --http
	hey -n $N -c $CONNECTIONS "http://127.0.0.1:$PORT/" >"$LIVE_DIR/generator.out" 2>&1
	let_go
	stop_server
	read -ra count <"$LIVE_DIR/$1.count"
	expect_eq "$1 hey: requests" $N $((count[3] - HELD - HELD_REQUESTS))
	check "$1 hey" $N $((count[1] - HELD))
}

test_echo() { # NAME SERVER OPTIONS...
	local name=$1

	shift
	start_echo "$@"
	attach_to_serving
	client --connections $CONNECTIONS --requests $N >"$LIVE_DIR/generator.out"
	let_go
	expect_eq "$name: answers" $N "$(jq .answers "$LIVE_DIR/generator.out")"
	check "$name" $N $CONNECTIONS
	stop_server
}

# Attached in the middle of the load: all connections are met at work, by whichever hook comes first.
test_under_load() {
	local seen

	start_echo --loops 2
	client_hold --connections $CONNECTIONS --requests $((N * 10))
	client_go
	scope_start report --json -p "$SERVER_PID"
	client_wait
	await_connections 0
	scope_stop
	seen=$(scope_jq .exchanges.count)
	expect_between 'under load: exchanges' 1 $((N * 10)) "$seen"
	expect_eq 'under load: preexisting, closed, opened, active, client exchanges' \
		"$CONNECTIONS $CONNECTIONS 0 0 0" \
		"$(scope_jq '"\(.connections.preexisting) \(.connections.closed) " +
			"\(.connections.opened) \(.connections.active) \(.client.count)"')"
	# A thread is known as a loop from its first wait: its turn at the attach belongs to none yet.
	expect_between 'under load: exchanges of the loops' $((seen - CONNECTIONS)) "$seen" \
		"$(scope_jq '[.loops[].exchanges] | add')"
	expect_few_skipped 'under load' "$seen"
	stop_server
}

test_nginx
test_redis
test_counting node
test_counting go
test_echo 'echo level'
test_echo 'echo edge, 2 loops' --edge --loops 2
test_echo 'echo poll' --poll
test_echo 'echo blocking' --blocking
test_under_load
finish
