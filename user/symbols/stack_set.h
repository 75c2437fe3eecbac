/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stack_set.h - the stacks that events named, once each. */
#ifndef EPOLLSCOPE_STACK_SET_H
#define EPOLLSCOPE_STACK_SET_H

#include "base/map.h"
#include "model/stack.h"
#include "stream/decode.h"

struct stack_set {
	struct stack_key *keys;		/* in the order of the events that named them first */
	size_t n, room;
	struct map known;
	uint64_t dropped;		/* for want of memory */
	uint64_t now_ns;		/* of the event that is looked at */
};

/* Remembers the stacks that an event names. */
void stack_set_event(struct stack_set *s, const struct event *e);
void stack_set_free(struct stack_set *s);

#endif
