#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# html.sh - report --html: a real run's page in headless Chromium. Its numbers are those of --json,
# its heat map holds every exchange, its pictures work. Page and screenshots stay in $BUILD/logs/html.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

N=6000
OUT=$BUILD/logs/html
NAME="<i>\"'&;"	# the process's, and so its threads'

mkdir -p "$OUT"
rm -f "$OUT"/*
if ! PYTHONPATH=tests/live python3 -c 'import devtools, sys; sys.exit(not devtools.program())'; then
	fail html 'expected chromium-headless-shell, see tools/deps'
	finish
fi

# The window ends a little after the last answer: what is read there is in the heat map too.
cp "$EPOLLSERVER" "$LIVE_DIR/$NAME"
server_with_port hostile "$LIVE_DIR/$NAME" --loops 2 --fault 'sleep=5ms,every=100'
scope_start report --json --html "$OUT/page.html" --top 40 -p "$SERVER_PID"
watched_client --connections 16 --requests $N
cp "$SCOPE_OUT" "$OUT/report.json"
expect_eq 'exchanges' $N "$(scope_jq .exchanges.count)"
expect_eq 'a page was written' yes "$([ -s "$OUT/page.html" ] && echo yes)"

# A capture gives a page too.
scope_start record -o "$LIVE_DIR/a.cap" -p "$SERVER_PID"
watched_client --connections 16 --requests $N
scope_run report --json -i "$LIVE_DIR/a.cap" --html "$OUT/replay.html" --top 40
cp "$SCOPE_OUT" "$OUT/replay.json"
expect_eq 'exchanges of a capture' $N "$(scope_jq .exchanges.count)"

# A run without a single exchange has a page too.
scope_run report -d 0.2 --hz 0 --html "$OUT/empty.html" -p "$SERVER_PID"
expect_eq 'a report on stdout too' yes "$(grep -q 'No exchanges seen' "$SCOPE_OUT" && echo yes)"
stop_server

scope_run report -d 1 --html "$LIVE_DIR/none/page.html" -p $$
expect_eq 'a bad file name is known before the watch' '1, 1 line' \
	"$SCOPE_STATUS, $(wc -l <"$SCOPE_ERR") line"
scope_run report -d 1 --html "$LIVE_DIR/unused.html" -p 2147483647
expect_eq 'no file without a watch' '66, none' \
	"$SCOPE_STATUS, $([ -e "$LIVE_DIR/unused.html" ] || echo none)"
scope_run report -d 0.1 --html /dev/full -p $$
expect_eq 'a full disk: status, reason' '1 1' "$SCOPE_STATUS $(grep -c 'No space left' "$SCOPE_ERR")"

expect_results '' timeout 100 python3 tests/live/html.py "$OUT" "$NAME"
finish
