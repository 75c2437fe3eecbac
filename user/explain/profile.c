/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* profile.c - stacks by their ids, and what is to be said of them. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "explain/profile_private.h"

struct profile *profile_new(struct history *h, uint32_t hz)
{
	struct profile *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->history = h;
	profile_set_rate(p, hz);
	return p;
}

void profile_set_rate(struct profile *p, uint32_t hz)
{
	p->period_ns = hz ? 1000000000 / hz : 0;
}

static void stack_free(struct profile_stack *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->frames[i]);
	free(s->frames);
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_stacks; i++)
		stack_free(&p->stacks[i]);
	free(p->stacks);
	free(p);
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
	struct profile_stack copy = { .key = s->key }, *kept = NULL;

	copy.frames = calloc(s->n ? s->n : 1, sizeof(*copy.frames));
	while (copy.frames && copy.n < s->n) {
		copy.frames[copy.n] = strdup(s->frames[copy.n]);
		if (!copy.frames[copy.n])
			break;
		copy.n++;
	}
	p->cut += s->cut;
	stack_judge(&copy);
	if (s->cut)
		copy.broken = false;	/* its beginning was not kept */
	if (copy.frames && p->n_stacks < PROFILE_STACKS)
		kept = array_more(&p->stacks, p->n_stacks, sizeof(*kept));
	if (!kept) {
		p->dropped++;
		stack_free(&copy);
		return;
	}
	*kept = copy;
	p->n_stacks++;
	p->sorted = false;
}

static int stack_order(const void *a, const void *b)
{
	const struct stack_key *x = &((const struct profile_stack *)a)->key;
	const struct stack_key *y = &((const struct profile_stack *)b)->key;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

void profile_sort(struct profile *p)
{
	if (!p->sorted && p->n_stacks)
		qsort(p->stacks, p->n_stacks, sizeof(*p->stacks), stack_order);
	p->sorted = true;
}

void frame_push(struct frames *f, const char *name)
{
	if (f->n < sizeof(f->at) / sizeof(f->at[0]))
		f->at[f->n++] = name;
}

static const struct profile_stack *find_stack(const struct profile *p, uint32_t pid, int32_t id)
{
	struct profile_stack wanted = { .key = { .pid = pid, .id = id } };

	if (id < 0 || !p->n_stacks)
		return NULL;
	return bsearch(&wanted, p->stacks, p->n_stacks, sizeof(*p->stacks), stack_order);
}

static bool push_stack(const struct profile *p, struct frames *f, uint32_t pid, int32_t id)
{
	const struct profile_stack *s = find_stack(p, pid, id);

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
	const struct profile_stack *s = find_stack(p, pid, id);

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

static void count_offcpu(const struct profile *p, struct profile_stats *stats,
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
	const struct ev_sample *samples = history_samples(p->history);
	const struct ev_offcpu *offcpu = history_offcpu(p->history);
	bool sampled = mode == PROFILE_CPU || mode == PROFILE_TAIL;

	profile_sort(p);
	*stats = (struct profile_stats){
		.samples = history_count(p->history, HISTORY_SAMPLE),
		.offcpu = history_count(p->history, HISTORY_OFFCPU),
		.exchanges = history_count(p->history, HISTORY_EXCHANGE),
		.dropped = p->dropped + history_dropped(p->history),
		.stacks = p->n_stacks, .cut = p->cut,
	};
	for (size_t i = 0; sampled && i < stats->samples; i++)
		count_sample(p, stats, &samples[i]);
	for (size_t i = 0; mode != PROFILE_CPU && i < stats->offcpu; i++) {
		/* Only the tail has time in it that a thread was ready to run. */
		if (mode == PROFILE_TAIL || offcpu[i].blocked_ns)
			count_offcpu(p, stats, &offcpu[i], mode == PROFILE_WAKEUP);
	}
}
