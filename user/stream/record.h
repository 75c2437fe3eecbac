/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * record.h - a record of the kernel side, which is stamps, as the exchange and the answer it tells of.
 */
#ifndef EPOLLSCOPE_RECORD_H
#define EPOLLSCOPE_RECORD_H

#include <linux/types.h>
#include <stdbool.h>

#include "bpf/hist.h"
#include "bpf/events.h"

/* All but the names: comm and flow are zeros. A short record's long part is not read. */
void record_exchange(const struct ev_record *r, struct ev_exchange *out);

/* The answer before it on its connection; false if there is none in the record. */
bool record_answer(const struct ev_record *r, struct ev_answer *out);

#endif
