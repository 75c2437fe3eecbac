#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# ring.sh - epollserver's rings: padded and unpadded, by batch, alternated; medians of TURNS.
set -u
cd "$(dirname "$0")/../.." || exit 1
TURNS=${TURNS:-5}
ITEMS=${ITEMS:-5000000}
parts=${BUILD:-build}/tests/server
mkdir -p "$parts"

for layout in padded unpadded; do
	flags=''
	[ $layout = padded ] || flags=-DRING_UNPADDED
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE= -O2 -I. -pthread $flags \
		-o "$parts/bench_ring_$layout" tests/server/bench_ring.c || exit 1
done
for ((i = 0; i < TURNS; i++)); do
	"$parts/bench_ring_padded" "$ITEMS"
	"$parts/bench_ring_unpadded" "$ITEMS"
done | awk '{ split($5, v, "="); print $1, $2, $3, $4, v[2] }' | sort -k1,4 -k5n | awk '
	function flush() { if (n) printf "%-28s %6.1f ns an item (%.1f to %.1f)\n", name, v[int((n + 1) / 2)], v[1], v[n] }
	{ key = $2 " " $3 " " $4 }
	key != name { flush(); name = key; n = 0 }
	{ v[++n] = $5 }
	END { flush() }'
