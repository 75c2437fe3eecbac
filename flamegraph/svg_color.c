/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* svg_color.c - which frame gets which class; flame.css gives the classes their colours. */
#include "svg.h"

#include <stdlib.h>
#include <string.h>

int64_t flame_delta(const struct picture *p, uint32_t node)
{
	uint64_t total = p->tree->total, base_total = p->tree->base_total;
	uint64_t share = total ? flame_scale(p->sum[node], total, DELTA_ONE) : 0;
	uint64_t base = base_total ? flame_scale(p->base_sum[node], base_total, DELTA_ONE) : 0;

	return (int64_t)share - (int64_t)base;
}

static bool ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(s + len - n, end, n);
}

enum frame_kind flame_kind(const struct picture *p, uint32_t node, uint32_t depth)
{
	size_t len;
	const char *name = flame_name(p->tree, node, &len);

	if (!depth)
		return KIND_ROOT;
	if (depth == 1 && p->options->stages)
		return KIND_STAGE;
	if (ends_with(name, len, "_[k]"))
		return KIND_KERNEL;
	return ends_with(name, len, "_[j]") ? KIND_JIT : KIND_USER;
}

/* The same function has the same shade wherever it stands, in every picture. */
static unsigned shade(const struct picture *p, uint32_t node, unsigned shades)
{
	uint32_t hash = 2166136261u;
	size_t len;
	const char *name = flame_name(p->tree, node, &len);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	return (hash ^ hash >> 15) % shades;
}

static struct fmt delta_class(const struct picture *p, uint32_t node)
{
	struct fmt f = { "d0" };
	int64_t delta = flame_delta(p, node);
	uint64_t size = (uint64_t)llabs(delta), max = (uint64_t)p->max_delta;
	unsigned level = max ? (unsigned)((2 * size * DELTA_LEVELS + max) / (2 * max)) : 0;

	if (level)
		snprintf(f.s, sizeof(f.s), "%c%u", delta < 0 ? 'l' : 'm', level);
	return f;
}

struct fmt flame_class(const struct picture *p, uint32_t node, enum frame_kind kind)
{
	static const struct { char letter; unsigned shades; } classes[] = {
		[KIND_ROOT] = { 'a', 1 }, [KIND_STAGE] = { 's', 1 }, [KIND_USER] = { 'u', 8 },
		[KIND_KERNEL] = { 'k', 4 }, [KIND_JIT] = { 'j', 3 },
	};
	struct fmt f;

	if (p->base_sum && kind != KIND_ROOT)
		return delta_class(p, node);
	snprintf(f.s, sizeof(f.s), "%c%u", classes[kind].letter,
		 shade(p, node, classes[kind].shades));
	return f;
}
