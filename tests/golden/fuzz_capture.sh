#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# fuzz_capture.sh [RUNS [SEED]] - the reader of captures under libFuzzer with sanitizers: a short run
# from a fixed seed, over a corpus that is made here. More: fuzz_capture.sh 10000000 $RANDOM
# limit: 300
set -u
cd "$(dirname "$0")/../.." || exit 1

RUNS=${1:-5000}
SEED=${2:-1}
OUT=${BUILD:-build}/fuzz
CLANG=${FUZZ_CC:-clang-14}

sources=(tests/fuzz/fuzz_capture.c tests/unit/capture_sample.c user/*/*.c flamegraph/*.c)
libs=(-lbpf -ldw -lelf -lz -llzma -liberty -lm -pthread -lmicrohttpd -lcap-ng -lseccomp)
flags=(-std=gnu11 -D_GNU_SOURCE= '-DEPOLLSCOPE_VERSION="fuzz"' -I. -Iuser -I"${BUILD:-build}" -g -O1 -fno-sanitize-recover=undefined)

if ! command -v "$CLANG" >/dev/null; then
	echo "skip fuzz capture: $CLANG is not installed"
	exit 0
fi
mkdir -p "$OUT/corpus" "$OUT/found"
if ! "$CLANG" "${flags[@]}" -DSEED -o "$OUT/seed" "${sources[@]}" "${libs[@]}" ||
	! "$CLANG" "${flags[@]}" -fsanitize=fuzzer,address,undefined -o "$OUT/fuzz_capture" \
		"${sources[@]}" "${libs[@]}"; then
	echo 'not ok fuzz capture: it does not build'
	exit 1
fi
rm -f "$OUT"/corpus/*
if ! "$OUT/seed" "$OUT/corpus"; then
	echo 'not ok fuzz capture: no corpus'
	exit 1
fi
if "$OUT/fuzz_capture" -runs="$RUNS" -seed="$SEED" -max_len=16384 -timeout=20 -rss_limit_mb=2048 \
	-close_fd_mask=0 -artifact_prefix="$OUT/found/" "$OUT/corpus" >"$OUT/log" 2>&1; then
	echo "ok fuzz capture: $RUNS inputs from seed $SEED"
else
	grep -vE '^epollscope: |^#[0-9]+.*(NEW|REDUCE|pulse)' "$OUT/log" | tail -n 30
	echo "not ok fuzz capture: see $OUT/log and $OUT/found"
	exit 1
fi
