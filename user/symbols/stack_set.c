/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stack_set.c - see stack_set.h. */
#include <stdlib.h>

#include "base/array.h"
#include "symbols/stack_set.h"

static bool same_stack(const void *keys, uint32_t number, const void *key)
{
	const struct stack_key *a = &((const struct stack_key *)keys)[number], *b = key;

	return a->pid == b->pid && a->id == b->id;
}

static void add(struct stack_set *s, uint32_t pid, int32_t id)
{
	struct stack_key key = { .pid = pid, .id = id, .first_ns = s->now_ns };
	const size_t len = offsetof(struct stack_key, first_ns);

	if (id < 0 || map_find(&s->known, &key, len, same_stack, s->keys) != MAP_NONE)
		return;
	if (array_reserve(&s->keys, &s->room, s->n + 1, sizeof(*s->keys)) ||
	    map_add(&s->known, &key, len, (uint32_t)s->n)) {
		s->dropped++;
		return;
	}
	s->keys[s->n++] = key;
}

void stack_set_event(struct stack_set *s, const struct event *e)
{
	s->now_ns = e->head.time_ns;
	if (e->head.kind == EV_SAMPLE) {
		add(s, 0, e->sample.kernel_stack);
		add(s, e->sample.pid, e->sample.user_stack);
	} else if (e->head.kind == EV_OFFCPU && !(e->offcpu.flags & OFFCPU_IN_WAIT)) {
		add(s, 0, e->offcpu.kernel_stack);
		add(s, e->offcpu.pid, e->offcpu.user_stack);
		if (!(e->offcpu.flags & OFFCPU_WAKER))
			return;
		add(s, 0, e->offcpu.waker_kernel_stack);
		add(s, e->offcpu.waker_pid, e->offcpu.waker_user_stack);
	}
}

void stack_set_free(struct stack_set *s)
{
	free(s->keys);
	map_free(&s->known);
	*s = (struct stack_set){ 0 };
}
