#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# findings.sh - faults against findings: each fault is named first, in its measure, and nothing else
# is called severe; twenty healthy servers are told nothing.
# limit: 400
# shellcheck disable=SC2034,SC2016 # what the tables use
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init
. tests/live/lib_findings.sh
build_go go_server

MS=1000000
HTTP='start_epollserver --protocol http'
EVEN='load --protocol http --rate 500 --connections 20 --duration 2s'	# 20 meet a request in a hundred
BUSY='load --protocol http --duration 1.5s --closed --connections'
NEW='load --protocol http --rate 200 --conn-per-request --connections 100 --duration 1.5s'
PLAIN='load --rate 1000 --connections 8 --duration 1s'
LONGER='load --rate 1000 --connections 8 --duration 3s'	# calls are sampled

# --- faults of epollserver ---

test_faults() {
	# A disk takes as long as it likes, and half of that is the kernel's computing, hence fsync's
	# thresholds. All 200 of accept-one come at once and take 1 ms each: the last is accepted after all
	# the others. Who shares a processor with the one that accepts comes too late to be woken for
	# nothing, hence herd's processors. A loop that never wakes is not known as one: the second of
	# unbalanced gets a connection or two.
	faults 'fault | first finding | injected -> found | others' <<-'END'
		slow-cpu=20ms | $HTTP --fault slow-cpu=20ms,every=100 | | $EVEN | \
			loop-blocked | handler_max_ns | $((20 * MS)) | 2
		slow-cpu=5ms, alone | $HTTP --fault slow-cpu=5ms | | $BUSY 1 | \
			slow-service | service_p50_ns | $((5 * MS)) | 2
		slow-cpu=1ms, 64 at once | $HTTP --fault slow-cpu=1ms | | $BUSY 64 | \
			batch-queueing | dispatch_p99_ns | $(p50) | 2
		sleep=20ms | $HTTP --fault sleep=20ms,every=100 | | $EVEN | \
			blocking-call | blocked_max_ns | $((20 * MS)) | 2
		fsync=1000000 | $HTTP --fault fsync=1000000,every=50 | \
			--threshold tail=100us --threshold service=80% | $EVEN | blocking-call | call | fsync | 2
		lock=20ms | $HTTP --fault lock=20ms,every=100 | | $EVEN | \
			lock-contention | blocked_max_ns | $((20 * MS)) | 2
		accept-one | $HTTP --fault accept-one --fault slow-cpu=1ms | | \
			load --protocol http --closed --conn-per-request --connections 200 --requests 200 | \
			accept-starved | accept_max_ns | $((200 * MS)) | 2
		accept-pause=100ms | $HTTP --fault accept-pause=100ms | | $NEW | \
			accept-starved | accept_max_ns | $((100 * MS)) | 2
		undrained=16 | start_epollserver --trigger edge --fault undrained=16 | | \
			odd_client trickle $PORT 64 0.25 6 | edge-undrained | stall_mean_ns | $((250 * MS))
		ctl-mod=4 | start_epollserver --fault ctl-mod=4 | | $LONGER | \
			ctl-churn | ctl_per_exchange | 4 | 2
		out-armed | start_epollserver --fault out-armed | | \
			load_held done --rate 500 --connections 8 --duration 1s; AFTER="end $LOAD_PID" | \
			spurious-wakeups | out_armed | 8
		herd | ON_SERVER_CPU="taskset -c $ALL_CPUS" start_epollserver --fault herd --loops 4 | | \
			odd_client herd $PORT 150 0.005 | thundering-herd | waiters | 4
		unbalanced | $HTTP --listen handoff --loops 2 --fault unbalanced,p=0.8 \
			--fault slow-cpu=1ms --truth $LIVE_DIR/truth | --threshold imbalance-time=1s | \
			load --protocol http --rate 850 --connections 32 --duration 1.5s | \
			imbalance | exchanges_share | $(first_share) | 2
		small-writes=100 | $HTTP --answer 2000 --fault small-writes=100 | | $BUSY 8 | \
			nagle-delay | delay_mean_ns | $(p50) | 2 | small-writes sends_per_answer 20 22
		never-close | $HTTP --fault never-close | --threshold close-wait=500ms | \
			odd_client leave $PORT 5; sleep 0.7 | close-wait-leak | connections | 5
		spin | start_epollserver --fault spin | | $PLAIN | poll-spin | cpu_share | 1 | 2
		maxevents=1, 64 at once | $HTTP --fault maxevents=1 --fault slow-cpu=1ms | | $BUSY 64 | \
			batch-queueing | dispatch_p99_ns | $(p50) | 2
		other-thread | $HTTP --fault other-thread | | \
			load --protocol http --rate 500 --requests 500 --connections 8 | none
		slow-drain=100ms | $HTTP --answer 2000 --fault slow-drain=100ms | | \
			load --protocol http --rate 200 --connections 40 --duration 1.5s | \
			streamed | send_p99_ns | $((100 * MS)) | 2
		CPU hog | $HTTP --fault slow-cpu=2ms; hog | | \
			load --protocol http --rate 200 --connections 20 --duration 2s | \
			cpu-starved | runqueue_sum_ns | $WAITED_NS | 2 | cpu-starved instead_pid $HOG $HOG
		CPU quota | $HTTP --fault slow-cpu=1ms; limit | | \
			load --protocol http --rate 300 --connections 50 --duration 2s | \
			cpu-throttled | throttled_periods | $THROTTLED
		SIGSTOP | $HTTP | | stopped | stopped | stopped_max_ns | $MEASURED | 2
		packet loss | far_clients; $HTTP --answer 1000 --address 10.213.77.1 | | \
			ON_LOAD_CPU="ip netns exec $NS" TARGET=10.213.77.1:$PORT $EVEN | \
			retransmits | share_of_segments | 0.05 | 2
		reader stops | $HTTP --answer 10000000 | | odd_client deaf $PORT 0.8 | \
			zero-window | theirs_ns | $((800 * MS))
		no descriptors | ON_SERVER_CPU="$FEW $ON_SERVER_CPU" $HTTP | | \
			load --protocol http --rate 200 --connections 40 --duration 1s --timeout 500ms | \
			fd-exhaustion | failed_accepts | $(stat_of accept_failed) | 2
		accept queue full | $HTTP --backlog 16 --fault accept-pause=200ms | | $NEW | \
			accept-starved | backlog_limit | 16
		io_uring | server_with_port uring $ON_SERVER_CPU python3 tests/live/findings_client.py uring | | \
			load --rate 200 --connections 4 --duration 1s | io-uring-bypass
	END
}

# Where each waits for all the others, clients see what is to be found.
p50() {
	load_jq .latency_ns.p50
}

# Of the exchanges, as the server stamped them, those of the first loop.
first_share() {
	awk '{ n += $11 == 0 } END { print n / NR }' "$LIVE_DIR/truth"
	rm "$LIVE_DIR/truth"
}

# --- what comes from outside ---

FEW='prlimit --nofile=32:32'

hog() {
	$ON_SERVER_CPU sh -c 'while :; do :; done' &
	HOG=$!
	started "$HOG"
	AFTER='end "$HOG"'
}

# Version 1 or 2, where we may make one.
make_group() {
	local root name=epollscope-test-$$

	for root in /sys/fs/cgroup /sys/fs/cgroup/cpu; do
		GROUP=$root/$name
		[ -e "$root/cgroup.procs" ] || continue
		mkdir "$GROUP" 2>/dev/null || continue
		{ echo 20000 >"$GROUP/cpu.cfs_quota_us" || echo '20000 100000' >"$GROUP/cpu.max"; } \
			2>/dev/null && return
		rmdir "$GROUP"
	done
	return 1
}

# It wants a third of a processor, and may have a fifth.
limit() {
	make_group || return
	echo "$SERVER_PID" >"$GROUP/cgroup.procs"
	AFTER='THROTTLED=$(sed -n "s/^nr_throttled //p" "$GROUP/cpu.stat"); rmdir "$GROUP"'
}

stopped() {
	$EVEN &
	MEASURED=$(odd_client stop "$SERVER_PID" 0.05 0.25 6)
	wait $!
}

# Clients in a network of their own, where each 20th of the segments with an answer does not arrive.
far_clients() {
	local near=es$(($$ % 100000))

	NS=epollscope-$$
	ip netns add "$NS"
	ip link add "$near" type veth peer name far netns "$NS"
	ip addr add 10.213.77.1/30 dev "$near"
	ip -n "$NS" addr add 10.213.77.2/30 dev far
	ip link set "$near" up
	ip -n "$NS" link set far up
	ip netns exec "$NS" iptables -A INPUT -p tcp -m length --length 1000: -m statistic \
		--mode nth --every 20 --packet 0 -j DROP
	AFTER='ip netns del "$NS"'
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
	local ON_SERVER_CPU=

	case $1 in
	epollserver) start_epollserver --protocol http ;;
	# Server and load together must fit the processors, or it is starved indeed.
	go) GOMAXPROCS=$(($(nproc) > 2 ? $(nproc) - 1 : 1)) start_go ;;
	*) "start_$1" ;;
	esac
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
		pin "$3" "$SERVER_PID"
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
test_healthy
print_rows 'healthy server, load | findings | exchanges'
finish
