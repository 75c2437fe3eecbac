/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* holds.c - the holds and the open-loop wait, in text, JSON and HTML. */
#include <stdio.h>
#include <string.h>

#include "explain/finding.h"
#include "render/columns.h"
#include "render/html_parts.h"
#include "render/render.h"

#define LABEL_COLUMNS 12
#define ROWS_SHOWN 5

/* Whom it was held for, in words; "" if nobody knows. */
static struct fmt holder(const struct hold *h)
{
	struct fmt f = { "" };

	switch (hold_by(h)) {
	case HELD_CONN:
		if (h->flow.family)
			return format_end(&h->flow, END_REMOTE);
		snprintf(f.s, sizeof(f.s), "connection %llu", (unsigned long long)h->conn);
		break;
	case HELD_OWN:
		snprintf(f.s, sizeof(f.s), "own work");
		break;
	case HELD_SEVERAL:
		snprintf(f.s, sizeof(f.s), "several connections");
		break;
	default:
		break;
	}
	return f;
}

static bool has_call(const struct hold *h)
{
	return h->call_ns > 0;
}

static uint64_t began_at(const struct report *r, const struct hold *h)
{
	return h->start_ns + (uint64_t)r->realtime_offset_ns;
}

/* "on-CPU 49 ms, blocked 12 ms (fsync)". */
static void split_text(char *text, size_t len, const struct hold *h)
{
	int at = snprintf(text, len, "on-CPU %s", format_ns(hold_oncpu_ns(h)).s);

	if (h->runnable_ns)
		at += snprintf(text + at, len - (size_t)at, ", runnable %s",
			       format_ns(h->runnable_ns).s);
	if (h->blocked_ns)
		at += snprintf(text + at, len - (size_t)at, ", blocked %s",
			       format_ns(h->blocked_ns).s);
	if (h->blocked_ns && has_call(h))
		snprintf(text + at, len - (size_t)at, " (%s)", syscall_word(h->call).s);
}

static const char *open_words(const struct hold *h)
{
	if (h->flags & TURN_BEFORE)
		return h->flags & TURN_UNENDED ? "since before the watch, and still" :
						 "since before the watch";
	return h->flags & TURN_UNENDED ? "not over yet" : "";
}

/* --- text --- */

void put_open_loop(FILE *out, const struct report *r)
{
	const struct holds *h = &r->holds;
	const uint64_t p[] = { h->p50_ns, h->p90_ns, h->p99_ns, h->p999_ns };

	if (!h->known)
		return;
	put_cell(out, "open loop", -10);
	put_cell(out, "-", 13);
	put_cell(out, "-", 11);
	for (unsigned i = 0; i < 4; i++)
		put_cell(out, format_ns(p[i]).s, 11);
	put_cell(out, h->count ? format_ns(h->max_ns).s : "-", 11);
	fputc('\n', out);
}

static void put_hold(FILE *out, const struct report *r, const struct hold *h)
{
	struct para p;

	para_begin(&p, out, NULL, "", LABEL_COLUMNS);
	para_item(&p, " ", "%s", format_ns(hold_ns(h)).s);
	para_item(&p, " ", "at %.12s", format_time(began_at(r, h), 3).s + strlen("2026-11-27T"));
	if (*open_words(h))
		para_words(&p, open_words(h));
	para_item(&p, ": ", "%s", format_comm(h->comm, sizeof(h->comm), 24).s);
	para_item(&p, " ", "(tid %u)", h->tid);
	para_item(&p, " ", "on-CPU %s", format_ns(hold_oncpu_ns(h)).s);
	if (h->runnable_ns)
		para_item(&p, ", ", "runnable %s", format_ns(h->runnable_ns).s);
	if (h->blocked_ns)
		para_item(&p, ", ", "blocked %s", format_ns(h->blocked_ns).s);
	if (h->blocked_ns && has_call(h))
		para_item(&p, " ", "(%s)", syscall_word(h->call).s);
	if (*holder(h).s)
		para_item(&p, ", ", "held by %s", holder(h).s);
	if (h->waiting)
		para_item(&p, ", ", "%u waited", h->waiting);
	para_end(&p);
}

void put_holds(FILE *out, const struct report *r, const struct style *style)
{
	const struct holds *h = &r->holds;
	struct para p;

	if (!h->count)
		return;
	fputc('\n', out);
	para_begin(&p, out, style, "HOLDS", LABEL_COLUMNS);
	para_item(&p, " ", "%s %s", format_count(h->count).s, h->count == 1 ? "turn" : "turns");
	para_item(&p, " ", "of %s or longer", format_ns(h->limit_ns).s);
	para_item(&p, ", ", "%s in all", format_ns(h->sum_ns).s);
	if (h->deaf > 0)
		para_item(&p, " ", "(%s of the time)", format_share(h->deaf).s);
	para_item(&p, ", ", "the longest %s", format_ns(h->max_ns).s);
	para_end(&p);
	for (size_t i = 0; i < h->n_worst && i < ROWS_SHOWN; i++)
		if (hold_ns(&h->worst[i]) >= hist_bucket_lower(hist_bucket(HOLD_MAX_NS)))
			put_hold(out, r, &h->worst[i]);
}

/* --- JSON --- */

static void json_hold(struct json *j, const struct report *r, const struct hold *h)
{
	json_object(j, NULL);
	json_string(j, "time", format_time(began_at(r, h), 6).s);
	json_u64(j, "pid", h->pid);
	json_u64(j, "tid", h->tid);
	json_bytes(j, "comm", h->comm, sizeof(h->comm));
	json_u64(j, "ns", hold_ns(h));
	json_bool(j, "in_progress", h->flags & TURN_UNENDED);
	json_bool(j, "before_watch", h->flags & TURN_BEFORE);
	json_u64(j, "oncpu_ns", hold_oncpu_ns(h));
	json_u64(j, "runnable_ns", h->runnable_ns);
	json_u64(j, "blocked_ns", h->blocked_ns);
	if (*holder(h).s)
		json_string(j, "held_by", holder(h).s);
	else
		json_null(j, "held_by");
	if (has_call(h))
		json_string(j, "call", syscall_word(h->call).s);
	else
		json_null(j, "call");
	json_u64(j, "waiting", h->waiting);
	json_object_end(j);
}

void json_holds(struct json *j, const struct report *r)
{
	const struct holds *h = &r->holds;

	json_object(j, "holds");
	json_u64(j, "count", h->count);
	json_u64(j, "sum_ns", h->sum_ns);
	json_u64(j, "max_ns", h->max_ns);
	json_u64(j, "limit_ns", h->limit_ns);
	json_double(j, "deaf_share", clip_share(h->deaf));
	json_object(j, "open_loop_wait_ns");
	json_known(j, "p50", h->known, h->p50_ns);
	json_known(j, "p90", h->known, h->p90_ns);
	json_known(j, "p99", h->known, h->p99_ns);
	json_known(j, "p999", h->known, h->p999_ns);
	json_object_end(j);
	json_array(j, "worst");
	for (size_t i = 0; i < h->n_worst; i++)
		json_hold(j, r, &h->worst[i]);
	json_array_end(j);
	json_object_end(j);
}

/* --- HTML --- */

void html_put_open_loop(FILE *out, const struct report *r)
{
	const struct holds *h = &r->holds;
	const uint64_t p[] = { h->p50_ns, h->p90_ns, h->p99_ns, h->p999_ns };

	if (!h->known)
		return;
	fputs("<tr><th scope=\"row\">open loop</th><td>–</td><td>–</td>", out);
	for (unsigned i = 0; i < 4; i++)
		fprintf(out, "<td>%s</td>", html_ns(p[i]).s);
	fprintf(out, "<td>%s</td></tr>\n", h->count ? html_ns(h->max_ns).s : "–");
}

void html_put_holds(FILE *out, const struct report *r)
{
	const struct holds *h = &r->holds;
	char split[160];

	if (!h->count)
		return;
	fprintf(out, "<h3>Holds</h3>\n<p>%s turns of %s or longer", html_count(h->count).s,
		html_ns(h->limit_ns).s);
	fprintf(out, ", %s in all, the longest %s.</p>\n", html_ns(h->sum_ns).s,
		html_ns(h->max_ns).s);
	html_table_begin(out, "Holds", HTML_HEAD("Began") HTML_HEAD("Length") HTML_HEAD("Thread")
			 HTML_HEAD("Went by") HTML_HEAD("Held by") HTML_HEAD("Waited"));
	html_table_body(out);
	for (size_t i = 0; i < h->n_worst; i++) {
		const struct hold *w = &h->worst[i];

		split_text(split, sizeof(split), w);
		fprintf(out, "<tr><th scope=\"row\">%s</th><td>%s %s</td>",
			html_text(format_time(began_at(r, w), 3).s).s, html_ns(hold_ns(w)).s,
			open_words(w));
		fprintf(out, "<td>%s %u</td><td>%s</td>", html_bytes(w->comm, sizeof(w->comm)).s,
			w->tid, html_text(split).s);
		fprintf(out, "<td>%s</td><td>%u</td></tr>\n", html_text(holder(w).s).s, w->waiting);
	}
	html_table_end(out);
}
