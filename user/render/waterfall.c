/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* waterfall.c - one exchange as a waterfall: its stages, and what happened in each. */
#include <string.h>

#include "explain/finding.h"
#include "render/render.h"
#include "explain/stage_map.h"
#include "explain/waterfall.h"

#define BAR_COLUMNS	44
#define NAME_COLUMNS	10
#define TIME_COLUMNS	10

/* A record of a damaged capture may have stages that are longer than the exchange. */
static double bar_columns(uint64_t ns, uint64_t all)
{
	return ns < all ? (double)ns / (double)all * BAR_COLUMNS : BAR_COLUMNS;
}

/* The columns that a stage takes of the whole exchange; at least one. */
static void put_bar(FILE *out, uint64_t from, uint64_t ns, uint64_t all)
{
	unsigned start = (unsigned)bar_columns(from, all);
	unsigned end = (unsigned)(bar_columns(from + ns, all) + 0.5);

	if (start >= BAR_COLUMNS)
		start = BAR_COLUMNS - 1;
	if (end <= start)
		end = start + 1;
	for (unsigned i = 0; i < BAR_COLUMNS; i++)
		fputc(i >= start && i < end ? '#' : '.', out);
}

void waterfall_words(char out[WATERFALL_WORDS], const struct waterfall_part *p)
{
	struct fmt comm = format_comm(p->comm, sizeof(p->comm), 20), ns = format_ns(p->ns);

	switch (p->what) {
	case WATERFALL_BLOCKED:
		snprintf(out, WATERFALL_WORDS, "slept %s in %s%s%s", ns.s,
			 sleep_word(p->nr, p->kind).s,
			 p->pid ? ", woken by " : "", p->pid ? comm.s : "");
		break;
	case WATERFALL_RUNNABLE:
		snprintf(out, WATERFALL_WORDS, "waited %s for a CPU%s%s%s", ns.s, p->pid ? " while " : "",
			 p->pid ? comm.s : "", p->pid ? " ran" : "");
		break;
	case WATERFALL_HELD:
		snprintf(out, WATERFALL_WORDS, "served connection %llx for %s", (unsigned long long)p->conn,
			 ns.s);
		break;
	case WATERFALL_UNARMED:
		snprintf(out, WATERFALL_WORDS, "no eventpoll watched the descriptor for %s", ns.s);
		break;
	case WATERFALL_IDLE:
		snprintf(out, WATERFALL_WORDS, "idle in its wait for %s", ns.s);
		break;
	case WATERFALL_OTHERS:
		snprintf(out, WATERFALL_WORDS, "at work for others for %s", ns.s);
		break;
	}
}

static void put_stage(FILE *out, const struct ev_exchange *x, const struct stage_span *s)
{
	uint64_t ns = s->to - s->from, start = x->head.time_ns - x->latency_ns;
	struct stage_split split;

	fprintf(out, "  %-*s%*s  ", NAME_COLUMNS, stage_name(s->stage), TIME_COLUMNS,
		format_ns(ns).s);
	put_bar(out, s->from - start, ns, x->latency_ns ? x->latency_ns : 1);
	if (exchange_split(x, s->stage, &split))
		fprintf(out, "  on-CPU %s", format_ns(split.oncpu_ns).s);
	fputc('\n', out);
}

static void put_head(FILE *out, const struct exchange_info *x, int64_t offset_ns,
		     const struct style *style)
{
	const struct ev_exchange *e = &x->ex;

	fprintf(out, "%s%s  %s%s  %s (tid %u)  %s -> %s, connection %llx\n",
		ink_on(style, INK_BOLD),
		format_clock(e->head.time_ns + (uint64_t)offset_ns, 6).s,
		format_ns(e->latency_ns).s, ink_off(style),
		format_comm(e->comm, sizeof(e->comm), 16).s, e->tid,
		format_end(&e->flow, END_REMOTE).s, format_end(&e->flow, END_LOCAL).s,
		(unsigned long long)e->conn);
}

static void put_marks(FILE *out, const struct exchange_info *x)
{
	const struct ev_exchange *e = &x->ex;

	if (e->flags & EXCHANGE_HANDOFF)
		fprintf(out, "  read by tid %u, answered by tid %u\n", e->reader_tid, e->tid);
	if (e->flags & EXCHANGE_ASYNC)
		fputs("  answered turns after it was read\n", out);
	if (x->has_answer && x->answer.send_ns)
		fprintf(out, "  %-*s%*s  first to last byte of the answer\n", NAME_COLUMNS, "send",
			TIME_COLUMNS, format_ns(x->answer.send_ns).s);
}

void render_waterfall(FILE *out, const struct exchange_info *x, const struct waterfall *w,
		      int64_t offset_ns, const struct style *style)
{
	struct stage_span spans[STAGE_COUNT];
	size_t n = stage_spans(&x->ex, spans);

	put_head(out, x, offset_ns, style);
	for (const struct stage_span *s = spans; s < spans + n; s++) {
		put_stage(out, &x->ex, s);
		for (size_t i = 0; i < w->n; i++) {
			char words[WATERFALL_WORDS] = "";

			if (w->part[i].stage != s->stage)
				continue;
			waterfall_words(words, &w->part[i]);
			fprintf(out, "%*s%s%s%s\n", 2 + NAME_COLUMNS + TIME_COLUMNS + 2, "",
				ink_on(style, INK_DIM), words, ink_off(style));
		}
	}
	if (w->left_out)
		fprintf(out, "  and %zu more\n", w->left_out);
	put_marks(out, x);
	fputc('\n', out);
}
