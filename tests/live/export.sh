#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# limit: 280
# export.sh - the exporter under a real Prometheus: counts, percentiles, restarts, hostile names,
# slow clients, two hosts in one percentile, the dashboard's queries.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

PAGE=tests/live/export_page.py
X=epollscope_exchange_duration_seconds
OPENMETRICS='Accept: application/openmetrics-text;version=1.0.0'

# --- an exporter, a Prometheus ---

# Leaves EXPORT_PID and EXPORT_URL, "127.0.0.1:PORT".
export_start() { # ARGS...
	scope_start export --listen 127.0.0.1:0 "$@"
	EXPORT_PID=$SCOPE_PID
	EXPORT_URL=$(sed -nE 's|.*serving https?://([^/]+)/metrics|\1|p' "$SCOPE_ERR")
}

export_stop() { # PID
	kill -INT "$1"
	await "$SCOPE_LIMIT" gone "$1"
	ended "$1"
	expect_eq 'the exporter ends when told to' 0 $?
}

page() { # [CURL ARGS...]
	curl -sS --max-time 10 "$@" "http://$EXPORT_URL/metrics"
}

# The sum of a page's series whose line matches the pattern.
value() { # PATTERN
	page | awk -v p="$1" 'index($0, p) == 1 { n++; sum += $NF } END { if (n) printf "%.0f\n", sum }'
}

value_is() { # PATTERN EXPECTED
	[ "$(value "$1")" = "$2" ]
}

expect_value() { # NAME PATTERN EXPECTED
	await 10 value_is "$2" "$3"
	expect_eq "$1" "$3" "$(value "$2")"
}

prometheus_start() { # TARGETS... as YAML
	PROMETHEUS=127.0.0.1:$(free_port)
	mkdir -p "$LIVE_DIR/www"
	cat >"$LIVE_DIR/prometheus.yml" <<-END
		global: {scrape_interval: 1s, evaluation_interval: 1s}
		rule_files: [$PWD/tools/prometheus/rules.yml, $PWD/tools/prometheus/alerts.yml]
		scrape_configs:
		  - {job_name: epollscope, static_configs: [{targets: ["$EXPORT_URL"]}]}
		  - {job_name: hosts, metrics_path: /a, static_configs: [{targets: ["$FILES"]}]}
		  - {job_name: hosts2, metrics_path: /b, static_configs: [{targets: ["$FILES"]}]}
	END
	prometheus --config.file="$LIVE_DIR/prometheus.yml" --storage.tsdb.path="$LIVE_DIR/tsdb" \
		--web.listen-address="$PROMETHEUS" --enable-feature=exemplar-storage \
		>"$LIVE_DIR/prometheus.log" 2>&1 &
	started $!
	await 20 prometheus_is 'up{job="epollscope"}' 1 ||
		fail 'Prometheus scrapes' "expected up got $(tail -n 3 "$LIVE_DIR/prometheus.log")"
}

# One instant vector's values, a line each.
prometheus_query() { # QUERY
	curl -sS --max-time 10 --get --data-urlencode "query=$1" "http://$PROMETHEUS/api/v1/query" |
		jq -r 'if .status == "success" then .data.result[].value[1] else .error end'
}

prometheus_is() { # QUERY EXPECTED
	[ "$(prometheus_query "$1")" = "$2" ]
}

expect_query() { # NAME QUERY EXPECTED
	await 15 prometheus_is "$2" "$3"
	expect_eq "$1" "$3" "$(prometheus_query "$2")"
}

# Both in the same bucket of a power of two nanoseconds.
expect_same_bucket() { # NAME SECONDS NS
	# shellcheck disable=SC2016 # jq's own
	expect_jq "$1 ($2 s, $3 ns)" <(jq -n --argjson s "${2:-null}" --argjson n "${3:-null}" '[$s, $n]') \
		'(.[1] | log2 | floor) as $k | .[0] * 1e9 | . >= pow(2; $k) and . <= pow(2; $k + 1)'
}

rss_kb() { # PID
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

# --- tests ---

test_page() {
	local n

	page >"$LIVE_DIR/page"
	page -H "$OPENMETRICS" >"$LIVE_DIR/page.om"
	expect_eq 'promtool check metrics' '' "$(promtool check metrics <"$LIVE_DIR/page" 2>&1)"
	n=$($PAGE check text "$LIVE_DIR/page" 2>&1)
	expect_between 'text as its parser has it' 100 10000 "$n"
	n=$($PAGE check openmetrics "$LIVE_DIR/page.om" 2>&1)
	expect_eq 'OpenMetrics as the strict parser has it: as many series as it says' \
		"$(awk '/^epollscope_series / { print $2 }' "$LIVE_DIR/page.om")" "$n"
	expect_eq 'gzip is the same page' "$(page | grep -c .)" \
		"$(page -H 'Accept-Encoding: gzip' | gzip -dc | grep -c .)"
	expect_eq 'exemplars name a connection' yes \
		"$(grep -qE "^${X}_bucket.* # \{conn=\"[0-9]+\",pid" "$LIVE_DIR/page.om" && echo yes)"
}

test_counts() {
	local redis=$1 report p99

	$HEARS_SIGINT "$EPOLLSCOPE" report -P "$redis" --json >"$LIVE_DIR/report.json" \
		2>"$LIVE_DIR/report.err" &
	report=$!
	started "$report"
	await "$SCOPE_LIMIT" grep -q attached "$LIVE_DIR/report.err"
	redis-benchmark -p "$redis" -n 20000 -c 20 -t get -q >/dev/null
	PORT=$WEB client --http --connections 4 --requests 20000 >/dev/null
	kill -INT "$report"
	await "$SCOPE_LIMIT" gone "$report"
	# redis-benchmark asks for the server's configuration first.
	expect_query 'redis: stored counts are what was sent' "${X}_count{target=\"redis\"}" 20001
	expect_query 'nginx: stored counts are what was sent' "${X}_count{target=\"web\"}" 20000
	expect_query 'every stage of service' \
		'epollscope_stage_duration_seconds_count{target="web",stage="service"}' 20000
	p99=$(prometheus_query "histogram_quantile(0.99, ${X}_bucket{target=\"redis\"})")
	expect_same_bucket "histogram_quantile is in the bucket of the report's P99" "$p99" \
		"$(jq .exchanges.latency_ns.p99 "$LIVE_DIR/report.json")"
	expect_query 'connections of nginx, opened' 'epollscope_connections_opened_total{target="web"}' 4
	expect_query 'connections of nginx, their durations' \
		'epollscope_connection_duration_seconds_count{target="web"}' 4
	expect_query 'the queue of the port has a limit' \
		"epollscope_accept_queue_limit{target=\"redis\",port=\"$redis\"}" 511
}

# Both restart; what the others counted goes on, nothing falls.
test_restarts() {
	local redis=$1 old=$REDIS_PID before

	page >"$LIVE_DIR/before"
	kill -HUP "$WEB_PID"
	end "$old"
	expect_value 'a target that ended is waited for' 'epollscope_processes{target="redis"}' 0
	REDIS_PORT=$redis start_redis
	expect_value 'and found when it is back' 'epollscope_processes{target="redis"}' 1
	before=$(value "${X}_count{target=\"redis\"}")
	redis-benchmark -p "$redis" -n 1000 -c 5 -t get -q >/dev/null
	PORT=$WEB client --http --connections 2 --requests 1000 >/dev/null
	expect_value 'its exchanges count from there' "${X}_count{target=\"redis\"}" $((before + 1001))
	expect_value 'workers after a reload count too' "${X}_count{target=\"web\"}" 21000
	page >"$LIVE_DIR/after"
	expect_eq 'no counter fell or went' ok "$($PAGE grown "$LIVE_DIR/before" "$LIVE_DIR/after" 2>&1)"
}

test_names() {
	expect_value 'loops have found their limit' 'epollscope_loops_merged{target="names"}' 0
	echo >&"$NAMES_FD"
	await 60 grep -q 'done' "$LIVE_DIR/names.log" || fail 'names' 'expected done got nothing'
	test_page
	expect_between '10,000 names are merged, and it shows' 9000 10000 \
		"$(value 'epollscope_loops_merged{target="names"}')"
	expect_value 'every turn is counted' 'epollscope_epoll_events_per_wait_count{target="names"' 40000
	expect_eq 'within --max-series' yes \
		"$([ "$(value 'epollscope_series ')" -le "$(value 'epollscope_series_limit ')" ] && echo yes)"
	expect_eq 'a name is escaped' 1 "$(page | grep -cF 'loop_wakeups_total{target="names",loop="a\"b"}')"
}

# One that nobody of the target started: found by its name, as is its successor.
test_late() {
	local name=late$$x i

	cp "$LIVE/echo_server" "$LIVE_DIR/$name"
	for i in 1 2; do
		expect_value "late $i: no process yet" 'epollscope_processes{target="late"}' 0
		server_with_port late "$LIVE_DIR/$name" --http
		expect_value "late $i: found" 'epollscope_processes{target="late"}' 1
		client --http --connections 2 --requests 300 >/dev/null
		expect_value "late $i: counted" "${X}_count{target=\"late\"}" $((i * 300))
		stop_server
	done
}

status_of() { # CURL ARGS...
	curl -sS -o "$LIVE_DIR/answer" -w '%{http_code}' --max-time 10 "$@" 2>/dev/null
}

test_bad_clients() {
	local before after

	expect_eq 'GET /healthz' 200 "$(status_of "http://$EXPORT_URL/healthz")"
	expect_eq 'GET /' 200 "$(status_of "http://$EXPORT_URL/")"
	expect_eq 'HEAD /metrics' 200 "$(status_of -I "http://$EXPORT_URL/metrics")"
	expect_eq 'GET /else' 404 "$(status_of "http://$EXPORT_URL/else")"
	expect_eq 'POST' 405 "$(status_of -d x "http://$EXPORT_URL/metrics")"
	expect_eq 'a GET with a body' 413 "$(status_of -X GET -d x "http://$EXPORT_URL/metrics")"
	expect_eq 'large headers' 431 \
		"$(status_of -H "X: $(head -c 60000 /dev/zero | tr '\0' x)" "http://$EXPORT_URL/metrics")"
	expect_eq 'no HTTP' 400 \
		"$(printf 'GET /metrics HTTP/1.1\r\nno header\r\n\r\n' | nc -w 3 "${EXPORT_URL%:*}" "${EXPORT_URL#*:}" |
			sed -nE '1s/^HTTP\/1.[01] ([0-9]+).*/\1/p')"
	before=$(rss_kb "$EXPORT_PID")
	head -c 3000000 /dev/urandom | nc -w 3 "${EXPORT_URL%:*}" "${EXPORT_URL#*:}" >/dev/null
	slowhttptest -c 200 -r 200 -H -i 2 -l 8 -x 24 -p 3 -u "http://$EXPORT_URL/metrics" \
		>"$LIVE_DIR/slow.log" 2>&1
	slowhttptest -c 50 -r 50 -X -l 4 -w 1 -y 2 -n 1 -z 1 -p 3 -u "http://$EXPORT_URL/metrics" \
		>>"$LIVE_DIR/slow.log" 2>&1
	after=$(rss_kb "$EXPORT_PID")
	expect_between 'memory after slow clients, kB' 0 $((before + 8192)) "$after"
	expect_between 'slow clients were shut' 100 100000 "$(value 'epollscope_http_refused_total ')"
}

# What Prometheus stored of it all.
test_scrapes() {
	local name

	expect_query 'no scrape missed' 'min_over_time(up{job="epollscope"}[10m])' 1
	for name in "${X}_bucket" "${X}_sum" epollscope_stage_duration_seconds_bucket \
		epollscope_turn_duration_seconds_bucket epollscope_loop_exchanges_total \
		epollscope_connections_opened_total epollscope_connections_closed_total \
		epollscope_runqueue_duration_seconds_sum epollscope_lost_total; do
		expect_query "no reset of $name" "sum(resets($name{job=\"epollscope\"}[10m]))" 0
	done
	expect_between 'scrapes' 10 1000 "$(prometheus_query 'count_over_time(up{job="epollscope"}[10m])')"
}

test_dashboard() {
	local query bad='' n=0 answer

	while read -r query; do
		query=${query//\$__rate_interval/10s}
		query=${query//\$target/.*}
		query=${query//\$instance/.*}
		answer=$(curl -sS --get --data-urlencode "query=$query" "http://$PROMETHEUS/api/v1/query" |
			jq -r .status)
		[ "$answer" = success ] || bad="$bad $query"
		n=$((n + 1))
	done < <(jq -r '.panels[].targets[].expr' tools/grafana/epollscope.json)
	expect_eq "the dashboard's $n queries are answered" '' "$bad"
	# Every metric that they name is one that we have.
	jq -r '.panels[].targets[].expr' tools/grafana/epollscope.json |
		cat - tools/prometheus/rules.yml tools/prometheus/alerts.yml |
		grep -oE '\bepollscope_[a-z_]+' | sed -E 's/_(bucket|count|sum)$//' | sort -u >"$LIVE_DIR/named"
	# shellcheck disable=SC2016 # quotes of Markdown
	sed -nE 's/^\| `(epollscope_[a-z_]+)`.*/\1/p' docs/metrics.md | sort -u >"$LIVE_DIR/have"
	expect_eq 'and name metrics that exist' '' "$(comm -23 "$LIVE_DIR/named" "$LIVE_DIR/have")"
}

# A host: its namespace, its server, its exporter; what it served goes to www/NAME.
host_start() { # NAME
	ip netns add "scope$1$$" && ip -n "scope$1$$" link set lo up || return 1
	IN=(ip netns exec "scope$1$$")
	: >"$LIVE_DIR/host$1.log"
	"${IN[@]}" "$LIVE/echo_server" --http >"$LIVE_DIR/host$1.log" 2>&1 &
	started $!
	HOST_PID=$!
	await 10 grep -q '^port ' "$LIVE_DIR/host$1.log"
	"${IN[@]}" "$EPOLLSCOPE" export --listen 127.0.0.1:9464 --target web -p "$HOST_PID" \
		2>"$LIVE_DIR/export$1.err" &
	HOST_EXPORT=$!
	started $!
	# shellcheck disable=SC2086 # words
	"${IN[@]}" $HEARS_SIGINT "$EPOLLSCOPE" slow --over 0ns --json --ring-size 16384 \
		-p "$HOST_PID" >"$LIVE_DIR/slow$1.json" 2>"$LIVE_DIR/slow$1.err" &
	HOST_SLOW=$!
	started $!
	await "$SCOPE_LIMIT" grep -q attached "$LIVE_DIR/export$1.err"
	await "$SCOPE_LIMIT" grep -q attached "$LIVE_DIR/slow$1.err"
}

host_run() { # NAME REQUESTS CONNECTIONS
	local port

	host_start "$1" || return 1
	port=$(sed -n 's/^port //p' "$LIVE_DIR/host$1.log")
	"${IN[@]}" "$LIVE/client" --http --port "$port" --connections "$3" --requests "$2" >/dev/null
	kill -INT "$HOST_SLOW"
	await "$SCOPE_LIMIT" gone "$HOST_SLOW"
	"${IN[@]}" curl -sS http://127.0.0.1:9464/metrics >"$LIVE_DIR/www/$1"
	kill "$HOST_EXPORT" "$HOST_PID"
	wait "$HOST_EXPORT" "$HOST_PID" "$HOST_SLOW" 2>/dev/null
	ip netns del "scope$1$$"
}

test_two_hosts() {
	local sum='histogram_quantile(0.99, sum by (le) ('${X}'_bucket{job=~"hosts.*"}))' exact

	if ! host_run a 8000 2 || ! host_run b 4000 30; then
		fail 'two hosts' 'expected network namespaces got none'
		return
	fi
	read -r -a exact < <($PAGE p99 "$LIVE_DIR/slowa.json" "$LIVE_DIR/slowb.json")
	expect_eq 'two hosts: raw records' 12000 "${exact[0]}"
	expect_query 'two hosts: stored counts' "sum(${X}_count{job=~\"hosts.*\"})" 12000
	expect_same_bucket 'two hosts: one P99' "$(prometheus_query "$sum")" \
		"$(jq -n "${exact[1]} * 1e9")"
}

test_privileges() {
	local seen

	seen=$(awk '/^(CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):/ { printf "%s ", $2 }' \
		"/proc/$EXPORT_PID/status")
	# DAC_READ_SEARCH and SYS_PTRACE, since one target is found by its port.
	expect_eq 'what is left of privileges' \
		'0000000000080004 0000000000080004 0000000000000000 1 2 ' "$seen"
}

# As the unit has it: a user of no rights with the capabilities of attaching.
test_unit() {
	local score

	score=$(systemd-analyze security --offline=true tools/systemd/epollscope-export.service |
		sed -nE 's/.*Overall exposure level.*: ([0-9.]+) .*/\1/p')
	expect_between 'exposure of the unit' 0 2.0 "$score"
	start_echo --http
	cp "$EPOLLSCOPE" "$LIVE_DIR/scope" && chmod 755 "$LIVE_DIR" "$LIVE_DIR/scope"
	local caps=+bpf,+perfmon,+dac_read_search
	export_start_as "$caps" -p "$SERVER_PID"
	PORT=$PORT client --http --connections 2 --requests 500 >/dev/null
	expect_value 'as nobody with three capabilities: counts' "${X}_count{target=" 500
	expect_eq 'as nobody: no capability is left' '0000000000000000' \
		"$(awk '/^CapPrm/ { print $2 }' "/proc/$EXPORT_PID/status")"
	export_stop "$EXPORT_PID"
	stop_server
}

export_start_as() { # CAPS ARGS...
	local caps=$1

	shift
	SCOPE_ERR=$LIVE_DIR/nobody.err
	: >"$SCOPE_ERR"
	$HEARS_SIGINT setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all,"$caps" \
		--ambient-caps=-all,"$caps" --bounding-set=-all,"$caps" \
		"$LIVE_DIR/scope" export --listen 127.0.0.1:0 "$@" 2>"$SCOPE_ERR" >/dev/null &
	EXPORT_PID=$!
	started $!
	await "$SCOPE_LIMIT" grep -q attached "$SCOPE_ERR" ||
		fail 'as nobody' "expected attached got $(cat "$SCOPE_ERR")"
	EXPORT_URL=$(sed -nE 's|.*serving https?://([^/]+)/metrics|\1|p' "$SCOPE_ERR")
}

test_tls() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 \
		-subj /CN=localhost -keyout "$LIVE_DIR/key" -out "$LIVE_DIR/cert" 2>/dev/null
	echo 'reader:se:cret' >"$LIVE_DIR/auth"
	export_start -c "nobody-has-this-$$" --tls-cert "$LIVE_DIR/cert" --tls-key "$LIVE_DIR/key" \
		--auth-file "$LIVE_DIR/auth"
	expect_eq 'TLS and no password' 401 "$(status_of -k "https://$EXPORT_URL/metrics")"
	expect_eq 'TLS and a wrong password' 401 "$(status_of -k -u reader:s "https://$EXPORT_URL/metrics")"
	expect_eq 'TLS and the password' 200 \
		"$(status_of -k -u reader:se:cret "https://$EXPORT_URL/metrics")"
	expect_eq 'a target that does not run is waited for' 1 \
		"$(grep -c '^epollscope_processes{.*} 0$' "$LIVE_DIR/answer")"
	export_stop "$EXPORT_PID"
}

# Sleeps in its loop show while they last; a server that does nothing has no finding.
test_findings() {
	local idle load

	start_echo --http
	idle=$SERVER_PID
	start_epollserver --protocol http --fault sleep=20ms,every=50
	export_start --budget 0 --finding-window 2s --target bad -p "$SERVER_PID" --target idle -p "$idle"
	"$LIVE/client" --port "$PORT" --http --connections 4 --requests 40000 >/dev/null &
	load=$!
	started "$load"
	expect_value 'a fault is found' 'epollscope_finding{target="bad",code="blocking-call"}' 1
	end "$load"
	expect_value 'and is over when it has ended' 'epollscope_finding{target="bad"' 0
	expect_value 'nothing is found in a server that idles' 'epollscope_finding{target="idle"' 0
	expect_eq 'what can be judged has a series' 23 \
		"$(page | grep -c '^epollscope_finding{target="idle",code="[a-z-]*"} 0$')"
	export_stop "$EXPORT_PID"
	stop_server
	end "$idle"
}

refusal() { # NAME STATUS PART ARGS...
	local name=$1 status=$2 part=$3

	shift 3
	scope_run export "$@"
	expect_eq "$name: status, lines" "$status 1" "$SCOPE_STATUS $(wc -l <"$SCOPE_ERR")"
	expect_eq "$name: says so" yes "$(grep -qF -e "$part" "$SCOPE_ERR" && echo yes)"
}

test_refusals() {
	refusal 'port in use' 1 'the port is in use' --listen "$EXPORT_URL" -p "$WEB_PID"
	refusal 'dead pid' 66 'does not exist' --listen 127.0.0.1:0 -p "$(dead_pid)"
	refusal 'no such file' 66 'cannot read' --auth-file "$LIVE_DIR/none" -p "$WEB_PID"
	refusal 'too few series' 64 'give' --max-series 100 -p "$WEB_PID"
}

test_tools() {
	if promtool test rules tools/prometheus/rules_test.yml >"$LIVE_DIR/rules.log" 2>&1; then
		pass 'promtool test rules'
	else
		fail 'promtool test rules' "$(grep -A3 FAILED "$LIVE_DIR/rules.log")"
	fi
}

start_names() { # COUNT
	mkfifo "$LIVE_DIR/names.in"
	$PAGE threads "$1" <"$LIVE_DIR/names.in" >"$LIVE_DIR/names.log" 2>&1 &
	NAMES_PID=$!
	started $!
	exec {NAMES_FD}>"$LIVE_DIR/names.in"
}

start_redis
REDIS=$PORT REDIS_PID=$SERVER_PID
start_nginx 2
WEB=$PORT WEB_PID=$SERVER_PID
start_names 10000
mkdir -p "$LIVE_DIR/www"
FILES=127.0.0.1:$(free_port)
python3 -m http.server --bind 127.0.0.1 --directory "$LIVE_DIR/www" "${FILES#*:}" >/dev/null 2>&1 &
started $!
export_start --target redis -P "$REDIS" --target web -p "$WEB_PID" --target names -p "$NAMES_PID" \
	--target late -c "late$$*" \
	--max-series 6000
prometheus_start
test_counts "$REDIS"
test_page
test_privileges
test_refusals
test_restarts "$REDIS"
test_names
test_late
test_bad_clients
test_two_hosts
test_dashboard
test_scrapes
test_tools
export_stop "$EXPORT_PID"
test_findings
test_tls
test_unit
finish
