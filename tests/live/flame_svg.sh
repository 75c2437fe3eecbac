#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# flame_svg.sh - the flame graph in headless Chromium: mouse, keys, search, hostile names, three
# sizes, light and dark. The screenshots are kept in $BUILD/logs/flame.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
test_begin

FOLD2SVG=$BUILD/tests/live/fold2svg
OUT=$BUILD/logs/flame

if [ ! -x "$FOLD2SVG" ]; then
	fail flame_svg "expected $FOLD2SVG to be built"
	finish
fi
if ! PYTHONPATH=tests/live python3 -c 'import devtools, sys; sys.exit(not devtools.program())'; then
	fail flame_svg 'expected chromium-headless-shell, see tools/deps'
	finish
fi
mkdir -p "$OUT"

svg() { # NAME OPTIONS..., folded text on stdin
	local name=$1

	shift
	"$FOLD2SVG" --quiet "$@" >"$OUT/$name" || fail "$name" "exit status $?"
}

plain='a 50\na;b 50\nc;b 100\nc;d_[k] 200\n'
# shellcheck disable=SC2059 # the text is the format
{
	printf "$plain" | svg plain.svg --title 'Four stacks' --subtitle 'of 400 ns'
	printf '%s 300\n' '<script>alert(1)</script>' '\x1b[31m\x3b]]>' 'cut\xe2\x82"'"'"'&amp\x3b' |
		svg hostile.svg --title '</title><script>alert(2)</script>'
	printf 'a;%05000d 9\na 50\n%05000d 50\n' 0 1 | svg long.svg
	printf 'a 1000000\nc;b 1000000\nc;d_[k] 20\ngone 9\n' >"$OUT/base"
	printf "$plain" | svg diff.svg --base "$OUT/base" --title 'The tail against typical'
	{
		echo '<!DOCTYPE html><meta charset="utf-8"><title>page</title><body style="margin:0">'
		echo '<div style="width:600px">'
		printf "$plain" | "$FOLD2SVG" --quiet --fragment
		echo '</div><div style="width:400px">'
		printf "$plain" | "$FOLD2SVG" --quiet --fragment --icicle --title '"<b>&'
		echo '</div>'
	} >"$OUT/page.html"
}
expect_results '' timeout 100 python3 tests/live/flame_svg.py "$OUT"
finish
