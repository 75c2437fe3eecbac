#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# findings.sh - faults against findings: each fault is named first, in its measure, and nothing else
# is called severe; twenty healthy servers are told nothing.
# limit: 400
# shellcheck disable=SC2317 # cases are called by name
. tests/live/lib.sh
. tests/live/lib_findings.sh
live_init
findings_init
build_go go_server

MS=1000000

# --- faults of epollserver ---

# A request in a hundred is hit while 20 connections ask.
http_fault() { # FAULT OPTIONS...
	serve --protocol http --fault "$@"
	watch_it
	load --protocol http --rate 500 --connections 20 --duration 2s
	watched
}

# How long it takes is the disk's affair; half of that is the kernel's computing.
fsync_fault() {
	serve --protocol http --fault fsync=1000000,every=50
	watch_it --threshold tail=100us --threshold service=80%
	load --protocol http --rate 500 --connections 20 --duration 2s
	watched
}

# Each waits for 63 others: the client sees the same.
queue_fault() { # OPTIONS...
	busy_fault 64 "$@"
	INJECTED=$(load_jq .latency_ns.p50)
}

busy_fault() { # CONNECTIONS OPTIONS...
	serve --protocol http "${@:2}"
	watch_it
	load --protocol http --closed --connections "$1" --duration 1.5s
	watched
}

# All 200 come at once, each takes 1 ms: the last is accepted after all the others.
accept_one() {
	serve --protocol http --fault accept-one --fault slow-cpu=1ms
	watch_it
	load --protocol http --closed --conn-per-request --connections 200 --requests 200
	watched
}

accept_fault() { # OPTIONS...
	serve --protocol http "$@"
	watch_it
	load --protocol http --rate 200 --conn-per-request --connections 100 --duration 1.5s
	watched
}

undrained() {
	serve --trigger edge --fault undrained=16
	watch_it
	odd_client trickle "$PORT" 64 0.25 6
	watched
}

plain_fault() { # OPTIONS...
	serve "$@"
	watch_it
	load --rate 1000 --connections 8 --duration 1s
	watched
}

out_armed() {
	serve --fault out-armed
	watch_it
	load_held --rate 500 --connections 8 --duration 1s
	scope_stop
	end_load
	stop_server
}

# Who shares a processor with the one that accepts comes too late to be woken for nothing.
herd() {
	local ON_SERVER_CPU=(taskset -c "$ALL_CPUS")

	serve --fault herd --loops 4
	watch_it
	odd_client herd "$PORT" 150 0.005
	watched
}

# A loop that never wakes is not known as one: the second gets a connection or two.
unbalanced() {
	serve --protocol http --listen handoff --loops 2 --fault unbalanced,p=0.8 \
		--fault slow-cpu=1ms --truth "$LIVE_DIR/truth"
	watch_it --threshold imbalance-time=1s
	load --protocol http --rate 850 --connections 32 --duration 1.5s
	watched
	INJECTED=$(awk '{ n += $11 == 0 } END { print n / NR }' "$LIVE_DIR/truth")
	rm -f "$LIVE_DIR/truth"
}

small_writes() {
	serve --protocol http --answer 2000 --fault small-writes=100
	watch_it
	load --protocol http --closed --connections 8 --duration 1.5s
	watched
	INJECTED=$(load_jq .latency_ns.p50)
}

never_close() {
	serve --protocol http --fault never-close
	watch_it --threshold close-wait=500ms
	odd_client leave "$PORT" 5
	sleep 0.7	# the age is what is asked for
	watched
}

other_thread() {
	serve --protocol http --fault other-thread
	watch_it
	load --protocol http --rate 500 --requests 500 --connections 8
	watched
}

slow_drain() {
	serve --protocol http --answer 2000 --fault slow-drain=100ms
	watch_it
	load --protocol http --rate 200 --connections 40 --duration 1.5s
	watched
}

# --- faults from outside ---

hog() {
	serve --protocol http --fault slow-cpu=2ms
	"${ON_SERVER_CPU[@]}" sh -c 'while :; do :; done' &
	HOG=$!
	STARTED+=("$HOG")
	watch_it
	INJECTED=$(schedstat "$SERVER_PID" 2)
	load --protocol http --rate 200 --connections 20 --duration 2s
	INJECTED=$(($(schedstat "$SERVER_PID" 2) - INJECTED))
	scope_stop
	kill -KILL "$HOG"
	wait "$HOG" 2>/dev/null
	forget "$HOG"
	stop_server
}

# Version 1 or 2, where we may make one.
make_group() {
	local root
	local name=epollscope-test-$$

	for root in /sys/fs/cgroup /sys/fs/cgroup/cpu; do
		GROUP=$root/$name
		[ -e $root/cgroup.procs ] || continue
		mkdir "$GROUP" 2>/dev/null || continue
		{ echo 20000 >"$GROUP/cpu.cfs_quota_us" || echo '20000 100000' >"$GROUP/cpu.max"; } \
			2>/dev/null && return
		rmdir "$GROUP"
	done
	return 1
}

throttled_of() {
	sed -n 's/^nr_throttled //p' "$GROUP/cpu.stat"
}

# It wants a third of a processor, and may have a fifth.
quota() {
	make_group || return
	serve --protocol http --fault slow-cpu=1ms
	echo "$SERVER_PID" >"$GROUP/cgroup.procs"
	watch_it
	INJECTED=$(throttled_of)
	load --protocol http --rate 300 --connections 50 --duration 2s
	scope_stop
	INJECTED=$(($(throttled_of) - INJECTED))
	stop_server
	rmdir "$GROUP"
}

stopped() {
	serve --protocol http
	watch_it
	load --protocol http --rate 500 --connections 20 --duration 2s &
	INJECTED=$(odd_client stop "$SERVER_PID" 0.05 0.25 6)
	wait $!
	watched
}

# Clients in a network of their own, where each 20th of the segments with an answer does not arrive.
lossy() {
	local ns=epollscope-$$ near=es$(($$ % 100000))

	ip netns add "$ns"
	ip link add "$near" type veth peer name far netns "$ns"
	ip addr add 10.213.77.1/30 dev "$near"
	ip -n "$ns" addr add 10.213.77.2/30 dev far
	ip link set "$near" up
	ip -n "$ns" link set far up
	ip netns exec "$ns" iptables -A INPUT -p tcp -m length --length 1000: -m statistic \
		--mode nth --every 20 --packet 0 -j DROP
	serve --protocol http --answer 1000 --address 10.213.77.1
	watch_it
	ip netns exec "$ns" "$LOAD" --json --spin 0us --protocol http --rate 500 --connections 20 \
		--duration 2s "10.213.77.1:$PORT" >"$LIVE_DIR/load.json" 2>"$LIVE_DIR/load.err"
	watched
	ip netns del "$ns"
}

deaf() {
	head -c 10000000 /dev/zero >"$LIVE_DIR/file"
	serve --protocol http --answer 10000000
	watch_it
	odd_client deaf "$PORT" 0.8
	watched
}

no_descriptors() {
	server_with_port epollserver "${ON_SERVER_CPU[@]}" bash -c 'ulimit -n 32; exec "$@"' - \
		"$SERVER" --protocol http
	watch_it
	load --protocol http --rate 200 --connections 40 --duration 1s --timeout 500ms
	watched
	INJECTED=$(sed -nE 's/^stats loop=all .* accept_failed=([0-9]+) .*/\1/p' \
		"$LIVE_DIR/epollserver.log" | tail -n 1)
}

uring() {
	server_with_port uring "${ON_SERVER_CPU[@]}" python3 tests/live/findings_client.py uring
	watch_it
	load --rate 200 --connections 4 --duration 1s
	watched
}

test_faults() {
	TRIES=2 fault 'slow-cpu=20ms' loop-blocked handler_max_ns $((20 * MS)) \
		http_fault slow-cpu=20ms,every=100
	TRIES=2 fault 'slow-cpu=5ms, alone' slow-service service_p50_ns $((5 * MS)) \
		busy_fault 1 --fault slow-cpu=5ms
	TRIES=2 fault 'slow-cpu=1ms, 64 at once' batch-queueing dispatch_p99_ns 0 \
		queue_fault --fault slow-cpu=1ms
	TRIES=2 fault 'sleep=20ms' blocking-call blocked_max_ns $((20 * MS)) \
		http_fault sleep=20ms,every=100
	TRIES=2 fault 'fsync=1000000' blocking-call call fsync fsync_fault
	TRIES=2 fault 'lock=20ms' lock-contention blocked_max_ns $((20 * MS)) \
		http_fault lock=20ms,every=100
	TRIES=2 fault 'accept-one' accept-starved accept_max_ns $((200 * MS)) accept_one
	TRIES=2 fault 'accept-pause=100ms' accept-starved accept_max_ns $((100 * MS)) \
		accept_fault --fault accept-pause=100ms
	fault 'undrained=16' edge-undrained stall_mean_ns $((250 * MS)) undrained
	fault 'ctl-mod=4' ctl-churn ctl_per_exchange 4 plain_fault --fault ctl-mod=4
	fault 'out-armed' spurious-wakeups out_armed 8 out_armed
	fault 'herd' thundering-herd waiters 4 herd
	TRIES=2 fault 'unbalanced' imbalance exchanges_share 1 unbalanced
	TRIES=2 fault 'small-writes=100' nagle-delay delay_mean_ns 0 small_writes
	also 'small-writes=100' small-writes sends_per_answer 20 22
	fault 'never-close' close-wait-leak connections 5 never_close
	TRIES=2 fault 'spin' poll-spin cpu_share 1 plain_fault --fault spin
	TRIES=2 fault 'maxevents=1, 64 at once' batch-queueing dispatch_p99_ns 0 \
		queue_fault --fault maxevents=1 --fault slow-cpu=1ms
	fault 'other-thread' none '' '' other_thread
	TRIES=2 fault 'slow-drain=100ms' send-blocked send_p99_ns $((100 * MS)) slow_drain
}

test_outside() {
	TRIES=2 fault 'CPU hog' cpu-starved runqueue_sum_ns 0 hog
	also 'CPU hog' cpu-starved instead_pid "${HOG:-0}" "${HOG:-0}"
	if make_group; then
		rmdir "$GROUP"
		fault 'CPU quota' cpu-throttled throttled_periods 0 quota
	else
		skip 'CPU quota' 'no control group of the cpu controller can be made here'
	fi
	TRIES=2 fault 'SIGSTOP' stopped stopped_max_ns 0 stopped
	TRIES=2 fault 'packet loss' retransmits share_of_segments 0.05 lossy
	fault 'reader stops' zero-window theirs_ns $((800 * MS)) deaf
	TRIES=2 fault 'no descriptors' fd-exhaustion failed_accepts 0 no_descriptors
	fault 'accept queue full' accept-starved backlog_limit 16 \
		accept_fault --backlog 16 --fault accept-pause=200ms
	fault 'io_uring' io-uring-bypass '' '' uring
}

# --- healthy servers ---

# Requests at an even rate, or as fast as they are answered.
http_load() { # OPTIONS...
	load --protocol http --duration "${SECONDS_EACH:-1.5}s" "$@"
}

redis_load() { # idle|moderate|saturation
	case $1 in
	idle) odd_client pace "$PORT" 10 "${SECONDS_EACH:-1.5}" 'SET k v' 'GET k' ;;
	moderate) odd_client pace "$PORT" 2000 "${SECONDS_EACH:-1.5}" 'SET k v' 'GET k' ;;
	*) redis-benchmark -p "$PORT" -t get,set -c 32 -n 60000 -q >/dev/null ;;
	esac
}

load_it() { # SERVER MANNER
	if [ "$1" = redis ]; then
		redis_load "$2"
		return
	fi
	case $2 in
	idle) http_load --rate 10 --connections 2 ;;
	moderate) http_load --rate 2000 --connections 20 ;;
	*) http_load --closed --connections 32 ;;
	esac
}

start_healthy() { # SERVER
	case $1 in
	epollserver) server_with_port epollserver "$SERVER" --protocol http ;;
	# Server and load together must fit the processors, or it is starved indeed.
	go) GOMAXPROCS=$(($(nproc) > 2 ? $(nproc) - 1 : 1)) start_server_go ;;
	*) "start_server_$1" ;;
	esac
}

pin() { # PROCESSORS
	local pid

	for pid in $(processes_of "$SERVER_PID"); do
		taskset -acp "$1" "$pid" >/dev/null
	done
}

nothing_said() { # NAME REPORT
	local said

	said=$(jq -r '[.diagnosis[] | select(.severity != "info") | "\(.code): \(.summary)"] |
		join(" / ")' "$2")
	ROWS+=("$1 | ${said:-nothing} | $(jq .exchanges.count "$2")")
	[ -z "$said" ] || WRONG=$said
}

# What runs for the first time is slow once: that is over when somebody attaches.
warm_up() { # SERVER
	local SECONDS_EACH=0.3

	if [ "$1" = redis ]; then
		redis_load moderate
	else
		http_load --closed --connections 32
	fi
}

# Severity info does not count. A second run is shown.
healthy() { # SERVER MANNER PROCESSORS
	local name="healthy $1, $2" try intruder

	[[ $name =~ ${FINDINGS:-.} ]] || return
	for try in 1 2; do
		WRONG=
		start_healthy "$1"
		pin "$3"
		warm_up "$1"
		watch_it
		load_it "$1" "${2%,*}"
		watched
		nothing_said "$name" "$SCOPE_OUT"
		[ -n "$WRONG" ] || break
		[ $try = 2 ] || echo "# $name, once more: $WRONG"
	done
	WAITED_PERCENT=0	# here its own threads may have waited for each other
	if [[ $WRONG == cpu-starved:* && $WRONG != *' / '* ]] && intruder=$(who_else_ran); then
		skip "$name: said" "the machine is not ours alone: $intruder ran instead"
	else
		expect_eq "$name: said" '' "$WRONG"
	fi
}

test_healthy() {
	local server

	for server in epollserver nginx redis node go; do
		healthy $server idle "$SERVER_CPU"
		healthy $server moderate "$SERVER_CPU"
		healthy $server saturation "$SERVER_CPU"
		taskset -cp "$ALL_CPUS" $$ >/dev/null
		healthy $server saturation,unpinned "$ALL_CPUS"
		taskset -cp "$LOAD_CPU" $$ >/dev/null
	done
}

test_faults
test_outside
print_rows 'fault | first finding | injected -> found | others'
test_healthy
print_rows 'healthy server, load | findings | exchanges'
finish
