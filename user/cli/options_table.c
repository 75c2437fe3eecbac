/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_table.c - every command, every option, and what each does to struct options. */
#include <stdlib.h>
#include <string.h>

#include "cli/options_table.h"
#include "base/quantity.h"

#define SHOWING	 (IN(CMD_REPORT) | IN(CMD_CONNS) | IN(CMD_SLOW))	/* read captures too */
#define WATCHING (SHOWING | IN(CMD_RECORD) | IN(CMD_FLAME))
#define EVERY	 (WATCHING | IN(CMD_DOCTOR))
#define ATTACHING (EVERY | IN(CMD_EXPORT))
#define ALWAYS	 (ATTACHING | IN(CMD_NONE))

const struct command_row command_rows[CMD_COUNT] = {
	[CMD_REPORT] = {
		.name = "report",
		.summary = "watch, then say where the P99 went",
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
		.examples = {
			"record -o nginx.cap -c nginx -d 10",
			"record -o slow.cap -P 8080 --ring 30 --until 'slow>50ms'",
			"record -o day.cap -P 443 --max-size 2G",
		},
	},
	[CMD_CONNS] = {
		.name = "conns",
		.summary = "a line for each connection as it closes",
		.examples = {
			"conns -P 443",
			"conns -p 4242 -d 60 --json | jq .duration_ns",
		},
	},
	[CMD_SLOW] = {
		.name = "slow",
		.summary = "a line for each slow exchange, with its ledger",
		.examples = {
			"slow -c redis-server",
			"slow -P 8080 --over 5ms --waterfall",
			"slow -p 4242 --over 0ns -d 1 --json",
		},
	},
	[CMD_FLAME] = {
		.name = "flame",
		.summary = "stacks of what the target did, or of what made its tail slow",
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
		.target = TARGET_PROCESSES,
		.examples = {
			"export -c nginx",
			"export --listen 127.0.0.1:9464 --target web -c 'nginx*' --target cache -P 6379",
			"export --print-metrics",
		},
	},
	[CMD_DOCTOR] = {
		.name = "doctor",
		.summary = "what this kernel, these privileges and this target allow",
		.target = TARGET_OPTIONAL,
		.examples = {
			"doctor",
			"doctor -c nginx --json",
			"doctor -P 6379 --cost",
		},
	},
};

#define NO_MEMORY "out of memory"

static bool add_pid(struct target_spec *t, uint32_t pid)
{
	uint32_t *grown = reallocarray(t->pids, t->n_pids + 1, sizeof(*grown));

	if (!grown)
		return false;
	t->pids = grown;
	t->pids[t->n_pids++] = pid;
	return true;
}

static bool add_port(struct target_spec *t, uint32_t port)
{
	uint16_t *grown = reallocarray(t->ports, t->n_ports + 1, sizeof(*grown));

	if (!grown)
		return false;
	t->ports = grown;
	t->ports[t->n_ports++] = (uint16_t)port;
	return true;
}

/* A list "1,2,3" of numbers up to max; wanted says so. */
static const char *add_numbers(struct target_spec *t, const char *list, uint32_t max,
			       bool (*add)(struct target_spec *, uint32_t), const char *wanted)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		char part[16] = "";
		uint32_t number;

		if (len >= sizeof(part))
			return wanted;
		memcpy(part, list, len);
		if (quantity_u32(part, 1, max, &number))
			return wanted;
		if (!add(t, number))
			return NO_MEMORY;
		if (!list[len])
			return NULL;
		list += len + 1;
	}
}

static const char *set_pid(struct options *o, const char *value)
{
	return add_numbers(&o->target, value, INT32_MAX, add_pid,
			   "a process id is a whole number from 1 to 2147483647");
}

static const char *set_port(struct options *o, const char *value)
{
	return add_numbers(&o->target, value, UINT16_MAX, add_port,
			   "a port is a whole number from 1 to 65535");
}

static const char *set_comm(struct options *o, const char *value)
{
	struct target_spec *t = &o->target;
	const char **grown;

	if (!*value)
		return "give a process name or a pattern such as 'nginx*'";
	grown = reallocarray(t->comms, t->n_comms + 1, sizeof(*grown));
	if (!grown)
		return NO_MEMORY;
	t->comms = grown;
	t->comms[t->n_comms++] = value;
	return NULL;
}

static const char *set_cgroup(struct options *o, const char *value)
{
	o->target.cgroup = value;
	return *value ? NULL : "give the path of a control group";
}

static const char *set_duration(struct options *o, const char *value)
{
	return !quantity_duration(value, true, &o->duration_ns) && o->duration_ns ?
		       NULL : "a duration is more than 0 and at most 365 days, as 10, 0.5 or 2m";
}

static const char *set_json(struct options *o, const char *value)
{
	(void)value;
	o->json = true;
	return NULL;
}

static const char *set_json_schema(struct options *o, const char *value)
{
	(void)value;
	o->json_schema = true;
	return NULL;
}

static const char *set_over(struct options *o, const char *value)
{
	o->has_over = true;
	return quantity_duration(value, false, &o->over_ns) ?
		       "a latency has a unit, as 5ms, 200us, 1.5s or 0ns" : NULL;
}

static const char *set_max_loss(struct options *o, const char *value)
{
	o->has_max_loss = true;
	return quantity_share(value, &o->max_loss) ?
		       "a share is a fraction from 0 to 1 or a percentage, as 0.01 or 1%" : NULL;
}

static const char *set_html(struct options *o, const char *value)
{
	o->html = value;
	return *value ? NULL : "give the name of a file";
}

static const char *set_waterfall(struct options *o, const char *value)
{
	(void)value;
	o->waterfall = true;
	return NULL;
}

static const char *set_cost(struct options *o, const char *value)
{
	(void)value;
	o->cost = true;
	return NULL;
}

static const char *set_threshold(struct options *o, const char *value)
{
	return threshold_set(o->threshold, value);
}

static const char *set_no_syscalls(struct options *o, const char *value)
{
	(void)value;
	o->no_syscalls = true;
	return NULL;
}

static const char *set_ring_size(struct options *o, const char *value)
{
	return quantity_u32(value, 64, 65536, &o->ring_kib) || o->ring_kib & (o->ring_kib - 1) ?
		       "a ring size is a power of two from 64 to 65536 (KiB)" : NULL;
}

static const char *set_top(struct options *o, const char *value)
{
	return quantity_u32(value, 0, 100, &o->top) ? "a count is a whole number from 0 to 100" :
						      NULL;
}

static const char *set_color(struct options *o, const char *value)
{
	static const char *const names[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(value, names[i])) {
			o->color = (enum color_when)i;
			return NULL;
		}
	}
	return "it is auto, always or never";
}

static const char *set_verbose(struct options *o, const char *value)
{
	(void)value;
	o->verbose++;
	return NULL;
}

static const char *set_help(struct options *o, const char *value)
{
	(void)value;
	o->action = ACTION_HELP;
	return NULL;
}

static const char *set_version(struct options *o, const char *value)
{
	(void)value;
	o->action = ACTION_VERSION;
	return NULL;
}

const struct option_row option_rows[] = {
	{ "pid", 'p', "PID[,PID...]", ATTACHING, true, NULL,
	 "these processes", set_pid },
	{ "comm", 'c', "COMM", ATTACHING, true, NULL,
	 "processes of this name, a glob such as 'nginx*'; may be repeated", set_comm },
	{ "port", 'P', "PORT[,PORT...]", ATTACHING, true, NULL,
	 "processes that listen on these local TCP ports; only connections\n"
	 "of these ports count, those of a launched PROGRAM too", set_port },
	{ "cgroup", 0, "PATH", ATTACHING, true, NULL,
	 "processes of this control group and of those below it:\n"
	 "an absolute path, or one relative to /sys/fs/cgroup", set_cgroup },
	{ "input", 'i', "FILE", SHOWING | IN(CMD_FLAME), false, NULL,
	 "read this capture (-: standard input) instead of watching: no root", set_input },
	{ "output", 'o', "FILE", WATCHING, false, NULL,
	 "write this capture file, besides what is printed;\n"
	 "with record, - is standard output", set_output },
	{ "max-size", 0, "SIZE", WATCHING, false, NULL,
	 "stop when the capture is so large, at least 1M, as 500M or 2G;\n"
	 "with --ring, keep no more than this", set_max_size },
	{ "ring", 0, "SECONDS", IN(CMD_RECORD), false, NULL,
	 "flight recorder: keep only the last seconds, in memory, and write\n"
	 "them when SIGUSR1, --until, Ctrl-C, -d or the target's end comes", set_ring },
	{ "until", 0, "'slow>TIME'", IN(CMD_RECORD), false, NULL,
	 "stop at the first exchange that takes longer, as 'slow>50ms'", set_until },
	{ "duration", 'd', "SECONDS", WATCHING, false, NULL,
	 "watch for so long, or with a unit as 500ms or 2m;\n"
	 "without it until Ctrl-C, or the program's end", set_duration },
	{ "over", 0, "TIME", IN(CMD_SLOW), false, NULL,
	 "exchanges of this latency and above, as 5ms, 200us or 0ns (all);\n"
	 "without it those at or above the current P99", set_over },
	{ "waterfall", 0, NULL, IN(CMD_SLOW), false, NULL,
	 "several lines for each: its stages, and what the thread did in them", set_waterfall },
	{ "listen", 0, "ADDRESS:PORT", IN(CMD_EXPORT), false, "127.0.0.1:9464",
	 "where to serve; port 0 takes a free one", set_listen },
	{ "target", 0, "NAME", IN(CMD_EXPORT), false, NULL,
	 "the conditions that follow, up to the next --target, are a target\n"
	 "of their own: its series carry target=\"NAME\"", set_target },
	{ "syscalls", 0, NULL, IN(CMD_EXPORT), false, NULL,
	 "time every system call too: dearer for the server", set_syscalls },
	{ "measure-cost", 0, NULL, IN(CMD_EXPORT), false, NULL,
	 "measure the kernel side's CPU time, one second in ten at most;\n"
	 "keeps CAP_SYS_ADMIN", set_measure_cost },
	{ "finding-window", 0, "TIME", IN(CMD_EXPORT), false, "30s",
	 "a finding is said of the last complete window of this length, at\n"
	 "least 1s; below 10s imbalance never holds", set_finding_window },
	{ "max-series", 0, "N", IN(CMD_EXPORT), false, "10000",
	 "series on a page; what is beyond goes to \"other\"", set_max_series },
	{ "tls-cert", 0, "FILE", IN(CMD_EXPORT), false, NULL,
	 "serve HTTPS with this certificate (PEM)", set_tls_cert },
	{ "tls-key", 0, "FILE", IN(CMD_EXPORT), false, NULL,
	 "and this key (PEM)", set_tls_key },
	{ "auth-file", 0, "FILE", IN(CMD_EXPORT), false, NULL,
	 "ask for the user and password of this file: one line, USER:PASSWORD", set_auth_file },
	{ "print-metrics", 0, NULL, IN(CMD_EXPORT), false, NULL,
	 "print what the metrics mean, in Markdown, and exit", set_print_metrics },
	{ "top", 0, "N", IN(CMD_REPORT), false, "3",
	 "print the N worst exchanges", set_top },
	{ "threshold", 0, "NAME=VALUE", IN(CMD_REPORT), true, NULL,
	 "a limit of the diagnosis, see below; may be repeated", set_threshold },
	{ "no-syscalls", 0, NULL, IN(CMD_REPORT) | IN(CMD_RECORD), false, NULL,
	 "leave out the system calls: cheaper for the server", set_no_syscalls },
	{ "html", 0, "FILE", IN(CMD_REPORT), false, NULL,
	 "write the report as a page too, with latency over time, the worst\n"
	 "exchanges and the tail's flame graph; costs the server more", set_html },
	{ "mode", 0, "MODE", IN(CMD_FLAME), false, "tail",
	 "cpu: on-CPU samples; offcpu: blocked time; wakeup: by who ended it;\n"
	 "tail: only while the tail waited, by stage", set_mode },
	{ "against", 0, "WHAT", IN(CMD_FLAME), false, NULL,
	 "typical: the tail compared with the faster half of the exchanges;\n"
	 "a file: compared with folded text, as of an earlier flame", set_against },
	{ "folded", 0, "FILE", IN(CMD_FLAME), false, NULL,
	 "show folded text (-: standard input), ours or another tool's,\n"
	 "instead of watching", set_folded },
	{ "unit", 0, "UNIT", IN(CMD_FLAME), false, "ns",
	 "with --folded: its numbers are ns or samples", set_unit },
	{ "hz", 0, "N", IN(CMD_FLAME) | IN(CMD_RECORD) | IN(CMD_REPORT), false, "99",
	 "samples a second on each CPU, at most 10000;\n"
	 "record and report --html: 0 takes no stacks", set_hz },
	{ "period", 0, "TIME", IN(CMD_FLAME) | IN(CMD_RECORD) | IN(CMD_REPORT), false, NULL,
	 "the same as time between two samples, as 10ms (--hz 100)", set_period },
	{ "depth", 0, "N", IN(CMD_FLAME) | IN(CMD_RECORD) | IN(CMD_REPORT), false, NULL,
	 "innermost frames of a stack that are kept, 1 to 127 (default), each\n"
	 "of the kernel's part and the program's", set_depth },
	{ "window", 0, "SECONDS", IN(CMD_SLOW) | IN(CMD_FLAME) | IN(CMD_RECORD), false, NULL,
	 "the tail is what is at or above the P99 of so long, 1 s to 1 h;\n"
	 "default: a minute, with -i what record was told", set_window },
	{ "debug-dir", 0, "DIR", IN(CMD_FLAME) | IN(CMD_RECORD) | IN(CMD_REPORT), false,
	 NULL, "separate debug files by build-id; default: /usr/lib/debug", set_debug_dir },
	{ "svg", 0, "FILE", IN(CMD_FLAME), false, NULL,
	 "write a picture there instead of folded text to stdout", set_svg },
	{ "by", 0, "stage", IN(CMD_FLAME), false, NULL,
	 "first frame: the stage of the exchanges that waited for the thread", set_by },
	{ "chrome-trace", 0, "FILE", IN(CMD_FLAME), false, NULL,
	 "write a timeline too: turns, exchanges, off-CPU time, wake-ups, as\n"
	 "trace-event JSON, for ui.perfetto.dev and speedscope", set_chrome_trace },
	{ "cost", 0, NULL, IN(CMD_DOCTOR), false, NULL,
	 "measure on the target what a report, its diagnosis and stacks cost\n"
	 "the kernel; takes some five seconds", set_cost },
	{ "json", 0, NULL, SHOWING | IN(CMD_DOCTOR), false, NULL,
	 "print JSON instead of text", set_json },
	{ "json-schema", 0, NULL, SHOWING | IN(CMD_NONE), false, NULL,
	 "print the JSON schema and exit (without a command: report's)", set_json_schema },
	{ "max-loss", 0, "SHARE", WATCHING, false, NULL,
	 "exit with status 3 if more events were lost, as 0.01 or 1%;\n"
	 "without it losses are shown but are no failure", set_max_loss },
	{ "ring-size", 0, "KIB", WATCHING, false, "4096",
	 "event ring of each CPU: a power of two, 64 to 65536", set_ring_size },
	{ "color", 0, "WHEN", EVERY, false, "auto",
	 "auto (on a terminal, no NO_COLOR), always or never", set_color },
	{ "verbose", 'v', NULL, ALWAYS, false, NULL,
	 "print libbpf's messages to stderr; twice for all of them", set_verbose },
	{ "help", 'h', NULL, ALWAYS, false, NULL,
	 "print this help and exit", set_help },
	{ "version", 0, NULL, ALWAYS, false, NULL,
	 "print the version and exit", set_version },
};

const size_t option_count = sizeof(option_rows) / sizeof(option_rows[0]);
