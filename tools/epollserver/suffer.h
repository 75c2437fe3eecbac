/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * suffer.h - the faults that strike the handler of a request: computing, sleeping, disk, lock; and
 * a second thread beside a loop, for the faults lock and other-thread.
 */
#ifndef SUFFER_H
#define SUFFER_H

#include "conn.h"

/* Returns the bits of what struck; serial is the connection's. Only call it if faults.any. */
uint32_t suffer_request(struct loop *l, uint32_t serial);

/* What the helper sends: the answer of an exchange, which it stamps. */
struct job {
	struct conn *conn;
	struct record record;
	bool broken;
	size_t bytes;
	uint8_t data[];
};

/* NULL: no memory or no thread. Functions take a helper that is NULL, and do nothing then. */
struct helper *helper_new(struct loop *l);
void helper_end(struct helper *h);
/* Has the helper hold a lock for so long, and waits for that lock. */
void helper_hold_lock(struct helper *h, uint64_t ns);
/* Has the helper send the answer of exchange r, which it stamps. False: it can't take the job. */
bool helper_answer(struct helper *h, struct conn *c, const void *data, size_t bytes,
	const struct record *r);

#endif
