/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* profile.c - stacks by their ids, what is to be said of them, and the trees of the plain modes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/term.h"
#include "explain/profile.h"
#include "explain/stage_map.h"

struct profile *profile_new(struct history *h)
{
	struct profile *p = calloc(1, sizeof(*p));

	if (p)
		p->history = h;
	return p;
}

static void stack_free(struct profile_stack *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->frames[i]);
	free(s->frames);
}

void profile_free(struct profile *p)
{
	for (size_t i = 0; p && i < p->n_stacks; i++)
		stack_free(&p->stacks[i]);
	if (p)
		free(p->stacks);
	free(p);
}

static bool begins_with(const char *frame, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(frame, list[i], strlen(list[i])))
			return true;
	return false;
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
	return begins_with(frame, begin, sizeof(begin) / sizeof(begin[0]));
}

/*
 * Without frame pointers the walk ends early, or goes astray. The C library has none, so the last
 * step out of main may be missing or without a name: one of the outermost frames has to be a
 * beginning. A frame that is alone is no proof, but for a program's own outermost function.
 */
#define OUTERMOST 3

static void stack_judge(struct profile_stack *s)
{
	size_t look = s->n < 2 ? 0 : s->n - 1 < OUTERMOST ? s->n - 1 : OUTERMOST;

	if (!s->key.pid)
		return;
	for (size_t i = 0; i < s->n; i++)
		s->unknown += s->frames[i][0] == '[';
	s->broken = true;
	for (size_t i = s->n - look; i < s->n; i++)
		if (begins_thread(s->frames[i]))
			s->broken = false;
	if (s->n == 1 && (!strcmp(s->frames[0], "_start") || !strcmp(s->frames[0], "main")))
		s->broken = false;
}

void profile_stack(struct profile *p, const struct named_stack *s)
{
	struct profile_stack copy = { .key = s->key }, *kept = NULL;

	copy.frames = calloc(s->n + 1, sizeof(*copy.frames));
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
}

static int stack_order(const void *a, const void *b)
{
	const struct stack_key *x = &((const struct profile_stack *)a)->key;
	const struct stack_key *y = &((const struct profile_stack *)b)->key;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Before a stack is looked for. */
static void profile_sort(struct profile *p)
{
	if (p->n_stacks)
		qsort(p->stacks, p->n_stacks, sizeof(*p->stacks), stack_order);
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

static void count_offcpu(const struct profile *p, struct profile_stats *stats,
			 const struct ev_offcpu *o, enum profile_mode mode)
{
	/* Only the tail has time in it that a thread was ready to run. */
	if ((o->flags & OFFCPU_IN_WAIT) || (mode != PROFILE_TAIL && !o->blocked_ns))
		return;
	if (mode == PROFILE_WAKEUP) {
		count_user_stack(p, stats, o->waker_pid, o->waker_user_stack);
		return;
	}
	stats->unnamed += o->kernel_stack < 0 && o->user_stack < 0;
	count_user_stack(p, stats, o->pid, o->user_stack);
}

void profile_get_stats(struct profile *p, enum profile_mode mode, struct profile_stats *stats)
{
	const struct ev_sample *samples = history_records(p->history, EV_SAMPLE);
	const struct ev_offcpu *offcpu = history_records(p->history, EV_OFFCPU);
	bool sampled = mode == PROFILE_CPU || mode == PROFILE_TAIL;

	profile_sort(p);
	*stats = (struct profile_stats){
		.samples = history_count(p->history, EV_SAMPLE),
		.offcpu = history_count(p->history, EV_OFFCPU),
		.dropped = p->dropped + history_dropped(p->history),
		.stacks = p->n_stacks, .cut = p->cut,
	};
	for (size_t i = 0; sampled && i < stats->samples; i++) {
		stats->unnamed += samples[i].kernel_stack < 0 && samples[i].user_stack < 0;
		count_user_stack(p, stats, samples[i].pid, samples[i].user_stack);
	}
	for (size_t i = 0; mode != PROFILE_CPU && i < stats->offcpu; i++)
		count_offcpu(p, stats, &offcpu[i], mode);
}

/* --- trees --- */

struct walk {
	const struct profile *p;
	struct flame_tree *tree;
	struct stage_map *map;	/* NULL: no stages */
};

/* The first frame is the stage's; who wants none begins with the second. */
static void frames_begin(struct frames *f, const char *comm)
{
	f->n = 1;
	frame_push(f, comm);
}

/* Divides the time by stage, if that is wanted; each ns of it weighs so much. */
static int add(const struct walk *w, struct frames *f, uint32_t tid, uint64_t from, uint64_t to,
	       uint64_t weight)
{
	uint64_t ns[STAGE_WORDS] = { 0 };
	int err = 0;

	if (!w->map)
		return flame_add(w->tree, f->at + 1, f->n - 1, (to - from) * weight);
	stage_map_split(w->map, tid, from, to, ns);
	for (unsigned word = 0; word < STAGE_WORDS && !err; word++) {
		f->at[0] = stage_words[word];
		if (ns[word])
			err = flame_add(w->tree, f->at, f->n, ns[word] * weight);
	}
	return err;
}

/* A sample is one moment that stands for the time between two. */
static int add_sample(const struct walk *w, const struct ev_sample *s)
{
	struct fmt comm = format_comm(s->comm, sizeof(s->comm), 40);
	uint64_t at = s->head.time_ns;
	struct frames f;

	frames_begin(&f, comm.s);
	if (!frames_push_stacks(w->p, &f, s->pid, s->user_stack, s->kernel_stack))
		frame_push(&f, "[no stack]");
	return add(w, &f, s->tid, at, at + 1, w->p->hz ? 1000000000 / w->p->hz : 0);
}

static int add_blocked(const struct walk *w, const struct ev_offcpu *o)
{
	struct fmt comm = format_comm(o->comm, sizeof(o->comm), 40);
	struct frames f;

	if ((o->flags & OFFCPU_IN_WAIT) || !o->blocked_ns)
		return 0;
	frames_begin(&f, comm.s);
	if (!frames_push_stacks(w->p, &f, o->pid, o->user_stack, o->kernel_stack))
		frame_push(&f, "[no stack]");
	return add(w, &f, o->tid, o->start_ns, woken_at(o), 1);
}

/* Frames where an interrupt begins: what is outside of them is whom it hit, by chance. */
static bool begins_interrupt(const char *frame)
{
	static const char *const names[] = { "asm_sysvec_", "asm_common_interrupt",
					     "common_interrupt", "asm_exc_", "el1_irq", "el1h_64_irq",
					     "el0_irq", "el0t_64_irq", "do_softirq" };

	return begins_with(frame, names, sizeof(names) / sizeof(names[0]));
}

/* The waker, unless it was an interrupt: then that, from its entry on. */
static void push_waker(const struct profile *p, struct frames *f, const struct ev_offcpu *o,
		       const char *comm)
{
	frames_begin(f, comm);
	frames_push_stacks(p, f, o->waker_pid, o->waker_user_stack, o->waker_kernel_stack);
	for (size_t i = f->n; i-- > 2;) {
		if (!begins_interrupt(f->at[i]))
			continue;
		memmove(&f->at[2], &f->at[i], (f->n - i) * sizeof(f->at[0]));
		f->n -= i - 2;
		f->at[1] = "[interrupt]";
		return;
	}
}

/* The waker and how it came to it, then whom it woke. */
static int add_wakeup(const struct walk *w, const struct ev_offcpu *o)
{
	struct fmt waker = format_comm(o->waker_comm, sizeof(o->waker_comm), 40);
	struct fmt comm = format_comm(o->comm, sizeof(o->comm), 40);
	struct frames f;

	if ((o->flags & OFFCPU_IN_WAIT) || !o->blocked_ns)
		return 0;
	if (o->flags & OFFCPU_WAKER)
		push_waker(w->p, &f, o, waker.s);
	else
		frames_begin(&f, "[waker not seen]");
	frame_push(&f, comm.s);
	return add(w, &f, o->tid, o->start_ns, woken_at(o), 1);
}

int profile_tree(struct profile *p, enum profile_mode mode, bool by_stage,
		 struct profile_tail *tail, struct flame_tree *tree)
{
	struct walk w = { .p = p, .tree = tree };
	struct history_walk all;
	const void *record;
	int err = history_index(p->history);

	profile_sort(p);
	if (!err && mode == PROFILE_TAIL)
		return profile_tail_tree(p, tail, tree);
	if (!err && by_stage) {
		w.map = stage_map_new(history_records(p->history, EV_EXCHANGE),
				      history_count(p->history, EV_EXCHANGE));
		err = w.map ? 0 : -ENOMEM;
	}
	if (err)
		return err;
	all = history_walk_all(p->history, mode == PROFILE_CPU ? EV_SAMPLE : EV_OFFCPU);
	while (!err && (record = history_next(&all)))
		err = mode == PROFILE_CPU ? add_sample(&w, record) :
		      mode == PROFILE_OFFCPU ? add_blocked(&w, record) : add_wakeup(&w, record);
	stage_map_free(w.map);
	return err;
}
