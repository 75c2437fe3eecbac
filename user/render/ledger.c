/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ledger.c - where the tail went: the sentence, the percentiles, the stages. */
#include <inttypes.h>
#include <string.h>

#include "render/render.h"

#define BAR_COLUMNS 24

const char *stage_meaning(unsigned stage)
{
	static const char *const meaning[STAGE_COUNT] = {
		[STAGE_ACCEPT] = "the connection waited in the accept queue, because the accepting "
				 "thread came late",
		[STAGE_RECEIVE] = "the request came in pieces: a slow client or network",
		[STAGE_WAKEUP] = "the kernel was slow to wake the thread: softirq trouble",
		[STAGE_RUNQUEUE] = "the woken thread waited for a CPU: too few of them, "
				   "throttling, or a noisy neighbour",
		[STAGE_BUSY] = "another connection's handler held the event loop (head-of-line "
			       "blocking)",
		[STAGE_RETURN] = "epoll_wait was slow to return once on a CPU: large batches, or "
				 "contention for epoll's lock",
		[STAGE_DISPATCH] = "the data queued behind earlier events of the same batch, or in "
				   "the runtime's own scheduler (Go, worker pools)",
		[STAGE_SERVICE] = "the application itself, from its last read to its answer",
	};

	return stage < STAGE_COUNT ? meaning[stage] : "";
}

static double tail_share(const struct report *r, unsigned stage)
{
	double share = r->stages[stage].tail_share;

	return share > 0 && share <= 1 ? share : 0;
}

static unsigned largest_stage(const struct report *r, unsigned but)
{
	unsigned top = STAGE_COUNT;

	for (unsigned i = 0; i < STAGE_COUNT; i++)
		if (i != but && (top == STAGE_COUNT || tail_share(r, i) > tail_share(r, top)))
			top = i;
	return top;
}

/* Why a report can be empty, from what was seen all the same. */
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
			  format_ns(r->latency.p99_ns).s);
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

static void put_latency_row(FILE *out, const char *name, const struct dist *d)
{
	uint64_t mean = d->sum_ns / d->count;
	const uint64_t value[] = { mean,      d->p50_ns,  d->p90_ns,
				   d->p99_ns, d->p999_ns, d->max_ns };

	put_cell(out, name, -10);
	put_cell(out, format_fit(d->count, 12).s, 13);
	for (size_t i = 0; i < sizeof(value) / sizeof(value[0]); i++)
		put_cell(out, format_ns(value[i]).s, 11);
	fputc('\n', out);
}

void put_latency(FILE *out, const struct report *r, const struct style *style)
{
	if (!r->latency.count && !r->client.count)
		return;
	fprintf(out, "\n%s%-10s%13s%11s%11s%11s%11s%11s%11s%s\n", ink_on(style, INK_BOLD),
		"LATENCY", "exchanges", "mean", "P50", "P90", "P99", "P99.9", "max",
		ink_off(style));
	if (r->latency.count)
		put_latency_row(out, "server", &r->latency);
	if (r->client.count)
		put_latency_row(out, "client", &r->client);
}

/* The columns that stages, send and deliver have in common. */
static void put_stage_cells(FILE *out, const char *name, const struct dist *d)
{
	put_cell(out, name, -10);
	put_cell(out, format_fit(d->count, 12).s, 13);
	put_cell(out, d->count ? format_ns(d->p50_ns).s : "-", 11);
	put_cell(out, d->count ? format_ns(d->p99_ns).s : "-", 11);
	put_cell(out, d->count ? format_ns(d->max_ns).s : "-", 11);
}

static void put_bar(FILE *out, double share)
{
	unsigned columns = (unsigned)(share * BAR_COLUMNS + 0.5);

	for (unsigned i = 0; i < columns && i < BAR_COLUMNS; i++)
		fputc('#', out);
}

static double part_of(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static void put_split(FILE *out, const struct stage_info *s, const struct style *style)
{
	if (!s->has_split || !s->split_ns)
		return;
	fprintf(out, "%s%-12son-CPU %s, runnable %s, blocked %s", ink_on(style, INK_DIM), "",
		format_share(part_of(s->oncpu_ns, s->split_ns)).s,
		format_share(part_of(s->runnable_ns, s->split_ns)).s,
		format_share(part_of(s->blocked_ns, s->split_ns)).s);
	/* A split of a part only says so. */
	if (s->split_ns < s->dist.sum_ns - s->dist.sum_ns / 20)
		fprintf(out, " (of the %s of its time that could be split)",
			format_share(part_of(s->split_ns, s->dist.sum_ns)).s);
	fprintf(out, "%s\n", ink_off(style));
}

static void put_stages(FILE *out, const struct report *r, const struct style *style)
{
	unsigned top = largest_stage(r, STAGE_COUNT);

	for (unsigned i = 0; i < STAGE_COUNT; i++) {
		const struct stage_info *s = &r->stages[i];

		put_stage_cells(out, stage_name(i), &s->dist);
		put_cell(out, format_share(tail_share(r, i)).s, 9);
		if (tail_share(r, i) * BAR_COLUMNS >= 0.5) {
			fprintf(out, "  %s", i == top ? ink_on(style, INK_RED) : "");
			put_bar(out, tail_share(r, i));
			fputs(i == top ? ink_off(style) : "", out);
		}
		fputc('\n', out);
		put_split(out, s, style);
	}
}

void caveat_words(const struct report *r, struct counted_words out[CAVEAT_WORDS])
{
	const struct counted_words words[CAVEAT_WORDS] = {
		{ r->async, "answered in a later turn than they were read (async)" },
		{ r->handoff, "answered by another thread than the reader (handoff)" },
		{ r->merged, "with the return stamp lost: their busy is inside dispatch (merged)" },
		{ r->no_wait, "read without a wait since the data came: all dispatch" },
		{ r->clamped, "with a stamp moved to keep the order (clamped)" },
	};

	memcpy(out, words, sizeof(words));
}

static void put_caveats(FILE *out, const struct report *r)
{
	struct counted_words caveats[CAVEAT_WORDS];
	struct para p;
	bool any = false;

	caveat_words(r, caveats);
	for (size_t i = 0; i < CAVEAT_WORDS; i++) {
		if (!caveats[i].count)
			continue;
		if (!any)
			para_begin(&p, out, NULL, "of these", 10);
		any = true;
		para_item(&p, "; ", "%s", format_count(caveats[i].count).s);
		para_words(&p, caveats[i].words);
	}
	if (any)
		para_end(&p);
}

void put_ledger(FILE *out, const struct report *r, const struct style *style)
{
	if (!r->latency.count)
		return;
	fprintf(out, "\n%s%-10s%13s%11s%11s%11s%9s%s\n", ink_on(style, INK_BOLD), "LEDGER",
		"exchanges", "P50", "P99", "max", "of tail", ink_off(style));
	put_stages(out, r, style);
	if (r->send.count || r->deliver.count) {
		fprintf(out, "%sthen, not part of the latency%s\n", ink_on(style, INK_DIM),
			ink_off(style));
		put_stage_cells(out, "send", &r->send);
		fputc('\n', out);
		put_stage_cells(out, "deliver", &r->deliver);
		fputc('\n', out);
	}
	put_caveats(out, r);
	fprintf(out, "%sP50 to P99.9 are upper bounds, at most 1.6 %% high; max is exact.%s\n",
		ink_on(style, INK_DIM), ink_off(style));
}
