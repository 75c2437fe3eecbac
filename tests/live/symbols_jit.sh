#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# symbols_jit.sh - names of compiled code: perf maps that are believed, and those that are not; node.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init
. tests/live/lib_symbols.sh

# --- perf maps: 0x1000 is an address that no program has ---

perf_map() { # TEXT
	PERF_MAP=/tmp/perf-$TARGET.map
	rm -f "$PERF_MAP"
	[ -z "${1-}" ] || printf '%b' "$1" >"$PERF_MAP"
}

expect_jit() { # NAME EXPECTED
	resolver
	ask add "$TARGET"
	expect_answer "perf map: $1" "$2" user "$TARGET" 1010
	resolver_end
	rm -f "$PERF_MAP"
}

test_perf_map() {
	local none='none [unknown] [unknown]' line='1000 100 compiled\n'

	start_target "$PARTS/pie"
	perf_map "$line"
	expect_jit 'its own' 'jit [jit] compiled'
	perf_map "1000 100 older\n0x1008 0x10 newer\n1000 zz\n-1 5 x\n\nffffffffffffffff 2 y\n"
	expect_jit 'the latest line' 'jit [jit] newer'
	expect_note 'perf map: bad lines' 'a part of perf map'
	perf_map "1000 100 cut"
	expect_jit 'half a line' "$none"
	perf_map '1000 100 Lcom/a;::\x1b[31mb \xff\n'
	expect_jit 'hostile name' 'jit [jit] Lcom/a:::?[31mb ?'
	perf_map "$line"
	chown 12345 "$PERF_MAP"
	expect_jit 'of another user' "$none"
	expect_note 'perf map of another user: note' 'perf map'
	perf_map "$line"
	chmod o+w "$PERF_MAP"
	expect_jit 'that everybody may write' "$none"
	perf_map "$line"
	mv "$PERF_MAP" "$PARTS/elsewhere"
	ln -s "$PARTS/elsewhere" "$PERF_MAP"
	expect_jit 'a symbolic link' "$none"
	expect_note 'perf map, a symbolic link: note' 'not a regular file'
	perf_map
	mkfifo "$PERF_MAP"
	expect_jit 'a FIFO' "$none"
	perf_map
	perf_map "$line"
	truncate -s 1T "$PERF_MAP"
	expect_jit 'of a terabyte' 'jit [jit] compiled'
	# It is remembered after its end.
	perf_map "$line"
	resolver
	ask add "$TARGET"
	rm "$PERF_MAP"
	stop_target
	expect_answer 'perf map after its end' 'jit [jit] compiled' user "$TARGET" 1010
	resolver_end
}

test_node() {
	local address end

	: >"$LIVE_DIR/target.log"
	start_target node --perf-basic-prof --logfile="$LIVE_DIR/v8.log" --no-logfile-per-isolate $HERE/sym_target.js
	address=$(grep 'JS:.*hotCheckout' "/tmp/perf-$TARGET.map" | tail -n 1 | cut -d' ' -f1)
	resolver
	ask add "$TARGET"
	ask user "$TARGET" "$address"
	case $ANSWER in
	'jit [jit] JS:'*hotCheckout*) pass 'node: a compiled function' ;;
	*) fail 'node: a compiled function' "expected jit [jit] JS:*hotCheckout got $ANSWER" ;;
	esac
	read -r address end < <(sed -nE 's/^([0-9a-f]+)-([0-9a-f]+) r-xp .*node$/\1 \2/p' \
		"/proc/$TARGET/maps")
	ask time "$TARGET" "$address" "$end" 10000
	read -r load each found <<<"$ANSWER"
	echo "# node: $((load / 1000000)) ms to read its symbols, $((each / 1000)) us for 10,000" \
		"addresses, $found with names"
	rm -f "/tmp/perf-$TARGET.map"
	resolver_end
	stop_target
}

compile pie "$HERE/sym_target.c"
test_perf_map
test_node
finish
