# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# lib.sh - what the live tests share: verdicts, servers, clients, epollscope itself.
#
# A script sources this from the checkout's root, calls live_init, and ends with finish. What it
# starts is remembered by pid and ended when the script ends. Functions that start something
# leave its pid and port in SERVER_PID and PORT, its output under $LIVE_DIR.

EPOLLSCOPE=${EPOLLSCOPE:-build/epollscope}
LIVE=${LIVE:-${BUILD:-build}/tests/live}	# where our servers and clients are
SCOPE_LIMIT=${SCOPE_LIMIT:-20}	# seconds that an attach or a report may take
FAILED=0
STARTED=()

# --- verdicts ---

pass() {
	echo "ok $1"
}

fail() {
	echo "not ok $1: $2"
	FAILED=$((FAILED + 1))
}

skip() {
	echo "skip $1: $2"
}

expect_eq() { # NAME EXPECTED ACTUAL
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "expected $2 got $3"
	fi
}

expect_between() { # NAME LOW HIGH ACTUAL, numbers
	if jq -en --argjson l "$2" --argjson h "$3" --argjson a "${4:-null}" \
		'$a != null and $l <= $a and $a <= $h' >/dev/null; then
		pass "$1 ($4 in $2..$3)"
	else
		fail "$1" "expected $2..$3 got $4"
	fi
}

# The filter must give true; a failure shows what SHOW gives.
expect_jq() { # NAME FILE FILTER [SHOW]
	if jq -e "$3" "$2" >/dev/null 2>&1; then
		pass "$1"
	else
		fail "$1" "expected $3 got $(jq -c "${4:-.}" "$2" 2>&1 | head -c 600)"
	fi
}

expect_lines() { # NAME EXPECTED FILE
	expect_eq "$1" "$2" "$(wc -l <"$3")"
}

finish() {
	end_started
	bpf_leftovers
	kernel_log_clean
	exit $((FAILED > 0))
}

# --- the life of a script ---

live_init() {
	if [ "$(id -u)" != 0 ]; then
		skip "$(basename "$0")" 'needs root'
		exit 77
	fi
	if [ ! -x "$EPOLLSCOPE" ]; then
		fail "$(basename "$0")" "expected $EPOLLSCOPE to be built"
		exit 1
	fi
	LIVE_DIR=$(mktemp -d)
	trap live_end EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	build_c echo_server
	build_c client
	bpf_ids >"$LIVE_DIR/bpf.before"
	LOG_START=$(cut -d' ' -f1 /proc/uptime)
}

live_end() {
	end_started
	rm -rf "$LIVE_DIR"
}

# Waited for: its pid may be another process's by now.
forget() { # PID
	local pid left=()

	for pid in "${STARTED[@]}"; do
		[ "$pid" = "$1" ] || left+=("$pid")
	done
	STARTED=("${left[@]}")
}

# Servers get a chance to write their truth before they are killed.
end_started() {
	local pid

	for pid in "${STARTED[@]}"; do
		kill -TERM "$pid" 2>/dev/null || continue
		await 5 gone "$pid" || kill -KILL "$pid"
		wait "$pid" 2>/dev/null
	done
	STARTED=()
}

# Polls a command until it succeeds; fails after LIMIT seconds.
await() { # LIMIT COMMAND...
	local end=$((SECONDS + $1 + 1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.02
	done
}

# Ended, waited for or not.
gone() { # PID
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null
}

# Goes before a command in the background, which a script's bash has ignore SIGINT. Not a function,
# since $! would be a shell's then.
HEARS_SIGINT=(env '--default-signal=INT,QUIT')

# --- what we build ourselves ---

# For a script that is run alone; tests/run has them built.
build_c() { # NAME
	local source=tests/live/$1.c out=$LIVE/$1

	mkdir -p "$LIVE"
	[ "$out" -nt "$source" ] && return
	${CC:-cc} -std=gnu11 -O2 -pthread -o "$out.$$" "$source" && mv "$out.$$" "$out"
}

build_go() { # NAME
	local source=tests/live/servers/$1.go out=$LIVE/$1

	[ "$out" -nt "$source" ] && return
	GO111MODULE=off GOFLAGS='' GOCACHE=$(realpath "$LIVE")/gocache go build -o "$out" "$source"
}

# --- servers ---

listening() { # PORT
	[ -n "$(ss -Hltn "sport = :$1")" ]
}

# Of a range that the kernel does not hand out by itself.
free_port() {
	local port

	while :; do
		port=$((20000 + RANDOM % 10000))
		listening "$port" || break
	done
	echo "$port"
}

server_started() { # NAME PID
	SERVER_PID=$2
	STARTED+=("$2")
	await 10 listening "$PORT" && return
	fail "start $1" "expected port $PORT to listen got $(tail -n 3 "$LIVE_DIR/$1.log")"
	exit 1
}

# Servers that choose their port print "port N".
server_with_port() { # NAME COMMAND...
	local name=$1 log=$LIVE_DIR/$1.log

	shift
	: >"$log"
	"$@" >"$log" 2>&1 &
	SERVER_PID=$!
	await 10 grep -q '^port ' "$log"
	PORT=$(sed -n 's/^port //p' "$log")
	server_started "$name" "$SERVER_PID"
}

start_echo() { # OPTIONS...
	server_with_port echo "$LIVE/echo_server" "$@"
}

start_server_go() {
	build_go go_server
	server_with_port go "$LIVE/go_server" "$LIVE_DIR/go.count"
}

start_server_node() {
	server_with_port node node tests/live/servers/node_server.js "$LIVE_DIR/node.count"
}

# SERVER_PID is the master's: its workers are its children. The error log tells broken pipes.
nginx_conf() { # WORKERS
	cat <<-END
		daemon off;
		worker_processes $1;
		pid $LIVE_DIR/nginx.pid;
		error_log $LIVE_DIR/nginx.log info;
		events { worker_connections 2048; }
		http {
			access_log off;
			keepalive_requests 1000000000;
			keepalive_timeout 600s;
			client_body_temp_path $LIVE_DIR/nginx.body;
			proxy_temp_path $LIVE_DIR/nginx.proxy;
			fastcgi_temp_path $LIVE_DIR/nginx.fastcgi;
			uwsgi_temp_path $LIVE_DIR/nginx.uwsgi;
			scgi_temp_path $LIVE_DIR/nginx.scgi;
			server {
				listen 127.0.0.1:$PORT;
				location / { return 200 "ok\n"; }
				location /status { stub_status; }
			}
		}
	END
}

start_server_nginx() { # [WORKERS]
	PORT=$(free_port)
	nginx_conf "${1:-1}" >"$LIVE_DIR/nginx.conf"
	nginx -p "$LIVE_DIR" -c "$LIVE_DIR/nginx.conf" 2>"$LIVE_DIR/nginx.out" &
	server_started nginx $!
}

start_server_redis() {
	PORT=$(free_port)
	redis-server --bind 127.0.0.1 --port "$PORT" --save '' --appendonly no --dir "$LIVE_DIR" \
		>"$LIVE_DIR/redis.log" 2>&1 &
	server_started redis $!
}

stop_server() {
	kill -TERM "$SERVER_PID"
	wait "$SERVER_PID" 2>/dev/null
	forget "$SERVER_PID"
}

# Its processes, its children's too.
processes_of() { # PID
	local child children

	echo "$1"
	read -ra children < <(cat "/proc/$1"/task/*/children 2>/dev/null)
	for child in "${children[@]}"; do
		processes_of "$child"
	done
}

# A column of schedstat over all threads: 1 run time, 2 run delay, both ns, 3 times on a CPU.
schedstat() { # PID COLUMN
	local pid files=()

	for pid in $(processes_of "$1"); do
		files+=("/proc/$pid"/task/*/schedstat)
	done
	awk -v c="$2" '{ sum += $c } END { printf "%.0f\n", sum }' "${files[@]}"
}

# Connections of the server's side, but those that it owes nothing more than time.
connections_on() { # PORT
	ss -Htn state connected exclude time-wait "sport = :$1" | wc -l
}

no_more_than() { # CONNECTIONS PORT
	[ "$(connections_on "$2")" -le "$1" ]
}

# Closings are counted when the kernel is through with them, a little after the client ended.
await_connections() { # COUNT
	await 10 no_more_than "$1" "$PORT" ||
		fail "connections left on $PORT" "expected $1 got $(connections_on "$PORT")"
}

# --- our client ---

client() {
	"$LIVE/client" --port "$PORT" "$@"
}

# Connections that are open and used before the attach; the rest waits for client_go.
client_hold() { # OPTIONS...
	rm -f "$LIVE_DIR/client.in"
	: >"$LIVE_DIR/client.err"
	mkfifo "$LIVE_DIR/client.in"
	"$LIVE/client" --port "$PORT" --hold "$@" <"$LIVE_DIR/client.in" \
		>"$LIVE_DIR/client.json" 2>"$LIVE_DIR/client.err" &
	CLIENT_PID=$!
	STARTED+=("$CLIENT_PID")
	exec {CLIENT_FD}>"$LIVE_DIR/client.in"
	await 10 grep -q ready "$LIVE_DIR/client.err" && return
	fail 'client' "expected ready got $(cat "$LIVE_DIR/client.err")"
	exit 1
}

client_go() {
	printf g >&"$CLIENT_FD"
}

client_wait() {
	wait "$CLIENT_PID"
	forget "$CLIENT_PID"
	exec {CLIENT_FD}>&-
}

# --- epollscope ---

# Runs it in the background; comes back when it is attached. Without that the rest is pointless.
scope_start() { # ARGS...
	SCOPE_OUT=$LIVE_DIR/scope.out
	SCOPE_ERR=$LIVE_DIR/scope.err
	: >"$SCOPE_ERR"	# here, since the child may be later than our first look
	"${HEARS_SIGINT[@]}" "$EPOLLSCOPE" "$@" >"$SCOPE_OUT" 2>"$SCOPE_ERR" &
	SCOPE_PID=$!
	STARTED+=("$SCOPE_PID")
	await "$SCOPE_LIMIT" attached_or_gone
	grep -q '^epollscope: attached' "$SCOPE_ERR" && return
	fail "epollscope $*" "expected attached got $(how_it_is): $(cat "$SCOPE_ERR")"
	finish
}

attached_or_gone() {
	grep -q '^epollscope: attached' "$SCOPE_ERR" || gone "$SCOPE_PID"
}

how_it_is() {
	if gone "$SCOPE_PID"; then
		wait "$SCOPE_PID"
		echo "status $?"
	else
		grep '^State' "/proc/$SCOPE_PID/status"
	fi
}

# Waits for its end and checks its exit status; the result is in $SCOPE_OUT.
scope_wait() { # STATUS
	if ! await "$SCOPE_LIMIT" gone "$SCOPE_PID"; then
		fail 'epollscope ends' "expected its end got nothing in $SCOPE_LIMIT s"
		kill -KILL "$SCOPE_PID"
	fi
	wait "$SCOPE_PID"
	SCOPE_STATUS=$?
	forget "$SCOPE_PID"
	[ "$SCOPE_STATUS" = "$1" ] && return
	fail 'epollscope exit status' "expected $1 got $SCOPE_STATUS: $(tail -n 3 "$SCOPE_ERR")"
}

scope_stop() {
	kill -INT "$SCOPE_PID"
	scope_wait 0
}

scope_jq() { # FILTER
	jq -r "$1" "$SCOPE_OUT"
}

# Runs it to its end in the foreground; leaves SCOPE_STATUS, $SCOPE_OUT, $SCOPE_ERR.
scope_run() { # ARGS...
	SCOPE_OUT=$LIVE_DIR/scope.out
	SCOPE_ERR=$LIVE_DIR/scope.err
	timeout -k 1 "$SCOPE_LIMIT" "$EPOLLSCOPE" "$@" >"$SCOPE_OUT" 2>"$SCOPE_ERR"
	SCOPE_STATUS=$?
}

# A clean report has lost nothing.
expect_no_loss() { # NAME
	expect_jq "$1 loss" "$SCOPE_OUT" '[.loss[]] | all(. == 0)' .loss
}

# The kernel skips a hook, or refuses state, that would interrupt itself. Under load it does so now and
# then, it is said, and it may touch one exchange in a thousand here; nothing else may be lost.
expect_few_skipped() { # NAME EXCHANGES
	expect_jq "$1 loss" "$SCOPE_OUT" ".loss.missed + .loss.map_full <= $2 / 1000 and
		(.loss | del(.missed, .map_full) | all(.[]; . == 0))" .loss
}

# --- what must not be left behind ---

# "prog 12" for all programs, maps and links that living processes hold.
held_bpf_ids() {
	sed -nE 's/^(prog|map|link)_id:\s*/\1 /p' /proc/[0-9]*/fdinfo/* 2>/dev/null | sort -u
}

all_bpf_ids() {
	local what

	for what in prog map link; do
		bpftool -j "$what" show 2>/dev/null | jq -r ".[]? | \"$what \\(.id)\""
	done | sort
}

# Those that no process holds: ours have ended when this is asked, others' are not our business. The
# holders come last, so that what begins meanwhile has one.
bpf_ids() {
	all_bpf_ids >"$LIVE_DIR/bpf.all"
	held_bpf_ids | comm -23 "$LIVE_DIR/bpf.all" -
}

# The kernel frees them a little after our end.
no_new_bpf_ids() {
	bpf_ids >"$LIVE_DIR/bpf.after"
	[ -z "$(comm -13 "$LIVE_DIR/bpf.before" "$LIVE_DIR/bpf.after")" ]
}

bpf_leftovers() {
	if await 5 no_new_bpf_ids; then
		pass 'nothing left in the kernel'
	else
		fail 'nothing left in the kernel' \
			"expected none got $(comm -13 "$LIVE_DIR/bpf.before" "$LIVE_DIR/bpf.after")"
	fi
}

kernel_log_clean() {
	local bad

	bad=$(dmesg | awk -v start="$LOG_START" -F'[][]' '$2 + 0 >= start + 0' |
		grep -E 'WARNING|BUG|Oops|stall|lockdep' | head -n 3)
	expect_eq 'kernel log is clean' '' "$bad"
}
