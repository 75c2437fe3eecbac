/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fold2svg.c - the flame graph's library by itself: folded text in, SVG or folded text out.
 *
 *   fold2svg [--folded] [--fragment] [--samples] [--stages] [--icicle] [--two] [--quiet]
 *            [--base FILE] [--title TEXT] [--subtitle TEXT] <FOLDED >OUTPUT
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph/flamegraph.h"

static const char *const stages[] = { "accept", "receive", "wakeup", "runqueue", "busy", "return",
				      "dispatch", "service", NULL };

struct options {
	int folded, fragment, samples, stages, icicle, two, quiet;
	const char *base;
	struct flame_svg svg;
};

static int parse(struct options *o, int argc, char **argv)
{
	const struct option longs[] = {
		{ "folded", 0, &o->folded, 1 }, { "fragment", 0, &o->fragment, 1 },
		{ "samples", 0, &o->samples, 1 }, { "stages", 0, &o->stages, 1 },
		{ "icicle", 0, &o->icicle, 1 }, { "two", 0, &o->two, 1 },
		{ "quiet", 0, &o->quiet, 1 }, { "base", 1, NULL, 'b' },
		{ "title", 1, NULL, 't' }, { "subtitle", 1, NULL, 's' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 0: break;
		case 'b': o->base = optarg; break;
		case 't': o->svg.title = optarg; break;
		case 's': o->svg.subtitle = optarg; break;
		default: return -EINVAL;
		}
	}
	o->svg.unit = o->samples ? FLAME_SAMPLES : FLAME_NS;
	o->svg.stages = o->stages ? stages : NULL;
	o->svg.icicle = o->icicle;
	o->svg.value_name = o->base ? "tail" : NULL;
	o->svg.base_name = o->base ? "typical" : NULL;
	return optind == argc ? 0 : -EINVAL;
}

static int read_base(struct flame_tree *t, const char *path, struct flame_read *read)
{
	FILE *in = fopen(path, "r");
	struct flame_tree *base = flame_new();
	int err = !in ? -errno : !base ? -ENOMEM : flame_read_folded(base, in, read);

	if (!err)
		err = flame_set_base(t, base);
	flame_free(base);
	if (in)
		fclose(in);
	return err;
}

static int write_out(const struct options *o, const struct flame_tree *t,
		     struct flame_svg_stats *stats)
{
	int err;

	if (o->folded)
		err = flame_write_folded(t, stdout);
	else if (o->fragment)
		err = flame_write_fragment(t, &o->svg, stdout, stats);
	else
		err = flame_write_svg(t, &o->svg, stdout, stats);
	return !err && fflush(stdout) ? -errno : err;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct flame_read read = { 0 };
	struct flame_svg_stats stats = { 0 };
	struct flame_tree *t = flame_new();
	int err = t ? parse(&o, argc, argv) : -ENOMEM;

	read.columns = o.two ? FLAME_COLUMNS_TWO : FLAME_COLUMNS_AUTO;
	if (!err)
		err = flame_read_folded(t, stdin, &read);
	if (!err && o.base)
		err = read_base(t, o.base, &read);
	if (!err)
		err = write_out(&o, t, &stats);
	if (err)
		fprintf(stderr, "fold2svg: %s\n", strerror(-err));
	else if (!o.quiet)
		fprintf(stderr, "lines %llu bad %llu first_bad %llu nodes %u total %llu drawn %llu omitted %llu\n",
			(unsigned long long)read.lines, (unsigned long long)read.bad,
			(unsigned long long)read.first_bad, flame_nodes(t),
			(unsigned long long)flame_total(t), (unsigned long long)stats.drawn,
			(unsigned long long)stats.omitted);
	flame_free(t);
	return err != 0;
}
