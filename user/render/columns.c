/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * columns.c - see columns.h. Where an output has another order or another form of a number than the
 * others, the number stands twice, with NULL where it is not told.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "render/columns.h"

#define AT(type, member) { offsetof(struct type, member), sizeof(((struct type *)0)->member) }
#define SAMPLES(type, dist, member) AT(type, dist.member), AT(type, dist.count)
#define ALWAYS { 0, 0 }	/* known */

/* JSON key, head in text and its width, head in HTML, unit, place */

const struct column latency_columns[] = {
	{ "count", "exchanges", 13, "Exchanges", COLUMN_COUNT, AT(dist, count), ALWAYS },
	{ "sum_ns", NULL, 0, NULL, COLUMN_NS, AT(dist, sum_ns), ALWAYS },
	{ "mean", "mean", 11, "Mean", COLUMN_MEAN, AT(dist, sum_ns), AT(dist, count) },
	{ "p50", "P50", 11, "P50", COLUMN_NS, AT(dist, p50_ns), AT(dist, count) },
	{ "p90", "P90", 11, "P90", COLUMN_NS, AT(dist, p90_ns), AT(dist, count) },
	{ "p99", "P99", 11, "P99", COLUMN_NS, AT(dist, p99_ns), AT(dist, count) },
	{ "p999", "P99.9", 11, "P99.9", COLUMN_NS, AT(dist, p999_ns), AT(dist, count) },
	{ "max", "max", 11, "Max", COLUMN_NS, AT(dist, max_ns), AT(dist, count) },
	{ 0 },
};

const struct column stage_columns[] = {
	{ "count", "exchanges", 13, "Exchanges", COLUMN_COUNT, AT(dist, count), ALWAYS },
	{ "sum_ns", NULL, 0, NULL, COLUMN_NS, AT(dist, sum_ns), ALWAYS },
	{ "p50_ns", "P50", 11, "P50", COLUMN_NS, AT(dist, p50_ns), AT(dist, count) },
	{ "p99_ns", "P99", 11, "P99", COLUMN_NS, AT(dist, p99_ns), AT(dist, count) },
	{ "max_ns", "max", 11, "Max", COLUMN_NS, AT(dist, max_ns), AT(dist, count) },
	{ 0 },
};

const struct column syscall_columns[] = {
	{ "name", "SYSCALLS", -14, "Call", COLUMN_WORD, AT(syscall_info, name), ALWAYS },
	{ "count", "count", 12, "Count", COLUMN_COUNT, AT(syscall_info, dist.count), ALWAYS },
	{ "errors", "errors", 10, "Errors", COLUMN_RARE, AT(syscall_info, errors), ALWAYS },
	{ "eagain", "EAGAIN", 12, "EAGAIN", COLUMN_RARE, AT(syscall_info, eagain), ALWAYS },
	{ "p50_ns", "P50", 11, "P50", COLUMN_NS, SAMPLES(syscall_info, dist, p50_ns) },
	{ "p90_ns", NULL, 0, NULL, COLUMN_NS, SAMPLES(syscall_info, dist, p90_ns) },
	{ "p99_ns", "P99", 11, "P99", COLUMN_NS, SAMPLES(syscall_info, dist, p99_ns) },
	{ "max_ns", "max", 11, "Max", COLUMN_NS, SAMPLES(syscall_info, dist, max_ns) },
	{ "sum_ns", "total", 11, "Total", COLUMN_NS, AT(syscall_info, dist.sum_ns), ALWAYS },
	{ "sampled", NULL, 0, NULL, COLUMN_SHARE, AT(syscall_info, sampled),
	  AT(syscall_info, windows) },
	{ "error", NULL, 0, NULL, COLUMN_SHARE, AT(syscall_info, error),
	  AT(syscall_info, error_known) },
	{ 0 },
};

const struct column loop_columns[] = {
	{ "pid", NULL, 0, NULL, COLUMN_ID, AT(loop_info, pid), ALWAYS },
	{ "tid", NULL, 0, NULL, COLUMN_ID, AT(loop_info, tid), ALWAYS },
	{ "comm", "EVENT LOOPS", -16, "Loop", COLUMN_NAME, AT(loop_info, comm), ALWAYS },
	{ NULL, "tid", 9, "Thread", COLUMN_ID, AT(loop_info, tid), ALWAYS },
	{ "turns", "turns", 12, "Turns", COLUMN_COUNT, AT(loop_info, turns), ALWAYS },
	{ "events", NULL, 0, NULL, COLUMN_COUNT, AT(loop_info, events), ALWAYS },
	{ NULL, "events/wait", 13, "Events a wait", COLUMN_RATIO, AT(loop_info, events),
	  AT(loop_info, turns) },
	{ "wakeups", NULL, 0, NULL, COLUMN_COUNT, AT(loop_info, wakeups), ALWAYS },
	{ "exchanges", "exchanges", 12, "Exchanges", COLUMN_COUNT, AT(loop_info, exchanges),
	  ALWAYS },
	{ "accepts", "accepts", 9, "Accepts", COLUMN_COUNT, AT(loop_info, accepts), ALWAYS },
	{ "busy_share", "busy", 7, "Busy", COLUMN_SHARE, AT(loop_info, busy_share), ALWAYS },
	{ "turn_ns", NULL, 0, NULL, COLUMN_DIST, AT(loop_info, turn), ALWAYS },
	{ NULL, "turn P99", 11, "Turn P99", COLUMN_NS, SAMPLES(loop_info, turn, p99_ns) },
	{ NULL, "max", 11, "Turn max", COLUMN_NS, SAMPLES(loop_info, turn, max_ns) },
	{ "wait_ns", NULL, 0, NULL, COLUMN_DIST, AT(loop_info, wait), ALWAYS },
	{ 0 },
};

/* Text has these two as sentences. */
const struct column waker_columns[] = {
	{ "comm", NULL, 0, "Woken by", COLUMN_NAME, AT(waker_info, comm), ALWAYS },
	{ "count", NULL, 0, "Times", COLUMN_COUNT, AT(waker_info, count), ALWAYS },
	{ 0 },
};

const struct column listener_columns[] = {
	{ "port", NULL, 0, "Port", COLUMN_ID, AT(listener_info, port), ALWAYS },
	{ "backlog", NULL, 0, "Backlog", COLUMN_COUNT, AT(listener_info, backlog), ALWAYS },
	{ "backlog_max", NULL, 0, "At most", COLUMN_COUNT, AT(listener_info, backlog_max), ALWAYS },
	{ "limit", NULL, 0, "Limit", COLUMN_COUNT, AT(listener_info, limit), ALWAYS },
	{ "queued", NULL, 0, "Queued", COLUMN_COUNT, AT(listener_info, queued), ALWAYS },
	{ "accepted", NULL, 0, "Accepted", COLUMN_COUNT, AT(listener_info, accepted), ALWAYS },
	{ 0 },
};

/* JSON key, words in text and in HTML, unit, place */

#define COUNT(key, words, member) \
	{ key, words, 0, words, COLUMN_COUNT, AT(report, member), ALWAYS }
#define RARE(key, words, member) \
	{ key, words, 0, words, COLUMN_RARE, AT(report, member), ALWAYS }

const struct column sched_counts[] = {
	COUNT("wakeups", "wake-ups", wakeups),
	{ "runqueue_ns", NULL, 0, NULL, COLUMN_DIST, AT(report, runqueue), ALWAYS },
	COUNT("preemptions", "preemptions", preemptions),
	RARE("switches_missed", "context switches the kernel did not report", switches_missed),
	{ 0 },
};

const struct column connection_counts[] = {
	COUNT("opened", "opened", connections.opened),
	COUNT("closed", "closed", connections.closed),
	COUNT("active", "active", connections.active),
	COUNT("preexisting", "older than the attach", connections.preexisting),
	RARE("unknown", "never accepted", connections.unknown),
	{ 0 },
};

const struct column network_counts[] = {
	COUNT("retransmits", "retransmits", connections.retransmits),
	COUNT("resets", "resets", connections.resets),
	{ 0 },
};

const struct column loss_counts[] = {
	COUNT("ring", "events found the ring buffer full: single exchanges and connections may be "
	      "missing from lists, counts and percentiles are not touched; raise --ring-size",
	      loss.ring),
	COUNT("map_full", "times there was no room to follow a connection, thread or stack: what "
	      "they did is not counted; watch fewer targets", loss.map_full),
	COUNT("missed", "hook firings were skipped by the kernel: stages next to them may be "
	      "merged or missing; watch fewer targets", loss.missed),
	COUNT("unmatched", "response(s) matched no request; excluded above", loss.unmatched),
	COUNT("clock", "durations ended before they began and were left out", loss.clock),
	COUNT("stacks", "stack samples were lost or cut: flame graphs miss them", loss.stacks),
	{ 0 },
};

/* JSON begins with the clamped ones, the others end with them. */
const struct column caveat_counts[] = {
	COUNT("clamped", NULL, clamped),
	COUNT("async", "answered in a later turn than they were read (async)", async),
	COUNT("handoff", "answered by another thread than the reader (handoff)", handoff),
	COUNT("merged", "with the return stamp lost: their busy is inside dispatch (merged)",
	      merged),
	COUNT("no_wait", "read without a wait since the data came: all dispatch", no_wait),
	COUNT("unarmed", "whose data came to a descriptor that no eventpoll watched (unarmed)",
	      unarmed),
	COUNT(NULL, "with a stamp moved to keep the order (clamped)", clamped),
	COUNT("estimated", "with an estimated stamp, for the kernel skipped a hook (estimated)",
	      estimated),
	{ 0 },
};

/* ---- values ----------------------------------------------------------------------------- */

static uint64_t number_at(const void *row, struct place place)
{
	const void *at = (const char *)row + place.offset;

	switch (place.size) {
	case sizeof(uint16_t):
		return *(const uint16_t *)at;
	case sizeof(uint32_t):
		return *(const uint32_t *)at;
	default:
		return *(const uint64_t *)at;
	}
}

static const void *column_at(const struct column *c, const void *row)
{
	return (const char *)row + c->at.offset;
}

bool column_known(const struct column *c, const void *row)
{
	return !c->of.size || number_at(row, c->of);
}

uint64_t column_number(const struct column *c, const void *row)
{
	return c->unit == COLUMN_MEAN ? dist_mean(row) : number_at(row, c->at);
}

static double column_ratio(const struct column *c, const void *row)
{
	return (double)number_at(row, c->at) / (double)number_at(row, c->of);
}

static double column_share(const struct column *c, const void *row)
{
	return clip_share(*(const double *)column_at(c, row));
}

uint64_t columns_sum(const struct column *c, const void *row)
{
	uint64_t sum = 0;

	for (; c->at.size; c++)
		sum += column_number(c, row);
	return sum;
}

bool column_listed(const struct column *c, const void *row)
{
	return c->unit == COLUMN_COUNT || (c->unit == COLUMN_RARE && column_number(c, row));
}

struct fmt column_format(const struct column *c, const void *row, unsigned columns)
{
	const void *at = column_at(c, row);
	struct fmt text = { "" };

	switch (c->unit) {
	case COLUMN_WORD:
		snprintf(text.s, sizeof(text.s), "%s", *(const char *const *)at);
		break;
	case COLUMN_NAME:
		return format_comm(at, c->at.size, columns);
	case COLUMN_ID:
		snprintf(text.s, sizeof(text.s), "%" PRIu64, column_number(c, row));
		break;
	case COLUMN_COUNT:
	case COLUMN_RARE:
		return format_fit(column_number(c, row), columns - 1);
	case COLUMN_NS:
	case COLUMN_MEAN:
		return format_ns(column_number(c, row));
	case COLUMN_RATIO:
		return format_decimal(column_ratio(c, row), 1);
	case COLUMN_SHARE:
		return format_share(column_share(c, row));
	case COLUMN_DIST:
		break;
	}
	return text;
}

void sampled_sentence(const struct report *r, char *text, size_t len)
{
	int n;

	*text = '\0';
	if (!r->sampled.on)
		return;
	if (!r->sampled.windows) {
		snprintf(text, len, "System calls other than waits and accepts are missing: the watch "
			 "was too short to sample them.");
		return;
	}
	n = snprintf(text, len, "System calls other than waits and accepts were sampled %s of the time: "
		     "their counts and totals are estimates", format_share(r->sampled.share).s);
	if (n > 0 && (size_t)n < len && isfinite(r->sampled.error))
		n += snprintf(text + n, len - (size_t)n, ", \302\261 %s (the standard error of all "
			      "of them together)", format_share(r->sampled.error).s);
	if (n > 0 && (size_t)n < len && r->sampled.unfinished)
		n += snprintf(text + n, len - (size_t)n, "; %s that began in a sample are missing, for "
			      "their end was not seen", format_count(r->sampled.unfinished).s);
	if (n > 0 && (size_t)n < len)
		snprintf(text + n, len - (size_t)n, ".");
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void json_column(struct json *j, const struct column *c, const void *row)
{
	const void *at = column_at(c, row);

	switch (c->unit) {
	case COLUMN_WORD:
		json_string(j, c->key, *(const char *const *)at);
		break;
	case COLUMN_NAME:
		json_bytes(j, c->key, at, c->at.size);
		break;
	case COLUMN_RATIO:
		json_double(j, c->key, column_ratio(c, row));
		break;
	case COLUMN_SHARE:
		if (column_known(c, row))
			json_double(j, c->key, column_share(c, row));
		else
			json_null(j, c->key);
		break;
	case COLUMN_DIST:
		json_object(j, c->key);
		json_columns(j, latency_columns, at);
		json_object_end(j);
		break;
	default:
		json_known(j, c->key, column_known(c, row), column_number(c, row));
	}
}

void json_columns(struct json *j, const struct column *c, const void *row)
{
	for (; c->at.size; c++)
		if (c->key)
			json_column(j, c, row);
}

/* ---- text ------------------------------------------------------------------------------- */

void text_heads(FILE *out, const struct column *c)
{
	for (; c->at.size; c++)
		if (c->text)
			fprintf(out, "%*s", c->width, c->text);
}

void text_cells(FILE *out, const struct column *c, const void *row)
{
	for (; c->at.size; c++) {
		bool dash = !column_known(c, row) ||
			    (c->unit == COLUMN_RARE && !column_number(c, row));

		if (c->text)
			put_cell(out, dash ? "-" : column_format(c, row, (unsigned)abs(c->width)).s,
				 c->width);
	}
}

void text_percentiles(struct para *p, const struct column *c, const struct dist *d)
{
	for (; c->at.size; c++)
		if (c->text && c->unit == COLUMN_NS)
			para_item(p, ", ", "%s %s", c->text, format_ns(column_number(c, d)).s);
}

void text_counts(struct para *p, const struct column *c, const void *row)
{
	for (; c->at.size; c++)
		if (c->text && column_listed(c, row))
			para_item(p, ", ", "%s %s", format_count(column_number(c, row)).s,
				  c->text);
}
