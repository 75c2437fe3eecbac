// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* profile.c - the store: records, and stacks by their ids. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "explain/profile_private.h"

struct profile *profile_new(uint32_t hz)
{
	struct profile *p = calloc(1, sizeof(*p));

	if (p)
		profile_set_rate(p, hz);
	return p;
}

void profile_set_rate(struct profile *p, uint32_t hz)
{
	p->period_ns = hz ? 1000000000 / hz : 0;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_stacks; i++) {
		for (size_t f = 0; f < p->stacks[i].n; f++)
			free(p->stacks[i].frames[f]);
		free(p->stacks[i].frames);
	}
	free(p->stacks);
	free(p->samples);
	free(p->absences);
	free(p->exchanges);
	free(p);
}

/* Room for one more; NULL if there is none. */
static void *one_more(void *list, size_t n, size_t size)
{
	return n < PROFILE_LIMIT ? array_more(list, n, size) : NULL;
}

#define KEEP(p, list, record) do {						\
	void *at_ = one_more(&(p)->list, (p)->n_##list, sizeof(*(record)));	\
	if (at_) {								\
		memcpy(at_, record, sizeof(*(record)));				\
		(p)->n_##list++;						\
		(p)->sorted = false;						\
	} else {								\
		(p)->dropped++;							\
	}									\
} while (0)

void profile_sample(struct profile *p, const struct ev_sample *s)
{
	KEEP(p, samples, s);
}

void profile_offcpu(struct profile *p, const struct ev_offcpu *o)
{
	KEEP(p, absences, o);
}

void profile_exchange(struct profile *p, const struct ev_exchange *x)
{
	KEEP(p, exchanges, x);
}

/* Where programs and their threads begin. */
static bool begins_thread(const char *frame)
{
	static const char *const whole[] = { "main", "_start", "start_thread", "thread_start",
					     "clone", "clone3", "__clone", "__clone3" };
	static const char *const begin[] = { "__libc_start_", "runtime.", "[libc.so", "[libc-",
					     "[libpthread", "[ld-" };

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (!strcmp(frame, whole[i]))
			return true;
	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		if (!strncmp(frame, begin[i], strlen(begin[i])))
			return true;
	return false;
}

/*
 * Without frame pointers the walk ends early, or goes astray. The C library has none, so the last
 * step out of main may be missing or without a name: one of the outermost frames has to be a
 * beginning. A frame that is alone is no proof.
 */
#define OUTERMOST 3

static void stack_judge(struct profile_stack *s)
{
	size_t look = s->n < 2 ? 0 : s->n - 1 < OUTERMOST ? s->n - 1 : OUTERMOST;

	for (size_t i = 0; i < s->n && s->frames; i++)
		s->unknown += s->frames[i][0] == '[' && s->key.pid != 0;
	s->broken = s->key.pid != 0;
	for (size_t i = s->n - look; i < s->n && s->frames; i++)
		if (begins_thread(s->frames[i]))
			s->broken = false;
	/* A program's own outermost function, where it is all there is. */
	if (s->n == 1 && s->frames && (!strcmp(s->frames[0], "_start") || !strcmp(s->frames[0], "main")))
		s->broken = false;
}

void profile_stack(struct profile *p, const struct named_stack *s)
{
	struct profile_stack copy = { .key = s->key, .n = s->n };
	size_t had = p->n_stacks;

	copy.frames = calloc(s->n ? s->n : 1, sizeof(*copy.frames));
	for (size_t i = 0; copy.frames && i < s->n; i++) {
		copy.frames[i] = strdup(s->frames[i]);
		if (!copy.frames[i])
			copy.n = i;
	}
	p->cut += s->cut;
	stack_judge(&copy);
	if (s->cut)
		copy.broken = false;	/* its beginning was not kept */
	if (copy.frames)
		KEEP(p, stacks, &copy);
	if (p->n_stacks > had)
		return;
	for (size_t i = 0; copy.frames && i < copy.n; i++)
		free(copy.frames[i]);
	free(copy.frames);
}

static int stack_order(const void *a, const void *b)
{
	const struct stack_key *x = &((const struct profile_stack *)a)->key;
	const struct stack_key *y = &((const struct profile_stack *)b)->key;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int in_order(uint32_t tid_a, uint64_t at_a, uint32_t tid_b, uint64_t at_b)
{
	if (tid_a != tid_b)
		return tid_a < tid_b ? -1 : 1;
	return at_a < at_b ? -1 : at_a > at_b;
}

static int sample_order(const void *a, const void *b)
{
	const struct ev_sample *x = a, *y = b;

	return in_order(x->tid, x->head.time_ns, y->tid, y->head.time_ns);
}

static int absence_order(const void *a, const void *b)
{
	const struct ev_offcpu *x = a, *y = b;

	return in_order(x->tid, x->head.time_ns, y->tid, y->head.time_ns);
}

void profile_sort(struct profile *p)
{
	if (p->sorted)
		return;
	if (p->n_samples)
		qsort(p->samples, p->n_samples, sizeof(*p->samples), sample_order);
	if (p->n_absences)
		qsort(p->absences, p->n_absences, sizeof(*p->absences), absence_order);
	if (p->n_stacks)
		qsort(p->stacks, p->n_stacks, sizeof(*p->stacks), stack_order);
	p->sorted = true;
}

void frame_push(struct frames *f, const char *name)
{
	if (f->n < sizeof(f->at) / sizeof(f->at[0]))
		f->at[f->n++] = name;
}

const struct profile_stack *profile_find_stack(const struct profile *p, uint32_t pid, int32_t id)
{
	struct profile_stack wanted = { .key = { .pid = pid, .id = id } };

	if (id < 0 || !p->n_stacks)
		return NULL;
	return bsearch(&wanted, p->stacks, p->n_stacks, sizeof(*p->stacks), stack_order);
}

static bool push_stack(const struct profile *p, struct frames *f, uint32_t pid, int32_t id)
{
	const struct profile_stack *s = profile_find_stack(p, pid, id);

	if (!s || !s->n)
		return false;
	for (size_t i = s->n; i-- > 0;)
		frame_push(f, s->frames[i]);
	return true;
}

bool frames_push_stacks(const struct profile *p, struct frames *f, uint32_t pid, int32_t user,
			int32_t kernel)
{
	bool has_user = push_stack(p, f, pid, user);

	return push_stack(p, f, 0, kernel) || has_user;
}

static void count_user_stack(const struct profile *p, struct profile_stats *stats, uint32_t pid,
			     int32_t id)
{
	const struct profile_stack *s = profile_find_stack(p, pid, id);

	if (!s)
		return;
	stats->user_stacks++;
	stats->broken += s->broken;
	stats->user_frames += s->n;
	stats->unknown += s->unknown;
}

static void count_sample(const struct profile *p, struct profile_stats *stats,
			 const struct ev_sample *s)
{
	stats->unnamed += s->kernel_stack < 0 && s->user_stack < 0;
	count_user_stack(p, stats, s->pid, s->user_stack);
}

static void count_absence(const struct profile *p, struct profile_stats *stats,
			  const struct ev_offcpu *o, bool waker)
{
	if (o->flags & OFFCPU_IN_WAIT)
		return;
	if (waker) {
		count_user_stack(p, stats, o->waker_pid, o->waker_user_stack);
		return;
	}
	stats->unnamed += o->kernel_stack < 0 && o->user_stack < 0;
	count_user_stack(p, stats, o->pid, o->user_stack);
}

void profile_get_stats(struct profile *p, enum profile_mode mode, struct profile_stats *stats)
{
	bool samples = mode == PROFILE_CPU || mode == PROFILE_TAIL;

	profile_sort(p);
	*stats = (struct profile_stats){
		.samples = p->n_samples, .absences = p->n_absences, .exchanges = p->n_exchanges,
		.dropped = p->dropped, .stacks = p->n_stacks, .cut = p->cut,
	};
	for (size_t i = 0; samples && i < p->n_samples; i++)
		count_sample(p, stats, &p->samples[i]);
	for (size_t i = 0; mode != PROFILE_CPU && i < p->n_absences; i++) {
		/* Only the tail has time in it that a thread was ready to run. */
		if (mode == PROFILE_TAIL || p->absences[i].blocked_ns)
			count_absence(p, stats, &p->absences[i], mode == PROFILE_WAKEUP);
	}
}
