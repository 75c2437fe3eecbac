#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# cli.sh - the command line: what is refused, in how many words, and with which exit status.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

# STATUS and nothing on stderr.
expect_result() { # STATUS ARGS...
	local status=$1

	shift
	scope_run "$@"
	expect_eq "'$*'" "$status, 0 lines on stderr" \
		"$SCOPE_STATUS, $(wc -l <"$SCOPE_ERR") lines on stderr"
}

# --- usage: 64 ---

expect_refusal 64 'no command'
expect_refusal 64 "'reprot'" reprot -p 1
for command in report conns slow flame export; do
	expect_refusal 64 'no target' "$command"
done
for pid in 0 -1 2147483648 12a '' 1,,2 1.5 99999999999999999999; do
	expect_refusal 64 "'$pid'" report -p "$pid"
done
for port in 0 -1 65536 http '' '80,'; do
	expect_refusal 64 "'$port'" report -P "$port"
done
for duration in 0 -1 1e99 nan inf '' 10x 31536001 99999999999999999999; do
	expect_refusal 64 "'$duration'" report -p 1 -d "$duration"
done
for over in 5 -5ms ms 5mss ''; do
	expect_refusal 64 "'$over'" slow -p 1 --over "$over"
done
for depth in 0 128 x ''; do
	expect_refusal 64 "'$depth'" flame -p 1 --depth "$depth"
done
for window in 0.9 61m x ''; do
	expect_refusal 64 "'$window'" slow -p 1 --window "$window"
done
for period in 10 0ms 2s ''; do
	expect_refusal 64 "'$period'" record -o x -p 1 --period "$period"
done
expect_refusal 64 '--window' slow -p 1 --over 1ms --window 2
expect_refusal 64 '--depth' flame -i x --depth 3
expect_refusal 64 "'2'" report -p 1 --max-loss 2
expect_refusal 64 "'100'" report -p 1 --ring-size 100
expect_refusal 64 "'101'" report -p 1 --top 101
expect_refusal 64 "'blue'" report -p 1 --color blue
expect_refusal 64 '--over' report -p 1 --over 5ms
expect_refusal 64 '--nonsense' report -p 1 --nonsense
expect_refusal 64 '-x' report -p 1 -x
expect_refusal 64 'needs a value' report -p
expect_refusal 64 'takes no value' report -p 1 --json=yes
expect_refusal 64 "'nginx'" report nginx
expect_refusal 64 'no program' report --
expect_refusal 64 'leave out' report -p 1 -- true
expect_refusal 64 'does not launch' doctor -- true
# What a terminal could take for a command must not reach it.
expect_refusal 64 '\x1b[2J\x0aline\xff' $'\e[2J\nline\xff' -p 1

# --- no such target: 66 ---

pid=$(dead_pid)
expect_refusal 66 "pid $pid does not exist" report -d 1 -p "$pid"
expect_refusal 66 "pid 2147483647 does not exist" conns -d 1 -p 2147483647
expect_refusal 66 "'no-such-name*'" slow -d 1 -c 'no-such-name*'
port=$(free_port)
expect_refusal 66 "port $port" report -d 1 -P "$port"
expect_refusal 66 "'no/such/group'" report -d 1 --cgroup no/such/group
expect_refusal 66 "'/no/such/program'" report -d 1 -- /no/such/program
expect_refusal 66 "'/etc/passwd'" report -d 1 -- /etc/passwd
if [ -e /proc/2 ] && [ ! -e /proc/2/exe ]; then
	expect_refusal 66 'kernel thread' report -d 1 -p 2
else
	skip 'kernel thread' 'none is visible as pid 2'
fi

# --- no target, no privilege needed ---

for command in '' report record conns slow flame export doctor; do
	# shellcheck disable=SC2086  # no word at all when empty
	expect_result 0 $command --help
	awk 'length > 100' "$SCOPE_OUT" | grep . >&2 &&
		fail "width of '$command --help'" 'expected at most 100 columns got the above'
done
expect_result 0 --version
expect_eq 'version' 1 "$(grep -cE '^epollscope [0-9]+\.[0-9]+\.[0-9]+' "$SCOPE_OUT")"
for command in report conns slow; do
	expect_result 0 "$command" --json-schema
	expect_jq "schema of $command is JSON" "$SCOPE_OUT" 'type == "object"'
done

as_nobody() { # ARGS...
	local copy=$LIVE_DIR/nobody/epollscope

	if [ ! -e "$copy" ]; then
		chmod 711 "$LIVE_DIR"
		mkdir -m 755 "$LIVE_DIR/nobody"
		install -m 755 "$EPOLLSCOPE" "$copy"
	fi
	setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs "$copy" "$@"
}
for option in --help --version '--json-schema'; do
	as_nobody "$option" >"$LIVE_DIR/nobody.out" 2>"$LIVE_DIR/nobody.err"
	expect_eq "$option without privilege" '0 0' "$? $(wc -l <"$LIVE_DIR/nobody.err")"
done
as_nobody report -p "$$" -d 1 >"$LIVE_DIR/nobody.out" 2>"$LIVE_DIR/nobody.err"
expect_eq 'report without privilege: status, lines on stderr, on stdout' '77 1 0' \
	"$? $(wc -l <"$LIVE_DIR/nobody.err") $(wc -l <"$LIVE_DIR/nobody.out")"

# --- stdout that fails ---

"$EPOLLSCOPE" --help >/dev/full 2>"$LIVE_DIR/err"
expect_eq 'stdout full: status, lines' '1 1' "$? $(wc -l <"$LIVE_DIR/err")"
expect_eq 'stdout full: reason' 1 "$(grep -c 'No space left' "$LIVE_DIR/err")"
"$EPOLLSCOPE" --help >&- 2>"$LIVE_DIR/err"
expect_eq 'stdout closed: status, lines' '1 1' "$? $(wc -l <"$LIVE_DIR/err")"
"$EPOLLSCOPE" report -p 0 2>&-
expect_eq 'stderr closed: status' 64 $?
# A pipe whose reader has gone already.
mkfifo "$LIVE_DIR/pipe"
exec 7<>"$LIVE_DIR/pipe"
exec 8>"$LIVE_DIR/pipe" 7>&-
"$EPOLLSCOPE" --help >&8 2>"$LIVE_DIR/err"
exec 8>&-
expect_eq 'reader gone: lines on stderr' 0 "$(wc -l <"$LIVE_DIR/err")"

# --- no colour where nobody sees it ---

expect_eq 'no escape codes in a pipe' 0 "$("$EPOLLSCOPE" --help | grep -c $'\e')"

# --- what is written about it agrees with what it does ---

# shellcheck source=tools/completions/epollscope.bash
. tools/completions/epollscope.bash

complete_words() { # WORD...: what completes the last of them, sorted
	local COMP_WORDS=("$EPOLLSCOPE" "$@") COMP_CWORD=$# COMPREPLY

	_epollscope
	printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

for command in '' report record conns slow flame export doctor; do
	# shellcheck disable=SC2086  # no word at all when empty
	"$EPOLLSCOPE" $command --help >"$LIVE_DIR/help"
	[ -n "$command" ] || sed -i '/^Target/,/^$/d' "$LIVE_DIR/help"
	grep -E '^  (-[a-zA-Z], |    )--' "$LIVE_DIR/help" >"$LIVE_DIR/options"
	{
		grep -oE '^  (-[a-zA-Z], |    )--[a-z-]+' "$LIVE_DIR/options" | tr -d ' ' | tr , '\n'
		if [ -z "$command" ]; then
			grep -oE '^  [a-z]+  ' "$LIVE_DIR/help" | tr -d ' '
		elif grep -q "^ .* epollscope $command .*-- PROGRAM" "$LIVE_DIR/help"; then
			echo --
		fi
	} | sort -u >"$LIVE_DIR/wanted"
	# shellcheck disable=SC2086
	expect_eq "completion after '$command'" "$(cat "$LIVE_DIR/wanted")" \
		"$(complete_words $command '')"
	while read -r option; do
		grep -qF -- "${option#--}" docs/epollscope.1 ||
			fail "man page on $option" 'expected it got nothing'
	done < <(grep -o -- '--[a-z][a-z-]*' "$LIVE_DIR/help" | sort -u)
	# An option that takes a value is not followed by another option.
	while read -r option; do
		complete_words "$command" "$option" '' | grep -q '^--' &&
			fail "completion after $option" 'expected values got options'
	done < <(grep -oE -- '--[a-z-]+ [^ ]' "$LIVE_DIR/options" | cut -d ' ' -f 1)
done
pass 'options of completions and man page'

finish
