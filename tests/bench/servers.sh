#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# servers.sh - epollserver beside nginx and redis, in turns, one core for the server, one for the load.
#
#   tests/bench/servers.sh [TURNS [SECONDS]]
#
# HTTP: wrk gets "ok\n"; nginx is configured to return just that. Lines: tests/live/client sends
# "PING\r\n"; redis answers "+PONG\r\n", epollserver echoes the line. Each pair has the same load;
# nginx and redis do far more than epollserver with it. At the end, epollserver alone at its targets.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/bench/lib.sh
live_init

TURNS=${1:-5}
SECONDS_EACH=${2:-2}
CONNECTIONS=50
LINES=$((SECONDS_EACH * 100000))

start_pair() {
	start_nginx 1
	NGINX="$SERVER_PID $PORT"
	start_epollserver --protocol http
	HTTP="$SERVER_PID $PORT"
	start_redis
	REDIS="$SERVER_PID $PORT"
	start_epollserver --protocol echo
	ECHO="$SERVER_PID $PORT"
}

http() { # NAME PID PORT
	measure "$1" "$2" load_wrk "$3" $CONNECTIONS "$SECONDS_EACH"
}

lines() { # NAME PID PORT BYTES
	measure "$1" "$2" load_line "$3" $CONNECTIONS $LINES PING "$4"
}

echoes() { # NAME PID PORT DEPTH
	measure "$1" "$2" load_epollload "$3" --duration "${SECONDS_EACH}s" --size 64 \
		--connections $CONNECTIONS --pipeline "$4"
}

# shellcheck disable=SC2086
one_turn() {
	http nginx $NGINX
	http 'epollserver, HTTP' $HTTP
	lines redis $REDIS 7
	lines 'epollserver, echo' $ECHO 6
	echoes 'epollserver, echo 64 B' $ECHO 1
	echoes 'epollserver, echo 64 B, depth 64' $ECHO 64
}

start_pair
one_turn
rm "$LIVE_DIR"/*.turns	# to warm up
for ((turn = 0; turn < TURNS; turn++)); do
	one_turn
done
echo "$TURNS turns, alternated, medians; $CONNECTIONS connections, closed loop, one worker"
heading 'HTTP, "ok\n", by wrk'
row nginx
row 'epollserver, HTTP'
heading '"PING\r\n" by tests/live/client'
row redis
row 'epollserver, echo'
heading 'alone, by epollload'
row 'epollserver, echo 64 B'
row 'epollserver, echo 64 B, depth 64'
bench_finish
