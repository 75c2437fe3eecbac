/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report_page.h - what the page needs beside the report, taken while watching.
 *
 * It stands before a command's handlers: hears what they hear and passes it on, so that nothing
 * costs more without it.
 */
#ifndef EPOLLSCOPE_HTML_TAKE_H
#define EPOLLSCOPE_HTML_TAKE_H

#include "explain/waterfall.h"
#include "watch/watch.h"

struct html_take;

/*
 * Opens the file of o->html, so that a bad name is known before the watch, and changes `h`, whose
 * own handlers are called too. Samples go to `history`, which these handlers fill with the rest and
 * which outlives the page. EXIT_OK, or an exit status whose line is already printed.
 */
int html_take_open(struct html_take **out, const struct options *o, struct history *history,
		   struct watch_handlers *h);

/* After the watch: how often stacks were taken, which a capture says of itself. */
void html_take_rate(struct html_take *t, uint32_t hz);

/* The code that most of the tail went by in, as hot_code(); "" if the stacks do not say. */
void html_take_code(struct html_take *t, const struct report *r, char *out, size_t size);

/*
 * Writes the page; once. `waterfalls` are of r->worst. EXIT_OK, or an exit status whose line is
 * already printed.
 */
int html_take_write(struct html_take *t, const struct report *r,
		    const struct waterfall *waterfalls);

/* A file that was not written and was not there before is removed. NULL is fine. */
void html_take_close(struct html_take *t);

#endif
