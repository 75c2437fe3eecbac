# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=dash
# lib.sh - what every test script shares: verdicts, a folder, processes, and an end that must be
# reached. It is plain shell: bash runs it here, busybox in the emulated machines of tests/vm.
#
# A script sources it from the top folder, calls test_begin (live scripts: live_init), and ends with
# finish. A script that does not get as far as finish, or that calls a program that nobody has, has
# failed. LIVE_DIR is its folder; that of a failed script stays.

TEST=$(basename "$0" .sh)
BUILD=${BUILD:-build}
EPOLLSCOPE=${EPOLLSCOPE:-$BUILD/epollscope}
FAILED=0
FINISHED=
LAST_CHECKS=	# commands that finish runs
STARTED=	# pids of what must not outlive the script
export PYTHONDONTWRITEBYTECODE=1

# --- verdicts ---

pass() { # NAME
	echo "ok $1"
}

fail() { # NAME REASON
	echo "not ok $1: $2"
	FAILED=$((FAILED + 1))
}

skip() { # NAME REASON
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

expect_same() { # NAME FILE FILE
	if cmp -s "$2" "$3"; then
		pass "$1"
	else
		fail "$1" "expected the same got $(diff "$2" "$3" | head -n 6)"
	fi
}

expect_ok() { # NAME COMMAND...
	local name="$1" out

	shift
	if out=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "expected status 0 got $? $(echo "$out" | tail -n 1)"
	fi
}

# Adds what a program printed, whose results are lines like ours, and PREFIX to each of their names.
expect_results() { # PREFIX COMMAND...
	local prefix="$1" status

	shift
	"$@" >"$LIVE_DIR/results"
	status=$?
	FAILED=$((FAILED + (status > 0)))
	sed -E "s/^(not )?ok /&$prefix/" "$LIVE_DIR/results"
	return $status
}

# --- the life of a script ---

test_begin() {
	LIVE_DIR=$(mktemp -d "${TMPDIR:-/tmp}/epollscope-$TEST.XXXXXX") || exit 1
	trap test_end EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# bash calls this for a name that is neither a function nor a program. It runs in a process of its own.
command_not_found_handle() {
	echo "$1" | tee -a "$LIVE_DIR/not-found" >&2
	return 127
}

finish() {
	local check

	end_started
	for check in $LAST_CHECKS; do
		$check
	done
	FINISHED=yes
	exit $((FAILED > 0))
}

test_end() {
	local status=$?

	# A child that is ended before it became the program that it was started for.
	# shellcheck disable=SC3028 # test_begin is bash's
	[ "${BASHPID:-$$}" = $$ ] || exit $status
	end_started
	[ ! -s "$LIVE_DIR/not-found" ] ||
		fail "$TEST" "it calls what is not there: $(sort -u "$LIVE_DIR/not-found" | xargs)"
	[ -n "$FINISHED" ] || fail "$TEST" "it ended with status $status before it was finished"
	if [ "$FAILED" = 0 ]; then
		rm -rf "$LIVE_DIR"
		exit 0
	fi
	echo "# what $TEST left: $LIVE_DIR; to run it alone: tests/run $0"
	exit 1
}

# --- waiting ---

# Polls a command until it succeeds; fails after LIMIT seconds.
await() { # LIMIT COMMAND...
	local now end

	read -r now _ </proc/uptime
	end=$((${now%.*} + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		read -r now _ </proc/uptime
		[ "${now%.*}" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# Ended, waited for or not.
gone() { # PID
	[ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null
}

# --- processes ---

# Remembered until somebody waits for it: the end of the script is its end.
started() { # PID...
	STARTED="$STARTED $*"
}

# Waits for its end; the status is its own. Its pid may be another process's afterwards.
ended() { # PID
	local pid left='' status

	wait "$1" 2>/dev/null
	status=$?
	for pid in $STARTED; do
		[ "$pid" = "$1" ] || left="$left $pid"
	done
	STARTED=$left
	return $status
}

end() { # PID [SIGNAL]
	kill "-${2:-TERM}" "$1" 2>/dev/null
	ended "$1"
}

# Servers get a chance to write their truth before they are killed.
end_started() {
	local pid

	for pid in $STARTED; do
		kill -TERM "$pid" 2>/dev/null || continue
		await 5 gone "$pid" || kill -KILL "$pid"
		wait "$pid" 2>/dev/null
	done
	STARTED=
}

# A pid that was in use a moment ago and is not any more.
dead_pid() {
	true &
	wait $!
	echo $!
}
