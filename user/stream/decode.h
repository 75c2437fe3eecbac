/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * decode.h - bytes from a ring buffer or a capture file become one checked event.
 */
#ifndef EPOLLSCOPE_DECODE_H
#define EPOLLSCOPE_DECODE_H

#include <linux/types.h>
#include <stddef.h>

#include "bpf/hist.h"
#include "bpf/events.h"

struct event {
	union {
		struct event_head head;	/* head.kind says which of the others is filled */
		struct ev_conn_close conn_close;
		struct ev_exchange exchange;
		struct ev_answer answer;
		struct ev_process process;
		struct ev_turn turn;
		struct ev_offcpu offcpu;
		struct ev_sample sample;
		struct ev_behind behind;
	};
};

/*
 * Copies the record at data (any alignment) into *out. A record that is longer than this reader
 * knows is cut to what it knows; head.size keeps what the writer said.
 * 0; -EBADMSG if it is too short or disagrees with its own size; -ENOTSUP if the kind is not
 * known. *out is written only on 0. Fields are not judged: enumerations may hold any value.
 */
int decode_event(const void *data, size_t size, struct event *out);

#endif
