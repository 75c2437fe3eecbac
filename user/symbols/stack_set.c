// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* stack_set.c - see stack_set.h. */
#include <stdlib.h>

#include "symbols/stack_set.h"

#define FIRST_ROOM 1024

static size_t place_of(const struct stack_set *s, struct stack_key key)
{
	size_t i = (key.pid * 2654435761u ^ (uint32_t)key.id * 40503u) & (s->room - 1);

	while (s->keys[i].id >= 0 && (s->keys[i].id != key.id || s->keys[i].pid != key.pid))
		i = (i + 1) & (s->room - 1);
	return i;
}

static int grow(struct stack_set *s)
{
	struct stack_set larger = { .room = s->room ? s->room * 2 : FIRST_ROOM, .n = s->n,
				    .dropped = s->dropped, .now_ns = s->now_ns };

	larger.keys = malloc(larger.room * sizeof(*larger.keys));
	if (!larger.keys)
		return -1;
	for (size_t i = 0; i < larger.room; i++)
		larger.keys[i].id = -1;
	for (size_t i = 0; i < s->room; i++)
		if (s->keys[i].id >= 0)
			larger.keys[place_of(&larger, s->keys[i])] = s->keys[i];
	free(s->keys);
	*s = larger;
	return 0;
}

static void add(struct stack_set *s, uint32_t pid, int32_t id)
{
	struct stack_key key = { .pid = pid, .id = id, .first_ns = s->now_ns };
	size_t i;

	if (id < 0)
		return;
	if (s->n * 2 >= s->room && grow(s)) {
		s->dropped++;
		return;
	}
	i = place_of(s, key);
	if (s->keys[i].id >= 0)
		return;
	s->keys[i] = key;
	s->n++;
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
	*s = (struct stack_set){ 0 };
}
