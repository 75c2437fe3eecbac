/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "suffer.h"

#include "helper.h"
#include "tools/clock.h"

#include <unistd.h>

/* Uses the processor for ns, however often it is taken away meanwhile. */
static void compute(uint64_t ns)
{
	uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

/*
 * Functions with names and work of their own, for those who look at stacks. The C library may keep
 * no frame pointer; a walk out of the library then misses the function that called it. So that
 * function is this one, and slow_hash and slow_sort are seen.
 */
static __attribute__((noinline)) uint64_t cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

#define LUMP_BYTES 4096

static __attribute__((noinline)) uint64_t slow_hash(uint64_t ns)
{
	uint64_t end = cpu_ns() + ns, hash = 0xcbf29ce484222325;

	do {
		for (uint32_t i = 0; i < LUMP_BYTES; i++)
			hash = (hash ^ (i & 0xff)) * 0x100000001b3;
	} while (cpu_ns() < end);
	return hash;
}

#define LUMP_WORDS 160

static __attribute__((noinline)) uint64_t slow_sort(uint64_t ns)
{
	uint64_t end = cpu_ns() + ns;
	uint32_t v[LUMP_WORDS], t;

	do {
		for (uint32_t i = 0; i < LUMP_WORDS; i++)
			v[i] = i * 2654435761u;
		for (uint32_t i = 1; i < LUMP_WORDS; i++)
			for (uint32_t k = i; k && v[k - 1] > v[k]; k--) {
				t = v[k];
				v[k] = v[k - 1];
				v[k - 1] = t;
			}
	} while (cpu_ns() < end);
	return v[0];
}

static void write_and_sync(struct fault_state *s, uint64_t bytes)
{
	static const char zeros[4096];

	if (!s->scratch)
		s->scratch = tmpfile();
	if (!s->scratch)
		return;
	rewind(s->scratch);
	for (uint64_t done = 0; done < bytes; done += sizeof(zeros))
		fwrite(zeros, 1, bytes - done < sizeof(zeros) ? bytes - done : sizeof(zeros),
			s->scratch);
	fflush(s->scratch);
	fsync(fileno(s->scratch));
}

static void suffer(struct loop *l, enum fault f, uint64_t amount)
{
	volatile uint64_t result;	/* so that the compiler leaves the work in */

	switch (f) {
	case FAULT_HASH:
		result = slow_hash(amount);
		break;
	case FAULT_SORT:
		result = slow_sort(amount);
		break;
	case FAULT_CPU:
		compute(amount);
		break;
	case FAULT_SLEEP:
		sleep_ns(amount);
		break;
	case FAULT_FSYNC:
		write_and_sync(&l->faults, amount);
		break;
	default:
		helper_hold_lock(l->helper, amount);
	}
	(void)result;
}

uint32_t suffer_request(struct loop *l, uint32_t serial)
{
	static const enum fault of_requests[] = {
		FAULT_HASH, FAULT_SORT, FAULT_CPU, FAULT_SLEEP, FAULT_FSYNC, FAULT_LOCK,
	};
	uint32_t hits = 0;

	for (size_t i = 0; i < sizeof(of_requests) / sizeof(of_requests[0]); i++) {
		enum fault f = of_requests[i];

		if (!fault_strikes(&l->faults, f, serial))
			continue;
		suffer(l, f, l->cfg->faults[f].amount);
		hits |= FAULT_BIT(f);
	}
	return hits;
}
