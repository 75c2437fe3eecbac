/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stats.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

struct stats *stats_open(size_t loops)
{
	void *p = mmap(NULL, loops * sizeof(struct stats), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void print_line(FILE *out, const struct stats *s)
{
	uint64_t peak = stat_get(&s->peak_open);

#define X(name) fprintf(out, " %s=%" PRIu64, #name, stat_get(&s->name));
	STATS(X)
#undef X
	fprintf(out, " bytes_per_connection=%" PRIu64 "\n",
		peak ? stat_get(&s->memory_at_peak) / peak : 0);
}

void stats_print(FILE *out, const struct stats *s, size_t loops, bool acceptor)
{
	struct stats sum = { 0 };

	for (size_t i = 0; i < loops + acceptor; i++) {
#define X(name) stat_add(&sum.name, stat_get(&s[i].name));
		STATS(X)
#undef X
	}
	fprintf(out, "stats loop=all");
	print_line(out, &sum);
	for (size_t i = 0; loops > 1 && i < loops; i++) {
		fprintf(out, "stats loop=%zu", i);
		print_line(out, &s[i]);
	}
	if (acceptor) {
		fprintf(out, "stats loop=acceptor");
		print_line(out, &s[loops]);
	}
	fflush(out);
}

static size_t cost(void *p)
{
	return malloc_usable_size(p) + sizeof(size_t);
}

void *memory_alloc(struct stats *s, size_t bytes)
{
	void *p = malloc(bytes);

	if (p)
		stat_add(&s->memory_bytes, cost(p));
	return p;
}

void memory_free(struct stats *s, void *p)
{
	if (!p)
		return;
	stat_add(&s->memory_bytes, -cost(p));
	free(p);
}
