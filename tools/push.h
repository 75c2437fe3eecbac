/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * push.h - wire format of the push protocol: shared by epollserver, epollload and the fuzzer.
 *
 * A frame is a header of 20 bytes and a payload. Integers are big-endian.
 *
 *   offset bytes
 *        0     2  magic     0x4550, "EP"
 *        2     1  version   1
 *        3     1  type      enum push_type
 *        4     4  length    of the payload, bytes, at most PUSH_MAX_PAYLOAD
 *        8     4  sequence  of this data frame; in other frames that of the last data frame sent
 *       12     4  ack       the last data frame that the sender of this frame has got (cumulative)
 *       16     4  window    data frames after ack that the sender of this frame is ready to take
 *
 * Data frames are PUBLISH and SEND (client to server) and MESSAGE (server to client). Each direction
 * counts its own from 1, modulo 2^32. A sender never goes beyond the last ack + window it was told;
 * a frame out of sequence or beyond the window is an error. Errors end the connection.
 *
 * A conversation: the client says HELLO (its window in the header) and gets WELCOME, which gives it
 * an id and the server's heartbeat interval, or REFUSE. Frames other than HELLO come after WELCOME.
 * Who has sent nothing for an interval sends HEARTBEAT; who has heard nothing for three intervals
 * closes. Data frames are acknowledged by whatever goes the other way, or by an ACK of its own
 * where nothing does. An ACK whose ack and window say nothing new is allowed. BYE is the last frame
 * of who sends it.
 *
 * Under overload the server answers a single PUBLISH or SEND with REFUSE: the data frame counts as
 * acknowledged, is not delivered, and the connection stays. A REFUSE instead of WELCOME closes it.
 */
#ifndef PUSH_H
#define PUSH_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PUSH_MAGIC 0x4550
#define PUSH_VERSION 1
#define PUSH_HEADER 20
#define PUSH_MAX_PAYLOAD 16384
#define PUSH_MAX_FRAME (PUSH_HEADER + PUSH_MAX_PAYLOAD)
#define PUSH_MISSED 3		/* heartbeats */

enum push_type {
	PUSH_HELLO = 1,		/* C: nothing */
	PUSH_WELCOME,		/* S: u32 id, u32 heartbeat interval in ms (0: none) */
	PUSH_SUBSCRIBE,		/* C: u32 topic, not 0 */
	PUSH_UNSUBSCRIBE,	/* C: u32 topic */
	PUSH_PUBLISH,		/* C: u32 topic, data: to all who subscribed, the sender too if it did */
	PUSH_SEND,		/* C: u32 id, data: to that client, who may be the sender */
	PUSH_MESSAGE,		/* S: u32 topic (0: was sent to you alone), u32 sender's id, data */
	PUSH_HEARTBEAT,		/* both: nothing */
	PUSH_ACK,		/* both: nothing */
	PUSH_REFUSE,		/* S: u32 sequence refused (0: the connection), u32 retry after, in ms */
	PUSH_BYE,		/* both: nothing */
	PUSH_TYPES
};

struct push_frame {
	uint8_t type;
	uint32_t length, sequence, ack, window;
	const uint8_t *payload;		/* into the buffer that was decoded */
};

static inline void push_put32(uint8_t *to, uint32_t v)
{
	to[0] = (uint8_t)(v >> 24);
	to[1] = (uint8_t)(v >> 16);
	to[2] = (uint8_t)(v >> 8);
	to[3] = (uint8_t)v;
}

static inline uint32_t push_get32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static inline bool push_is_data(uint8_t type)
{
	return type == PUSH_PUBLISH || type == PUSH_SEND || type == PUSH_MESSAGE;
}

/* Whether a is after b, modulo 2^32. */
static inline bool push_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* The least payload of a type, bytes; that of types without data is exactly this. */
static inline uint32_t push_fixed(uint8_t type)
{
	switch (type) {
	case PUSH_WELCOME:
	case PUSH_MESSAGE:
	case PUSH_REFUSE:
		return 8;
	case PUSH_SUBSCRIBE:
	case PUSH_UNSUBSCRIBE:
	case PUSH_PUBLISH:
	case PUSH_SEND:
		return 4;
	default:
		return 0;
	}
}

/* Writes the header to PUSH_HEADER bytes; f->payload is not looked at. */
static inline void push_encode(uint8_t *to, const struct push_frame *f)
{
	to[0] = PUSH_MAGIC >> 8;
	to[1] = PUSH_MAGIC & 0xff;
	to[2] = PUSH_VERSION;
	to[3] = f->type;
	push_put32(to + 4, f->length);
	push_put32(to + 8, f->sequence);
	push_put32(to + 12, f->ack);
	push_put32(to + 16, f->window);
}

/*
 * Decodes the frame at the start of size bytes. Returns its size in bytes, 0 if more bytes are
 * needed, -EPROTO if this is no frame of ours: known from the first wrong byte on, so that garbage
 * is not waited for.
 */
static inline int push_decode(const uint8_t *from, size_t size, struct push_frame *f)
{
	static const uint8_t head[] = { PUSH_MAGIC >> 8, PUSH_MAGIC & 0xff, PUSH_VERSION };

	if (memcmp(from, head, size < sizeof(head) ? size : sizeof(head)))
		return -EPROTO;
	if (size >= 4 && (from[3] == 0 || from[3] >= PUSH_TYPES))
		return -EPROTO;
	if (size < PUSH_HEADER)
		return 0;
	f->type = from[3];
	f->length = push_get32(from + 4);
	f->sequence = push_get32(from + 8);
	f->ack = push_get32(from + 12);
	f->window = push_get32(from + 16);
	f->payload = from + PUSH_HEADER;
	if (f->length > PUSH_MAX_PAYLOAD || f->length < push_fixed(f->type) ||
	    (f->length > push_fixed(f->type) && !push_is_data(f->type)))
		return -EPROTO;
	return size < PUSH_HEADER + f->length ? 0 : (int)(PUSH_HEADER + f->length);
}

#endif
