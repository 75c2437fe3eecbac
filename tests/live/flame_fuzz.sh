#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# flame_fuzz.sh - libFuzzer on folded text, with address and undefined-behaviour sanitizers, for a
# fixed number of runs from a fixed seed. RUNS=10000000 tests/live/flame_fuzz.sh looks longer.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
test_begin

OUT=$BUILD/tests/fuzz
CLANG=${BPF_CLANG:-clang-14}

mkdir -p "$OUT/corpus"
if ! "$CLANG" -std=gnu11 -D_GNU_SOURCE= -g -O1 -I. -Iuser -I"$BUILD" -fno-sanitize-recover=undefined \
	-fsanitize=fuzzer,address,undefined -o "$OUT/fuzz_folded" tests/fuzz/fuzz_folded.c \
	flamegraph/*.c user/base/*.c -lm 2>"$OUT/fuzz_folded.log"; then
	fail 'fuzz folded text' "expected $CLANG to build it: $(tail -n 1 "$OUT/fuzz_folded.log")"
	finish
fi
# Each seed begins with the byte that the target takes for its options.
for text in tests/golden/flame/*.folded; do
	{ printf '\003'; head -c 2000 "$text"; } >"$OUT/corpus/$(basename "$text")"
done
if "$OUT/fuzz_folded" -runs="${RUNS:-20000}" -seed=1 -max_len=2048 -artifact_prefix="$OUT/" \
	-rss_limit_mb=1024 "$OUT/corpus" >"$OUT/fuzz_folded.log" 2>&1; then
	pass "fuzz folded text: ${RUNS:-20000} runs"
else
	fail 'fuzz folded text' "$(grep -aE 'fuzz_folded:|ERROR|runtime error' "$OUT/fuzz_folded.log" |
		head -n 1), see $OUT"
fi
finish
