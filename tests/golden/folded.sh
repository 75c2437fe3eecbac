#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# folded.sh - flame --folded: text of files, alone and compared, as text and as a picture. The pictures
# in flame/ are our own output, here only as a measure of size; see also tests/unit/test_flame_golden.c.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
test_begin

IN=tests/golden/flame
DIR=$LIVE_DIR

refused() { # NAME STATUS WORD ARGUMENT...
	local name=$1 status=$2 word=$3 got

	shift 3
	got=$("$EPOLLSCOPE" flame "$@" 2>&1 >/dev/null)
	expect_eq "refuses $name" "$status 1 1" \
		"$? $(wc -l <<<"$got") $(grep -c -- "$word" <<<"$got")"
}

flame() {
	"$EPOLLSCOPE" flame --folded "$@"
}

frames() { # FILE: frames drawn, and the colours of stages among them
	echo "$(grep -c '<g class=' "$1") $(grep -c 'stage' "$1")"
}

total() {
	awk '{ n += $NF } END { print n }' "$@"
}

expect_eq 'nothing is lost' "$(total "$IN/tail.folded")" "$(flame "$IN/tail.folded" | total)"
expect_eq 'the same text for lines in any order' "$(flame "$IN/tail.folded" | md5sum)" \
	"$(sort -R "$IN/tail.folded" | flame - | md5sum)"
expect_eq 'two numbers a line, base first' $'a;b 6 3\na;c 0 4' \
	"$(flame <(printf 'a;b 3\na;c 4\n') --against <(echo 'a;b 6'))"
expect_eq 'a comparison is read again' $'a;b 6 3\na;c 0 4' \
	"$(printf 'a;b 6 3\na;c 0 4\n' | flame -)"
flame "$IN/tail.folded" --svg "$DIR/tail.svg"
expect_eq 'the picture is well-formed' '' "$(python3 -c 'import sys, xml.dom.minidom as dom
dom.parse(sys.argv[1])' "$DIR/tail.svg" 2>&1)"
expect_eq 'and as large as the golden one' "$(frames "$IN/tail.svg")" "$(frames "$DIR/tail.svg")"
flame "$IN/tail.folded" --against "$IN/typical.folded" --svg "$DIR/difference.svg"
expect_eq 'a comparison is drawn as one' 1 "$(grep -c 'class="flame diff"' "$DIR/difference.svg")"
flame "$IN/typical.folded" --unit samples --svg "$DIR/samples.svg"
expect_eq 'samples are called samples' 0 "$(grep -c '[0-9] [mun]\?s[,<]' "$DIR/samples.svg")"
expect_eq 'lines that are none are counted' 'epollscope: note: 1 of 2 lines' \
	"$(printf 'a;b 3\nno weight\n' | flame - 2>&1 >/dev/null | cut -c1-30)"

refused 'a missing file' 66 'No such file' --folded "$DIR/none"
refused 'a folder' 1 'directory' --folded "$DIR"
refused 'other text' 1 'no folded text' --folded Makefile
refused 'a missing base' 66 'No such file' --folded "$IN/tail.folded" --against "$DIR/none"
refused 'a comparison of a comparison' 1 'two numbers' --folded <(echo 'a 1 2') \
	--against "$IN/tail.folded"
refused 'a target' 64 'leave them out' --folded "$IN/tail.folded" -p 1
refused 'a capture' 64 'leave them out' --folded "$IN/tail.folded" -i x
refused 'typical exchanges' 64 'with a file' --folded "$IN/tail.folded" --against typical
refused 'a unit without it' 64 'folded' -p 1 --unit samples
refused 'typical exchanges of all' 64 'tail' -p 1 --mode cpu --against typical
finish
