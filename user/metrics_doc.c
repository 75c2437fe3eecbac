// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* metrics_doc.c - docs/metrics.md: the table of metrics, and what stands around it. */
#include "metrics.h"

static const char before[] =
	"<!-- Generated: epollscope export --print-metrics > docs/metrics.md -->\n"
	"# Metrics\n"
	"\n"
	"What `epollscope export` serves at `/metrics`. Every series but the exporter's own has the label\n"
	"`target`: the name given with `--target`, or else the target's conditions as they were given.\n"
	"\n"
	"| metric | type | labels | meaning |\n"
	"|---|---|---|---|\n";

static const char after[] =
	"\n"
	"## Histograms\n"
	"\n"
	"Buckets are powers of two of nanoseconds, from 2^10 ns (`le=\"1.024e-06\"`) to 2^36 ns\n"
	"(`le=\"68.719476736\"`), and `+Inf`: the same for every metric, host and version, so they add up.\n"
	"They are made from the kernel side's finer buckets, which have a bound at each of them: nothing is\n"
	"moved or interpolated. A bucket holds the durations that are shorter than its bound; one of exactly\n"
	"2^k ns is in the next. `_count` is the sum of the buckets, `_sum` is exact. `histogram_quantile`\n"
	"interpolates within a bucket: its error is at most a factor of two, and `epollscope report` has the\n"
	"same percentile to 1.6 %.\n"
	"\n"
	"Native (sparse exponential) histograms are missing. They are only defined for the protobuf format,\n"
	"and the one C library for it in the distribution (protobuf-c) would need Prometheus' schema in the\n"
	"tree and generated code for it. The kernel side's histograms (64 buckets to each power of two) could\n"
	"be given without loss as schema 6, were it added.\n"
	"\n"
	"## Formats\n"
	"\n"
	"Text 0.0.4 unless asked for something else; OpenMetrics 1.0 when the request's `Accept` prefers it.\n"
	"That adds `# UNIT`, creation times (`_created`) and, to `epollscope_exchange_duration_seconds`,\n"
	"exemplars: the slowest exchange of the last minute in each bucket, with `conn`, `pid` and `tid` as\n"
	"`epollscope slow --json` prints them and its end as the time. What `slow` shows without `--over` is\n"
	"where they come from. gzip when the request's `Accept-Encoding` has it. `HEAD` works, anything but\n"
	"`GET` and `HEAD` is a 405.\n"
	"\n"
	"## Bounds\n"
	"\n"
	"- No label holds a remote address, a file descriptor or a connection. `loop` is a thread's name,\n"
	"  escaped as everywhere (bytes that are not UTF-8, controls and backslashes as `\\xNN`), `port` a\n"
	"  listening one.\n"
	"- `--max-series` (10,000) bounds a page. Loops and ports get series of their own in the order of\n"
	"  their appearance and keep them; what comes later is in `other`. `epollscope_series`,\n"
	"  `epollscope_series_limit` and `epollscope_loops_merged` show it. A target can have 127 loops in\n"
	"  its life, whatever the limit: later threads are in `other`.\n"
	"- Counters start at 0 when the exporter starts, and never fall while it runs, whatever becomes of\n"
	"  the target: its session stays, processes come and go. One that nobody forked from a known process\n"
	"  is found within a second (later where reading /proc takes long: it gets 1/500 of the time); what\n"
	"  it served before that is not counted.\n"
	"- Each target is a set of hooks of its own: every system call, packet and switch of the host asks\n"
	"  each of them. One target with several conditions is cheaper than several targets.\n"
	"- `epollscope_accept_queue_length` is read at the scrape in the exporter's network namespace;\n"
	"  elsewhere it is as it was when a connection last entered or left the queue.\n"
	"- `epollscope_epoll_events_per_wait` has sum and count, no buckets: `rate(..._sum[5m]) /\n"
	"  rate(..._count[5m])` is the mean batch.\n"
	"\n"
	"## Findings\n"
	"\n"
	"`epollscope_finding` is the diagnosis of `epollscope report`, by the same rules and limits, of one\n"
	"window after the other: `--finding-window` (30 s), the last that is complete. Each code that can be\n"
	"judged has a series, 1 or 0; none has before the first window ends. What begins shows after one to\n"
	"two windows, and so does its end. `epollscope report` on the host says the rest: the evidence.\n"
	"\n"
	"- The codes that explain the tail are 0 when there is none worth a word (a P99 below 1 ms), when a\n"
	"  window has fewer than 100 exchanges, and when more than 5 % of its events were lost\n"
	"  (`epollscope_lost_total`): 0 then means that no such diagnosis can be made.\n"
	"- No series: `retransmits` and `close-wait-leak`, which count connections at the end of a watch;\n"
	"  `io-uring-bypass`, which takes reading the target's `/proc/PID/fd`; without `--syscalls`\n"
	"  `thundering-herd`, `ctl-churn` and `spurious-wakeups`.\n"
	"- `thundering-herd` is judged by the accepts that found nothing alone, without a look at how the\n"
	"  listeners are registered, as `report` has it.\n"
	"- `imbalance`, `poll-spin` and `spurious-wakeups` do not hold for Go, whose runtime does such things\n"
	"  by design. What a process is can be read while the exporter starts; a later one is taken for what\n"
	"  an earlier one of its name was. If there was none, these three have no series. `imbalance` takes a\n"
	"  window of 10 s.\n"
	"- `cpu-throttled` and `accept-starved`'s overflows are those of the control group and the network\n"
	"  namespace of the target's first process.\n"
	"\n"
	"## Cost\n"
	"\n"
	"Measured with redis GET, 20 clients, on a virtual machine of two processors, alternated, medians of\n"
	"three: the server's CPU time a request was 1.06 times that of an unwatched one, 1.27 times with\n"
	"`--syscalls`. A system call of a process that is not watched took 174 ns instead of 126, with\n"
	"`--syscalls` 287. A scrape of two targets (1,089 series, 97 kB, 9 kB packed) took 2 to 3 ms with its\n"
	"connection, 0.5 ms of it the page; an idle exporter 0.7 % of a processor for one target, 1.3 % for\n"
	"two. Resident memory was 10 MB and 10 MB of mapped kernel memory for each target, the same\n"
	"after 2,600 scrapes.\n"
	"\n"
	"## Privileges\n"
	"\n"
	"To start: root, or CAP_BPF and CAP_PERFMON (`epollscope doctor` tells). Once attached everything is\n"
	"given up but what following a target takes: nothing at all for `-p`, `-c` and `--cgroup`, CAP_SYS_PTRACE\n"
	"and CAP_DAC_READ_SEARCH for `-P`, since a listener is found by reading other users' `/proc/PID/fd`.\n"
	"Then no_new_privs is set, and a seccomp filter refuses (EPERM) every system call that is not on a\n"
	"short list, opening a file for writing among them. What that costs: for processes that are found\n"
	"later in other network namespaces, connections that wait in their accept queue at that moment are\n"
	"met only when they are accepted; and `epollscope_bpf_seconds_total`, which needs CAP_SYS_ADMIN, has\n"
	"no series unless `--measure-cost` keeps that.\n"
	"\n"
	"A request has 5 s to arrive, an answer 10 s to be taken; 16 connections at once, of more the one that\n"
	"has kept us waiting longest is shut; 16 KiB for a request's headers. `--tls-cert` and `--tls-key`\n"
	"serve HTTPS (1.2, 1.3), `--auth-file` asks for a password.\n";

static void print_row(FILE *out, const struct metric *row)
{
	fprintf(out, "| `epollscope_%s%s` | %s | %s%s%s%s%s | ", row->name, metric_suffix(row->type),
		metric_type_name(row->type), row->put ? "`target`" : "",
		row->put && row->label ? ", " : "", row->label ? "`" : "",
		row->label ? row->label : "", row->label ? "`" : "");
	fprintf(out, "%s |\n", row->help);
}

void metrics_document(FILE *out)
{
	fputs(before, out);
	for (size_t i = 0; i < metric_count; i++)
		print_row(out, &metric_rows[i]);
	fputs(after, out);
}
