# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
# lib.sh - what scripts with real servers share, on top of tests/lib.sh: servers, load, epollscope
# itself, and what it must not leave behind. Plain shell, since the emulated machines use it too.
#
# A script sources this from the top folder, calls live_init, and ends with finish. Functions that
# start something leave its pid and port in SERVER_PID and PORT, its output under $LIVE_DIR.
. tests/lib.sh
. tests/live/lib_machine.sh

LIVE=${LIVE:-$BUILD/tests/live}	# where our servers and clients are
EPOLLSERVER=${EPOLLSERVER:-$BUILD/epollserver}
EPOLLLOAD=${EPOLLLOAD:-$BUILD/epollload}
SCOPE_LIMIT=${SCOPE_LIMIT:-20}	# seconds that an attach or a report may take
LOAD_LIMIT=30	# seconds that a load may take
LOAD_OPTIONS=	# of epollload, in every load of a script

# Words that go before a command, e.g. taskset -c 0. An interrupt would be ignored by what a script's
# bash has in the background.
ON_SERVER_CPU=
ON_LOAD_CPU=
HEARS_SIGINT='env --default-signal=INT,QUIT'
SCOPE_AS=

live_init() {
	if [ "$(id -u)" != 0 ]; then
		skip "$TEST" 'needs root'
		exit 0
	fi
	test_begin
	for program in "$EPOLLSCOPE" "$EPOLLSERVER" "$EPOLLLOAD"; do
		[ -x "$program" ] && continue
		fail "$TEST" "expected $program to be built"
		finish
	done
	build_c echo_server
	build_c client
	bpf_ids >"$LIVE_DIR/bpf.before"
	LOG_START=$(cut -d' ' -f1 /proc/uptime)
	LAST_CHECKS='bpf_leftovers kernel_log_clean'
}

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
		port=$(shuf -n 1 -i 20000-29999)
		listening "$port" || break
	done
	echo "$port"
}

# The rest would be pointless without it. The emulated machines go on with the next scenario.
give_up() { # NAME REASON
	fail "$1" "$2"
	finish
}

server_started() { # NAME PID
	SERVER_PID=$2
	started "$2"
	await "$SCOPE_LIMIT" listening "$PORT" && return
	give_up "start $1" "expected port $PORT to listen got $(tail -n 3 "$LIVE_DIR/$1.log")"
}

# Servers that choose their port print "port N".
server_with_port() { # NAME COMMAND...
	local name="$1" log="$LIVE_DIR/$1.log"

	shift
	: >"$log"
	"$@" >"$log" 2>&1 &
	SERVER_PID=$!
	await "$SCOPE_LIMIT" grep -q '^port ' "$log"
	PORT=$(sed -n 's/^port //p' "$log")
	server_started "$name" "$SERVER_PID"
}

start_echo() { # OPTIONS...
	server_with_port echo "$LIVE/echo_server" "$@"
}

start_epollserver() { # OPTIONS...
	# shellcheck disable=SC2086 # words
	server_with_port epollserver $ON_SERVER_CPU "$EPOLLSERVER" "$@"
}

start_go() {
	build_go go_server
	server_with_port go "$LIVE/go_server" "$LIVE_DIR/go.count"
}

start_node() { # OPTIONS...
	server_with_port node node "$@" tests/live/servers/node_server.js "$LIVE_DIR/node.count"
}

# SERVER_PID is the master's: its workers are its children. The error log tells broken pipes.
nginx_conf() { # WORKERS
	cat <<-END
		${NGINX_USER:+user $NGINX_USER;}
		daemon off;
		worker_processes $1;
		pid $LIVE_DIR/nginx.pid;
		error_log $LIVE_DIR/nginx.log info;
		events { worker_connections 2048; }
		http {
			access_log off;
			sendfile on;
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
				location /files/ { alias $LIVE_DIR/; }
				location /status { stub_status; }
			}
		}
	END
}

start_nginx() { # [WORKERS [UPSTREAM-PORT]]
	PORT=$(free_port)
	nginx_conf "${1:-1}" | sed "${2:+s,return 200 .*;,proxy_pass http://127.0.0.1:$2;,}" \
		>"$LIVE_DIR/nginx.conf"
	# shellcheck disable=SC2086 # words
	$ON_SERVER_CPU nginx -p "$LIVE_DIR" -c "$LIVE_DIR/nginx.conf" 2>"$LIVE_DIR/nginx.out" &
	server_started nginx $!
}

start_redis() { # OPTIONS...
	PORT=${REDIS_PORT:-$(free_port)}
	# shellcheck disable=SC2086 # words
	$ON_SERVER_CPU redis-server --bind 127.0.0.1 --port "$PORT" --save '' --appendonly no \
		--dir "$LIVE_DIR" "$@" >"$LIVE_DIR/redis.log" 2>&1 &
	server_started redis $!
}

stop_server() {
	end "$SERVER_PID"
}

# Runs a command while there is such a server: the word after start_, and that one's options.
with_server() { # 'NAME OPTIONS...' COMMAND...
	local server="$1"

	shift
	# shellcheck disable=SC2086 # words
	start_${server%% *} ${server#"${server%% *}"} || return
	"$@"
	stop_server
}

# A counter of epollserver's last statistics, over all loops unless told.
stat_of() { # NAME [LOOP]
	sed -n "s/^stats loop=${2:-all} / /p" "$LIVE_DIR/epollserver.log" | tail -n 1 | tr ' ' '\n' |
		sed -n "s/^$1=//p"
}

# The server's end, and what it counted.
stop_and_expect() { # NAME STATISTIC VALUE
	stop_server
	expect_eq "$1: $2" "$3" "$(stat_of "$2")"
}

# Has epollserver print its statistics.
ask_stats() {
	kill -USR1 "$SERVER_PID"
	await 5 grep -q '^stats loop=all' "$LIVE_DIR/epollserver.log"
}

# Its processes, its children's too.
processes_of() { # PID
	local child

	echo "$1"
	# shellcheck disable=SC2013 # they are words
	for child in $(cat "/proc/$1"/task/*/children 2>/dev/null); do
		processes_of "$child"
	done
}

pin() { # PROCESSORS PID
	local pid

	for pid in $(processes_of "$2"); do
		taskset -acp "$1" "$pid" >/dev/null
	done
}

# A column of schedstat over all threads: 1 run time, 2 run delay, both ns, 3 times on a CPU.
schedstat() { # PID COLUMN
	local pid

	for pid in $(processes_of "$1"); do
		cat "/proc/$pid"/task/*/schedstat
	done | awk -v c="$2" '{ sum += $c } END { printf "%.0f\n", sum }'
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
	await "$SCOPE_LIMIT" no_more_than "$1" "$PORT" ||
		fail "connections left on $PORT" "expected $1 got $(connections_on "$PORT")"
}

# --- load: our client, and epollload ---

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
	started "$CLIENT_PID"
	exec 6>"$LIVE_DIR/client.in"
	await "$SCOPE_LIMIT" grep -q ready "$LIVE_DIR/client.err" && return
	give_up client "expected ready got $(cat "$LIVE_DIR/client.err")"
}

client_go() {
	printf g >&6
}

client_wait() {
	ended "$CLIENT_PID"
	exec 6>&-
}

# epollload against TARGET or PORT; its report is in $LIVE_DIR/load.json, its words in load.err.
load() { # OPTIONS...
	# shellcheck disable=SC2086 # words
	$ON_LOAD_CPU timeout -k 1 "$LOAD_LIMIT" "$EPOLLLOAD" --json $LOAD_OPTIONS "$@" "${TARGET:-$PORT}" \
		>"$LIVE_DIR/load.json" 2>"$LIVE_DIR/load.err"
}

load_jq() { # FILTER
	jq -r "$1" "$LIVE_DIR/load.json"
}

# The same, with connections that are open when it comes back; `end $LOAD_PID` closes them. It comes
# back when WORD is announced: connected or done.
load_held() { # WORD OPTIONS...
	local word="$1"

	shift
	: >"$LIVE_DIR/load.err"
	# shellcheck disable=SC2086 # words
	$ON_LOAD_CPU "$EPOLLLOAD" --json --hold --announce $LOAD_OPTIONS "$@" "${TARGET:-$PORT}" \
		>"$LIVE_DIR/load.json" 2>"$LIVE_DIR/load.err" &
	LOAD_PID=$!
	started "$LOAD_PID"
	await "$LOAD_LIMIT" grep -q "^$word" "$LIVE_DIR/load.err" ||
		fail load "expected $word got $(tail -n 1 "$LIVE_DIR/load.err")"
}

# --- epollscope ---

# Runs it in the background; comes back when it is attached. Without that the rest is pointless.
scope_start() { # ARGS...
	SCOPE_OUT=$LIVE_DIR/scope.out
	SCOPE_ERR=$LIVE_DIR/scope.err
	: >"$SCOPE_ERR"	# here, since the child may be later than our first look
	watch_machine
	$HEARS_SIGINT "$EPOLLSCOPE" "$@" >"$SCOPE_OUT" 2>"$SCOPE_ERR" &
	SCOPE_PID=$!
	started "$SCOPE_PID"
	await "$SCOPE_LIMIT" attached_or_gone
	grep -q '^epollscope: attached' "$SCOPE_ERR" && return
	give_up "epollscope $*" "expected attached got $(how_it_is): $(cat "$SCOPE_ERR")"
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
	ended "$SCOPE_PID"
	SCOPE_STATUS=$?
	[ "$SCOPE_STATUS" = "$1" ] && return
	fail 'epollscope exit status' "expected $1 got $SCOPE_STATUS: $(tail -n 3 "$SCOPE_ERR")"
}

scope_stop() {
	kill -INT "$SCOPE_PID"
	scope_wait 0
}

# The load of a watch and its end, when the server is through with the load too.
watched_client() { # OPTIONS...
	client "$@" >"$LIVE_DIR/client.json"
	await_connections 0
	scope_stop
}

scope_jq() { # FILTER
	jq -rc "$1" "$SCOPE_OUT"
}

# Runs it to its end in the foreground; leaves SCOPE_STATUS, $SCOPE_OUT, $SCOPE_ERR.
scope_run() { # ARGS...
	SCOPE_OUT=$LIVE_DIR/scope.out
	SCOPE_ERR=$LIVE_DIR/scope.err
	# shellcheck disable=SC2086 # words
	timeout -k 1 "$SCOPE_LIMIT" $SCOPE_AS "$EPOLLSCOPE" "$@" >"$SCOPE_OUT" 2>"$SCOPE_ERR"
	SCOPE_STATUS=$?
}

# One line on stderr that holds TEXT, nothing on stdout, STATUS.
expect_refusal() { # STATUS TEXT ARGS...
	local status="$1" text="$2" name

	shift 2
	name="refuse $(echo "$*" | tr "\n" " " | sed "s,[^ -~],?,g")"
	scope_run "$@"
	if [ "$SCOPE_STATUS" != "$status" ]; then
		fail "$name" "expected status $status got $SCOPE_STATUS: $(head -n 3 "$SCOPE_ERR")"
	elif [ "$(wc -l <"$SCOPE_ERR")" != 1 ]; then
		fail "$name" "expected 1 line got $(cat "$SCOPE_ERR")"
	elif ! grep -q '^epollscope: ' "$SCOPE_ERR" || ! grep -qF -- "$text" "$SCOPE_ERR"; then
		fail "$name" "expected '$text' got $(cat "$SCOPE_ERR")"
	elif [ -s "$SCOPE_OUT" ]; then
		fail "$name" "expected no stdout got $(head -n 3 "$SCOPE_OUT")"
	else
		pass "$name"
	fi
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

# ns of the folded stacks that match.
weight() { # PATTERN
	awk -v p="$1" '$0 ~ p { sum += $NF } END { printf "%.0f\n", sum }' "$SCOPE_OUT"
}

# What flame said of its stacks, for the log.
notes() {
	sed -n 's/^epollscope: /# /p' "$SCOPE_ERR" | grep -E 'stacks|frames|call-frame|tail|samples|note'
}

build_id_of() { # FILE
	readelf -n "$1" | sed -n 's/.*Build ID: //p'
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
