/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * echo.c - sends back what comes: as it comes, or in messages of --size bytes.
 */

#include "suffer.h"

/* There is no frame to refuse with: the connection ends. */
static ssize_t echo_input(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes)
{
	size_t size = l->cfg->message_bytes ? l->cfg->message_bytes : bytes;
	size_t whole = bytes / size, n;
	enum verdict v = ADMIT;

	if (!l->overload && !l->faults.any) {
		n = whole;
	} else {
		for (n = 0; n < whole && (v = overload_admit(l, c)) == ADMIT; n++)
			l->exchange.fault |= suffer_request(l, c->serial);
	}
	if (n)
		answer_exchange(l, c, data, n * size, (uint32_t)n, 0);
	return v == REFUSE ? -1 : (ssize_t)(n * size);
}

const struct protocol echo_protocol = {
	.conn_bytes = sizeof(struct conn),
	.mute = true,
	.input = echo_input,
};
