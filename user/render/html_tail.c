/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_tail.c - the worst exchanges as waterfalls, and the flame graph of the tail. */
#include "explain/stage_map.h"
#include "explain/waterfall.h"
#include "render/html_parts.h"

static void put_title(FILE *out, const struct exchange_info *x, int64_t offset_ns)
{
	const struct ev_exchange *e = &x->ex;

	fprintf(out, "<h3>%s <span class=\"dim\">%s</span></h3>\n<p class=\"place\"><span>%s "
		"(tid %u)</span><span>%s → %s</span><span>connection %llx, exchange %llu</span>",
		html_ns(e->latency_ns).s,
		format_clock(e->head.time_ns + (uint64_t)offset_ns, 6).s,
		html_bytes(e->comm, sizeof(e->comm)).s, e->tid,
		format_end(&e->flow, END_REMOTE).s, format_end(&e->flow, END_LOCAL).s,
		(unsigned long long)e->conn, (unsigned long long)e->number);
	if (e->flags & EXCHANGE_HANDOFF)
		fprintf(out, "<span>read by tid %u</span>", e->reader_tid);
	if (e->flags & EXCHANGE_ASYNC)
		fputs("<span>answered turns after it was read</span>", out);
	if (x->has_answer && x->answer.send_ns)
		fprintf(out, "<span>then send %s</span>", format_ns(x->answer.send_ns).s);
	fputs("</p>\n", out);
}

static void put_part(FILE *out, const char *words)
{
	fprintf(out, "<tr class=\"part\"><td></td><td></td><td>%s</td></tr>\n", html_text(words).s);
}

static void put_parts(FILE *out, const struct waterfall *w, unsigned stage)
{
	for (size_t i = 0; i < w->n; i++) {
		char words[WATERFALL_WORDS] = "";

		if (w->part[i].stage != stage)
			continue;
		waterfall_words(words, &w->part[i]);
		put_part(out, words);
	}
}

static void put_waterfall(FILE *out, const struct ev_exchange *e, const struct waterfall *w)
{
	double all = e->latency_ns ? (double)e->latency_ns : 1;
	uint64_t from = 0;
	struct stage_split split;
	char words[96];

	html_table_begin(out, "Stages of one exchange",
			 HTML_HEAD("Stage") HTML_HEAD("Time") HTML_HEAD("When"));
	html_table_body(out);
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		uint64_t ns = e->stage_ns[stage];

		if (!ns)
			continue;
		fprintf(out, "<tr><th scope=\"row\">%s</th><td>%s</td><td class=\"when\">"
			"<span class=\"track\" aria-hidden=\"true\"><i class=\"st%u\" "
			"style=\"margin-left:%s;width:%s\"></i></span></td></tr>\n",
			stage_name(stage), html_ns(ns).s, stage,
			html_percent((double)from, all).s, html_percent((double)ns, all).s);
		if (ns >= e->latency_ns / WORST_PART && exchange_split(e, stage, &split)) {
			snprintf(words, sizeof(words), "on-CPU %s", format_ns(split.oncpu_ns).s);
			put_part(out, words);
		}
		if (w)
			put_parts(out, w, stage);
		from += ns;
	}
	html_table_end(out);
	if (w && w->left_out)
		fprintf(out, "<p class=\"note\">and %zu more off-CPU intervals</p>\n", w->left_out);
}

void html_put_worst(FILE *out, const struct html_page *p)
{
	const struct report *r = p->r;

	html_section(out, "worst", "The worst exchanges");
	if (!r->n_worst)
		fputs("<p>None: no exchange, or --top 0.</p>\n", out);
	else
		fprintf(out, "<p>Each from the first byte of its request to the first byte of its "
			"answer. Below a stage: what the thread did, if it took at least 1/%d of "
			"the latency.</p>\n", WORST_PART);
	fputs("<div class=\"exchanges\">\n", out);
	for (size_t i = 0; i < r->n_worst; i++) {
		fputs("<article class=\"exchange\">\n", out);
		put_title(out, &r->worst[i], r->realtime_offset_ns);
		put_waterfall(out, &r->worst[i].ex, p->waterfalls ? &p->waterfalls[i] : NULL);
		fputs("</article>\n", out);
	}
	fputs("</div>\n", out);
	html_section_end(out);
}

static void put_words(FILE *out, const struct html_page *p)
{
	const struct profile_tail *t = &p->tail;
	double whole = t->stage_ns ? (double)t->stage_ns : 1;

	fprintf(out, "<p>What the responsible threads did while %s of the tail’s %s exchanges of "
		"%s and more waited: on a CPU, blocked and runnable together, by stage. %s of "
		"their %s is in stages that a thread answers for; stacks explain "
		"<strong id=\"explained\">%s</strong> of it.</p>\n", html_count(t->exchanges).s,
		html_count(p->r->tail_count).s, format_ns(t->from_ns).s, html_ns(t->stage_ns).s,
		html_ns(t->latency_ns).s, html_share((double)t->explained_ns / whole).s);
}

static void put_caveats(FILE *out, const struct html_page *p)
{
	const struct profile_stats *s = &p->stacks;

	fprintf(out, "<p class=\"note\">%s samples, %s off-CPU intervals with their exact time, "
		"%s stacks.", format_count(s->samples).s, format_count(s->offcpu).s,
		format_count(s->stacks).s);
	if (s->unnamed)
		fprintf(out, " %s records have no stack: none could be taken.",
			format_count(s->unnamed).s);
	if (s->cut)
		fprintf(out, " %s stacks are cut: deeper than the kernel’s limit.",
			format_count(s->cut).s);
	if (s->dropped)
		fprintf(out, " %s records were dropped: watch for a shorter time.",
			format_count(s->dropped).s);
	fputs("</p>\n", out);
}

int html_put_flame(FILE *out, const struct html_page *p)
{
	const struct flame_svg svg = {
		.title = "What made the tail slow", .unit = FLAME_NS, .stages = stage_words,
	};
	int err = 0;

	html_section(out, "flame", "What the tail’s threads did");
	if (!p->tree) {
		fputs("<p>Not recorded: no stacks were taken.</p>\n", out);
	} else if (!flame_total(p->tree)) {
		fputs("<p>No exchange of the tail waited for a thread that was seen.</p>\n", out);
	} else {
		put_words(out, p);
		fputs("<div class=\"graph\">\n", out);
		err = flame_write_fragment(p->tree, &svg, out, NULL);
		fputs("</div>\n", out);
		put_caveats(out, p);
	}
	html_section_end(out);
	return err;
}
