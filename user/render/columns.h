/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * columns.h - the report's tables and lists, each described once: what a number is called in JSON,
 * in text and in HTML, its unit, and where it stands in the row.
 *
 * The writers of the three outputs walk these descriptions, so that one line in columns.c adds a
 * column to all of them (tests/unit/test_render.c then asks for its line in the schema). A
 * description ends with a column without a place.
 */
#ifndef EPOLLSCOPE_COLUMNS_H
#define EPOLLSCOPE_COLUMNS_H

#include "base/json.h"
#include "base/term.h"
#include "model/model.h"

enum column_unit {
	COLUMN_WORD,	/* const char *, a word of ours */
	COLUMN_NAME,	/* char[], raw bytes: a thread's name */
	COLUMN_ID,	/* a number without thousands separators: a thread, a port */
	COLUMN_COUNT,
	COLUMN_RARE,	/* a count whose 0 is a dash in a text table, and left out of a list */
	COLUMN_NS,	/* a duration; not known if there are none `of` it */
	COLUMN_MEAN,	/* in rows of struct dist */
	COLUMN_RATIO,	/* a count for each one `of` something */
	COLUMN_SHARE,	/* double, 0 to 1 */
	COLUMN_DIST,	/* all of a struct dist, as an object: in JSON alone */
};

struct place {
	size_t offset, size;
};

struct column {
	const char *key;	/* JSON member; NULL: not in JSON */
	const char *text;	/* head in text, or what a list counts; NULL: not in text */
	int width;		/* of the column in text, as put_cell() takes it; 0 in a list */
	const char *html;	/* head in HTML, or what a list counts; NULL: not in HTML */
	enum column_unit unit;
	struct place at;	/* in the row: bytes, or an unsigned integer of any size */
	struct place of;	/* how many there are of it; size 0: it is always known */
};

extern const struct column latency_columns[];	/* struct dist: a server's, a client's */
extern const struct column stage_columns[];	/* struct dist: a stage, send, deliver */
extern const struct column syscall_columns[];	/* struct syscall_info */
extern const struct column loop_columns[];	/* struct loop_info */
extern const struct column waker_columns[];	/* struct waker_info */
extern const struct column listener_columns[];	/* struct listener_info */

/* Lists of counts, of struct report. */
extern const struct column sched_counts[];
extern const struct column connection_counts[];
extern const struct column network_counts[];

/* The same with sentences: what was lost, what that biases, what to raise; odd exchanges. */
extern const struct column loss_counts[];
extern const struct column caveat_counts[];

/* The value of a column in a row, if it is a number. */
bool column_known(const struct column *c, const void *row);
uint64_t column_number(const struct column *c, const void *row);
uint64_t columns_sum(const struct column *c, const void *row);

/* For people, in so many columns if its unit can be that short; "" if it is an object of JSON. */
struct fmt column_format(const struct column *c, const void *row, unsigned columns);

/* A list tells this count. */
bool column_listed(const struct column *c, const void *row);

/* The members of an open object. */
void json_columns(struct json *j, const struct column *c, const void *row);

/* The heads or the cells of a line, without its end. */
void text_heads(FILE *out, const struct column *c);
void text_cells(FILE *out, const struct column *c, const void *row);

/* How the system calls were sampled, as a sentence for people; "" if they were not. */
void sampled_sentence(const struct report *r, char *text, size_t len);

/* Items of an open paragraph: "P50 12 us, P99 3 ms"; "12 opened, 7 closed". */
void text_percentiles(struct para *p, const struct column *c, const struct dist *d);
void text_counts(struct para *p, const struct column *c, const void *row);

/* Rounding may have left a share a little outside 0 to 1; not a number counts as 0. */
static inline double clip_share(double share)
{
	return share > 1 ? 1 : share > 0 ? share : 0;
}

#endif
