/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * render.h - what the user sees: reports, slow exchanges and connections, as text or JSON; a report
 * as a page, a watch as a timeline.
 *
 * Renderers only read what they are given and write to `out`; write errors are left in the
 * FILE's own error flag for the caller. Text fits TEXT_COLUMNS columns and is plain ASCII but
 * for names that hold valid UTF-8. offset_ns is wall clock less CLOCK_MONOTONIC.
 */
#ifndef EPOLLSCOPE_RENDER_H
#define EPOLLSCOPE_RENDER_H

#include "base/json.h"
#include "base/term.h"
#include "explain/profile.h"
#include "explain/waterfall.h"
#include "model/model.h"

#define SCHEMA_REPORT "epollscope.report/1"
#define SCHEMA_SLOW "epollscope.slow/1"
#define SCHEMA_CONN "epollscope.conn/1"

void render_report_json(FILE *out, const struct report *r);
void render_report_text(FILE *out, const struct report *r, const struct style *style);

/* One line for each; the header, whose first word may say more than "TIME", goes above the text. */
void render_slow_json(FILE *out, const struct exchange_info *x, int64_t offset_ns);
void render_slow_header(FILE *out, const char *first, const struct style *style);
void render_slow_text(FILE *out, const struct exchange_info *x, int64_t offset_ns,
		      const struct style *style);

/* Several lines: stage by stage, and what the thread did in each. */
void render_waterfall(FILE *out, const struct exchange_info *x, const struct waterfall *w,
		      int64_t offset_ns, const struct style *style);

void render_conn_json(FILE *out, const struct ev_conn_close *c, int64_t offset_ns);
void render_conn_header(FILE *out, const struct style *style);
void render_conn_text(FILE *out, const struct ev_conn_close *c, int64_t offset_ns,
		      const struct style *style);

/*
 * JSON Schema (draft 2020-12) of an output, by its name ("epollscope.report/1") or the command
 * that prints it ("report", "slow", "conns"). NULL if there is none.
 */
const char *schema_text(const char *name);

/*
 * A report as one HTML page: words and tables first, then pictures. The page needs nothing but
 * itself, shows everything without its script, and holds the report's JSON too. What is not there
 * is NULL and said in the page.
 */
struct html_page {
	const struct report *r;
	const struct heatmap *heat;
	const struct waterfall *waterfalls;	/* of r->worst */
	const struct flame_tree *tree;		/* of the tail */
	struct profile_tail tail;		/* which exchanges, and how much stacks explain */
	struct profile_stats stacks;
};

/* 0, -ENOMEM or -EIO. */
int html_write(FILE *out, const struct html_page *page);

/*
 * A watch as a timeline: trace-event JSON, as Perfetto and speedscope read it (chrome_trace.c says
 * what is in it). Written as records come, in any order, and bounded: what comes after the limit is
 * counted. limit 0 is CHROME_TRACE_LIMIT. NULL when out of memory. `out` stays the caller's.
 */
#define CHROME_TRACE_LIMIT (2u << 20)	/* records; some 500 bytes each */

struct chrome_trace *chrome_trace_new(FILE *out, uint64_t limit);
void chrome_trace_turn(struct chrome_trace *t, const struct ev_turn *e);
void chrome_trace_offcpu(struct chrome_trace *t, const struct ev_offcpu *e);
void chrome_trace_exchange(struct chrome_trace *t, const struct ev_exchange *e);

/* Ends the document and frees; NULL is fine. Returns how many records were left out. */
uint64_t chrome_trace_end(struct chrome_trace *t, int64_t realtime_offset_ns, uint64_t lost_events);

/* Parts that several renderers share. */

const char *stage_meaning(unsigned stage);	/* what it says when a stage is large */

/* A stage's share of the tail, 0 to 1. */
double tail_share(const struct report *r, unsigned stage);

/* "on-CPU 70 %, runnable 5 %, blocked 25 %", and what else there is; false if it is not known. */
#define SPLIT_WORDS 200
bool split_words(char out[SPLIT_WORDS], const struct stage_info *s);

/* What a thread did in a stage: "slept 5 ms in read (disk)". */
#define WATERFALL_WORDS 256
void waterfall_words(char out[WATERFALL_WORDS], const struct waterfall_part *part);

/* The members of a slow/1 object, without its "schema". */
void json_exchange(struct json *j, const struct exchange_info *x, int64_t offset_ns);

/* Whether anything is known of the kinds of traffic. */
bool traffic_known(const struct report *r);

/* "http/1 12, redis 3"; what the figures of the kinds mean, in sentences; each may be empty. */
void traffic_protocols(const struct traffic_info *t, char *out, size_t size);
void traffic_sentences(const struct report *r, char *out, size_t size);

/* Members of the open object. */
void json_traffic(struct json *j, const struct report *r);

/* What the thread did in a stage of one exchange; false and all 0 if that is not known. */
struct stage_split {
	uint64_t oncpu_ns, runnable_ns, blocked_ns;
	uint64_t others_ns, idle_ns;	/* only of service */
	uint64_t unarmed_ns;		/* only of busy */
};

bool exchange_split(const struct ev_exchange *x, unsigned stage, struct stage_split *out);

/* Sections of the text report; each writes nothing if it has no content. */
void put_summary(FILE *out, const struct report *r);
void put_diagnosis(FILE *out, const struct report *r, const struct style *style);
void put_latency(FILE *out, const struct report *r, const struct style *style);
void put_ledger(FILE *out, const struct report *r, const struct style *style);
void put_holds(FILE *out, const struct report *r, const struct style *style);

/* The row of the open-loop wait, in the columns of the latency; the member "holds". */
void put_open_loop(FILE *out, const struct report *r);
void json_holds(struct json *j, const struct report *r);
void put_traffic(FILE *out, const struct report *r, const struct style *style);

/*
 * What the watch was allowed to cost, and what a step of shedding left out: a sentence; false if there
 * is nothing to say.
 */
bool budget_sentence(const struct budget_info *b, char *text, size_t len);
bool shed_sentence(const struct budget_info *b, unsigned step, int64_t realtime_offset_ns,
		   char *text, size_t len);

#endif
