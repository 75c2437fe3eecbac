#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# server_faults.sh - epollserver's faults: each strikes what it was told to, by its own truth file and
# by its clients, for as long as it was told.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

TRUTH=$LIVE_DIR/truth

# Runs 200 requests on 4 connections with a fault; HITS of its bit are in the truth file then, and
# the time between two columns of a hit exchange is within LOW..HIGH ns.
test_fault() { # FAULT BIT HITS COLUMN COLUMN LOW HIGH OPTIONS...
	local fault=$1 bit=$2 hits=$3 from=$4 to=$5 low=$6 high=$7

	shift 7
	start_epollserver --size 64 --truth "$TRUTH" --fault "$fault" "$@"
	client --connections 4 --requests 200 >"$LIVE_DIR/client.json"
	await_connections 0
	stop_server
	expect_eq "fault $fault: truth, hits" "200 $hits" "$(awk -v b="$bit" \
		'int($10 / 2 ^ b) % 2 { n++ } END { print NR, n + 0 }' "$TRUTH")"
	expect_between "fault $fault: median of the hit, ns" "$low" "$high" "$(awk -v b="$bit" -v f="$from" \
		-v t="$to" 'int($10 / 2 ^ b) % 2 { print $t - $f }' "$TRUTH" | sort -n |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')"
}

# It strikes all exchanges of so many of 4 connections, and no other.
test_connection_fault() { # FAULT BIT CONNECTIONS OPTIONS...
	local fault=$1 bit=$2 n=$3

	shift 3
	start_epollserver --size 64 --truth "$TRUTH" --fault "$fault" "$@"
	client --connections 4 --requests 200 >/dev/null
	stop_server
	expect_eq "fault $fault: exchanges, connections struck, in part" "200 $n 0" "$(awk -v b="$bit" '
		int($10 / 2 ^ b) % 2 { hit[$1]++ } { all[$1]++ }
		END { for (c in hit) { n++; part += hit[c] != all[c] } print NR, n + 0, part + 0 }' "$TRUTH")"
}

# The same over push: 4 HELLOs and 200 messages, HITS of them struck.
test_push_fault() { # FAULT BIT HITS
	start_epollserver --protocol push --truth "$TRUTH" --fault "$1"
	load --protocol push --closed --requests 200 --connections 4 --size 200
	stop_server
	expect_eq "push, fault $1: answered, truth, hits" "200 204 $3" "$(load_jq .requests.answered) $(awk \
		-v b="$2" 'int($10 / 2 ^ b) % 2 { n++ } END { print NR, n + 0 }' "$TRUTH")"
}

test_push_faults() {
	test_push_fault sleep=100us,every=10 1 20	# HELLO has no handler
	test_push_fault ctl-mod=2 7 204
	test_push_fault small-writes=50 11 204
	test_push_fault other-thread,every=4 15 51
	test_push_fault slow-drain=1ms,every=4 16 51
}

# What is to be 2 ms is at least so long, and not ten times as long on a busy machine.
MS2='2000000 20000000'
ANY='0 1000000000'

# shellcheck disable=SC2086 # ANY and MS2 are two words
test_faults() {
	expect_eq 'every fault is explained' 19 \
		"$("$EPOLLSERVER" --list-faults | grep -cE '^ ?[0-9]+ [a-z-]+')"
	test_fault slow-cpu=2ms,every=10 0 20 6 7 $MS2
	test_fault sleep=2ms,every=10 1 20 6 7 $MS2
	test_fault fsync=4096,every=10 2 20 6 7 1000 1000000000
	test_fault lock=2ms,every=10 3 20 6 7 1500000 20000000
	test_fault accept-one 4 4 5 6 $ANY
	test_fault accept-pause=20ms 5 4 3 4 $ANY
	test_fault ctl-mod=2 7 200 6 7 $ANY
	test_connection_fault out-armed,conn=2 8 2
	test_connection_fault unbalanced,conn=4 10 1 --loops 2
	test_fault small-writes=16 11 200 7 8 $ANY
	test_connection_fault never-close,conn=2 12 2
	test_fault other-thread,every=4 15 50 6 7 $ANY
	test_fault slow-drain=2ms,every=10 16 20 7 8 $ANY
	test_fault slow-hash=2ms,every=10 17 20 6 7 $MS2
	test_fault slow-sort=2ms,every=10 18 20 6 7 $MS2
	test_fault sleep=1ms,p=0.5 1 "$(count_hits 1)" 6 7 1000000 20000000 --seed 1
}

# What the last fault hit by chance: the same for the same seed.
count_hits() { # BIT
	start_epollserver --size 64 --truth "$TRUTH" --fault sleep=1ms,p=0.5 --seed 1
	client --connections 4 --requests 200 >/dev/null
	await_connections 0
	stop_server >&2
	awk -v b="$1" 'int($10 / 2 ^ b) % 2 { n++ } END { print n + 0 }' "$TRUTH"
}

# Faults that show elsewhere than in the truth file.
test_other_faults() {
	start_epollserver --fault spin
	sleep 0.3
	stop_server
	expect_between 'fault spin: turns while nothing happens' 1000 1000000000 "$(stat_of turns)"
	start_epollserver --fault out-armed
	client_hold --connections 1 --requests 1
	sleep 0.3
	client_go
	client_wait
	stop_server
	expect_between 'fault out-armed: turns while nothing happens' 1000 1000000000 "$(stat_of turns)"
	start_epollserver --size 64 --fault maxevents=1
	client --connections 20 --requests 1000 >/dev/null
	await_connections 0
	stop_server
	expect_ok 'fault maxevents: one event a turn at most' [ "$(stat_of events)" -le "$(stat_of turns)" ]
	start_epollserver --fault never-close
	client --connections 5 --requests 5 >/dev/null
	await 5 [ "$(ss -Htn state close-wait "sport = :$PORT" | wc -l)" = 5 ]
	expect_eq 'fault never-close: CLOSE_WAIT' 5 "$(ss -Htn state close-wait "sport = :$PORT" | wc -l)"
	stop_and_expect 'fault never-close' leaked 5
	start_epollserver --size 64 --trigger edge --fault undrained=16,every=2
	expect_eq 'fault undrained: a request stalls' 124 "$(timeout 1 "$LIVE/client" --port "$PORT" \
		--requests 100 >/dev/null; echo $?)"
	stop_server
	start_epollserver --fault herd --loops 4
	expect_eq 'fault herd: loops that watch one listener' 4 "$(watchers)"
	stop_server
}

# epoll instances of the server that hold a listener: all have the same inode.
watchers() {
	local inode

	inode=$(ss -Hltne "sport = :$PORT" | sed -nE 's/.*ino:([0-9]+).*/\1/p')
	grep -hE '^tfd:' "/proc/$SERVER_PID"/fdinfo/* | grep -c "ino:$(printf %x "$inode") "
}

test_faults
test_push_faults
test_other_faults
finish
