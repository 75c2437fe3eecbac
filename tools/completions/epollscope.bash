# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# epollscope.bash - completion of commands, options, process ids and names, listening ports.

# After "--" comes a program with arguments of its own.
_epollscope_program() {
	local i

	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			if ((i + 1 == COMP_CWORD)); then
				mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
			else
				mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
			fi
			return 0
		fi
	done
	return 1
}

# Candidates for the value of option $1, a line each; fails if it takes none.
_epollscope_values() {
	case $1 in
	-p | --pid) ps -eo pid= | tr -d ' ' ;;
	-c | --comm) ps -eo comm= | sort -u ;;
	-P | --port) ss -Hltn 2>/dev/null | awk '{ sub(/.*:/, "", $4); print $4 }' | sort -u ;;
	--cgroup) compgen -d -- "${2:-/sys/fs/cgroup/}" ;;
	-d | --duration) printf '%s\n' 1 5 10 60 ;;
	-i | --input | -o | --output) compgen -f -- "$2" ;;
	--max-size) printf '%s\n' 100M 1G 10G ;;
	--ring) printf '%s\n' 10 60 ;;
	--until) printf '%s\n' 'slow>10ms' 'slow>100ms' ;;
	--over) printf '%s\n' 0ns 1ms 5ms 100ms ;;
	--html) compgen -f -- "$2" ;;
	--hz) printf '%s\n' 49 99 999 ;;
	--period) printf '%s\n' 1ms 10ms 20ms ;;
	--depth) printf '%s\n' 16 64 127 ;;
	--window) printf '%s\n' 2 10 60 5m ;;
	--debug-dir) compgen -d -- "${2:-/usr/lib/debug}" ;;
	--syscalls) printf '%s\n' sample all off ;;
	--top) printf '%s\n' 0 3 10 ;;
	--budget) printf '%s\n' 1% 5% 20% ;;
	--max-loss) printf '%s\n' 0 0.1% 1% ;;
	--ring-size) printf '%s\n' 64 256 1024 4096 16384 65536 ;;
	--listen) printf '%s\n' 127.0.0.1:9464 :9464 ;;
	--max-series) printf '%s\n' 2000 10000 50000 ;;
	--finding-window) printf '%s\n' 10s 30s 1m ;;
	--tls-cert | --tls-key | --auth-file) compgen -f -- "$2" ;;
	--mode) printf '%s\n' cpu offcpu wakeup tail ;;
	--against)
		echo typical
		compgen -f -- "${2:-}"
		;;
	--unit) printf '%s\n' ns samples ;;
	--by) echo stage ;;
	--svg | --chrome-trace | --folded) compgen -f -- "${2:-}" ;;
	--tail | --target | --threshold) ;;
	--color) printf '%s\n' auto always never ;;
	*) return 1 ;;
	esac
}

# What may follow command $2, or stand for it, a line each: as the help of program $1 has it.
_epollscope_options() {
	# shellcheck disable=SC2086  # no word at all when there is no command
	"$1" $2 --help 2>/dev/null | awk -v command="$2" '
		/^[A-Z].*:( |$)/ { section = $1 }
		section == "Usage:" && command && / -- PROGRAM/ { print "--" }
		section == "Commands" && /^  [a-z]/ { print $1 }
		(section == "Options" || section == "Options:" || section == "Target" && command) &&
				/^  +-/ {
			for (i = 1; $i ~ /^-./; i++) {
				sub(/,$/, "", $i)
				print $i
			}
		}'
}

_epollscope() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command='' values value

	COMPREPLY=()
	_epollscope_program && return
	((COMP_CWORD > 1)) && command=${COMP_WORDS[1]}
	values=$(_epollscope_values "$before" "$word" || _epollscope_options "${COMP_WORDS[0]}" "$command")
	# Not by compgen -W: that would expand, even execute, what a process calls itself.
	while IFS= read -r value; do
		[[ -n $value && $value == "$word"* ]] && COMPREPLY+=("$(printf %q "$value")")
	done <<<"$values"
}

complete -F _epollscope epollscope
