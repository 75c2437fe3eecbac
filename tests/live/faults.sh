#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# faults.sh - each fault of epollserver changes the ledger as its text says, by the amount injected.
# limit: 300
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init
. tests/live/lib_truth.sh
REPORT_OPTIONS='--syscalls all'	# their exact counts are looked at

N=1000
CONNECTIONS=8
CLOSED="--closed --connections $CONNECTIONS --requests $N"

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

# A table on stdin: the fault's name and bit, epollserver's options, those of the load, the checks.
faults() {
	local name bit server loading checks

	while IFS='|' read -r name bit server loading checks <&3; do
		read -r name <<<"$name"
		read -ra server <<<"$server"
		read -ra loading <<<"$loading"
		read -ra checks <<<"$checks"
		retried run_fault
	done 3<&0 </dev/null
}

run_fault() {
	watch_begin "${server[@]}" 3<&-
	load_stamped "${loading[@]}" 3<&-
	watch_end
	check "$name" "${bit// }" "${checks[@]}"
}

# A fault of every 50th request of 1,000: 20 times.
HANDLER='counts:20 service_as_stamped report_stage:service report_stage:busy by_thread
	report_stage:dispatch'
HANDLER=${HANDLER/$'\n'}

faults <<-END
	slow-cpu | 0 | --fault slow-cpu=3ms,every=50 | $CLOSED | $HANDLER \
		part:service:oncpu_ns:3ms near:service:oncpu_ns:3ms
	sleep | 1 | --fault sleep=3ms,every=50 | $CLOSED | $HANDLER \
		part:service:blocked_ns:3ms near:service:blocked_ns:3ms offcpu:sleep:3ms offcpu:sleep:lines
	lock | 3 | --fault lock=3ms,every=50 | $CLOSED | $HANDLER \
		part:service:blocked_ns:2.9ms near:service:blocked_ns:3ms offcpu:sleep:3ms
END
if [ "$(stat -f -c %T /tmp)" = tmpfs ]; then
	skip fsync 'a file of /tmp has no disk'
else
	faults <<-END
		fsync | 2 | --fault fsync=65536,every=50 | $CLOSED | $HANDLER \
			part:service:blocked_ns:20us offcpu:disk:lines
	END
fi

# --- accepts ---

accept_sum() {
	jq '.exchanges.stages[] | select(.stage == "accept") | .sum_ns' "$RUN/report.json"
}

# Each turn serves a request for 1 ms and accepts one of those who came meanwhile.
EACH='--closed --conn-per-request --requests 200 --connections 8'
faults <<-END
	accept-one | 4 | --fault accept-one --fault slow-cpu=1ms | $EACH | \
		counts:200 accept_as_stamped report_stage:accept
END
with=$(accept_sum)
faults <<-END
	accept-one, without | 4 | --fault slow-cpu=1ms | $EACH | counts:0 accept_as_stamped \
		report_stage:accept
END
expect_between 'accept-one: stage accept, ns, to that without' $(($(accept_sum) * 5 / 4)) \
	100000000000 "$with"

# --- those that need another load, or another end ---

# A request every 4 ms. Of each second one 8 bytes are read; the rest waits for the next, and both are
# one exchange. The data was there and its event delivered, so the ledger calls it dispatch.
undrained() {
	watch_begin --trigger edge --size 64 --fault undrained=8,every=2
	load --rate 250 --requests 101 --pipeline 8
	watch_end
	check undrained 6 counts:50 unread part:dispatch:ns:3ms near:dispatch:ns:4ms \
		service_as_stamped report_stage:dispatch
}

spin() {
	watch_begin --fault spin
	load_stamped --rate 997 --requests 500 --connections 4
	watch_end_with_server
	check spin 13 counts:0 spins ratio:turns:exchanges:20:1e9
}

never_close() {
	watch_begin --size 64 --fault never-close,conn=2
	# shellcheck disable=SC2086 # words
	load_stamped $CLOSED
	watch_end $((CONNECTIONS / 2))
	check never-close 12 counts close_wait
}

# Two at once: each strikes its own exchanges, and where both do, both are there.
sleep_and_slow_cpu() {
	watch_begin --protocol http --trigger edge --fault sleep=2ms,p=0.1 \
		--fault slow-cpu=2ms,conn=2,every=5 --seed 7
	# shellcheck disable=SC2086 # words
	load_stamped --protocol http $CLOSED
	watch_end
	check 'sleep and slow-cpu: sleep' 1 counts service_as_stamped part:service:blocked_ns:2ms \
		near:service:blocked_ns:2ms offcpu:sleep:lines &&
		check 'sleep and slow-cpu: slow-cpu' 0 counts:100 service_as_stamped \
			part:service:oncpu_ns:2ms
}

retried undrained
spin || FAILED=$((FAILED + 1))
never_close || FAILED=$((FAILED + 1))
retried sleep_and_slow_cpu

# Of herd one connection comes after the other; whoever is woken for it and finds nothing was woken
# in vain.
HERD='--rate 499 --requests 300 --conn-per-request --connections 4'
faults <<-END
	accept-pause | 5 | --fault accept-pause=10ms,every=2 | \
		--closed --conn-per-request --requests 50 --connections 1 | \
		counts:25 accept_as_stamped part:accept:ns:9ms near:accept:ns:10ms accept_wait:10ms:25
	ctl-mod | 7 | --fault ctl-mod=3,every=4 | $CLOSED | counts:250 calls:epoll_ctl:3*hits+opened
	out-armed | 8 | --fault out-armed,conn=4 | --rate 997 --requests 500 --connections 4 | \
		counts as_stats:turns:events ratio:events:exchanges:20:1e9 one_loop
	maxevents | 14 | --fault maxevents=2 | $CLOSED | \
		counts as_stats:turns:events ratio:events:turns:0:2
	unbalanced | 10 | --listen handoff --loops 4 --fault unbalanced | $CLOSED | \
		counts:$N by_thread one_loop
	unbalanced, half | 10 | --listen handoff --loops 4 --fault unbalanced,every=2 | $CLOSED | \
		counts by_thread one_loop
	herd | 9 | --loops 4 --fault herd | $HERD | \
		counts by_thread calls:accept4:opened+eagain ratio:woken:accepts:3.5:100
	herd, without | 9 | --loops 4 | $HERD | \
		counts by_thread calls:accept4:opened+eagain ratio:woken:accepts:0:2.5
	small-writes | 11 | --size 64 --fault small-writes=16,every=4 | $CLOSED | \
		counts:250 calls:sendto:answers+3*hits in_pieces
	other-thread | 15 | --size 64 --fault other-thread,every=4 | $CLOSED | counts:250 handoff
	slow-drain | 16 | --size 64 --fault slow-drain=2ms,every=10 | $CLOSED | counts:100 send:2ms
	other-thread and ctl-mod: other-thread | 15 | --fault other-thread,every=3 \
		--fault ctl-mod=2,every=2 | $CLOSED | counts:$((N / 3)) handoff
	other-thread and ctl-mod: ctl-mod | 7 | --fault other-thread,every=3 --fault ctl-mod=2,every=2 | \
		$CLOSED | counts:$((N / 2))
END
finish
