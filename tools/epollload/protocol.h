/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * protocol.h - what the bytes mean: echo, HTTP/1.1, push. No sockets and no clock in here.
 *
 * A connection's requests are one stream of equal pieces of traffic.request_size bytes; compose()
 * gives the bytes at any place of it, so that a cut send needs no buffer. Bytes that are no request
 * (push: greetings, acknowledgements) go out of wire.control, between requests.
 */
#ifndef EPOLLLOAD_PROTOCOL_H
#define EPOLLLOAD_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/push.h"

#define SCRATCH_BYTES 65536
#define CONTROL_BYTES (PUSH_HEADER + 4)
#define PUSH_STAMP 8	/* topics: a message begins with the time it was meant to be sent */
#define HTTP_LINE_BYTES 48	/* no header that matters is longer */

struct config;

/* The requests of a run; read-only once prepared. */
struct traffic {
	const struct config *cfg;
	char *block;		/* whole requests in a row; push: one payload */
	size_t request_size, block_size;
};

struct http_wire {
	uint8_t state;		/* enum http_state, 0 at a status line */
	bool refused, close, chunked, has_length, informal;
	uint8_t line_len;
	uint64_t left;		/* of the body or the chunk, bytes */
	char line[HTTP_LINE_BYTES];
};

struct push_wire {
	uint8_t head[PUSH_HEADER + 8 + PUSH_STAMP];
	uint8_t fill;		/* of head, bytes */
	bool subscriber;
	uint16_t skip;		/* payload bytes that go by */
	uint32_t peer;		/* our own id, whom we send to; or the topic of both sides */
	uint32_t got;		/* sequence of the last data frame that came */
	uint32_t told;		/* the last ack that we sent */
	uint32_t acked;		/* topics: the last ack that we got */
	uint32_t frame_ack;	/* in the request that is under way: it may go out in pieces */
	uint32_t peer_limit;	/* the last sequence that the server's window allows */
	uint32_t heartbeat_ms;
};

/* One connection's state. All zero at its start. */
struct wire {
	bool ready;		/* requests may be sent */
	bool closing;		/* the server takes no more requests on this connection */
	uint16_t wanted;	/* frames that control() is to write; bits of the protocol's own */
	uint8_t control[CONTROL_BYTES];
	uint8_t control_len;
	uint16_t earlier;	/* answers before the one that was parsed, to be taken with it */
	uint64_t sent;		/* whole requests, kept by the connection */
	union {
		size_t echo_got;	/* bytes of the answer */
		struct http_wire http;
		struct push_wire push;
	};
};

enum parsed { PARSED_MORE, PARSED_ANSWER, PARSED_REFUSAL, PARSED_DELIVERY, PARSED_GARBAGE };

struct protocol {
	const char *name;
	uint32_t default_size, min_size, max_size;	/* of the payload */
	bool chatty;		/* bytes may come that say nothing of an answer */

	/* Fills t's block and sizes. 0 or -ENOMEM. */
	int (*prepare)(struct traffic *t);

	/* The connection, by its place among all, is established; NULL: it is ready at once. */
	void (*open)(struct wire *w, const struct traffic *t, uint32_t index);

	/* Writes one frame of the wanted ones to control; only called if there are any. */
	void (*control)(struct wire *w);

	/*
	 * Consumes bytes up to the end of one answer: *data moves on. MORE means that all were
	 * taken in. May change ready, closing and wanted.
	 */
	enum parsed (*parse)(struct wire *w, const struct traffic *t, const char **data,
			     const char *end);

	/* The server closed: MORE, or the answer that its end completes; NULL: never one. */
	enum parsed (*end)(struct wire *w);

	/*
	 * At most limit bytes from place pos of the stream. Stores where they are, in the traffic
	 * or in scratch[SCRATCH_BYTES], and returns how many: 0 if the server's window is shut.
	 * Request n, from 0, was meant to be sent at times[n % cfg->depth].
	 */
	size_t (*compose)(struct wire *w, const struct traffic *t, const uint64_t *times,
			  uint64_t pos, size_t limit, char *scratch, const char **from);
};

/* For protocols: repeats one request of that size until the block is worth a system call. */
int traffic_repeat(struct traffic *t, const char *request, size_t size);

/* For protocols whose requests are all alike. */
size_t compose_block(struct wire *w, const struct traffic *t, const uint64_t *times, uint64_t pos,
		     size_t limit, char *scratch, const char **from);

extern const struct protocol protocol_echo, protocol_http, protocol_push;

/* Has a heartbeat of push sent. */
void push_heartbeat(struct wire *w);

/* Of what was parsed last: the number of the refused request, the stamp of the delivery. */
uint64_t push_refused(const struct wire *w);
uint64_t push_stamp(const struct wire *w);

#endif
