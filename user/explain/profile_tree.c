/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* profile_tree.c - the trees of the plain modes, with the ledger's stage in front if wanted. */
#include <errno.h>
#include <string.h>

#include "explain/profile_private.h"
#include "explain/stage_map.h"
#include "base/term.h"

struct walk {
	const struct profile *p;
	struct flame_tree *tree;
	const struct stage_map *map;	/* NULL: no stages */
};

/* The first frame is the stage's; who wants none begins with the second. */
static void frames_begin(struct frames *f, const char *comm)
{
	f->n = 1;
	frame_push(f, comm);
}

static int add(const struct walk *w, struct frames *f, uint32_t tid, uint64_t from, uint64_t to)
{
	uint64_t ns[STAGE_WORDS] = { 0 };
	int err = 0;

	if (!w->map)
		return flame_add(w->tree, f->at + 1, f->n - 1, to - from);
	stage_map_split(w->map, tid, from, to, ns);
	for (unsigned word = 0; word < STAGE_WORDS && !err; word++) {
		f->at[0] = stage_word(word);
		if (ns[word])
			err = flame_add(w->tree, f->at, f->n, ns[word]);
	}
	return err;
}

static int add_sample(const struct walk *w, const struct ev_sample *s)
{
	struct fmt comm = format_comm(s->comm, sizeof(s->comm), 40);
	uint64_t ns = w->p->period_ns;
	struct frames f;

	frames_begin(&f, comm.s);
	if (!frames_push_stacks(w->p, &f, s->pid, s->user_stack, s->kernel_stack))
		frame_push(&f, "[no stack]");
	if (!w->map)
		return flame_add(w->tree, f.at + 1, f.n - 1, ns);
	f.at[0] = stage_word(stage_map_at(w->map, s->tid, s->head.time_ns));
	return flame_add(w->tree, f.at, f.n, ns);
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
	return add(w, &f, o->tid, o->start_ns, woken_at(o));
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
	return add(w, &f, o->tid, o->start_ns, woken_at(o));
}

static int walk(const struct walk *w, enum profile_mode mode)
{
	struct history_walk all;
	const void *record;
	int err = history_index(w->p->history);

	if (err)
		return err;
	all = history_walk_all(w->p->history, mode == PROFILE_CPU ? HISTORY_SAMPLE : HISTORY_OFFCPU);
	while (!err && (record = history_next(&all)))
		err = mode == PROFILE_CPU ? add_sample(w, record) :
		      mode == PROFILE_OFFCPU ? add_blocked(w, record) : add_wakeup(w, record);
	return err;
}

int profile_tree(struct profile *p, enum profile_mode mode, struct profile_tail *tail,
		 struct flame_tree *tree)
{
	struct walk w = { .p = p, .tree = tree };

	profile_sort(p);
	return mode == PROFILE_TAIL ? profile_tail_tree(p, tail, tree) : walk(&w, mode);
}

int profile_tree_by_stage(struct profile *p, enum profile_mode mode, struct flame_tree *tree)
{
	struct stage_map *map = stage_map_new(history_exchanges(p->history),
					      history_count(p->history, HISTORY_EXCHANGE));
	struct walk w = { .p = p, .tree = tree, .map = map };
	int err;

	if (!map)
		return -ENOMEM;
	profile_sort(p);
	err = walk(&w, mode);
	stage_map_free(map);
	return err;
}
