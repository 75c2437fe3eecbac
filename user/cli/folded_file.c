/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* folded_file.c - the flame graph's library over files. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/out_file.h"
#include "base/status.h"
#include "base/term.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "explain/stage_map.h"
#include "flamegraph/flamegraph.h"

int folded_file_read(struct flame_tree *tree, const char *path, bool single)
{
	struct flame_read read = { .columns = FLAME_COLUMNS_AUTO };
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	int err, cause;

	if (!in) {
		cause = errno;
		fail_line("cannot open '%.200s': %s", path, strerror(cause));
		return cause == ENOENT ? EXIT_NOTARGET : EXIT_FAULT;
	}
	errno = 0;
	err = flame_read_folded(tree, in, &read);
	cause = err == -EIO && errno ? errno : -err;
	if (in != stdin)
		fclose(in);
	if (err) {
		fail_line("cannot read '%.200s': %s", path, strerror(cause));
		return EXIT_FAULT;
	}
	if (!read.lines && read.bad) {
		fail_line("'%.200s' is no folded text, lines of 'frame;frame NUMBER'; a capture is read "
			  "with -i", path);
		return EXIT_FAULT;
	}
	if (single && flame_differential(tree)) {
		fail_line("'%.200s' has two numbers a line: it is a comparison already", path);
		return EXIT_FAULT;
	}
	if (read.bad)
		warn_line("%s of %s lines of '%.200s' are no stack, the first is line %" PRIu64,
			  format_count(read.bad).s, format_count(read.bad + read.lines).s, path,
			  read.first_bad);
	return EXIT_OK;
}

static int read_both(const struct options *o, struct flame_tree *tree)
{
	struct flame_tree *base;
	int status = folded_file_read(tree, o->folded, o->against);

	if (status || !o->against)
		return status;
	base = flame_new();
	status = base ? folded_file_read(base, o->against, true) : EXIT_FAULT;
	if (!status && flame_set_base(tree, base)) {
		fail_line("cannot compare: out of memory");
		status = EXIT_FAULT;
	}
	flame_free(base);
	return status;
}

static bool is_stage(const struct flame_tree *tree, uint32_t node)
{
	size_t len;
	const char *name = flame_name(tree, node, &len);

	for (const char *const *word = stage_words; *word; word++) {
		if (strlen(*word) == len && !memcmp(*word, name, len))
			return true;
	}
	return false;
}

/* As flame writes it with --mode tail or --by stage: every stack's first frame is a stage. */
static bool is_staged(const struct flame_tree *tree)
{
	for (uint32_t i = FLAME_ROOT + 1; i < flame_nodes(tree); i++) {
		if (flame_parent(tree, i) == FLAME_ROOT && !is_stage(tree, i))
			return false;
	}
	return true;
}

static void write_svg(const struct options *o, const struct flame_tree *tree, struct out_file *out)
{
	const struct flame_svg svg = {
		.subtitle = o->folded, .unit = o->unit,
		.base_name = o->against, .stages = is_staged(tree) ? stage_words : NULL,
	};

	out_file_begin(out);
	flame_write_svg(tree, &svg, out->f, NULL);	/* closing reports an error */
}

int folded_file_show(const struct options *o)
{
	struct flame_tree *tree = flame_new();
	struct out_file out = { 0 };
	int status = tree && !out_file_open(&out, o->svg) ? read_both(o, tree) : EXIT_FAULT;

	if (!status && !flame_total(tree))
		say_line("nothing to show: '%.200s' holds no stack with a weight", o->folded);
	if (!status && out.f)
		write_svg(o, tree, &out);
	else if (!status)
		flame_write_folded(tree, stdout);
	if (out_file_end(&out) && !status)
		status = EXIT_FAULT;
	flame_free(tree);
	return status;
}
