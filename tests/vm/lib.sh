# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# lib.sh - what starts an emulated machine: Debian's kernels, a memory disk, qemu.
#
# A kernel is downloaded once (into $BUILD/vm/kernels, never installed); VM_KERNELS may name a
# folder that already holds packages. The machine's memory disk holds busybox, the static programs
# of `make vm-programs`, and some of this machine's programs with their libraries. Results come
# over the second serial line; the first one is the kernel's console.

BUILD=${BUILD:-build}
vm=$BUILD/vm
kernels=$vm/kernels
mkdir -p "$kernels" "$BUILD/logs"

# Ends the script, with a skip, where no machine can be emulated.
vm_needs() # NAME
{
	local program

	if [ "$(uname -m)" != x86_64 ]; then
		echo "skip $1: the kernels and our static programs are for x86-64"
		exit 0
	fi
	for program in qemu-system-x86_64 busybox cpio apt-cache dpkg-deb; do
		command -v $program >/dev/null && continue
		echo "skip $1: $program is not installed"
		exit 0
	done
}

# Copies a program of this machine and its libraries to the same paths under a folder.
vm_add_program() # ROOT PROGRAM
{
	local path file

	path=$(PATH=$PATH:/usr/sbin:/sbin command -v "$2") || return 1
	for file in "$path" $(ldd "$path" 2>/dev/null | grep -o '/[^ ]*'); do
		[ -e "$1$file" ] || install -D "$file" "$1$file"
	done
}

# make_disk NAME INIT PROGRAM...: $vm/NAME.cpio, whose first process is tests/vm/INIT; with the shell
# libraries, our static programs, and those of this machine that are here.
make_disk()
{
	local name=$1 init=$2 root=$vm/$1.root program

	shift 2
	rm -rf "$root"
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,run,etc,usr/bin,usr/sbin,live,tests/vm,tests/live}
	install "$(command -v busybox)" "$root/bin/busybox" || return 1
	install "tests/vm/$init" "$root/init"
	for program in tests/lib.sh tests/live/lib.sh tests/live/lib_machine.sh \
		tests/live/lib_ledger.sh tests/vm/lib_guest.sh tests/vm/scenarios.sh; do
		install -m 644 "$program" "$root/$program"
	done
	[ ! -x "$vm/epollscope" ] || install "$vm/epollscope" "$root/usr/bin/epollscope"
	for program in "$vm"/live/*; do
		[ ! -x "$program" ] || install "$program" "$root/live/"
	done
	for program; do
		vm_add_program "$root" "$program" || echo "# $program is not installed here"
	done
	(cd "$root" && find . -print0 | sort -z | cpio --null --quiet -o -H newc) >"$vm/$name.cpio"
}

# Prints the path of a package of the series that is here already.
have_package() # SERIES
{
	find "$kernels" ${VM_KERNELS:+"$VM_KERNELS"} -name "linux-image-$1.*-cloud-amd64_*.deb" |
		sort -V | tail -n 1
}

newest_name() # SERIES
{
	apt-cache search --names-only "^linux-image-${1//./\\.}\\.[0-9][^ ]*-cloud-amd64\$" |
		cut -d' ' -f1 | sort -V | tail -n 1
}

# Puts the series' kernel at $kernels/SERIES.vmlinuz, or prints why not.
get_kernel() # SERIES
{
	local name package

	[ ! -s "$kernels/$1.vmlinuz" ] || return 0
	package=$(have_package "$1")
	if [ -z "$package" ]; then
		name=$(newest_name "$1")
		if [ -z "$name" ] && [ "$(id -u)" = 0 ]; then
			apt-get update >/dev/null 2>&1
			name=$(newest_name "$1")
		fi
		if [ -z "$name" ]; then
			echo "no package linux-image-$1.*-cloud-amd64 is known to apt"
			return 1
		fi
		if ! (cd "$kernels" && apt-get download "$name" >download.log 2>&1); then
			echo "$name could not be downloaded: $(tail -n 1 "$kernels/download.log")"
			return 1
		fi
		package=$(have_package "$1")
	fi
	dpkg-deb --fsys-tarfile "$package" |
		tar -x -O --wildcards './boot/vmlinuz-*' >"$kernels/$1.part" &&
		mv "$kernels/$1.part" "$kernels/$1.vmlinuz" && return
	echo "$package holds no kernel"
	return 1
}

# run_machine NAME SERIES DISK LIMIT WORDS [QEMU-OPTION...]: boots it until it switches itself off, or
# for LIMIT seconds. What it printed is in $BUILD/logs/NAME.log, without carriage returns, its console
# in NAME.console.log; WORDS are added to the kernel's command line: init has NAME=VALUE as variables.
run_machine()
{
	local name=$1 kernel=$kernels/$2.vmlinuz disk=$vm/$3.cpio limit=$4 words=$5
	local log=$BUILD/logs/$1.log console=$BUILD/logs/$1.console.log

	shift 5
	: >"$log"
	timeout --kill-after=5 "$limit" qemu-system-x86_64 -accel tcg,thread=single -cpu max -m 1024 "$@" \
		-nodefaults -display none -no-reboot -nic none \
		-serial "file:$console" -serial "file:$log" -kernel "$kernel" -initrd "$disk" \
		-append "console=ttyS0 loglevel=4 panic=-1 $words" </dev/null 2>&1
	sed -i 's/\r//g' "$log"
}

# Results of a machine that did not come to its end, or whose shell complained: of a function that is
# not there, say.
vm_verdicts() # NAME
{
	local log=$BUILD/logs/$1.log

	grep -aE '(^|/)(init|guest|icount_guest|scenarios|lib[a-z_]*)(\.sh)?: line |^[^#]*: not found$' "$log" |
		head -n 1 | sed "s/^/not ok $1: the shell says: /"
	grep -q '^done$' "$log" ||
		echo "not ok $1: the guest did not finish: $(tail -n 1 "${log%.log}.console.log" | tr -d '\r')"
}
