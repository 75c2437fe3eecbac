/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* decode.c - see decode.h. */
#include <errno.h>
#include <string.h>

#include "stream/decode.h"

/*
 * What a record of each kind holds at least. When a field is appended to a kind, this stays the
 * size without it, and what an older writer did not send reads as 0.
 */
static const size_t least_size[EV_KINDS] = {
	[EV_CONN_CLOSE] = sizeof(struct ev_conn_close),
	[EV_EXCHANGE] = sizeof(struct ev_exchange),
	[EV_ANSWER] = sizeof(struct ev_answer),
	[EV_PROCESS] = sizeof(struct ev_process),
	[EV_TURN] = sizeof(struct ev_turn),
	[EV_OFFCPU] = sizeof(struct ev_offcpu),
	[EV_SAMPLE] = sizeof(struct ev_sample),
};

static const size_t known_size[EV_KINDS] = {
	[EV_CONN_CLOSE] = sizeof(struct ev_conn_close),
	[EV_EXCHANGE] = sizeof(struct ev_exchange),
	[EV_ANSWER] = sizeof(struct ev_answer),
	[EV_PROCESS] = sizeof(struct ev_process),
	[EV_TURN] = sizeof(struct ev_turn),
	[EV_OFFCPU] = sizeof(struct ev_offcpu),
	[EV_SAMPLE] = sizeof(struct ev_sample),
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
	if (head.kind >= EV_KINDS || !least_size[head.kind])
		return -ENOTSUP;
	if (size < least_size[head.kind])
		return -EBADMSG;

	known = known_size[head.kind];
	if (size < known)
		memset(out, 0, known);
	memcpy(out, data, size < known ? size : known);
	return 0;
}
