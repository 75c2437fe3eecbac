/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * records.c - the rings of exchange records: a page-aligned array that the kernel side fills and we
 * read in place, without a call on either side.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/private.h"

#define RECORDS_MIN 64

/* The most records, a power of two, that fit into a processor's share of memory. */
static uint32_t records_for(uint32_t ring_kib)
{
	uint32_t n = RECORDS_MIN;

	while ((uint64_t)n * 2 * sizeof(struct ev_record) <= ring_kib * 1024ULL)
		n *= 2;
	return n;
}

int records_configure(struct session *s, const struct session_config *config)
{
	struct epollscope_bpf *skel = s->skel;

	s->records_room = records_for(config->ring_kib);
	skel->rodata->cfg_records = s->records_room;
	skel->rodata->cfg_cpus = s->cpus;
	/* One more for each processor: see record_slot() of the kernel side. */
	return bpf_map__set_max_entries(skel->maps.records, s->cpus * (s->records_room + 1));
}

static size_t map_bytes(const struct bpf_map *map)
{
	return (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
}

int records_map(struct session *s)
{
	const struct bpf_map *records = s->skel->maps.records;

	s->records = mmap(NULL, map_bytes(records), PROT_READ, MAP_SHARED,
			  bpf_map__fd(records), 0);
	if (s->records == MAP_FAILED)
		s->records = NULL;
	s->record_rings = s->skel->bss->record_rings;
	return s->records ? 0 : -errno;
}

void records_unmap(struct session *s)
{
	if (s->records)
		munmap(s->records, map_bytes(s->skel->maps.records));
}

void records_look(struct session *s)
{
	for (unsigned cpu = 0; cpu < s->cpus; cpu++)
		s->record_heads[cpu] = __atomic_load_n(&s->record_rings[cpu].head, __ATOMIC_ACQUIRE);
}

long records_drain(struct session *s, record_fn fn, void *ctx)
{
	long n = 0;

	for (unsigned cpu = 0; cpu < s->cpus; cpu++) {
		struct record_ring *ring = &s->record_rings[cpu];
		const struct ev_record *first = s->records + (size_t)cpu * s->records_room;
		uint64_t i = ring->tail;

		for (; i != s->record_heads[cpu]; i++, n++) {
			const struct ev_record *r = &first[i & (s->records_room - 1)];

			fn(ctx, r, r->head.size);
		}
		__atomic_store_n(&ring->tail, i, __ATOMIC_RELEASE);
	}
	return n;
}

uint64_t records_made(const struct session *s)
{
	uint64_t n = 0;

	for (unsigned cpu = 0; cpu < s->cpus; cpu++)
		n += __atomic_load_n(&s->record_rings[cpu].head, __ATOMIC_RELAXED);
	return n;
}
