/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flamegraph.h - weighted stacks as a tree, as folded text and as an interactive SVG.
 *
 * This folder stands alone: it includes nothing of user/ or bpf/. Functions that can fail return
 * 0 or a negative errno (-ENOMEM; others are named where they apply) and print nothing.
 *
 * A tree holds what was added to it, and owns copies of all names. Its node 0 is the root, which
 * has no name; every other node is a frame below its caller. A name is any bytes without NUL
 * (an empty one becomes "[unnamed]"); the writers escape what their format can't carry, so nobody
 * needs to escape a name before he adds it.
 *
 * A tree may be differential: then each stack has a second weight, that of the same stack in the
 * base it is compared with.
 */
#ifndef FLAMEGRAPH_H
#define FLAMEGRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FLAME_ROOT 0u
#define FLAME_MAX_DEPTH 1024	/* frames of a stack; deeper ones are cut, and counted */

struct flame_tree;

struct flame_tree *flame_new(void);		/* NULL without memory */
void flame_free(struct flame_tree *t);		/* NULL is fine */

/*
 * Adds a stack, outermost frame first. Only its last frame gets the weight: a node's time is the
 * weight of all stacks through it. -EINVAL without a frame; -EOVERFLOW if the total would leave
 * 64 bits, and then the tree is as it was. Nodes are valid as long as the tree.
 */
int flame_add(struct flame_tree *t, const char *const frames[], size_t n, uint64_t weight);

/*
 * Makes t differential: what base holds (its weights, not its own base weights) becomes t's base,
 * e.g. t the tail's stacks and base those of typical exchanges. Totals may differ: what is shown
 * is the difference of the shares. May be repeated, it adds. base stays the caller's.
 */
int flame_set_base(struct flame_tree *t, const struct flame_tree *base);

uint64_t flame_total(const struct flame_tree *t);
uint64_t flame_base_total(const struct flame_tree *t);
uint32_t flame_nodes(const struct flame_tree *t);	/* with the root */
uint64_t flame_cut(const struct flame_tree *t);		/* stacks that were deeper than the limit */
bool flame_differential(const struct flame_tree *t);
const char *flame_name(const struct flame_tree *t, uint32_t node, size_t *len);
uint32_t flame_parent(const struct flame_tree *t, uint32_t node);
uint64_t flame_self(const struct flame_tree *t, uint32_t node);
uint64_t flame_self_base(const struct flame_tree *t, uint32_t node);

/*
 * Folded text: a line for each stack, `outer;inner;leaf 123`; differential: `outer;leaf 10 12`,
 * base first. It is what flamegraph.pl, inferno and speedscope read. A `;`, a control or invisible
 * character, a byte that is no UTF-8, and a backslash that would be read as an escape are written
 * as \xNN; so is a space before a number at the end of a stack. Reading takes \xNN back, so that
 * the names that come out are those that went in.
 */
enum flame_columns {
	FLAME_COLUMNS_AUTO,	/* two if the line ends with two numbers */
	FLAME_COLUMNS_ONE,
	FLAME_COLUMNS_TWO,
};

struct flame_read {
	enum flame_columns columns;	/* what to expect; set by the caller */
	uint64_t lines;			/* stacks that were added */
	uint64_t bad;			/* lines that are none, left out; empty lines are not bad */
	uint64_t first_bad;		/* number of the first of them, from 1 */
};

/* Adds every line of the stream. Bad lines are counted, not fatal. -EIO if reading failed. */
int flame_read_folded(struct flame_tree *t, FILE *in, struct flame_read *read);

/* Adds a line, with or without its line end. -EINVAL if it is no stack and weight. */
int flame_parse_line(struct flame_tree *t, const char *line, size_t len,
		     enum flame_columns columns);

/*
 * Writes every stack that has a weight, in the order of their frames' bytes: the same text for
 * the same stacks, in whatever order they were added. -EIO if writing failed.
 */
int flame_write_folded(const struct flame_tree *t, FILE *out);

enum flame_unit { FLAME_NS, FLAME_SAMPLES };

struct flame_svg {
	const char *title;		/* NULL: "Flame graph" */
	const char *subtitle;		/* what was measured, where, how long; NULL: none */
	const char *value_name;		/* differential: what widths show, NULL: "this" */
	const char *base_name;		/* and what it is compared with, NULL: "base" */
	enum flame_unit unit;
	/*
	 * Set if each stack's first frame is a stage of the ledger: the names of the stages in
	 * their order, ended by NULL. They get a colour of their own and stand in this order.
	 */
	const char *const *stages;
	bool icicle;			/* root on top, leaves below */
	/*
	 * Frames below this share of the total, in millionths, are not drawn, and the picture says
	 * how many. 0: 85, a tenth of a pixel when nothing is zoomed.
	 */
	unsigned min_share_ppm;
};

struct flame_svg_stats {
	uint64_t drawn, omitted;	/* frames, without the root */
};

/*
 * A picture in one file, without any external resource: zoom by click or Enter, search by `/` or
 * Ctrl-F, reset by Escape, arrow keys to move, light and dark as the reader prefers. Without
 * scripts (in an <img>) it is a still picture of the same look. Bytes depend on the tree and the
 * options only. stats may be NULL. -EIO if writing failed.
 */
int flame_write_svg(const struct flame_tree *t, const struct flame_svg *options, FILE *out,
		    struct flame_svg_stats *stats);

/*
 * The same as one <svg class="flame"> element for an HTML page: write it where the graph shall
 * stand, in a block element whose width it will take. Style and script are inside, use no id and
 * touch nothing outside it, so that several may share a page; keys work while the focus is in it.
 * The picture follows prefers-color-scheme; a page that doesn't sets --flame-bg, --flame-fg,
 * --flame-dim and --flame-line on it. A Content-Security-Policy must allow inline style and script.
 */
int flame_write_fragment(const struct flame_tree *t, const struct flame_svg *options, FILE *out,
			 struct flame_svg_stats *stats);

#endif
