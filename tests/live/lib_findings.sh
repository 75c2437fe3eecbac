# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# lib_findings.sh - what the scripts share that judge a diagnosis: watch a server while it is
# loaded, look at what the report says first, keep a row of the matrix.
#
# Servers run on the first processor that we have, load and epollscope on the last one, as a careful
# user would have it. `FINDINGS=REGEX` runs only the cases whose name matches.

SERVER=${BUILD:-build}/epollserver
LOAD=${BUILD:-build}/epollload
ROWS=()

findings_init() {
	local cpus

	read -ra cpus < <(allowed_cpus)
	SERVER_CPU=${cpus[0]} LOAD_CPU=${cpus[-1]} ALL_CPUS=$(tr ' ' , <<<"${cpus[*]}")
	ON_SERVER_CPU=(taskset -c "$SERVER_CPU")
	taskset -cp "$LOAD_CPU" $$ >/dev/null
	IDLE_CLIENTS=()
}

allowed_cpus() {
	sed -n 's/^Cpus_allowed_list:\s*//p' /proc/self/status | tr , '\n' |
		awk -F- '{ for (i = $1; i <= (NF > 1 ? $2 : $1); i++) printf "%d ", i } END { print "" }'
}

# --- a server, a watch, a load ---

serve() { # OPTIONS...
	server_with_port epollserver "${ON_SERVER_CPU[@]}" "$SERVER" "$@"
}

watch_it() { # OPTIONS...
	scope_start report --json -p "$SERVER_PID" "$@"
	WAITED=$(schedstat "$SERVER_PID" 2) BEGAN=$(date +%s%N)
}

# Ends the watch; the report is in $SCOPE_OUT.
watched() {
	scope_stop
	WAITED_PERCENT=$((100 * ($(schedstat "$SERVER_PID" 2) - WAITED) / ($(date +%s%N) - BEGAN)))
	stop_server
}

# Its report is in $LIVE_DIR/load.json. It does not spin: it shares its processor with epollscope.
load() { # OPTIONS...
	"$LOAD" --json --spin 0us "$@" "${TARGET:-$PORT}" >"$LIVE_DIR/load.json" 2>"$LIVE_DIR/load.err"
}

# The same, connections still open when it comes back; end_load closes them.
load_held() { # OPTIONS...
	: >"$LIVE_DIR/load.err"
	"$LOAD" --json --spin 0us --hold --announce "$@" "$PORT" >"$LIVE_DIR/load.json" \
		2>"$LIVE_DIR/load.err" &
	LOAD_PID=$!
	STARTED+=("$LOAD_PID")
	await 15 grep -q done "$LIVE_DIR/load.err" ||
		fail 'load' "expected done got $(tail -n 1 "$LIVE_DIR/load.err")"
}

end_load() {
	kill -TERM "$LOAD_PID"
	wait "$LOAD_PID"
	forget "$LOAD_PID"
}

load_jq() { # FILTER
	jq -r "$1" "$LIVE_DIR/load.json"
}

odd_client() { # KIND ARGS...
	timeout 20 python3 tests/live/findings_client.py "$@"
}

# --- the verdict ---

first_code() {
	scope_jq '.diagnosis[0].code // "none"'
}

evidence() { # CODE KEY
	jq -r --arg c "$1" --arg k "$2" 'first(.diagnosis[] | select(.code == $c)) | .evidence[$k]
		// "nothing"' "$SCOPE_OUT"
}

# What is wrong with the diagnosis; nothing if it is right. INJECTED is a number, within 10 % or
# TOLERANCE, or a word.
wrong() { # CODE KEY INJECTED [TOLERANCE]
	jq -r --arg code "$1" --arg key "$2" --arg injected "$3" --argjson tolerance "${4:-0.1}" '
		(.diagnosis[0] // {code: "none"}) as $first | .evidence as $none |
		[.diagnosis[1:][] | select(.severity == "severe") | .code] as $severe |
		($first.evidence[$key]) as $found | ($injected | tonumber? // $injected) as $want |
		if $first.code != $code then "expected \($code) first got \($first.code)"
		elif $severe != [] then "expected no other severe finding got \($severe)"
		elif $key == "" or $found == $want then empty
		elif ($want | type) == "number" and ($found | type) == "number" and
			($found - $want | fabs) <= $tolerance * $want then empty
		else "expected \($key) \($want) got \($found)" end' "$SCOPE_OUT"
}

# A program that is none of ours had the server's processor: what the report says is right then, but
# not what we ask for.
who_else_ran() {
	local pid name

	if [ "${WAITED_PERCENT:-0}" -ge 5 ]; then
		echo "the server waited for its processor for $WAITED_PERCENT % of the time, somebody"
		return
	fi
	read -r pid name < <(scope_jq '.diagnosis[] | select(.code == "cpu-starved").evidence |
		select(.instead_pid) | "\(.instead_pid) \(.instead)"')
	[ -n "$pid" ] && ! is_ours "$pid" && echo "$name"
}

is_ours() { # PID
	local parent=$1

	while [ "${parent:-0}" -gt 1 ]; do
		[ "$parent" = $$ ] && return
		parent=$(sed -n 's/^PPid:\s*//p' "/proc/$parent/status" 2>/dev/null)
	done
	return 1
}

in_words() { # KEY VALUE
	case $1 in
	*_ns) awk -v v="$2" 'BEGIN { printf v < 1e6 ? "%.0f us" : v < 1e8 ? "%.1f ms" : "%.0f ms",
		v < 1e6 ? v / 1e3 : v / 1e6 }' ;;
	*share) awk -v v="$2" 'BEGIN { printf "%.1f %%", v * 100 }' ;;
	*) awk -v v="$2" 'BEGIN { if (v + 0 == v) printf "%.4g", v; else printf "%s", v }' ;;
	esac
}

add_row() { # NAME CODE KEY INJECTED
	local others found=

	others=$(scope_jq '[.diagnosis[1:][] | "\(.code) (\(.severity))"] | join(", ")')
	[ -z "$3" ] || found=$(printf '%s %s -> %s' "${3%_ns}" "$(in_words "$3" "$4")" \
		"$(in_words "$3" "$(evidence "$2" "$3")")")
	ROWS+=("$(printf '%s | %s | %s | %s' "$1" "$(first_code)" "$found" "${others:--}")")
}

# Runs CASE, a function that leaves the report in $SCOPE_OUT and may set INJECTED itself. The first
# finding must be CODE, with KEY of its evidence as injected. With TRIES=2 a case that the machine
# may disturb gets a second run, which is shown.
fault() { # NAME CODE KEY INJECTED CASE...
	local name=$1 code=$2 key=$3 reason intruder tries=${TRIES:-1}

	[[ $name =~ ${FINDINGS:-.} ]] || return
	for (( ; tries > 0; tries--)); do
		INJECTED=$4 WAITED_PERCENT=0
		"${@:5}"
		reason=$(wrong "$code" "$key" "$INJECTED" "${TOLERANCE:-0.1}")
		[ -n "$reason" ] || break
		[ "$tries" = 1 ] || echo "# $name, once more: $reason"
	done
	add_row "$name" "$code" "$key" "$INJECTED"
	[ -z "${FINDINGS_KEEP:-}" ] || cp "$SCOPE_OUT" "$FINDINGS_KEEP/$(tr -cs 'a-z0-9\n' - <<<"$name").json"
	if [ -z "$reason" ]; then
		pass "$name: $code"
	elif intruder=$(who_else_ran); then
		skip "$name: $code" "the machine is not ours alone: $intruder ran instead ($reason)"
	else
		fail "$name: $code" "$reason: $(scope_jq '[.diagnosis[].summary] | join(" / ")')"
	fi
}

# Another finding of the same report.
also() { # NAME CODE KEY LOW HIGH
	[[ $1 =~ ${FINDINGS:-.} ]] || return
	expect_between "$1: $2, $3" "$4" "$5" "$(evidence "$2" "$3")"
}

print_rows() { # HEADING
	local row

	echo "# $1"
	for row in "${ROWS[@]}"; do
		echo "# | $row |"
	done
	ROWS=()
}
