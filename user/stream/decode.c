/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* decode.c - see decode.h. */
#include <errno.h>
#include <string.h>

#include "stream/decode.h"

/*
 * What a record of each kind holds at least, and what is known of it. When a field is appended to a
 * kind, `min` stays the size without it, and what an older writer did not send reads as 0.
 */
static const struct {
	size_t min, known;
} sizes[EV_KINDS] = {
#define SIZE(kind, type) [kind] = { sizeof(struct type), sizeof(struct type) }
	SIZE(EV_CONN_CLOSE, ev_conn_close), SIZE(EV_ANSWER, ev_answer), SIZE(EV_PROCESS, ev_process),
	SIZE(EV_OFFCPU, ev_offcpu), SIZE(EV_SAMPLE, ev_sample), SIZE(EV_BEHIND, ev_behind),
#undef SIZE
	[EV_EXCHANGE] = { offsetof(struct ev_exchange, kind), sizeof(struct ev_exchange) },
	[EV_TURN] = { offsetof(struct ev_turn, own_ns), sizeof(struct ev_turn) },
};

int decode_event(const void *data, size_t size, struct event *out)
{
	struct event_head head;
	size_t known;

	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, data, sizeof(head));
	if (head.size != size)
		return -EBADMSG;
	if (head.kind >= EV_KINDS || !sizes[head.kind].min)
		return -ENOTSUP;
	if (size < sizes[head.kind].min)
		return -EBADMSG;

	known = sizes[head.kind].known;
	if (size < known)
		memset(out, 0, known);
	memcpy(out, data, size < known ? size : known);
	return 0;
}
