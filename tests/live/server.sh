#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# server.sh - epollserver itself: its parts, its modes, and clients of all manners; see server_faults.sh.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

PARTS=$BUILD/tests/server

odd() { # KIND
	expect_ok "client $1" timeout 20 python3 tests/server/clients.py "$1" "$PORT"
}

# --- parts ---

build_part() { # OUT SOURCE FLAGS...
	local out=$PARTS/$1 source=$2

	shift 2
	mkdir -p "$PARTS"
	${PART_CC:-${CC:-cc}} -std=gnu11 -D_GNU_SOURCE= -g -O2 -I. -pthread "$@" -o "$out" "$source" ||
		fail "build $source" "expected it to compile"
}

test_parts() {
	build_part test_ring tests/server/test_ring.c
	build_part test_ring_tsan tests/server/test_ring.c -fsanitize=thread
	build_part test_push tests/server/test_push.c -fsanitize=address,undefined
	PART_CC=clang-14 build_part fuzz_push tests/fuzz/fuzz_push.c \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
	expect_results '' "$PARTS/test_ring"
	expect_results '' "$PARTS/test_push"
	expect_ok 'ring under the thread sanitizer' "$PARTS/test_ring_tsan" 50000
	mkdir "$LIVE_DIR/corpus"	# what it finds of interest; what crashes stays in build/
	expect_ok 'push decoder, 300,000 fuzzed inputs' "$PARTS/fuzz_push" -runs=300000 -seed=1 \
		-max_len=20000 -artifact_prefix="$PARTS/" "$LIVE_DIR/corpus" tests/fuzz/push
}

# --- modes ---

# 1,000 requests on kept connections, 100 on new ones, nothing lost, nothing left.
test_mode() { # OPTIONS...
	local failed

	start_epollserver --protocol http "$@"
	failed=$(ab -q -k -n 1000 -c 10 "http://127.0.0.1:$PORT/" | sed -n 's/^Failed requests: *//p')
	expect_eq "mode $*: failed" 0 "$failed"
	failed=$(ab -q -n 100 -c 10 "http://127.0.0.1:$PORT/" | sed -n 's/^Failed requests: *//p')
	expect_eq "mode $*: failed, a connection each" 0 "$failed"
	await_connections 0
	stop_server
	expect_eq "mode $*: exchanges, open" '1100 0' "$(stat_of messages) $(stat_of open)"
}

test_modes() {
	local trigger share

	for trigger in level edge oneshot; do
		for share in reuseport shared exclusive handoff; do
			test_mode --trigger $trigger --listen $share --loops 3
		done
		test_mode --trigger $trigger --workers processes --loops 2
	done
	test_mode --workers processes --loops 2 --listen exclusive
	test_mode --listen handoff --handoff least --loops 3
	test_mode --listen handoff --handoff weighted --loops 3
	test_mode --backend poll
	test_mode --backend select --loops 2
	expect_ok 'help' "$EPOLLSERVER" --help
	expect_ok 'a wrong command line' eval "$EPOLLSERVER --loops 0; [ \$? = 64 ]"
}

# In turn, each loop gets its share to one.
test_round_robin() {
	start_epollserver --listen handoff --loops 4
	client --requests 40 --connections 40 >/dev/null
	await_connections 0
	stop_server
	expect_eq 'round robin: connections of each loop' '10 10 10 10' "$(sed -nE \
		's/^stats loop=[0-9]+ .* accepted=([0-9]+) .*/\1/p' "$LIVE_DIR/epollserver.log" | xargs)"
	expect_eq 'round robin: of the acceptor, handed over, accepted' '40 0' \
		"$(stat_of handed acceptor) $(stat_of accepted acceptor)"
}

test_ipv6() {
	start_epollserver --protocol http --address ::1
	expect_eq 'IPv6' ok "$(curl -s "http://[::1]:$PORT/")"
	stop_server
}

keepalive_timers() {
	ss -Hto state established "sport = :$PORT" | grep -c keepalive
}

test_keepalive() {
	local option

	for option in '60 3' '0 0'; do
		start_epollserver --keepalive "${option% *}"
		client_hold --connections 3 --requests 3
		expect_eq "TCP keep-alive ${option% *}: sockets with a timer" "${option#* }" \
			"$(keepalive_timers)"
		client_go
		client_wait
		stop_server
	done
}

# --- clients ---

with_nc() { # NAME FIRST_LINE REQUEST
	if ! command -v nc >/dev/null; then
		skip "$1" 'needs netcat-openbsd'
		return
	fi
	# shellcheck disable=SC2059 # the request is the format
	expect_eq "$1" "$2" "$(printf "$3" | timeout 5 nc -N 127.0.0.1 "$PORT" | head -n 1 | tr -d '\r')"
}

test_tools() { # OPTIONS...
	local out url

	head -c 3000000 /dev/urandom >"$LIVE_DIR/file"
	start_epollserver --protocol http --loops 2 --file "$LIVE_DIR/file" "$@"
	url=http://127.0.0.1:$PORT/
	expect_eq "curl $*" ok "$(curl -s "$url")"
	expect_eq "curl two in one $*" "ok ok" "$(curl -s "$url" "$url" | xargs)"
	expect_eq "curl posts a megabyte $*" ok "$(head -c 1000000 /dev/zero |
		curl -s --data-binary @- "$url")"
	curl -s "${url}file" >"$LIVE_DIR/got"
	expect_ok "curl gets a file $*" cmp "$LIVE_DIR/file" "$LIVE_DIR/got"
	with_nc "nc $*" 'HTTP/1.1 200 OK' 'GET / HTTP/1.0\r\n\r\n'
	expect_eq "ab $*" 2000 "$(ab -q -k -n 2000 -c 20 "$url" |
		sed -n 's/^Complete requests: *//p')"
	expect_eq "hey $*" '[200] 2000 responses' "$(hey -n 2000 -c 20 "$url" |
		grep responses | xargs)"
	out=$(wrk -t 1 -c 20 -d 1 "$url")
	expect_eq "wrk $*" 0 "$(grep -cE 'Socket errors|Non-2xx' <<<"$out")"
	odd half-closed
	odd reset
	odd garbage
	odd slow-sender
	odd slow-reader
	odd talks-on
	expect_eq "curl after all that $*" ok "$(curl -s "$url")"
	await_connections 0
	stop_and_expect "clients $*" open 0
}

test_idle() {
	start_epollserver --protocol http --idle 500
	odd half-open
	odd active
	stop_and_expect 'half-open client, and one that is not idle' idle_closed 1
}

test_echo_nc() {
	start_epollserver
	with_nc 'echo with nc' hello 'hello\n'
	stop_server
}

# The third is one too many: told by what its protocol has for that.
test_max_connections() {
	local protocol

	for protocol in echo http push; do
		start_epollserver --protocol $protocol --max-connections 2
		odd "third-$protocol"
		await_connections 0
		stop_and_expect "max-connections $protocol" refused 1
	done
}

# More than one send takes, several times over.
test_push_large() {
	start_epollserver --protocol push "$@"
	load --protocol push --closed --requests 500 --size 16000 --pipeline 40 --timeout 2s
	stop_server
	expect_eq "push, large $*: answered, admitted, delivered, dropped" '500 500 500 0' \
		"$(load_jq .requests.answered) $(stat_of admitted) $(stat_of delivered) $(stat_of dropped)"
}

test_push() { # OPTIONS...
	start_epollserver --protocol push "$@"
	odd push
	await_connections 0
	stop_and_expect "push $*" open 0
}

test_push_ends() {
	local client

	start_epollserver --protocol push --heartbeat 200
	odd push-silent
	stop_and_expect 'push heartbeats' idle_closed 1
	start_epollserver --protocol push --rate 10 --burst 5 --queue 0
	odd push-refused
	stop_server
	start_epollserver --protocol push
	python3 tests/server/clients.py push-bye "$PORT" >"$LIVE_DIR/bye" &
	await 5 grep -q ready "$LIVE_DIR/bye"
	client=$!
	stop_server
	wait "$client"
	expect_eq 'push: BYE at the end' 0 $?
}

# --- memory, statistics, end ---

# Of so many connections which say nothing; resident memory shows that nothing was forgotten.
test_memory() { # PROTOCOL
	local n=4000 before memory

	start_epollserver --protocol "$1" --heartbeat 0
	mkfifo "$LIVE_DIR/idle.in"
	python3 tests/server/clients.py "idle-$1" "$PORT" $n <"$LIVE_DIR/idle.in" >"$LIVE_DIR/idle" &
	exec {IDLE_FD}>"$LIVE_DIR/idle.in"
	await 10 grep -q first "$LIVE_DIR/idle"
	before=$(resident)
	echo >&"$IDLE_FD"
	await 20 grep -q all "$LIVE_DIR/idle"
	ask_stats
	memory=$(stat_of memory_bytes)
	expect_between "memory of an idle connection, $1" 1 128 $((memory / n))
	expect_eq "memory at the peak, $1" $((memory / n)) "$(stat_of bytes_per_connection)"
	expect_between "resident memory, $1: no more than is told and 64 KiB" 1 $((memory + 65536)) \
		$(($(resident) - before))
	exec {IDLE_FD}>&-
	await_connections 0
	stop_and_expect "memory at the end, $1" memory_bytes 0
	rm "$LIVE_DIR/idle.in"
}

resident() {
	awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$SERVER_PID/status"
}

test_statistics() {
	local n=2000

	start_epollserver --size 64
	client_hold --connections $n --requests $n
	ask_stats
	expect_eq 'SIGUSR1: open, messages, bytes' "$n $n $((n * 64))" \
		"$(stat_of open) $(stat_of messages) $(stat_of bytes_in)"
	client_go
	client_wait
	stop_server
}

# A connection whose request was read.
has_request() {
	ss -Htin state established "sport = :$PORT" | xargs | grep -qE '^0 .* bytes_received:[1-9]'
}

# A request under way is answered, new connections are not taken.
test_shutdown() {
	local client

	start_epollserver --protocol http --fault sleep=2s
	curl -s "http://127.0.0.1:$PORT/" >"$LIVE_DIR/answer" &
	client=$!
	await 5 has_request
	sleep 0.5	# it is in the handler
	kill -TERM "$SERVER_PID"
	wait $client
	expect_eq 'shutdown: the client is served' '0 ok' "$? $(cat "$LIVE_DIR/answer")"
	ended "$SERVER_PID"
	expect_eq 'shutdown: exit status' 0 $?
}

# The others end in order, their clients are served to the end; a line says why.
test_worker_dies() {
	local workers

	start_epollserver --protocol http --workers processes --loops 3
	read -ra workers < <(cat /proc/"$SERVER_PID"/task/*/children)
	kill -KILL "${workers[1]}"
	ended "$SERVER_PID"
	expect_eq 'a worker dies: exit status' 1 $?
	expect_eq 'a worker dies: what is said' \
		"epollserver: worker 1 (pid ${workers[1]}) was killed by signal 9" \
		"$(grep -a '^epollserver' "$LIVE_DIR/epollserver.log")"
	expect_ok 'a worker dies: the others have ended' gone "${workers[0]}"
	expect_eq 'a worker dies: nobody listens' '' "$(ss -Hltn "sport = :$PORT")"
}

# Ctrl-C reaches the workers too: they end in order all the same.
test_worker_interrupted() {
	start_epollserver --protocol http --workers processes --loops 2
	# shellcheck disable=SC2046
	kill -TERM "$SERVER_PID" $(cat /proc/"$SERVER_PID"/task/*/children)
	ended "$SERVER_PID"
	expect_eq 'all are told to end: exit status' 0 $?
}

# One that waits for its token is served before the end too.
test_shutdown_queued() {
	local clients=() url

	start_epollserver --protocol http --rate 1 --burst 1 --queue 5
	url=http://127.0.0.1:$PORT/
	for _ in 1 2 3; do
		curl -s "$url" >>"$LIVE_DIR/answers" &
		clients+=($!)
	done
	sleep 0.6	# all have asked, and the second token is not there yet
	kill -TERM "$SERVER_PID"
	wait "${clients[@]}"
	ended "$SERVER_PID"
	expect_eq 'shutdown: those in line are served' '2 ok ok ok' \
		"$(stat_of queued) $(xargs <"$LIVE_DIR/answers")"
}

# --- overload ---

# Ten times the --rate, open loop, for 2 s: who is admitted has waited for queue / rate, 100 ms, at
# most, whatever comes; four times that is the bound. Unbounded, it would wait for most of 18 s.
test_ten_times() { # PROTOCOL
	start_epollserver --protocol "$1" --rate 1000 --burst 10 --queue 100
	watch_machine
	load --protocol "$1" --rate 10k --requests 20000 --connections 400
	stop_server
	expect_eq "ten times the rate, $1: sent, lost, unsent" '20000 0 0' \
		"$(load_jq '.requests | "\(.sent) \(.lost) \(.unsent)"')"
	expect_eq "ten times the rate, $1: admitted, refused, and their sum" \
		"$(load_jq '.requests | "\(.answered) \(.refused) \(.sent)"')" \
		"$(stat_of admitted) $(stat_of refused) $(($(stat_of admitted) + $(stat_of refused)))"
	expect_between "ten times the rate, $1: admitted by the bucket" \
		"$(load_jq '.seconds * 500 | floor')" \
		"$(load_jq '10 + 100 + .seconds * 1000 | ceil')" "$(stat_of admitted)"
	expect_between "ten times the rate, $1: waited" 1 "$(stat_of admitted)" "$(stat_of queued)"
	expect_undisturbed "ten times the rate, $1: P99 of the admitted, ns" 0 400000000 \
		"$(load_jq .latency_ns.p99)"
}

test_parts
test_modes
test_round_robin
test_ipv6
test_keepalive
test_max_connections
test_tools
test_tools --trigger edge
test_tools --trigger oneshot --workers processes
test_idle
test_echo_nc
test_push
test_push --loops 3 --trigger edge --listen handoff
test_push --loops 2 --trigger oneshot --batch 1
test_push_ends
test_push_large
test_push_large --trigger edge --loops 2 --fault small-writes=1000,every=3
test_memory echo
test_memory push
test_statistics
test_shutdown
test_shutdown_queued
test_worker_dies
test_worker_interrupted
test_ten_times http
test_ten_times push
finish
