/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * protocol_push.c - the push protocol of tools/push.h. HELLO and WELCOME come first.
 *
 * Without topics, a request is a SEND to ourselves, and its answer the MESSAGE that comes of it.
 * With topics, the first connections publish: a request is a PUBLISH, and its answer that it was
 * acknowledged. The others subscribe, and what comes there are deliveries. Either may be refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "protocol.h"

#define OUR_WINDOW 1024	/* messages that the server may have under way to one of us */
#define PREFIX 4	/* of a SEND's or PUBLISH's payload: the id or topic that it goes to */

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
	uint8_t *to;

	if (type == PUSH_SUBSCRIBE)
		f.length = push_fixed(PUSH_SUBSCRIBE);
	w->control_len = (uint8_t)(PUSH_HEADER + f.length);
	to = w->control + sizeof(w->control) - w->control_len;
	push_encode(to, &f);
	if (f.length)
		push_put32(to + PUSH_HEADER, w->push.peer);
	w->wanted &= (uint16_t)~(1u << type);
	w->push.told = w->push.got;
}

static void push_open(struct wire *w, const struct traffic *t, uint32_t index)
{
	const struct config *cfg = t->cfg;

	want(w, PUSH_HELLO);
	if (!cfg->topics)
		return;
	w->push.subscriber = index >= cfg->active;
	if (w->push.subscriber)
		index -= cfg->active;
	w->push.peer = 1 + index % cfg->topics;
}

void push_heartbeat(struct wire *w)
{
	want(w, PUSH_HEARTBEAT);
}

uint64_t push_refused(const struct wire *w)
{
	uint32_t sequence = push_get32(w->push.head + PUSH_HEADER);

	return w->sent + (uint64_t)(int32_t)(sequence - (uint32_t)w->sent) - 1;
}

uint64_t push_stamp(const struct wire *w)
{
	const uint8_t *stamp = w->push.head + PUSH_HEADER + 8;

	return (uint64_t)push_get32(stamp) << 32 | push_get32(stamp + 4);
}

/* What any frame says of how far we may go. Data frame n is the connection's n-th request. */
static void take_window(struct wire *w, const struct push_frame *f)
{
	if (push_after(f->ack + f->window, w->push.peer_limit))
		w->push.peer_limit = f->ack + f->window;
}

static enum parsed take_message(struct wire *w, const struct traffic *t, const struct push_frame *f)
{
	struct push_wire *p = &w->push;

	if (f->sequence != p->got + 1)
		return PARSED_GARBAGE;
	p->got = f->sequence;
	if (p->got - p->told >= OUR_WINDOW / 4)
		want(w, PUSH_ACK);
	if (t->cfg->topics)
		return push_get32(f->payload) == p->peer ? PARSED_DELIVERY : PARSED_GARBAGE;
	if (push_get32(f->payload) || push_get32(f->payload + 4) != p->peer)
		return PARSED_MORE;
	return PARSED_ANSWER;
}

/* A published message is answered by any frame that acknowledges it. */
static enum parsed take_ack(struct wire *w, const struct traffic *t, const struct push_frame *f)
{
	bool refusal = f->type == PUSH_REFUSE;
	uint32_t fresh = f->ack - w->push.acked;

	if (!fresh || fresh > t->cfg->depth)
		return fresh || refusal ? PARSED_GARBAGE : PARSED_MORE;
	w->push.acked = f->ack;
	w->earlier = (uint16_t)(fresh - 1);
	return refusal ? PARSED_REFUSAL : PARSED_ANSWER;
}

static enum parsed welcome(struct wire *w, const struct traffic *t, const struct push_frame *f)
{
	if (w->ready)
		return PARSED_GARBAGE;
	w->push.heartbeat_ms = push_get32(f->payload + 4);
	if (!t->cfg->topics)
		w->push.peer = push_get32(f->payload);
	if (w->push.subscriber)
		want(w, PUSH_SUBSCRIBE);
	else
		w->ready = true;
	return PARSED_MORE;
}

static enum parsed take_frame(struct wire *w, const struct traffic *t, const struct push_frame *f)
{
	bool publisher = t->cfg->topics && !w->push.subscriber;

	take_window(w, f);
	switch (f->type) {
	case PUSH_WELCOME:
		return welcome(w, t, f);
	case PUSH_MESSAGE:
		w->ready |= w->push.subscriber;
		return w->ready && !publisher ? take_message(w, t, f) : PARSED_GARBAGE;
	case PUSH_REFUSE:
		w->closing |= !push_get32(f->payload);
		if (w->closing)
			return PARSED_MORE;
		return publisher ? take_ack(w, t, f) : PARSED_REFUSAL;
	case PUSH_BYE:
		w->closing = true;
		return PARSED_MORE;
	case PUSH_ACK:
		w->ready |= w->push.subscriber;		/* of SUBSCRIBE */
		return publisher ? take_ack(w, t, f) : PARSED_MORE;
	case PUSH_HEARTBEAT:
		return publisher ? take_ack(w, t, f) : PARSED_MORE;
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
	p->fill += (uint8_t)n;
	*data += n;
}

/* MORE with a fill of 0: the frame is complete, and nothing follows from it. */
static enum parsed next_frame(struct wire *w, const struct traffic *t, const char **data,
			      const char *end)
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
	if (f.type == PUSH_MESSAGE && t->cfg->topics)
		size += PUSH_STAMP;
	if (size > PUSH_HEADER + f.length)
		return PARSED_GARBAGE;
	collect(p, size, data, end);
	if (p->fill < size)
		return PARSED_MORE;
	p->fill = 0;
	p->skip = (uint16_t)(PUSH_HEADER + f.length - size);
	return take_frame(w, t, &f);
}

static enum parsed push_parse(struct wire *w, const struct traffic *t, const char **data,
			      const char *end)
{
	enum parsed result = PARSED_MORE;

	while (*data < end && result == PARSED_MORE) {
		size_t n = (size_t)(end - *data);

		if (n > w->push.skip)
			n = w->push.skip;
		*data += n;
		w->push.skip -= (uint16_t)n;
		if (*data < end)
			result = next_frame(w, t, data, end);
	}
	return result;
}

/* One frame into the scratch space; number counts from 0. */
static void put_frame(struct wire *w, const struct traffic *t, const uint64_t *times,
		      uint64_t number, char *to)
{
	uint64_t stamp = times[number % t->cfg->depth];
	uint8_t *payload = (uint8_t *)to + PUSH_HEADER;
	struct push_frame f = {
		.type = t->cfg->topics ? PUSH_PUBLISH : PUSH_SEND,
		.length = PREFIX + t->cfg->size,
		.sequence = (uint32_t)(number + 1),
		.ack = w->push.frame_ack,
		.window = OUR_WINDOW,
	};

	push_encode((uint8_t *)to, &f);
	push_put32(payload, w->push.peer);
	memcpy(payload + PREFIX, t->block, t->block_size);
	if (!t->cfg->topics)
		return;
	push_put32(payload + PREFIX, (uint32_t)(stamp >> 32));
	push_put32(payload + PREFIX + 4, (uint32_t)stamp);
}

/* The rest of a frame that was cut goes alone: the acknowledgement in it must stay as it was. */
static size_t push_compose(struct wire *w, const struct traffic *t, const uint64_t *times,
			   uint64_t pos, size_t limit, char *scratch, const char **from)
{
	uint64_t number = pos / t->request_size;
	size_t offset = pos % t->request_size, n = 0;

	if (offset) {
		put_frame(w, t, times, number, scratch);
		n = t->request_size;
	} else {
		w->push.frame_ack = w->push.got;
	}
	for (; !offset && n < limit && n + t->request_size <= SCRATCH_BYTES; number++) {
		if (push_after((uint32_t)(number + 1), w->push.peer_limit))
			break;
		put_frame(w, t, times, number, scratch + n);
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
	.compose = push_compose,
};
