/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_table.c - every command and every option: what each takes, sets and says in help. */
#include "capture/recorder.h"
#include "cli/options_table.h"
#include "explain/profile.h"
#include "bpf/syscalls.h"
#include "flamegraph/flamegraph.h"
#include "stream/tail.h"

#define SHOWING	 (IN(CMD_REPORT) | IN(CMD_CONNS) | IN(CMD_SLOW))	/* read captures too */
#define WATCHING (SHOWING | IN(CMD_RECORD) | IN(CMD_FLAME))
#define EVERY	 (WATCHING | IN(CMD_DOCTOR))
#define ATTACHING (EVERY | IN(CMD_EXPORT))
#define ALWAYS	 (ATTACHING | IN(CMD_NONE))

#define USE_TARGET "TARGET [OPTIONS]", "[OPTIONS] -- PROGRAM [ARG...]"
#define USE_INPUT  "-i FILE [OPTIONS]"

const struct command_row command_rows[CMD_COUNT] = {
	[CMD_REPORT] = {
		.name = "report",
		.summary = "watch, then say where the P99 went",
		.usage = { USE_TARGET, USE_INPUT },
		.examples = {
			"report -c nginx -d 10",
			"report -P 6379 -d 30 --json > report.json",
			"report -d 5 -- redis-server --port 7000",
			"report -i nginx.cap",
		},
	},
	[CMD_RECORD] = {
		.name = "record",
		.summary = "watch into a capture file, which report, conns, slow and flame read (-i)",
		.usage = { USE_TARGET },
		.examples = {
			"record -o nginx.cap -c nginx -d 10",
			"record -o slow.cap -P 8080 --ring 30 --until 'slow>50ms'",
			"record -o day.cap -P 443 --max-size 2G",
		},
	},
	[CMD_CONNS] = {
		.name = "conns",
		.summary = "a line for each connection as it closes",
		.usage = { USE_TARGET, USE_INPUT },
		.examples = {
			"conns -P 443",
			"conns -p 4242 -d 60 --json | jq .duration_ns",
		},
	},
	[CMD_SLOW] = {
		.name = "slow",
		.summary = "a line for each slow exchange, with its ledger",
		.usage = { USE_TARGET, USE_INPUT },
		.examples = {
			"slow -c redis-server",
			"slow -P 8080 --over 5ms --waterfall",
			"slow -p 4242 --over 0ns -d 1 --json",
		},
	},
	[CMD_FLAME] = {
		.name = "flame",
		.summary = "stacks of what the target did, or of what made its tail slow",
		.usage = { USE_TARGET, USE_INPUT,
			   "--folded FILE [--against FILE] [--svg FILE]" },
		.examples = {
			"flame -c nginx -d 10 --svg tail.svg",
			"flame -p 4242 -d 10 --mode offcpu > offcpu.folded",
			"flame -P 6379 -d 30 --against typical --svg difference.svg",
			"flame -c node -d 5 --mode cpu --by stage --chrome-trace trace.json",
		},
	},
	[CMD_EXPORT] = {
		.name = "export",
		.summary = "Prometheus endpoint: the report as time series, cheap enough to leave on",
		.usage = { "TARGET... [OPTIONS]" },
		.examples = {
			"export -c nginx",
			"export --listen 127.0.0.1:9464 --target web -c 'nginx*' --target cache -P 6379",
			"export --print-metrics",
		},
	},
	[CMD_DOCTOR] = {
		.name = "doctor",
		.summary = "what this kernel, these privileges and this target allow",
		.usage = { "[TARGET] [OPTIONS]" },
		.examples = {
			"doctor",
			"doctor -c nginx --json",
			"doctor -P 6379 --cost",
		},
	},
};

#define SECOND_NS 1000000000ULL
#define HOUR_NS   (3600 * SECOND_NS)

/* Where a field is; does not compile if the field has another type. */
#define PLACE(type, field) \
	_Generic(((struct options *)0)->field, type: offsetof(struct options, field))

#define AT(type, field) .place = PLACE(type, field)

#define SPECIAL(function)	{ VALUE_SPECIAL, .set = (function) }
#define FLAG(field)		{ VALUE_FLAG, AT(bool, field) }
#define FIXED(field, value)	{ VALUE_FIXED, AT(unsigned, field), .min = (value) }
#define MORE(field)		{ VALUE_MORE, AT(unsigned, field) }
#define TEXT(field)		{ VALUE_TEXT, AT(const char *, field) }
#define WORD(field, list)	{ VALUE_WORD, AT(unsigned, field), .words = (list) }
#define COUNT(field, low, high) \
	{ VALUE_COUNT, AT(uint32_t, field), .min = (low), .max = (high) }
#define BYTES(field, low) \
	{ VALUE_BYTES, AT(uint64_t, field), .min = (low), .max = UINT64_MAX }
#define TIME(field, low) \
	{ VALUE_TIME, AT(uint64_t, field), .min = (low), .max = UINT64_MAX }
#define SECONDS(field, low, high) \
	{ VALUE_SECONDS, AT(uint64_t, field), .min = (low), .max = (high) }
#define SHARE(field)		{ VALUE_SHARE, AT(double, field) }
#define NUMBERS(field, n, high) \
	{ VALUE_NUMBERS, AT(uint32_t *, field), .count = PLACE(size_t, n), .min = 1, .max = (high) }

static const char *const color_words[] = {
	[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never", NULL,
};

static const char *const syscall_words[] = {
	[SYSCALLS_OFF] = "off", [SYSCALLS_ALL] = "all", [SYSCALLS_SAMPLE] = "sample", NULL,
};

static const char *const mode_words[] = {
	[PROFILE_CPU] = "cpu", [PROFILE_OFFCPU] = "offcpu", [PROFILE_WAKEUP] = "wakeup",
	[PROFILE_TAIL] = "tail", NULL,
};

static const char *const unit_words[] = { [FLAME_NS] = "ns", [FLAME_SAMPLES] = "samples", NULL };

const struct option_row option_rows[] = {
	{ "pid", 'p', "PID[,PID...]", ATTACHING, NUMBERS(target.pids, target.n_pids, INT32_MAX),
	  .help = "these processes",
	  .wanted = "a process id is a whole number from 1 to 2147483647", .target = true },
	{ "comm", 'c', "COMM", ATTACHING, SPECIAL(set_comm),
	  .help = "processes of this name, a glob such as 'nginx*'; may be repeated",
	  .target = true },
	{ "port", 'P', "PORT[,PORT...]", ATTACHING,
	  NUMBERS(target.ports, target.n_ports, UINT16_MAX),
	  .help = "processes that listen on these local TCP ports; only connections\n"
		  "of these ports count, those of a launched PROGRAM too",
	  .wanted = "a port is a whole number from 1 to 65535", .target = true },
	{ "cgroup", 0, "PATH", ATTACHING, TEXT(target.cgroup),
	  .help = "processes of this control group and of those below it:\n"
		  "an absolute path, or one relative to /sys/fs/cgroup",
	  .wanted = "give the path of a control group", .target = true },
	{ "input", 'i', "FILE", SHOWING | IN(CMD_FLAME), TEXT(input),
	  .help = "read this capture (-: standard input) instead of watching: no root",
	  .wanted = "give the path of a capture, or - for standard input" },
	{ "output", 'o', "FILE", WATCHING, TEXT(output),
	  .help = "write this capture file, besides what is printed;\n"
		  "with record, - is standard output",
	  .wanted = "give the path of the capture to write" },
	{ "max-size", 0, "SIZE", WATCHING, BYTES(max_bytes, RECORDER_MIN_BYTES),
	  .help = "stop when the capture is so large, at least 1M, as 500M or 2G;\n"
		  "with --ring, keep no more than this",
	  .wanted = "a size is at least 1M, as 500M or 2G" },
	{ "ring", 0, "SECONDS", IN(CMD_RECORD), SECONDS(ring_ns, 1, HOUR_NS),
	  .help = "flight recorder: keep only the last seconds, in memory, and write\n"
		  "them when SIGUSR1, --until, Ctrl-C, -d or the target's end comes",
	  .wanted = "a window is more than 0 and at most an hour, as 10, 0.5 or 2m" },
	{ "until", 0, "'slow>TIME'", IN(CMD_RECORD), SPECIAL(set_until),
	  .help = "stop at the first exchange that takes longer, as 'slow>50ms'" },
	{ "duration", 'd', "SECONDS", WATCHING, SECONDS(duration_ns, 1, UINT64_MAX),
	  .help = "watch for so long, or with a unit as 500ms or 2m;\n"
		  "without it until Ctrl-C, or the program's end",
	  .wanted = "a duration is more than 0 and at most 365 days, as 10, 0.5 or 2m" },
	{ "over", 0, "TIME", IN(CMD_SLOW), TIME(over_ns, 0),
	  .help = "exchanges of this latency and above, as 5ms, 200us or 0ns (all);\n"
		  "without it those at or above the current P99",
	  .wanted = "a latency has a unit, as 5ms, 200us, 1.5s or 0ns",
	  .has = PLACE(bool, has_over) },
	{ "waterfall", 0, NULL, IN(CMD_SLOW), FLAG(waterfall),
	  .help = "several lines for each: its stages, and what the thread did in them" },
	{ "listen", 0, "ADDRESS:PORT", IN(CMD_EXPORT), SPECIAL(set_listen),
	  .help = "where to serve; port 0 takes a free one", .preset = "127.0.0.1:9464" },
	{ "target", 0, "NAME", IN(CMD_EXPORT), SPECIAL(set_target),
	  .help = "the conditions that follow, up to the next --target, are a target\n"
		  "of their own: its series carry target=\"NAME\"" },
	{ "measure-cost", 0, NULL, IN(CMD_EXPORT), FLAG(export.measure_cost),
	  .help = "measure the kernel side's CPU time, one second in ten at most;\n"
		  "keeps CAP_SYS_ADMIN" },
	{ "finding-window", 0, "TIME", IN(CMD_EXPORT), TIME(export.finding_window_ns, SECOND_NS),
	  .help = "a finding is said of the last complete window of this length, at\n"
		  "least 1s; below 10s imbalance never holds",
	  .wanted = "a window has a unit and is 1s or more, as 30s or 2m", .preset = "30s" },
	{ "max-series", 0, "N", IN(CMD_EXPORT), COUNT(export.max_series, 1, 10000000),
	  .help = "series on a page; what is beyond goes to \"other\"",
	  .wanted = "a count is a whole number from 1 to 10000000", .preset = "10000" },
	{ "tls-cert", 0, "FILE", IN(CMD_EXPORT), TEXT(export.tls_cert),
	  .help = "serve HTTPS with this certificate (PEM)",
	  .wanted = "give a file" },
	{ "tls-key", 0, "FILE", IN(CMD_EXPORT), TEXT(export.tls_key),
	  .help = "and this key (PEM)",
	  .wanted = "give a file" },
	{ "auth-file", 0, "FILE", IN(CMD_EXPORT), TEXT(export.auth_file),
	  .help = "ask for the user and password of this file: one line, USER:PASSWORD",
	  .wanted = "give a file" },
	{ "print-metrics", 0, NULL, IN(CMD_EXPORT), FLAG(export.print_metrics),
	  .help = "print what the metrics mean, in Markdown, and exit" },
	{ "top", 0, "N", IN(CMD_REPORT), COUNT(top, 0, 100),
	  .help = "print the N worst exchanges",
	  .wanted = "a count is a whole number from 0 to 100", .preset = "3" },
	{ "threshold", 0, "NAME=VALUE", IN(CMD_REPORT), SPECIAL(set_threshold),
	  .help = "a limit of the diagnosis, see below; may be repeated", .target = true },
	{ "tail", 0, "PERCENTILE", IN(CMD_REPORT), SPECIAL(set_tail),
	  .help = "where the tail begins that is explained: 99 to 99.9. Default: 99" },
	{ "syscalls", 0, "WHICH", IN(CMD_REPORT) | IN(CMD_RECORD) | IN(CMD_EXPORT),
	  WORD(syscalls, syscall_words),
	  .help = "system calls other than waits and accepts: sample, a tenth of the\n"
		  "time; all, dearer for the server; off. Default: sample, with\n"
		  "export off",
	  .wanted = "it is sample, all or off", .has = PLACE(bool, has_syscalls) },
	{ "no-syscalls", 0, NULL, IN(CMD_REPORT) | IN(CMD_RECORD), SPECIAL(set_no_syscalls),
	  .help = "the same as --syscalls off" },
	{ "html", 0, "FILE", IN(CMD_REPORT), TEXT(html),
	  .help = "write the report as a page too, with latency over time, the worst\n"
		  "exchanges and the tail's flame graph; costs the server more",
	  .wanted = "give the name of a file" },
	{ "mode", 0, "MODE", IN(CMD_FLAME), WORD(mode, mode_words),
	  .help = "cpu: on-CPU samples; offcpu: blocked time; wakeup: by who ended it;\n"
		  "tail: only while the tail waited, by stage",
	  .wanted = "a mode is cpu, offcpu, wakeup or tail", .preset = "tail" },
	{ "against", 0, "WHAT", IN(CMD_FLAME), SPECIAL(set_against),
	  .help = "typical: the tail compared with the faster half of the exchanges;\n"
		  "a file: compared with folded text, as of an earlier flame" },
	{ "folded", 0, "FILE", IN(CMD_FLAME), TEXT(folded),
	  .help = "show folded text (-: standard input), ours or another tool's,\n"
		  "instead of watching",
	  .wanted = "give the path of folded text, or - for standard input" },
	{ "unit", 0, "UNIT", IN(CMD_FLAME), WORD(unit, unit_words),
	  .help = "with --folded: its numbers are ns or samples",
	  .wanted = "a unit is ns or samples", .preset = "ns" },
	{ "hz", 0, "N", IN(CMD_FLAME) | IN(CMD_RECORD) | IN(CMD_REPORT), SPECIAL(set_hz),
	  .help = "samples a second on each CPU, at most 10000;\n"
		  "record and report --html: 0 disables sampling", .preset = "99" },
	{ "period", 0, "TIME", IN(CMD_FLAME) | IN(CMD_RECORD) | IN(CMD_REPORT), SPECIAL(set_period),
	  .help = "the same as time between two samples, as 10ms (--hz 100)" },
	{ "depth", 0, "N", IN(CMD_FLAME) | IN(CMD_RECORD) | IN(CMD_REPORT),
	  COUNT(depth, 1, STACK_DEPTH),
	  .help = "innermost frames of a stack that are kept, 1 to 127 (default), each\n"
		  "of the kernel's part and the program's",
	  .wanted = "a depth is a whole number from 1 to 127" },
	{ "window", 0, "SECONDS", IN(CMD_SLOW) | IN(CMD_FLAME) | IN(CMD_RECORD),
	  SECONDS(window_ns, TAIL_WINDOW_MIN_NS, TAIL_WINDOW_MAX_NS),
	  .help = "the tail is what is at or above the P99 of so long, 1 s to 1 h;\n"
		  "default: a minute, with -i what record was told",
	  .wanted = "a window is from a second to an hour, as 10, 2.5 or 5m" },
	{ "debug-dir", 0, "DIR", IN(CMD_FLAME) | IN(CMD_RECORD) | IN(CMD_REPORT), TEXT(debug_dir),
	  .help = "separate debug files by build-id; default: /usr/lib/debug",
	  .wanted = "give the path of a folder" },
	{ "svg", 0, "FILE", IN(CMD_FLAME), TEXT(svg),
	  .help = "write a picture there instead of folded text to stdout",
	  .wanted = "give the path of a file" },
	{ "by", 0, "stage", IN(CMD_FLAME), SPECIAL(set_by),
	  .help = "first frame: the stage of the exchanges that waited for the thread" },
	{ "chrome-trace", 0, "FILE", IN(CMD_FLAME), TEXT(chrome_trace),
	  .help = "write a timeline too: turns, exchanges, off-CPU time, wake-ups, as\n"
		  "trace-event JSON, for ui.perfetto.dev and speedscope",
	  .wanted = "give the path of a file" },
	{ "cost", 0, NULL, IN(CMD_DOCTOR), FLAG(cost),
	  .help = "measure on the target what a report, its diagnosis and stacks cost\n"
		  "the kernel; takes some five seconds" },
	{ "json", 0, NULL, SHOWING | IN(CMD_DOCTOR), FLAG(json),
	  .help = "print JSON instead of text" },
	{ "json-schema", 0, NULL, SHOWING | IN(CMD_NONE), FLAG(json_schema),
	  .help = "print the JSON schema and exit (without a command: report's)" },
	{ "max-loss", 0, "SHARE", WATCHING, SHARE(max_loss),
	  .help = "exit with status 3 if more events were lost, as 0.01 or 1%;\n"
		  "without it losses are shown but are no failure",
	  .wanted = "a share is a fraction from 0 to 1 or a percentage, as 0.01 or 1%",
	  .has = PLACE(bool, has_max_loss) },
	{ "budget", 0, "SHARE", WATCHING | IN(CMD_EXPORT), SHARE(budget),
	  .help = "keep what watching costs below this share of the target's CPU time,\n"
		  "as 0.02 or 2%: stacks are left out first, then single exchanges,\n"
		  "sampled system calls, splits of stages; 0: no limit.\n"
		  "Default: no limit, with export 30%",
	  .wanted = "a share is a fraction from 0 to 1 or a percentage, as 0.02 or 2%",
	  .has = PLACE(bool, has_budget) },
	{ "ring-size", 0, "KIB", WATCHING, SPECIAL(set_ring_size),
	  .help = "event ring of each CPU: a power of two, 64 to 65536\n"
		  "(default: 4096, less beyond 16 CPUs)" },
	{ "color", 0, "WHEN", EVERY, WORD(color, color_words),
	  .help = "auto (on a terminal, no NO_COLOR), always or never",
	  .wanted = "it is auto, always or never", .preset = "auto" },
	{ "verbose", 'v', NULL, ALWAYS, MORE(verbose),
	  .help = "print libbpf's messages to stderr; twice for all of them" },
	{ "help", 'h', NULL, ALWAYS, FIXED(action, ACTION_HELP),
	  .help = "print this help and exit" },
	{ "version", 0, NULL, ALWAYS, FIXED(action, ACTION_VERSION),
	  .help = "print the version and exit" },
};

const size_t option_count = sizeof(option_rows) / sizeof(option_rows[0]);
