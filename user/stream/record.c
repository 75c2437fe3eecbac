/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* record.c - see record.h. */
#include <string.h>

#include "stream/record.h"
#include "bpf/stages.h"

void record_exchange(const struct ev_record *r, struct ev_exchange *out)
{
	bool is_long = r->head.size > RECORD_SHORT;
	struct ledger l;

	stages_of(&l, r, is_long ? r->accepted_ns : 0);
	out->head = r->head;
	out->head.size = sizeof(*out);
	out->head.kind = EV_EXCHANGE;
	out->conn = r->conn;
	out->number = r->number;
	out->turn = r->turn;
	out->latency_ns = l.latency_ns;
	memcpy(out->stage_ns, l.stage_ns, sizeof(out->stage_ns));
	if (is_long) {
		memcpy(out->split, r->split, sizeof(out->split));
		out->aside = r->aside;
	} else {
		memset(out->split, 0, sizeof(out->split));
		memset(&out->aside, 0, sizeof(out->aside));
	}
	out->bytes_in = r->bytes_in;
	out->pid = r->pid;
	out->tid = r->tid;
	out->flags = l.flags & ~(__u32)(RECORD_SLOW | RECORD_PREV_SLOW | RECORD_DOUBTFUL);
	out->reader_tid = r->reader_tid;
	memset(out->comm, 0, sizeof(out->comm));
	memset(&out->flow, 0, sizeof(out->flow));
	out->kind = KIND_REQUEST;
	out->protocol = r->protocol;
	memset(out->pad, 0, sizeof(out->pad));
}

bool record_answer(const struct ev_record *r, struct ev_answer *out)
{
	bool delivered = r->prev_deliver_ns != ~0ULL;

	if (!r->prev_sends)
		return false;
	*out = (struct ev_answer){
		.head = { .size = sizeof(*out), .kind = EV_ANSWER, .cpu = r->head.cpu,
			  .time_ns = r->head.time_ns },
		.conn = r->conn, .number = (__u64)r->number - 1, .send_ns = r->prev_send_ns,
		.deliver_ns = delivered ? r->prev_deliver_ns : 0, .bytes_out = r->prev_bytes_out,
		.flags = delivered ? ANSWER_DELIVERED : 0,
	};
	return true;
}
