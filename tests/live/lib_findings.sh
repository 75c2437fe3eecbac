# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# lib_findings.sh - what the scripts share that judge a diagnosis: a table of faults, each of which
# is a server, a load, and what the report must say of them first. Sourced after live_init.
#
# Servers run on the first processor that we have, load and epollscope on the last one, as a careful
# user would have it. `FINDINGS=REGEX` runs only the rows whose name matches.

ROWS=()
read -ra cpus < <(sed -n 's/^Cpus_allowed_list:\s*//p' /proc/self/status | tr , '\n' |
	awk -F- '{ for (i = $1; i <= (NF > 1 ? $2 : $1); i++) printf "%d ", i } END { print "" }')
SERVER_CPU=${cpus[0]} LOAD_CPU=${cpus[-1]} ALL_CPUS=$(tr ' ' , <<<"${cpus[*]}")
ON_SERVER_CPU="taskset -c $SERVER_CPU"
LOAD_OPTIONS='--spin 0us'	# load shares its processor with epollscope, so it must not spin
taskset -cp "$LOAD_CPU" $$ >/dev/null

# --- a server, a watch, a load ---

watch_it() { # OPTIONS...
	scope_start report --json -p "$SERVER_PID" "$@"
	WAITED=$(schedstat "$SERVER_PID" 2) BEGAN=$(date +%s%N)
}

# Ends the watch; the report is in $SCOPE_OUT.
watched() {
	scope_stop
	WAITED_NS=$(($(schedstat "$SERVER_PID" 2) - WAITED))
	WAITED_PERCENT=$((100 * WAITED_NS / ($(date +%s%N) - BEGAN)))
	OTHERS_PERCENT=$(others_percent)
	stop_server
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
# or a word.
wrong() { # CODE KEY INJECTED
	jq -r --arg code "$1" --arg key "$2" --arg injected "$3" '
		(.diagnosis[0] // {code: "none"}) as $first | .evidence as $none |
		[.diagnosis[1:][] | select(.severity == "severe") | .code] as $severe |
		($first.evidence[$key]) as $found | ($injected | tonumber? // $injected) as $want |
		if $first.code != $code then "expected \($code) first got \($first.code)"
		elif $severe != [] then "expected no other severe finding got \($severe)"
		elif $key == "" or $found == $want then empty
		elif ($want | type) == "number" and ($found | type) == "number" and
			($found - $want | fabs) <= 0.1 * $want then empty
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
	if [ "${OTHERS_PERCENT:-0}" -ge 25 ]; then
		echo "others had $OTHERS_PERCENT % of a processor, somebody"
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

# One row of the table. Its columns are commands, evaluated here: SERVER leaves SERVER_PID and PORT
# and may set AFTER, which ends what SERVER started beside; WATCH is more options of report; LOAD is
# done while it watches. The first finding must be CODE, with KEY of its evidence as INJECTED, an
# expression that is looked at when all have ended. RUNS is 2 where the machine may disturb: the
# second run is shown. ALSO is another figure of the same report: CODE KEY LOW HIGH, or CODE KEY WORD.
fault() { # NAME SERVER WATCH LOAD CODE KEY INJECTED RUNS ALSO
	local name=$1 code=$5 key=$6 injected reason intruder runs=$8 also

	[[ $name =~ ${FINDINGS:-.} ]] || return
	for (( ; runs > 0; runs--)); do
		AFTER='' MEASURED=''
		if ! eval "$2"; then
			skip "$name: $code" 'it cannot be arranged here'
			stop_server
			return
		fi
		eval "watch_it $3"
		eval "$4"
		watched
		eval "$AFTER"
		eval "injected=$7"
		# There the server has to wait for a processor.
		[[ $code != cpu-* ]] || WAITED_PERCENT=0
		reason=$(wrong "$code" "$key" "$injected")
		[ -n "$reason" ] || break
		[ "$runs" = 1 ] || echo "# $name, once more: $reason"
	done
	add_row "$name" "$code" "$key" "$injected"
	[ -z "${FINDINGS_KEEP:-}" ] || cp "$SCOPE_OUT" "$FINDINGS_KEEP/$(tr -cs 'a-z0-9\n' - <<<"$name").json"
	if [ -z "$reason" ]; then
		pass "$name: $code"
	elif intruder=$(who_else_ran); then
		skip "$name: $code" "the machine is not ours alone: $intruder ran instead ($reason)"
	else
		fail "$name: $code" "$reason: $(scope_jq '[.diagnosis[].summary] | join(" / ")')"
	fi
	eval "also=($9)"
	if [ ${#also[@]} = 4 ]; then
		expect_between "$name: ${also[0]}, ${also[1]}" "${also[@]:2}" "$(evidence "${also[@]:0:2}")"
	elif [ ${#also[@]} = 3 ]; then
		expect_eq "$name: ${also[0]}, ${also[1]}" "${also[2]}" "$(evidence "${also[@]:0:2}")"
	fi
}

# A table of them on stdin: columns are separated by |, a row may go on after a backslash.
faults() { # HEADING
	local name server watch load code key injected runs also

	# shellcheck disable=SC2162 # backslashes continue rows
	while IFS='|' read -u 3 name server watch load code key injected runs also; do
		read -r name <<<"$name"
		read -r injected <<<"$injected"
		fault "$name" "$server" "$watch" "$load" "${code// }" "${key// }" "$injected" "${runs:-1}" \
			"$also" 3<&-
	done 3<&0 </dev/null
	print_rows "$1"
}

print_rows() { # HEADING
	local row

	echo "# $1"
	for row in "${ROWS[@]}"; do
		echo "# | $row |"
	done
	ROWS=()
}
