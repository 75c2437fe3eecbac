/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * protocol_push.c - the push protocol of tools/push.h: each request is a SEND to ourselves, each
 * answer the MESSAGE that comes of it, or a REFUSE. HELLO and WELCOME come first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "protocol.h"

#define OUR_WINDOW 1024	/* messages that the server may have under way to one of us */
#define PREFIX 4	/* of a SEND's payload: the id that it goes to */

static int push_prepare(struct traffic *t)
{
	t->block_size = t->cfg->size;
	t->request_size = PUSH_HEADER + PREFIX + t->cfg->size;
	t->block = malloc(t->block_size);
	if (!t->block)
		return -ENOMEM;
	memset(t->block, 'x', t->block_size);
	return 0;
}

static void want(struct wire *w, enum push_type type)
{
	w->wanted |= (uint16_t)(1u << type);
}

/* Written only now that it goes out: what it says of sent and got frames is true then. */
static void push_control(struct wire *w)
{
	unsigned type = (unsigned)__builtin_ctz(w->wanted);
	struct push_frame f = {
		.type = (uint8_t)type,
		.sequence = (uint32_t)w->sent,
		.ack = w->push.got,
		.window = OUR_WINDOW,
	};

	push_encode(w->control, &f);
	w->control_len = PUSH_HEADER;
	w->wanted &= (uint16_t)~(1u << type);
	w->push.told = w->push.got;
}

static void push_open(struct wire *w)
{
	want(w, PUSH_HELLO);
}

void push_heartbeat(struct wire *w)
{
	want(w, PUSH_HEARTBEAT);
}

/* What any frame says of how far we may go. Data frame n is the connection's n-th request. */
static void take_window(struct wire *w, const struct push_frame *f)
{
	int32_t ahead = (int32_t)(f->ack + f->window - (uint32_t)w->sent);

	if (ahead > 0 && w->sent + (uint32_t)ahead > w->push.peer_limit)
		w->push.peer_limit = w->sent + (uint32_t)ahead;
}

static enum parsed take_message(struct wire *w, const struct push_frame *f)
{
	struct push_wire *p = &w->push;

	if (f->sequence != p->got + 1)
		return PARSED_GARBAGE;
	p->got = f->sequence;
	p->skip = (uint16_t)(f->length - push_fixed(PUSH_MESSAGE));
	if (p->got - p->told >= OUR_WINDOW / 4)
		want(w, PUSH_ACK);
	if (push_get32(f->payload) || push_get32(f->payload + 4) != p->id)
		return PARSED_MORE;
	return PARSED_ANSWER;
}

static enum parsed take_frame(struct wire *w, const struct push_frame *f)
{
	struct push_wire *p = &w->push;

	take_window(w, f);
	switch (f->type) {
	case PUSH_WELCOME:
		if (w->ready)
			return PARSED_GARBAGE;
		p->id = push_get32(f->payload);
		p->heartbeat_ms = push_get32(f->payload + 4);
		w->ready = true;
		return PARSED_MORE;
	case PUSH_MESSAGE:
		return w->ready ? take_message(w, f) : PARSED_GARBAGE;
	case PUSH_REFUSE:
		w->closing |= !push_get32(f->payload);
		return w->closing ? PARSED_MORE : PARSED_REFUSAL;
	case PUSH_BYE:
		w->closing = true;
		return PARSED_MORE;
	case PUSH_HEARTBEAT:
	case PUSH_ACK:
		return PARSED_MORE;
	default:
		return PARSED_GARBAGE;
	}
}

static void collect(struct push_wire *p, uint32_t size, const char **data, const char *end)
{
	size_t n = (size_t)(end - *data);

	if (n > size - p->fill)
		n = size - p->fill;
	memcpy(p->head + p->fill, *data, n);
	p->fill += (uint16_t)n;
	*data += n;
}

/* MORE with fill 0: a frame is complete that needs no one's attention. */
static enum parsed next_frame(struct wire *w, const char **data, const char *end)
{
	struct push_wire *p = &w->push;
	struct push_frame f = { 0 };
	uint32_t size = PUSH_HEADER;

	collect(p, size, data, end);
	if (push_decode(p->head, p->fill, &f) < 0)
		return PARSED_GARBAGE;
	if (p->fill < size)
		return PARSED_MORE;
	size += push_fixed(f.type);
	collect(p, size, data, end);
	if (p->fill < size)
		return PARSED_MORE;
	p->fill = 0;
	return take_frame(w, &f);
}

static enum parsed push_parse(struct wire *w, const struct traffic *t, const char **data,
			      const char *end)
{
	enum parsed result = PARSED_MORE;

	(void)t;
	while (*data < end && result == PARSED_MORE) {
		size_t n = (size_t)(end - *data);

		if (n > w->push.skip)
			n = w->push.skip;
		*data += n;
		w->push.skip -= (uint16_t)n;
		if (*data < end)
			result = next_frame(w, data, end);
	}
	return result;
}

static enum parsed push_end(struct wire *w)
{
	(void)w;
	return PARSED_MORE;
}

/* One frame into the scratch space; number counts from 0. */
static void put_frame(struct wire *w, const struct traffic *t, uint64_t number, char *to)
{
	struct push_frame f = {
		.type = PUSH_SEND,
		.length = PREFIX + t->cfg->size,
		.sequence = (uint32_t)(number + 1),
		.ack = w->push.frame_ack,
		.window = OUR_WINDOW,
	};

	push_encode((uint8_t *)to, &f);
	push_put32((uint8_t *)to + PUSH_HEADER, w->push.id);
	memcpy(to + PUSH_HEADER + PREFIX, t->block, t->block_size);
}

/* The rest of a frame that was cut goes alone: the acknowledgement in it must stay as it was. */
static size_t push_compose(struct wire *w, const struct traffic *t, uint64_t pos, size_t limit,
			   char *scratch, const char **from)
{
	uint64_t number = pos / t->request_size;
	size_t offset = pos % t->request_size, n = 0;

	if (offset) {
		put_frame(w, t, number, scratch);
		n = t->request_size;
	} else {
		w->push.frame_ack = w->push.got;
	}
	for (; !offset && n < limit && n + t->request_size <= SCRATCH_BYTES; number++) {
		if (number >= w->push.peer_limit)
			break;
		put_frame(w, t, number, scratch + n);
		n += t->request_size;
		w->push.told = w->push.got;
	}
	*from = scratch + offset;
	return n - offset < limit ? n - offset : limit;
}

const struct protocol protocol_push = {
	.name = "push",
	.default_size = 64,
	.min_size = 1,
	.max_size = PUSH_MAX_PAYLOAD - PREFIX - 4,	/* a MESSAGE carries 4 bytes more */
	.chatty = true,
	.prepare = push_prepare,
	.open = push_open,
	.control = push_control,
	.parse = push_parse,
	.end = push_end,
	.compose = push_compose,
};
