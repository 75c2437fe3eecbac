#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# readers.sh - what other programs make of our folded text and timelines: flamegraph.pl, inferno and
# speedscope read them without a complaint and have our sums; timelines keep Perfetto's rules.
# FLAMEGRAPH_PL, INFERNO and SPEEDSCOPE (its index.html) say where they are if not where expected.
# limit: 300
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init

NAME='a;b <c> 3'	# a thread's name that folded text and pictures could stumble over
SPEEDSCOPE_VERSION=1.25.0
SPEEDSCOPE_SHA256=2831f1e0d26df914b477e522d78b8485511495a6af81a0b88158f8b48f9e0d03
TEXTS=() TRACES=()

# Debian has flamegraph.pl in libdevel-nytprof-perl.
flamegraph_pl=${FLAMEGRAPH_PL:-$(PATH=$PATH:/usr/share/perl5/Devel/NYTProf command -v flamegraph.pl)}
inferno=${INFERNO:-$(command -v inferno-flamegraph)}

# --- what they read ---

# A capture of what was started, its folded text in each mode, and its timeline.
capture() { # NAME REQUESTS CLIENT OPTIONS...
	local name=$1 requests=$2 mode

	shift 2
	scope_start record -o "$LIVE_DIR/$name.cap" --hz 997 -p "$SERVER_PID"
	watched_client --requests "$requests" "$@"
	for mode in cpu offcpu wakeup tail; do
		folded "$name-$mode" -i "$LIVE_DIR/$name.cap" --mode $mode
	done
	scope_run flame -i "$LIVE_DIR/$name.cap" --chrome-trace "$LIVE_DIR/$name.json"
	TRACES+=("$LIVE_DIR/$name.json")
	expect_results "$name: timeline: " python3 tests/live/trace_check.py "$LIVE_DIR/$name.json"
}

# Servers that never block have no stacks in two of the modes.
folded() { # NAME OPTIONS...
	scope_run flame "${@:2}"
	expect_eq "$1: status" 0 "$SCOPE_STATUS"
	mv "$SCOPE_OUT" "$LIVE_DIR/$1"
	[ -s "$LIVE_DIR/$1" ] && TEXTS+=("$LIVE_DIR/$1")
}

make_files() {
	cp "$EPOLLSERVER" "$LIVE_DIR/$NAME"
	server_with_port hostile "$LIVE_DIR/$NAME" --loops 4 --fault lock=1ms,every=3 \
		--fault sleep=2ms,every=10 --fault slow-cpu=300us,every=2
	capture threads 2000 --connections 16
	expect_eq 'threads: text in all modes' 4 "${#TEXTS[@]}"
	scope_start flame -p "$SERVER_PID" --mode tail --against typical
	watched_client --requests 2000 --connections 16
	mv "$SCOPE_OUT" "$LIVE_DIR/difference"
	scope_start flame -p "$SERVER_PID" --mode tail
	watched_client --requests 2000 --connections 16
	mv "$SCOPE_OUT" "$LIVE_DIR/live-tail"
	TEXTS+=("$LIVE_DIR/live-tail")
	stop_server
	start_nginx 2
	capture nginx 4000 --connections 16 --http
	stop_server
	start_redis
	capture redis 4000 --connections 16 --line PING --size 7
	stop_server
}

# --- who reads it ---

draws_it() { # NAME COMMAND...
	local name=$1 text

	shift
	for text in "${TEXTS[@]}" "$LIVE_DIR/difference"; do
		"$@" --minwidth 0 "$text" >"$LIVE_DIR/svg" 2>"$LIVE_DIR/complaints"
		expect_eq "$name: $(basename "$text"): without a complaint" "0 0" \
			"$? $(wc -l <"$LIVE_DIR/complaints")"
		expect_results "$name: " python3 tests/live/svg_sums.py "$(basename "$text")" "$text" "$LIVE_DIR/svg"
	done
}

# npm's copy, kept in $BUILD. Prints its page, or nothing.
speedscope_page() {
	local dir=$BUILD/speedscope tar

	if [ -n "${SPEEDSCOPE:-}" ]; then
		echo "$SPEEDSCOPE"
		return
	fi
	tar=$dir/speedscope-$SPEEDSCOPE_VERSION.tgz
	mkdir -p "$dir"
	[ -e "$tar" ] || (cd "$dir" && timeout 60 npm pack --silent --fetch-retries=0 \
		"speedscope@$SPEEDSCOPE_VERSION") >"$LIVE_DIR/npm.log" 2>&1 || return
	echo "$SPEEDSCOPE_SHA256 $tar" | sha256sum --check --status || return
	tar -xzf "$tar" -C "$dir" && realpath "$dir/package/dist/release/index.html"
}

make_files
if [ -n "$flamegraph_pl" ]; then
	draws_it flamegraph.pl perl "$flamegraph_pl"
else
	fail flamegraph.pl 'expected flamegraph.pl, see tools/deps'
fi
if [ -n "$inferno" ]; then
	draws_it inferno "$inferno"
else
	skip inferno 'inferno-flamegraph is not installed, and Debian has none'
fi
page=$(speedscope_page)
if [ -n "$page" ]; then
	expect_results "speedscope: " python3 tests/live/speedscope.py "$page" "${TEXTS[@]}" "${TRACES[@]}"
else
	skip speedscope "npm could not bring speedscope@$SPEEDSCOPE_VERSION"
fi
finish
