#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# cases.sh - situations that real servers get into, each with its near miss: what must be said of it is
# said, and nothing else. The table is cases/table.py; CASES=REGEX runs the rows whose name matches.
# limit: 400
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

for program in pool faulting; do
	${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -pthread -o "$LIVE/$program" "tests/live/cases/$program.c" ||
		fail "$program" 'expected it to build'
done
build_go go_server
GO111MODULE=off GOFLAGS='' GOCACHE=$(realpath "$LIVE")/gocache go build -o "$LIVE/spinning" \
	tests/live/cases/spinning.go || fail spinning 'expected it to build'
export LIVE BUILD EPOLLSCOPE LIVE_DIR
python3 tests/live/cases/run.py "${CASES:-.}"
FAILED=$((FAILED + ($? > 0)))
finish
