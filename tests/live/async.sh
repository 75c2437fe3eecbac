#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# async.sh - answers that come turns later, descriptors that nobody watches and worker threads: what
# epollscope says of them against what the servers know of themselves.
# limit: 170
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init
. tests/live/lib_ledger.sh
build_c dispatcher

CLIENT=tests/live/servers/async_client.py
KINDS=(b s t n)

start_python() { # MODE [ARGS...]
	server_with_port python python3 tests/live/servers/async_server.py "$@"
}

# What the server said at its end.
truth() { # NAME
	tr ' ' '\n' <"$LIVE_DIR/$SERVER.log" | sed -n "s/^$1=//p"
}

# A server, a watch of it, and its clients: CONNECTIONS REQUESTS PAUSE_MS KINDS.
watch() { # COMMAND CLIENTS
	# shellcheck disable=SC2086 # words
	scope_start $1 -p "$SERVER_PID"
	# shellcheck disable=SC2086 # words
	timeout 60 python3 $CLIENT "$PORT" $2
	await_connections 0
	scope_stop
	stop_server
}

# The kind of a request is its length.
sum_of() { # KIND FIELD
	lines_jq "[.[] | select(.bytes_in == $(length_of "$1") and .async) | .s.service.$2] | add // 0"
}

length_of() { # KIND
	local i

	for i in "${!KINDS[@]}"; do
		[ "${KINDS[i]}" = "$1" ] && echo $((i + 1))
	done
}

# Within a twentieth of what the server measured around its own call; ours may hold a little more. A sleep
# that its clock saw ends when the thread has a CPU again.
expect_near() { # NAME TRUTH FOUND
	expect_between "$1, ns of $2" $(($2 - $2 / 20)) $(($2 + $2 / 5)) "$3"
}

check_split() { # NAME COUNT
	local kind

	SERVER=python
	check_lines "$1" "$2"
	for kind in "${KINDS[@]}"; do
		[ -n "$(truth "${kind}_count")" ] || continue
		expect_eq "$1: requests of kind $kind" "$(truth "${kind}_count")" \
			"$(lines_with ".bytes_in == $(length_of "$kind")")"
	done
	expect_eq "$1: asynchronous services that are not split" 0 \
		"$(lines_with '.async and (.handoff | not) and .s.service.others_ns == null')"
}

# One connection: nobody else is served.
start_python streams
watch 'slow --over 0ns --json' '1 80 2 bstn'
check_split 'one connection' 80
expect_near 'one connection: computed' "$(truth b_ns)" "$(sum_of b oncpu_ns)"
expect_near 'one connection: slept' "$(truth s_ns)" "$(($(sum_of s blocked_ns) + $(sum_of s runnable_ns)))"
expect_near 'one connection: awaited' "$(truth t_ns)" "$(($(sum_of t idle_ns) + $(sum_of t runnable_ns)))"
expect_between 'one connection: for others, of all that was computed' 0 $(($(truth b_ns) / 10)) \
	"$(lines_jq '[.[].s.service.others_ns] | add')"
expect_between 'one connection: blocked but in the sleeps' 0 $(($(truth s_ns) / 20)) \
	"$(($(sum_of b blocked_ns) + $(sum_of t blocked_ns) + $(sum_of n blocked_ns)))"

# Eight, which wait for each other: each handler's own time stays its own.
start_python streams
watch 'slow --over 0ns --json' '8 30 2 bnnnnnnn'
check_split 'eight connections' 240
expect_near 'eight connections: computed' "$(truth b_ns)" "$(sum_of b oncpu_ns)"
expect_between 'eight connections: own time of those that do nothing' 0 $(($(truth b_ns) / 5)) \
	"$(sum_of n oncpu_ns)"

# Among the findings: on a busy machine a shortage of CPU may come before.
is_found() { # CODES NAME
	expect_jq "$2" "$SCOPE_OUT" "any(.diagnosis[].code; IN($1))" '[.diagnosis[] | {code, share}]'
}

no_finding() { # NAME CODES
	expect_jq "$1" "$SCOPE_OUT" "[.diagnosis[].code | select(IN($2))] == []" \
		'[.diagnosis[] | {code, share, summary}]'
}

# The same as diagnoses.
for row in 'b "loop-blocked","slow-service"' 's "blocking-call"' 't "idle-wait"'; do
	start_python streams
	watch 'report --json' "1 200 2 ${row%% *}nnnnnnnnnnnnnnnnnnn"
	is_found "${row#* }" "kind ${row%% *}: what it is called"
	no_finding "kind ${row%% *}: nobody else is blamed" '"slow-upstream","worker-wait","unarmed"'
done

# A descriptor that is armed late, once in ten times. The client asks again at once, so it always meets it; the
# first time of each connection nobody knew yet that it is of this kind.
start_python oneshot 10
watch 'report --json' '1 200 0 n'
SERVER=python
expect_eq 'armed late: exchanges' "$(truth count)" "$(scope_jq .exchanges.count)"
expect_between 'armed late: unarmed, or the client came before the send returned' \
	$(($(truth late) - 1)) 200 "$(scope_jq .exchanges.unarmed)"
expect_between 'armed late: how long, of 20 ms each' $(($(truth late) * 18000000)) \
	$(($(truth late) * 26000000)) "$(scope_jq '.exchanges.stages[4].split.unarmed_ns')"
is_found '"unarmed"' 'armed late: what it is called'

start_python oneshot
watch 'report --json --threshold tail=0ns' '1 300 0 n'
no_finding 'armed at once' '"unarmed"'

# More requests than workers, and a worker for each.
start_dispatcher() { # WORKERS SLEEP_US
	server_with_port dispatcher "$LIVE/dispatcher" "$@"
}

start_dispatcher 2 5000
watch 'report --json' '12 20 0 n'
SERVER=dispatcher
expect_eq 'two workers: exchanges' "$(truth count)" "$(scope_jq .exchanges.count)"
expect_near 'two workers: dispatch' "$(truth waited_ns)" "$(scope_jq '.exchanges.stages[6].sum_ns')"
is_found '"worker-wait"' 'two workers: what it is called'
expect_jq 'two workers: both busy' "$SCOPE_OUT" \
	'first(.diagnosis[] | select(.code == "worker-wait")).evidence |
		.workers == 2 and .workers_busy >= 1.9' '.diagnosis'
no_finding 'two workers: the loop is not blamed' '"loop-blocked","batch-queueing","spurious-wakeups"'

start_dispatcher 12 5000
watch 'report --json --threshold tail=0ns' '8 30 0 n'
no_finding 'a worker for each' '"worker-wait","loop-blocked","batch-queueing"'
finish
