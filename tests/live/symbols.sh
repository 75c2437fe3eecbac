#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# symbols.sh - user/symbols/symbols.h against nm, addr2line, eu-addr2line, /proc/kallsyms and what programs
# say of themselves; living, deleted, stripped, contained and hostile ones.
# limit: 300
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
live_init
. tests/live/lib_symbols.sh

test_kinds() {
	local kind

	compile pie $HERE/sym_target.c
	compile nopie -no-pie -fno-pie $HERE/sym_target.c
	compile static -static -DSTATIC $HERE/sym_target.c
	compile staticpie -static-pie -DSTATIC $HERE/sym_target.c
	resolver
	for kind in pie nopie static staticpie; do
		start_target "$PARTS/$kind"
		expect_functions "$kind" "$kind" "$PARTS/$kind"
		ask place "$TARGET" "$(address_of main)"
		expect_eq "$kind: build-id" "$(build_id_of "$PARTS/$kind")" "${ANSWER%% *}"
		stop_target
	done
	expect_answer 'a pid that is gone' -3 add "$TARGET"
	resolver_end
}

# A stripped one: nothing, separate debug file, a foreign one, mini debug information.
test_stripped() {
	local id dir

	id=$(build_id_of "$PARTS/pie")
	dir=$PARTS/debug/.build-id/${id:0:2}
	mkdir -p "$dir"
	objcopy --only-keep-debug "$PARTS/pie" "$dir/${id:2}.debug"
	strip -o "$PARTS/stripped" "$PARTS/pie"
	start_target "$PARTS/stripped"
	resolver
	ask add "$TARGET"
	expect_function 'stripped' static_function 'none stripped [stripped]'
	resolver_end
	resolver env SYMBOLS_DEBUG="$PARTS/debug"
	expect_functions 'separate debug file' stripped "$PARTS/pie"
	resolver_end
	objcopy --only-keep-debug "$PARTS/nopie" "$dir/${id:2}.debug"
	resolver env SYMBOLS_DEBUG="$PARTS/debug"
	ask add "$TARGET"
	expect_function 'debug file of another build' static_function 'none stripped [stripped]'
	expect_note 'debug file of another build: note' 'debug file of'
	resolver_end
	rm "$dir/${id:2}.debug"
	mkfifo "$dir/${id:2}.debug"
	resolver env SYMBOLS_DEBUG="$PARTS/debug"
	ask add "$TARGET"
	expect_function 'a FIFO as debug file' static_function 'none stripped [stripped]'
	expect_note 'a FIFO as debug file: note' 'not a regular file'
	resolver_end
	stop_target
	objcopy --only-keep-debug "$PARTS/pie" "$PARTS/mini"
	strip --strip-debug "$PARTS/mini"
	xz -k "$PARTS/mini"
	objcopy --add-section .gnu_debugdata="$PARTS/mini.xz" "$PARTS/stripped" "$PARTS/withmini"
	start_target "$PARTS/withmini"
	resolver
	expect_functions 'mini debug information' withmini
	resolver_end
	stop_target
}

# A debug file that the program names: in each place, through its own root; wrong ones.
test_debuglink() {
	local dir=$PARTS/linked name=linked.debug place

	mkdir -p "$dir/.debug" "$PARTS/mirror$(realpath "$dir")"
	compile nolink -Wl,--build-id=none $HERE/sym_target.c
	objcopy --only-keep-debug "$PARTS/nolink" "$dir/$name"
	strip -o "$dir/linked" "$PARTS/nolink"
	objcopy --add-gnu-debuglink="$dir/$name" "$dir/linked"
	mv "$dir/$name" "$PARTS/kept"
	start_target "$dir/linked"
	for place in "$dir" "$dir/.debug" "$PARTS/mirror$(realpath "$dir")"; do
		cp "$PARTS/kept" "$place/$name"
		resolver env SYMBOLS_DEBUG="$PARTS/mirror"
		expect_functions "debug link: ${place#"$PARTS"}" linked "$PARTS/nolink"
		resolver_end
		rm "$place/$name"
	done
	cp "$PARTS/kept" "$dir/$name"
	resolver
	ask add "$TARGET"
	rm "$dir/$name"
	expect_function 'debug link: deleted after it was added' static_function 'user linked static_function'
	resolver_end
	objcopy --only-keep-debug "$PARTS/nopie" "$dir/$name"
	expect_refused 'of another build' 'malformed'
	rm "$dir/$name"
	mkfifo "$dir/$name"
	expect_refused 'a FIFO' 'not a regular file'
	rm "$dir/$name"
	stop_target
}

expect_refused() { # NAME WORDS
	resolver
	ask add "$TARGET"
	ask user "$TARGET" "$(printf '%x' $((0x$(address_of static_function) + 1)))"
	expect_eq "debug link, $1: no name" none "${ANSWER%% *}"
	expect_note "debug link, $1: note" "$2"
	resolver_end
}

test_cxx() {
	"${CXX:-g++}" -O1 -g -o "$PARTS/cxx" $HERE/sym_target.cc
	start_target "$PARTS/cxx"
	resolver
	ask add "$TARGET"
	expect_function 'C++ template member' total 'user cxx shop::Cart<int>::total'
	expect_function 'C++ static function' checkout 'user cxx shop::checkout'
	resolver_end
	stop_target
}

# Deleted while it was mapped; then the process ends too.
test_deleted() {
	compile plugin.so -shared -fPIC $HERE/sym_plugin.c
	cp "$PARTS/pie" "$PARTS/doomed"
	start_target "$PARTS/doomed" "$PARTS/plugin.so"
	rm "$PARTS/plugin.so" "$PARTS/doomed"
	mkfifo "$PARTS/doomed"
	resolver
	ask add "$TARGET"
	expect_function 'deleted library' plugin_hidden 'user plugin.so plugin_hidden'
	stop_target
	expect_function 'deleted program, after its end' static_function 'user doomed static_function'
	expect_function 'deleted library, after its end' plugin_function \
		'user plugin.so plugin_function'
	resolver_end
	rm "$PARTS/doomed"
}

test_go() {
	local mode

	export GO111MODULE=off GOFLAGS='' GOCACHE
	GOCACHE=$(realpath "$LIVE")/gocache
	go build -o "$PARTS/go" $HERE/sym_target.go
	go build -ldflags '-s -w' -o "$PARTS/gostripped" $HERE/sym_target.go
	go build -buildmode=pie -ldflags '-s -w' -o "$PARTS/gopie" $HERE/sym_target.go
	resolver
	for mode in go gostripped gopie; do
		start_target "$PARTS/$mode"
		expect_functions "$mode" "$mode"
		stop_target
	done
	expect_eq 'Go: notes' '' "$(cat "$LIVE_DIR/notes")"
	resolver_end
}

# Workers of one program are read once; a child that ended has what its parent had.
test_workers() {
	local i first='' pids=()

	resolver
	for i in {1..50}; do
		start_target "$PARTS/pie"
		pids+=("$TARGET")
		ask add "$TARGET"
		expect_function "worker $i" main 'user pie main' >>"$LIVE_DIR/workers"
		ask heap
		[ -n "$first" ] || first=$ANSWER
	done
	expect_eq '50 workers: names' 50 "$(grep -c '^ok ' "$LIVE_DIR/workers")"
	i=$(((ANSWER - first) / 49))
	if [ $i -lt 1500 ]; then
		pass "50 workers: $i bytes of memory for one more, the file is read once"
	else
		fail '50 workers: the file is read once' "expected less than 1500 bytes for one more got $i"
	fi
	sleep 1000 &
	started $!
	expect_answer 'a child that nobody looked at' 0 child "$TARGET" $!
	expect_answer 'a child has the names of its parent' 'user pie main' user $! "$(address_of main)"
	resolver_end
	for i in "${pids[@]}"; do
		end "$i" KILL
	done
}

# The same pid and start time, another program: what was mapped before is no more.
test_exec() {
	local shell

	mkfifo "$LIVE_DIR/go"
	: >"$LIVE_DIR/target.log"
	bash -c 'read -r _ <"$1"; exec "$2"' - "$LIVE_DIR/go" "$PARTS/pie" >"$LIVE_DIR/target.log" &
	TARGET=$!
	started "$TARGET"
	resolver
	await 10 grep -q 'read -r' "/proc/$TARGET/cmdline"
	ask add "$TARGET"
	shell=$(sed -nE 's/^([0-9a-f]+)-.* r-xp .*bash$/\1/p' "/proc/$TARGET/maps")
	ask place "$TARGET" "$shell"
	expect_eq 'before the exec' "$(readlink "/proc/$TARGET/exe")" "${ANSWER##* }"
	echo >"$LIVE_DIR/go"
	await 10 target_ready
	expect_functions 'after the exec' pie "$PARTS/pie"
	expect_answer 'after the exec: nothing of before' 'none [unknown] [unknown]' \
		user "$TARGET" "$shell"
	resolver_end
	stop_target
}

# Also: an address below all of it.
test_kernel() {
	local address name right=0 asked=0

	resolver
	while read -r address name; do
		asked=$((asked + 1))
		ask kernel "$address"
		[ "$ANSWER" = "kernel [kernel] ${name}_[k]" ] && right=$((right + 1))
	done < <(awk 'NF == 3 && tolower($2) == "t" && $3 != "_etext" && !seen[$1]++ { print $1, $3 }' \
		/proc/kallsyms | shuf -n 500 --random-source=<(yes))
	expect_eq 'kernel: as kallsyms' "$asked" "$right"
	expect_eq 'kernel: asked' 500 "$asked"
	expect_answer 'kernel: no address of it' 'none [kernel] [kernel]' kernel 1000
	resolver_end
}

# Every sized function of the C library, against nm and eu-addr2line; aliases are as good.
test_libc() {
	start_target "$PARTS/pie"
	resolver
	python3 tests/live/symbols_match.py "$TARGET" "$PARTS/resolve" 400 >"$LIVE_DIR/match"
	expect_eq 'C library: asked, as nm' '400 400' "$(sed -n 's/^nm //p' "$LIVE_DIR/match")"
	sed -n 's/^eu //p' "$LIVE_DIR/match" >"$LIVE_DIR/eu"
	expect_jq 'C library: none differs from eu-addr2line' "$LIVE_DIR/eu" \
		'.compared > 300 and .differ == []'
	resolver_end
	stop_target
}

# Another root, another pid namespace; by the links of map_files, and by name without them.
test_container() {
	local root=$PARTS/root no_links='setpriv --bounding-set=-sys_admin,-checkpoint_restore'
	local way outer

	mkdir -p "$root/tmp" "$root/bin"
	cp "$PARTS/static" "$root/bin/inside"
	echo '1000 100 compiled_inside' >"$root/tmp/perf-1.map"
	start_target unshare --mount --pid --fork --kill-child chroot "$root" /bin/inside
	outer=$TARGET
	TARGET=$(pgrep -P "$outer")
	for way in '' "$no_links"; do
		# shellcheck disable=SC2086
		resolver $way
		expect_functions "container${way:+, by name}" inside "$PARTS/static"
		expect_answer "container${way:+, by name}: perf map" 'jit [jit] compiled_inside' \
			user "$TARGET" 1010
		resolver_end
	done
	# By name it must be the very file, and nothing to wait for.
	for way in fifo other link; do
		rm "$root/bin/inside"
		case $way in
		fifo) mkfifo "$root/bin/inside" ;;
		other) cp "$PARTS/static" "$root/bin/inside" ;;
		link) ln -s /proc/self/exe "$root/bin/inside" ;;
		esac
		# shellcheck disable=SC2086
		resolver $no_links
		ask add "$TARGET"
		expect_function "container, replaced by $way" main 'user inside main'
		resolver_end
	done
	TARGET=$outer
	stop_target
}

hostile_file() { # NAME COMMAND...
	local name=$1

	shift
	"$@" >"$PARTS/hostile"
	start_target "$PARTS/pie" '' "$PARTS/hostile"
	resolver timeout 20
	ask add "$TARGET"
	ask user "$TARGET" "$(address_of mapped)"
	case $ANSWER in
	'none hostile [hostile]' | 'user hostile '*) pass "hostile: $name" ;;
	*) fail "hostile: $name" "expected [hostile] got $ANSWER" ;;
	esac
	expect_function "hostile: $name: the others" main 'user pie main'
	resolver_end
	stop_target
	rm "$PARTS/hostile"
}

sparse() {
	head -c 65536 "$PARTS/static"
	truncate -s 1T "$PARTS/hostile"
}

test_hostile() {
	local size name

	for size in 1 63 64 100 1000 5000 12000; do
		hostile_file "cut to $size" head -c "$size" "$PARTS/pie"
	done
	hostile_file 'text' seq 1000
	hostile_file 'a terabyte' sparse
	hostile_file 'sections beyond 16 bits' python3 -c 'import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[0x3c:0x3e] = b"\0\0"
sys.stdout.buffer.write(data)' "$PARTS/pie"
	# Cut after the attach and before anybody reads it.
	cp "$PARTS/pie" "$PARTS/hostile"
	start_target "$PARTS/pie" '' "$PARTS/hostile"
	resolver
	ask add "$TARGET"
	truncate -s 100 "$PARTS/hostile"
	expect_function 'hostile: cut later' mapped 'none hostile [hostile]'
	expect_note 'hostile: cut later: note' 'symbols of'
	resolver_end
	stop_target
	name=$'a;b\e[31m\nc'
	cp "$PARTS/pie" "$PARTS/$name"
	start_target "$PARTS/$name"
	resolver
	ask add "$TARGET"
	expect_function 'hostile: file name' main 'user a:b?[31m\012c main'
	resolver_end
	stop_target
	start_target "$PARTS/pie"
	resolver env SYMBOLS_BYTES=64
	ask add "$TARGET"
	expect_function 'no room for symbols' main 'none pie [pie]'
	expect_note 'no room for symbols: note' 'no room for more symbols'
	resolver_end
	stop_target
}

# A short run of the fuzzer from real seeds; tests/fuzz/fuzz_elf.c says how to make it longer.
test_fuzz() {
	local seeds=$PARTS/seeds file files

	mkdir "$seeds"
	for file in pie stripped withmini; do
		{ printf 0; cat "$PARTS/$file"; } >"$seeds/$file"
	done
	objcopy -O binary --only-section=.gopclntab "$PARTS/gostripped" "$PARTS/pclntab"
	{ printf 1; head -c 200000 "$PARTS/pclntab"; } >"$seeds/go"
	printf '21000 100 a\n0x2000 20 b c\n' >"$seeds/jit"
	printf '3ffffffff81000000 T a\nffffffff81000100 t b\t[m]\n' >"$seeds/kernel"
	printf '4_ZN3foo3barIiEEvT_' >"$seeds/cxx"
	printf '4_RNvNtCs1234_7mycrate3foo3bar' >"$seeds/rust"
	printf '5556bd1b91000-556bd1b92000 r-xp 00001000 fe:01 1234 /bin/x' >"$seeds/maps"
	# The files about stacks parse nothing, and need the kernel side.
	mapfile -t files < <(find user/symbols -name '*.c' ! -name 'stack_*')
	if ! clang-14 -std=gnu11 -D_GNU_SOURCE= -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -I. -Iuser -o "$PARTS/fuzz_elf" tests/fuzz/fuzz_elf.c \
		user/{base,target}/*.c "${files[@]}" -ldw -lelf -lz -llzma -liberty >"$LIVE_DIR/fuzz.log" 2>&1; then
		fail 'fuzzer builds' "$(tail -n 3 "$LIVE_DIR/fuzz.log")"
		return
	fi
	if "$PARTS/fuzz_elf" -runs=20000 -max_total_time=15 -max_len=300000 -timeout=10 -rss_limit_mb=2048 \
		-seed=1 "$seeds" >"$LIVE_DIR/fuzz.log" 2>&1; then
		pass "fuzzer: $(grep -o 'Done .*' "$LIVE_DIR/fuzz.log")"
	else
		fail 'fuzzer' "$(grep -aE 'ERROR|runtime error|SUMMARY' "$LIVE_DIR/fuzz.log" | head -n 3)"
	fi
}

test_kinds
test_stripped
test_debuglink
test_cxx
test_deleted
test_go
test_workers
test_exec
test_kernel
test_libc
test_container
test_hostile
test_fuzz
finish
