/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * helper.h - a second thread beside a loop, for the faults lock and other-thread.
 */
#ifndef HELPER_H
#define HELPER_H

#include "conn.h"

/* NULL: no memory or no thread. Functions take a helper that is NULL, and do nothing then. */
struct helper *helper_new(struct loop *l);
void helper_end(struct helper *h);
/* Has the helper hold a lock for so long, and waits for that lock. */
void helper_hold_lock(struct helper *h, uint64_t ns);
/* Has the helper send the answer of exchange r, which it stamps. False: it can't take the job. */
bool helper_answer(struct helper *h, struct conn *c, const void *data, size_t bytes,
	const struct record *r);
/* MAIL_ANSWERED: the job is back, and so is the connection. */
void helper_answered(struct loop *l, void *job, uint64_t unused);

#endif
