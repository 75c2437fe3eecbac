/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ledger.c - where the tail went: findings, the sentence, the percentiles, the stages. */
#include <inttypes.h>
#include <string.h>

#include "explain/finding.h"
#include "render/columns.h"
#include "render/render.h"

#define LABEL_COLUMNS 12

const char *stage_meaning(unsigned stage)
{
	static const char *const meaning[STAGE_COUNT] = {
		[STAGE_ACCEPT] = "the connection waited in the accept queue, because the accepting "
				 "thread came late",
		[STAGE_RECEIVE] = "the request came in pieces",
		[STAGE_WAKEUP] = "the kernel was slow to wake the thread: softirq trouble",
		[STAGE_RUNQUEUE] = "the woken thread waited for a CPU: too few of them, "
				   "throttling, or a noisy neighbour",
		[STAGE_BUSY] = "the event loop was held (head-of-line blocking), or nobody watched "
			       "the descriptor",
		[STAGE_RETURN] = "epoll_wait was slow to return once on a CPU: large batches, or "
				 "contention for epoll's lock",
		[STAGE_DISPATCH] = "the data queued behind earlier events of the same batch, or in "
				   "the runtime's own scheduler (Go, worker pools)",
		[STAGE_SERVICE] = "the application itself, from its last read to its answer",
	};

	return stage < STAGE_COUNT ? meaning[stage] : "";
}

double tail_share(const struct report *r, unsigned stage)
{
	return clip_share(r->stages[stage].tail_share);
}

static unsigned largest_stage(const struct report *r, unsigned but)
{
	unsigned top = STAGE_COUNT;

	for (unsigned i = 0; i < STAGE_COUNT; i++)
		if (i != but && (top == STAGE_COUNT || tail_share(r, i) > tail_share(r, top)))
			top = i;
	return top;
}

void put_diagnosis(FILE *out, const struct report *r, const struct style *style)
{
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct finding *f = &r->findings[i];
		struct para p;

		para_begin(&p, out, style, i ? "" : "DIAGNOSIS", LABEL_COLUMNS);
		para_item(&p, " ", "%s%s%s (%s).", ink_on(style, INK_BOLD), f->code, ink_off(style),
			  severity_name(f->severity));
		para_words(&p, f->summary);
		para_words(&p, f->advice);
		para_end(&p);
	}
	if (r->gates[0]) {
		struct para p;

		para_begin(&p, out, style, "DIAGNOSIS", LABEL_COLUMNS);
		para_words(&p, r->gates);
		para_end(&p);
	}
	if (r->n_findings || r->gates[0])
		fputc('\n', out);
}

/* Why a report is empty, judged by what else was seen. */
static void put_nothing_seen(FILE *out, const struct report *r)
{
	const char *reason = "";
	struct para p;

	para_begin(&p, out, NULL, "", 0);
	para_item(&p, " ", "No exchanges seen in %s.", format_ns(r->window_ns).s);
	if (r->exchanges_only)
		reason = "The capture holds none: it was interrupted early, or nothing was asked.";
	else if (r->client.count)
		reason = "The target only asked others (client side below); it accepted no "
			 "request whose answer began in this window.";
	else if (!r->n_syscalls && !r->n_loops)
		reason = "The target made no system call that is traced: it was idle or stopped, "
			 "the wrong process was chosen, or it does its input and output through "
			 "io_uring.";
	else if (!r->connections.opened && !r->connections.active &&
		 !r->connections.preexisting)
		reason = "The target ran, but no TCP connection of it was seen: does its traffic "
			 "reach this process and this port (try ss -tlnp), and is it TCP, not UDP "
			 "or a Unix socket?";
	else if (r->traffic[KIND_OVERLAPPING - 1].connections || r->traffic[KIND_ONE_WAY - 1].connections)
		reason = "What passes over its connections is no request and its answer: see TRAFFIC. "
			 "The ledger is for connections that are asked and answer in turn.";
	else
		reason = "Connections were there, but no request was both received and answered in "
			 "this window: they were idle, the answers take longer than the window, "
			 "another process answers them, or the bytes move through io_uring. Watch "
			 "for longer (-d), and check that load is running.";
	para_words(&p, reason);
	para_end(&p);
}

void put_summary(FILE *out, const struct report *r)
{
	uint64_t count = r->latency.count;
	unsigned top, second;
	struct para p;

	if (!count) {
		put_nothing_seen(out, r);
		return;
	}
	top = largest_stage(r, STAGE_COUNT);
	second = largest_stage(r, top);
	para_begin(&p, out, NULL, "", 0);
	if (r->tail_count == 1)
		para_words(&p, "The slowest exchange");
	else
		para_item(&p, "", "The slowest %s",
			  format_share((double)r->tail_count / (double)count).s);
	if (r->tail_count == 1)
		para_item(&p, " ", "(of %s, %s)", format_count(count).s,
			  format_ns(r->latency.max_ns).s);
	else
		para_item(&p, " ", "(%s exchanges at or above %s)", format_count(r->tail_count).s,
			  format_ns(report_tail_at_ns(r)).s);
	para_item(&p, " ", "spent %s of", format_share(tail_share(r, top)).s);
	para_words(&p, r->tail_count == 1 ? "its time in" : "their time in");
	para_item(&p, " ", "%s:", stage_name(top));
	para_words(&p, stage_meaning(top));
	if (tail_share(r, second) >= 0.2) {
		para_item(&p, "; ", "another %s", format_share(tail_share(r, second)).s);
		para_item(&p, " ", "in %s:", stage_name(second));
		para_words(&p, stage_meaning(second));
	}
	para_item(&p, "", ".");
	para_end(&p);
}

static void put_row(FILE *out, const char *name, const struct column *columns,
		    const struct dist *d, const char *end)
{
	put_cell(out, name, -10);
	text_cells(out, columns, d);
	fputs(end, out);
}

void put_latency(FILE *out, const struct report *r, const struct style *style)
{
	if (!r->latency.count && !r->client.count)
		return;
	fprintf(out, "\n%s%-10s", ink_on(style, INK_BOLD), "LATENCY");
	text_heads(out, latency_columns);
	fprintf(out, "%s\n", ink_off(style));
	if (r->latency.count)
		put_row(out, "server", latency_columns, &r->latency, "\n");
	if (r->client.count)
		put_row(out, "client", latency_columns, &r->client, "\n");
	put_open_loop(out, r);
}

/* "P %" of a whole that is not 0. */
static struct fmt part_of(uint64_t part, uint64_t whole)
{
	return format_share((double)part / (double)whole);
}

bool split_words(char out[SPLIT_WORDS], const struct stage_info *s)
{
	const struct {
		const char *word;
		uint64_t ns;
	} more[] = {
		{ "unarmed", s->unarmed_ns }, { "for others", s->others_ns }, { "idle", s->idle_ns },
	};
	size_t at;

	if (!s->has_split || !s->split_ns)
		return false;
	at = (size_t)snprintf(out, SPLIT_WORDS, "on-CPU %s, runnable %s, blocked %s",
			      part_of(s->oncpu_ns, s->split_ns).s,
			      part_of(s->runnable_ns, s->split_ns).s,
			      part_of(s->blocked_ns, s->split_ns).s);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i].ns)
			at += (size_t)snprintf(out + at, SPLIT_WORDS - at, ", %s %s", more[i].word,
					       part_of(more[i].ns, s->split_ns).s);
	/* If only part of the stage could be split, the line says so. */
	if (s->split_ns < s->dist.sum_ns - s->dist.sum_ns / 20)
		snprintf(out + at, SPLIT_WORDS - at, s->others_ns + s->idle_ns ? " (of %s of it)" :
			 " (of the %s of its time that could be split)",
			 part_of(s->split_ns, s->dist.sum_ns).s);
	return true;
}

static void put_stages(FILE *out, const struct report *r, const struct style *style)
{
	static const char bar[] = "########################";
	unsigned top = largest_stage(r, STAGE_COUNT);

	for (unsigned i = 0; i < STAGE_COUNT; i++) {
		unsigned columns = (unsigned)(tail_share(r, i) * (sizeof(bar) - 1) + 0.5);
		char split[SPLIT_WORDS];

		put_row(out, stage_name(i), stage_columns, &r->stages[i].dist, "");
		put_cell(out, format_share(tail_share(r, i)).s, 9);
		if (columns)
			fprintf(out, "  %s%.*s%s", i == top ? ink_on(style, INK_RED) : "",
				(int)columns, bar, i == top ? ink_off(style) : "");
		fputc('\n', out);
		if (split_words(split, &r->stages[i]))
			fprintf(out, "%s%-12s%s%s\n", ink_on(style, INK_DIM), "", split,
				ink_off(style));
	}
}

static void put_caveats(FILE *out, const struct report *r)
{
	struct para p;
	bool any = false;

	for (const struct column *c = caveat_counts; c->at.size; c++) {
		uint64_t n = column_number(c, r);

		if (!c->text || !n)
			continue;
		if (!any)
			para_begin(&p, out, NULL, "of these", 10);
		any = true;
		para_item(&p, "; ", "%s", format_count(n).s);
		para_words(&p, c->text);
	}
	if (any)
		para_end(&p);
}

void put_ledger(FILE *out, const struct report *r, const struct style *style)
{
	if (!r->latency.count)
		return;
	fprintf(out, "\n%s%-10s", ink_on(style, INK_BOLD), "LEDGER");
	text_heads(out, stage_columns);
	fprintf(out, "%9s%s\n", "of tail", ink_off(style));
	put_stages(out, r, style);
	if (r->send.count || r->deliver.count) {
		fprintf(out, "%sthen, not part of the latency%s\n", ink_on(style, INK_DIM),
			ink_off(style));
		put_row(out, "send", stage_columns, &r->send, "\n");
		put_row(out, "deliver", stage_columns, &r->deliver, "\n");
	}
	put_caveats(out, r);
	fprintf(out, "%sP50 to P99.9 are upper bounds, at most 1.6 %% high; max is exact.%s\n",
		ink_on(style, INK_DIM), ink_off(style));
}
