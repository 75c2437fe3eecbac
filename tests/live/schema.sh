#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# schema.sh - the JSON of report, slow and conns against their printed schemas, by an independent
# validator: busy and idle, live and from captures, whole and damaged, with every stage and finding
# that a few faults can make.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

CAP=$LIVE_DIR/a.cap

for command in report slow conns; do
	"$EPOLLSCOPE" $command --json-schema >"$LIVE_DIR/$command.schema"
done

expect_schema() { # NAME COMMAND: of what was printed last
	expect_results '' python3 tests/live/schema.py "$1" "$LIVE_DIR/$2.schema" "$SCOPE_OUT"
}

# With requests that come before the attach, late accepts, resets, and answers that block.
busy() { # COMMAND OPTIONS...
	scope_start "$@" --json -p "$SERVER_PID"
	client --http --connections 8 --requests 2000 >"$LIVE_DIR/client.json"
	watched_client --http --connections 4 --requests 40 --conn-per-request
	expect_schema "$*" "$1"
}

test_busy() {
	busy report
	busy report --no-syscalls
	busy slow --over 0ns
	busy slow
	busy conns
}

test_idle() {
	scope_run report --json -p "$SERVER_PID" -d 0.2
	expect_schema 'report, idle' report
}

test_captures() {
	scope_start record -p "$SERVER_PID" -o "$CAP"
	watched_client --http --connections 8 --requests 2000
	for file in "$CAP" tests/golden/capture-1.0 tests/golden/capture-1.1; do
		[ -e "$file" ] || base64 -d "$file.b64" >"$CAP"
		for command in report slow conns; do
			scope_run "$command" --json -i "$CAP"
			expect_schema "$command -i $(basename "$file")" "$command"
		done
	done
	head -c $(($(stat -c %s "$CAP") * 2 / 3)) "$CAP" >"$LIVE_DIR/cut.cap"
	scope_run report --json -i "$LIVE_DIR/cut.cap"
	expect_schema 'report of a damaged capture' report
}

FAULTS='--fault sleep=2ms,every=50 --fault slow-cpu=1ms,every=30 --fault lock=2ms,every=70'
with_server "epollserver --protocol http --loops 2 $FAULTS" test_busy
with_server nginx test_idle
with_server 'epollserver --protocol http' test_captures
finish
