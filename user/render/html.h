/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html.h - a report as one HTML page: words and tables first, then pictures.
 *
 * The page needs nothing but itself, shows everything without its script, and holds the report's
 * JSON too. What is not there is NULL and said in the page.
 */
#ifndef EPOLLSCOPE_HTML_H
#define EPOLLSCOPE_HTML_H

#include "explain/heatmap.h"
#include "model/model.h"
#include "explain/profile.h"
#include "explain/waterfall.h"

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

#endif
