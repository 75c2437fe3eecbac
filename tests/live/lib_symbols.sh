# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# lib_symbols.sh - a resolver (user/symbols/symbols.h) that takes questions, and programs to ask it about. Sourced
# after lib.sh and live_init.

PARTS=$LIVE_DIR/parts
HERE=tests/live/servers
mkdir -p "$PARTS"
read -ra LIBS < <(sed -n 's/^libs := //p' Makefile)

# --- a resolver that takes questions ---

resolver() { # [COMMAND...] before it, e.g. env A=B
	: >"$LIVE_DIR/notes"
	coproc RESOLVER { env "$@" "$PARTS/resolve" 2>>"$LIVE_DIR/notes"; }
	started "$RESOLVER_PID"
}

resolver_end() {
	local pid=$RESOLVER_PID in=${RESOLVER[1]} status

	eval "exec $in>&-"
	ended "$pid"
	status=$?
	[ $status = 0 ] || fail 'resolver ends' "expected status 0 got $status: $(tail -n 3 "$LIVE_DIR/notes")"
}

# Leaves ANSWER: a subshell would not have the resolver.
ask() { # QUESTION...
	echo "$*" >&"${RESOLVER[1]}"
	ANSWER=''
	read -r -t 60 ANSWER <&"${RESOLVER[0]}" || fail "resolver: $*" 'expected an answer got none'
}

expect_answer() { # NAME EXPECTED QUESTION...
	local name=$1 expected=$2

	shift 2
	ask "$@"
	expect_eq "$name" "$expected" "$ANSWER"
}

expect_note() { # NAME WORDS
	if grep -qF "$2" "$LIVE_DIR/notes"; then
		pass "$1"
	else
		fail "$1" "expected a note of '$2' got $(cat "$LIVE_DIR/notes")"
	fi
}

# --- programs ---

target_ready() {
	grep -q '^ready' "$LIVE_DIR/target.log"
}

start_target() { # COMMAND...
	: >"$LIVE_DIR/target.log"
	"$@" >"$LIVE_DIR/target.log" 2>&1 </dev/null &
	TARGET=$!
	started "$TARGET"
	await 20 target_ready || fail "start $1" "expected ready got $(cat "$LIVE_DIR/target.log")"
}

stop_target() {
	end "$TARGET" KILL
}

address_of() { # FUNCTION
	awk -v name="$1" '$1 == "fn" && $2 == name { print $3; exit }' "$LIVE_DIR/target.log"
}

# A byte inside the function, whose start it told.
expect_function() { # NAME FUNCTION EXPECTED
	expect_answer "$1" "$3" user "$TARGET" "$(printf '%x' $((0x$(address_of "$2") + 1)))"
}

# All functions that the target told of, and addr2line of the same place.
expect_functions() { # NAME OBJECT [FILE]
	local told=0 right=0 same=0 name address place

	ask add "$TARGET"
	expect_eq "$1: added" 0 "$ANSWER"
	while read -r _ name address; do
		told=$((told + 1))
		ask user "$TARGET" "$(printf '%x' $((0x$address + 1)))"
		[ "$ANSWER" = "user $2 $name" ] && right=$((right + 1))
		[ -n "${3-}" ] || continue
		ask place "$TARGET" "$address"
		read -r _ place _ <<<"$ANSWER"
		[ "$(addr2line -f -e "$3" "$place" | head -n 1)" = "$name" ] && same=$((same + 1))
	done < <(grep '^fn ' "$LIVE_DIR/target.log")
	expect_eq "$1: names" "$told" "$right"
	[ -z "${3-}" ] || expect_eq "$1: as addr2line" "$told" "$same"
	[ "$told" -ge 3 ] || fail "$1" "expected functions got $told"
}

compile() { # OUT OPTIONS...
	local out=$PARTS/$1

	shift
	"${CC:-cc}" -std=gnu11 -O1 -g -Wl,--build-id -o "$out" "$@"
}

if ! "${CC:-cc}" -std=gnu11 -O2 -I. -Iuser -o "$PARTS/resolve" $HERE/resolve.c \
	"${BUILD:-build}/libepollscope.a" "${LIBS[@]}"; then
	fail 'resolver builds' 'expected a program got none'
	finish
fi
