# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
# scenarios.sh - what is tried in the emulated machine; guest.sh runs it.
#
# Times mean nothing here, since every instruction is emulated: counts, sums and statuses do, and
# times that something took on purpose, as lower bounds.

boots()
{
	expect_ok "boots $(uname -r), with BTF" test -s /sys/kernel/btf/vmlinux
}

doctor()
{
	expect_ok 'doctor runs' epollscope doctor
	epollscope doctor 2>&1 | sed 's/^/# /'
}

# --- Counts -----------------------------------------------------------------------------------

# Connections that are open and used before the attach, then carry requests beside new ones.
HELD=3
HELD_REQUESTS=300
NEW=4
NEW_REQUESTS=300
REQUESTS=$((HELD_REQUESTS + NEW_REQUESTS))
CLOSED=$((HELD + NEW))

# counts NAME OPTION CLIENT OPTIONS...: OPTION is one of report's, or empty.
counts()
{
	local name=$1 option=$2

	shift 2
	client_hold --connections $HELD --requests $HELD_REQUESTS "$@" || return
	# shellcheck disable=SC2086  # no word at all when empty
	scope_start report --json -p "$SERVER_PID" $option || return
	client --connections $NEW --requests $NEW_REQUESTS "$@" >client.out
	client_go
	client_wait
	await_connections 0
	scope_stop
	expect_eq "$name: exchanges, services, opened, closed, preexisting, active" \
		"$REQUESTS $REQUESTS $NEW $CLOSED $HELD 0" \
		"$(scope_jq '[.exchanges.count,
			(.exchanges.stages[] | select(.stage == "service") | .count),
			(.connections | .opened, .closed, .preexisting, .active)] | join(" ")')"
	expect_no_loss "$name"
}

# How often a system call was made, those that gave EAGAIN left out, and how often it failed.
calls() # SYSCALL
{
	scope_jq "[.syscalls[] | select(.name == \"$1\")] |
		[(map(.count - .eagain) | add), (map(.errors) | add)] | join(\" \")"
}

# For each request the echo server reads once and sends once, for each closing it reads the end.
# Edge-triggered it also reads until EAGAIN: how often depends on how fast the client is.
check_calls() # NAME
{
	expect_eq "$1: recvfrom" "$((REQUESTS + CLOSED)) 0" "$(calls recvfrom)"
	expect_eq "$1: sendto" "$REQUESTS 0" "$(calls sendto)"
	expect_eq "$1: accept4" "$NEW 0" "$(calls accept4)"
	expect_eq "$1: epoll_ctl" "$NEW 0" "$(calls epoll_ctl)"
	expect_eq "$1: close" "$CLOSED 0" "$(calls close)"
}

counts_echo()
{
	local mode

	for mode in level edge; do
		if [ $mode = edge ]; then start_echo --edge; else start_echo; fi || return
		counts "counts $mode" '--syscalls all' || return
		check_calls "counts $mode"
	done
}

# One connection has a turn for each request and for its end. The wait that was under way at the
# attach is not counted, for nobody knows when it began; the turn after it is where system calls
# are hooked (a hook at the wait's function misses the call that is under way).
counts_waits()
{
	start_echo || return
	client_hold --connections 1 --requests $HELD_REQUESTS || return
	scope_start report --json --syscalls all -p "$SERVER_PID" || return
	client_go
	client_wait
	await_connections 0
	scope_stop
	expect_eq 'counts waits: epoll_wait' "$HELD_REQUESTS 0" "$(calls epoll_wait)"
	expect_eq 'counts waits: turns, events' "$((HELD_REQUESTS + 1)) $((HELD_REQUESTS + 1))" \
		"$(scope_jq '.loops | [(map(.turns) | add), (map(.events) | add)] | join(" ")')"
}

counts_light()
{
	start_echo --edge || return
	counts 'counts light' --no-syscalls || return
	expect_eq 'counts light: system calls' '[]' "$(scope_jq .syscalls)"
}

counts_nginx()
{
	have counts_nginx nginx || return
	start_nginx 2 || return
	counts 'counts nginx' '' --http
}

# Exchanges, connections opened and closed.
totals()
{
	scope_jq '[.exchanges.count, .connections.opened, .connections.closed] | join(" ")'
}

# redis-benchmark asks CONFIG GET on a connection of its own before it starts: one exchange.
REDIS_REQUESTS=2000
REDIS_CONNECTIONS=8
REDIS_EXTRA=1

counts_redis()
{
	local opened=$((REDIS_CONNECTIONS + REDIS_EXTRA))

	have counts_redis redis-server || return
	start_redis || return
	scope_start report --json -p "$SERVER_PID" || return
	redis-benchmark -p "$PORT" -n $REDIS_REQUESTS -c $REDIS_CONNECTIONS -t get -q >client.out 2>&1
	await_connections 0
	scope_stop
	expect_eq 'counts redis: exchanges, opened, closed' \
		"$((REDIS_REQUESTS + REDIS_EXTRA)) $opened $opened" \
		"$(totals)"
	expect_no_loss 'counts redis'
}

# --- The ledger -------------------------------------------------------------------------------

SLOW_REQUESTS=500
EVERY=50	# of them has a fault
FAULTS=$((SLOW_REQUESTS / EVERY))
FAULT_MS=21
# A little less: sleeping begins after the timer does, and threads are billed by another clock.
FAULT_NS=20000000

# A watch of an echo server with OPTIONS; the invariants of every exchange.
slow() # NAME SERVER OPTIONS...
{
	local name="$1"

	shift
	start_echo "$@" || return
	watch_slow --connections 4 --requests $SLOW_REQUESTS || return
	check_lines "$name" $SLOW_REQUESTS
}

slow_whole()
{
	slow 'slow level'
	slow 'slow edge' --edge
}

# The other connections wait meanwhile: in busy, those of the same batch in dispatch.
check_neighbours() # NAME WRONG
{
	expect_between "$1: neighbours that waited" $((FAULTS / 2)) $SLOW_REQUESTS \
		"$(lines_with ".s.busy.ns + .s.dispatch.ns >= $MOST")"
	expect_between "$1: neighbours with busy" 1 $SLOW_REQUESTS \
		"$(lines_with ".s.busy.ns >= $MOST")"
	# One whose wait had more than 64 switches is not split, and says so.
	expect_eq "$1: neighbours whose busy is of another kind" '[]' \
		"$(lines_jq "[.[] | .s.busy | select(.ns >= $MOST and .blocked_ns != null) |
			select($2)] | tojson")"
	expect_between "$1: neighbours whose busy is split" 1 $SLOW_REQUESTS \
		"$(lines_with ".s.busy.ns >= $MOST and .s.busy.blocked_ns != null")"
}

slow_sleep()
{
	slow 'slow sleep' --sleep-every $EVERY --sleep-ms $FAULT_MS || return
	expect_eq 'slow sleep: services blocked for 20 ms' $FAULTS \
		"$(lines_with ".s.service.blocked_ns >= $FAULT_NS")"
	# Blocked, and runnable where the emulator lacks a processor for the guest: not at work.
	check_neighbours 'slow sleep' '.oncpu_ns > .ns / 2'
}

# An emulated processor may be away itself, so others may seem to have used it for as long.
slow_spin()
{
	slow 'slow spin' --spin-every $EVERY --spin-ms $FAULT_MS || return
	expect_between 'slow spin: services on a processor for 20 ms' $FAULTS $SLOW_REQUESTS \
		"$(lines_with ".s.service.oncpu_ns >= $FAULT_NS")"
	check_neighbours 'slow spin' '.blocked_ns > .ns / 2'
}

# --- Connections ------------------------------------------------------------------------------

SIZE=64
LIVES=3		# connections closed in each way
LIFE=30		# requests on all of them

# What the client knows of its connections when it closed them, in the words of close_seen.
close_wanted() # PID ADDRESS CLOSED_BY REASON
{
	awk -v head="$1 server $2 $PORT" -v tail="false $3 $4" -v size=$SIZE '
		$2 > number[$1] { number[$1] = $2 }
		END { for (port in number)
			print head, port, tail, number[port], number[port] * size }' truth
}

close_seen()
{
	scope_jq '"\(.pid) \(.role) \(.local) \(.local_port) \(.remote_port) \(.preexisting) " +
		"\(.closed_by) \(.reason) \(.exchanges) \(.bytes_in)"'
}

# closings PID ADDRESS PORT CLIENT OPTIONS...: LIVES connections closed in each way.
closings()
{
	local pid=$1 address=$2 way

	PORT=$3
	shift 3
	for way in 'client remote fin' 'server local fin' 'client-reset remote reset_received' \
		'server-reset local reset_sent'; do
		client --connections $LIVES --requests $LIFE --size $SIZE --truth truth \
			--close "${way%% *}" "$@" >client.out
		await_connections 0
		# shellcheck disable=SC2086  # by and reason
		close_wanted "$pid" "$address" ${way#* } >>wanted
	done
}

conns()
{
	local v4 v4_port v6

	start_echo --size $SIZE || return
	v4=$SERVER_PID v4_port=$PORT
	start_echo --size $SIZE --ipv6 || return
	v6=$SERVER_PID
	scope_start conns --json -p "$v4,$v6" || return
	: >wanted
	closings "$v6" ::1 "$PORT" --ipv6
	closings "$v4" 127.0.0.1 "$v4_port"
	scope_stop
	sort wanted >wanted.sorted
	close_seen | sort >seen.sorted
	expect_eq 'conns: lines' "$(wc -l <wanted)" "$(wc -l <seen.sorted)"
	expect_eq 'conns: lines that are wrong' '' \
		"$(diff -U 0 wanted.sorted seen.sorted | grep '^[-+][^-+]' | tr '\n' ';')"
	# Sent bytes are known when they are acknowledged: a reset may come before the last one's.
	expect_eq 'conns: bytes out that are wrong' '' \
		"$(scope_jq "select(.bytes_out != .bytes_in and
			(.reason == \"fin\" or .bytes_out != .bytes_in - $SIZE)) |
			[.closed_by, .reason, .bytes_out, .bytes_in]")"
}

# --- Other ways to start and to end -----------------------------------------------------------

launched()
{
	local status

	for status in 0 7 255; do
		epollscope report --json -- sh -c "exit $status" >scope.out 2>scope.err
		expect_eq "launched: exit status $status" $status $?
	done
	# shellcheck disable=SC2016
	epollscope report --json -- sh -c 'kill -KILL $$' >scope.out 2>scope.err
	expect_eq 'launched: killed' 137 $?
}

# The server is a child of what was launched.
launched_server()
{
	: >server.out
	# shellcheck disable=SC2016
	scope_start report --json -- sh -c \
		'echo_server >server.out & echo $! >server.pid; wait $!; exit 9' || return
	await 20 grep -q '^port ' server.out
	PORT=$(sed -n 's/^port //p' server.out)
	client --connections $NEW --requests $NEW_REQUESTS >client.out
	await_connections 0
	kill -TERM "$(cat server.pid)"
	scope_wait 9
	expect_eq 'launched server: exchanges, opened, closed' "$NEW_REQUESTS $NEW $NEW" \
		"$(totals)"
	expect_no_loss 'launched server'
}

bad_targets()
{
	local pid

	pid=$(dead_pid)
	expect_refusal 66 "pid $pid " report -d 1 -p "$pid"
	expect_refusal 66 no-such-name report -d 1 -c no-such-name
	expect_refusal 64 12a report -p 12a
}

# The other setpriv is busybox's, which changes no user.
no_privilege()
{
	have no_privilege /usr/bin/setpriv || return
	SCOPE_AS='/usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups'
	expect_refusal 77 CAP_BPF report -d 1 -p 1
	SCOPE_AS=
}

no_btf()
{
	mount -t tmpfs tmpfs /sys/kernel/btf
	expect_refusal 69 BTF report -d 1 -p 1
	umount /sys/kernel/btf
}
