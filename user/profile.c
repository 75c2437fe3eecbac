// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* profile.c - the store, and the trees of the plain modes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile_private.h"
#include "term.h"

struct profile *profile_new(uint32_t hz)
{
	struct profile *p = calloc(1, sizeof(*p));

	if (p && hz)
		p->period_ns = 1000000000 / hz;
	return p;
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

/* Room for one more in an array that doubles; NULL if there is none. */
static void *one_more(void **list, size_t n, size_t size)
{
	if (n >= PROFILE_LIMIT)
		return NULL;
	if (!(n & (n - 1))) {
		void *grown = realloc(*list, (n ? n * 2 : 1) * size);

		if (!grown)
			return NULL;
		*list = grown;
	}
	return (char *)*list + n * size;
}

#define KEEP(p, list, record) do {						\
	void *at_ = one_more((void **)&(p)->list, (p)->n_##list, sizeof(*(record)));	\
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

static bool push_stack(const struct profile *p, struct frames *f, uint32_t pid, int32_t id)
{
	struct profile_stack wanted = { .key = { .pid = pid, .id = id } }, *s;

	if (id < 0 || !p->n_stacks)
		return false;
	s = bsearch(&wanted, p->stacks, p->n_stacks, sizeof(*p->stacks), stack_order);
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

static int add_sample(const struct profile *p, const struct ev_sample *s, struct flame_tree *tree)
{
	struct fmt comm = format_comm(s->comm, sizeof(s->comm), 40);
	struct frames f = { .n = 0 };

	frame_push(&f, comm.s);
	if (!frames_push_stacks(p, &f, s->pid, s->user_stack, s->kernel_stack))
		frame_push(&f, "[no stack]");
	return flame_add(tree, f.at, f.n, p->period_ns);
}

static int add_blocked(const struct profile *p, const struct ev_offcpu *o, struct flame_tree *tree)
{
	struct fmt comm = format_comm(o->comm, sizeof(o->comm), 40);
	struct frames f = { .n = 0 };

	if ((o->flags & OFFCPU_IN_WAIT) || !o->blocked_ns)
		return 0;
	frame_push(&f, comm.s);
	if (!frames_push_stacks(p, &f, o->pid, o->user_stack, o->kernel_stack))
		frame_push(&f, "[no stack]");
	return flame_add(tree, f.at, f.n, o->blocked_ns);
}

/* Frames where an interrupt begins: what is outside of them is whom it hit, by chance. */
static bool begins_interrupt(const char *frame)
{
	static const char *const names[] = { "asm_sysvec_", "asm_common_interrupt",
					     "common_interrupt", "asm_exc_", "el1_irq", "el1h_64_irq",
					     "el0_irq", "el0t_64_irq", "do_softirq" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(frame, names[i], strlen(names[i])))
			return true;
	return false;
}

/* The waker, unless it was an interrupt: then that, from its entry on. */
static void push_waker(const struct profile *p, struct frames *f, const struct ev_offcpu *o,
		       const char *comm)
{
	frame_push(f, comm);
	frames_push_stacks(p, f, o->waker_pid, o->waker_user_stack, o->waker_kernel_stack);
	for (size_t i = f->n; i-- > 1;) {
		if (!begins_interrupt(f->at[i]))
			continue;
		memmove(&f->at[1], &f->at[i], (f->n - i) * sizeof(f->at[0]));
		f->n -= i - 1;
		f->at[0] = "[interrupt]";
		return;
	}
}

/* The waker and how it came to it, then whom it woke. */
static int add_wakeup(const struct profile *p, const struct ev_offcpu *o, struct flame_tree *tree)
{
	struct fmt waker = format_comm(o->waker_comm, sizeof(o->waker_comm), 40);
	struct fmt comm = format_comm(o->comm, sizeof(o->comm), 40);
	struct frames f = { .n = 0 };

	if ((o->flags & OFFCPU_IN_WAIT) || !o->blocked_ns)
		return 0;
	if (o->flags & OFFCPU_WAKER) {
		push_waker(p, &f, o, waker.s);
	} else {
		frame_push(&f, "[waker not seen]");
	}
	frame_push(&f, comm.s);
	return flame_add(tree, f.at, f.n, o->blocked_ns);
}

void profile_get_stats(const struct profile *p, struct profile_stats *stats)
{
	*stats = (struct profile_stats){
		.samples = p->n_samples, .absences = p->n_absences, .exchanges = p->n_exchanges,
		.dropped = p->dropped, .stacks = p->n_stacks, .cut = p->cut,
	};
	for (size_t i = 0; i < p->n_samples; i++)
		stats->unnamed += p->samples[i].kernel_stack < 0 && p->samples[i].user_stack < 0;
	for (size_t i = 0; i < p->n_absences; i++)
		stats->unnamed += !(p->absences[i].flags & OFFCPU_IN_WAIT) &&
				  p->absences[i].kernel_stack < 0 && p->absences[i].user_stack < 0;
}

int profile_tree(struct profile *p, enum profile_mode mode, struct profile_tail *tail,
		 struct flame_tree *tree)
{
	int err = 0;

	profile_sort(p);
	if (mode == PROFILE_TAIL)
		return profile_tail_tree(p, tail, tree);
	for (size_t i = 0; mode == PROFILE_CPU && i < p->n_samples && !err; i++)
		err = add_sample(p, &p->samples[i], tree);
	for (size_t i = 0; mode == PROFILE_OFFCPU && i < p->n_absences && !err; i++)
		err = add_blocked(p, &p->absences[i], tree);
	for (size_t i = 0; mode == PROFILE_WAKEUP && i < p->n_absences && !err; i++)
		err = add_wakeup(p, &p->absences[i], tree);
	return err;
}
