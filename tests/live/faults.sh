#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# faults.sh - each fault of epollserver changes the ledger as its text says, by the amount injected.
# limit: 300
. tests/live/lib.sh
. tests/live/lib_truth.sh
live_init

N=1000
CONNECTIONS=8
load_closed=(--closed --connections "$CONNECTIONS" --requests "$N")

# check NAME BIT CHECK...: prints its lines; the caller looks at the status.
check() {
	local name=$1 bit=$2

	shift 2
	python3 tests/live/faults_check.py "$RUN" "$name" "$bit" "$@"
}

# A timer's interrupt, a busy host or a switch that the kernel hides may spoil a single exchange: a
# run that fails gets a second and a third, and all are shown.
retried() { # FUNCTION, which leaves the status of its checks
	local try

	for try in first second third; do
		if "$1" >"$LIVE_DIR/verdict" 2>&1; then
			cat "$LIVE_DIR/verdict"
			return
		fi
		[ "$try" = third ] || sed -n "s,^not ok,# $try run: not," "$LIVE_DIR/verdict"
	done
	FAILED=$((FAILED + 1))
	cat "$LIVE_DIR/verdict"
}

# test_fault NAME BIT [SERVER OPTION]... -- [LOAD OPTION]... -- CHECK...
test_fault() {
	local name=$1 bit=$2 server=() loading=() checks

	shift 2
	while [ "$1" != -- ]; do
		server+=("$1")
		shift
	done
	shift
	while [ "$1" != -- ]; do
		loading+=("$1")
		shift
	done
	shift
	checks=("$@")
	retried run_fault
}

# shellcheck disable=SC2317 # retried calls it
run_fault() {
	watch_begin "${server[@]}"
	load "${loading[@]}"
	watch_end
	check "$name" "$bit" "${checks[@]}"
}

# A fault of every 50th request of 1,000: 20 times.
test_handler() { # NAME BIT AMOUNT CHECK...
	local name=$1 bit=$2 amount=$3

	shift 3
	test_fault "$name" "$bit" --fault "$name=$amount,every=50" -- "${load_closed[@]}" -- \
		counts:20 service_as_stamped report_stage:service report_stage:busy \
		report_stage:dispatch by_thread "$@"
}

test_handlers() {
	test_handler slow-cpu 0 3ms part:service:oncpu_ns:3ms near:service:oncpu_ns:3ms
	test_handler sleep 1 3ms part:service:blocked_ns:3ms near:service:blocked_ns:3ms \
		offcpu:sleep:3ms offcpu:sleep:lines
	test_handler lock 3 3ms part:service:blocked_ns:2.9ms near:service:blocked_ns:3ms \
		offcpu:sleep:3ms
	if [ "$(stat -f -c %T /tmp)" = tmpfs ]; then
		skip fsync 'a file of /tmp has no disk'
	else
		test_handler fsync 2 65536 part:service:blocked_ns:20us offcpu:disk:lines
	fi
}

accept_sum() {
	jq '.exchanges.stages[] | select(.stage == "accept") | .sum_ns' "$RUN/report.json"
}

# Each turn serves a request for 1 ms and accepts one of those who came meanwhile.
test_accepts() {
	local each=(--closed --conn-per-request --requests 200) with

	test_fault accept-one 4 --fault accept-one --fault slow-cpu=1ms -- "${each[@]}" \
		--connections 8 -- counts:200 accept_as_stamped report_stage:accept
	with=$(accept_sum)
	test_fault 'accept-one, without' 4 --fault slow-cpu=1ms -- "${each[@]}" \
		--connections 8 -- counts:0 accept_as_stamped report_stage:accept
	expect_between 'accept-one: stage accept, ns, to that without' $(($(accept_sum) * 5 / 4)) \
		100000000000 "$with"
	test_fault accept-pause 5 --fault accept-pause=10ms,every=2 -- --closed --conn-per-request \
		--requests 50 --connections 1 -- counts:25 accept_as_stamped \
		part:accept:ns:9ms near:accept:ns:10ms accept_wait:10ms:25
}

# A request every 4 ms. Of each second one 8 bytes are read; the rest waits for the next, and both are
# one exchange. The data was there and its event delivered, so the ledger calls it dispatch.
# shellcheck disable=SC2317 # retried calls it
undrained() {
	watch_begin --trigger edge --size 64 --fault undrained=8,every=2
	load_pipelined --rate 250 --requests 101 --pipeline 8
	watch_end
	check undrained 6 counts:50 unread part:dispatch:ns:3ms near:dispatch:ns:4ms \
		service_as_stamped report_stage:dispatch
}

test_loops() {
	test_fault ctl-mod 7 --fault ctl-mod=3,every=4 -- "${load_closed[@]}" -- \
		counts:250 'calls:epoll_ctl:3*hits+opened'
	test_fault out-armed 8 --fault out-armed,conn=4 -- --rate 997 --requests 500 \
		--connections 4 -- counts as_stats:turns:events ratio:events:exchanges:20:1e9 one_loop
	test_spin
	test_fault maxevents 14 --fault maxevents=2 -- "${load_closed[@]}" -- \
		counts as_stats:turns:events ratio:events:turns:0:2
	test_fault unbalanced 10 --listen handoff --loops 4 --fault unbalanced -- "${load_closed[@]}" \
		-- counts:$N by_thread one_loop
	test_fault 'unbalanced, half' 10 --listen handoff --loops 4 --fault unbalanced,every=2 -- \
		"${load_closed[@]}" -- counts by_thread one_loop
}

test_spin() {
	watch_begin --fault spin
	load --rate 997 --requests 500 --connections 4
	watch_end_with_server
	check spin 13 counts:0 spins ratio:turns:exchanges:20:1e9 || FAILED=$((FAILED + 1))
}

# One connection after the other; whoever is woken for it and finds nothing was woken in vain.
test_herd() {
	local each=(--rate 499 --requests 300 --conn-per-request --connections 4)

	test_fault herd 9 --loops 4 --fault herd -- "${each[@]}" -- counts by_thread \
		'calls:accept4:opened+eagain' ratio:woken:accepts:3.5:100
	test_fault 'herd, without' 9 --loops 4 -- "${each[@]}" -- counts by_thread \
		'calls:accept4:opened+eagain' ratio:woken:accepts:0:2.5
}

test_answers() {
	test_fault small-writes 11 --size 64 --fault small-writes=16,every=4 -- "${load_closed[@]}" \
		-- counts:250 'calls:sendto:answers+3*hits' in_pieces
	test_fault other-thread 15 --size 64 --fault other-thread,every=4 -- "${load_closed[@]}" -- \
		counts:250 handoff
	test_fault slow-drain 16 --size 64 --fault slow-drain=2ms,every=10 -- "${load_closed[@]}" -- \
		counts:100 send:2ms
}

test_never_close() {
	watch_begin --size 64 --fault never-close,conn=2
	load "${load_closed[@]}"
	watch_end $((CONNECTIONS / 2))
	check never-close 12 counts close_wait || FAILED=$((FAILED + 1))
}

# Two at once: each strikes its own exchanges, and where both do, both are there.
# shellcheck disable=SC2317 # retried calls it
sleep_and_slow_cpu() {
	watch_begin --protocol http --trigger edge --fault sleep=2ms,p=0.1 \
		--fault slow-cpu=2ms,conn=2,every=5 --seed 7
	load --protocol http "${load_closed[@]}"
	watch_end
	check 'sleep and slow-cpu: sleep' 1 counts service_as_stamped part:service:blocked_ns:2ms \
		near:service:blocked_ns:2ms offcpu:sleep:lines &&
		check 'sleep and slow-cpu: slow-cpu' 0 counts:100 service_as_stamped \
			part:service:oncpu_ns:2ms
}

test_combined() {
	retried sleep_and_slow_cpu
	test_fault 'other-thread and ctl-mod: other-thread' 15 --fault other-thread,every=3 \
		--fault ctl-mod=2,every=2 -- "${load_closed[@]}" -- counts:$((N / 3)) handoff
	test_fault 'other-thread and ctl-mod: ctl-mod' 7 --fault other-thread,every=3 \
		--fault ctl-mod=2,every=2 -- "${load_closed[@]}" -- counts:$((N / 2))
}

test_handlers
test_accepts
retried undrained
test_loops
test_herd
test_answers
test_never_close
test_combined
finish
