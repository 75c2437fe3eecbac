/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * data.h - struct watch_result and struct aggregate as items of a capture, and back.
 *
 * Both ways go by tables of members, so files of older and newer programs are read as far as both
 * know the members. What was filled before an error stays valid.
 */
#ifndef EPOLLSCOPE_CAPTURE_DATA_H
#define EPOLLSCOPE_CAPTURE_DATA_H

#include "capture/items.h"
#include "capture/watch_result.h"
#include "model/aggregate.h"

/* What is known at the start: the head. `request` may be NULL. */
void meta_put(struct bytes *b, const struct watch_result *r, const struct capture_request *request);

/* And at the end: the trailer is both. `kinds` counts the file's records. */
void meta_put_end(struct bytes *b, const struct watch_result *r, const uint64_t kinds[EV_KINDS]);

/*
 * Into r, where what the file lacks stays 0. Targets are replaced if the items hold any.
 * -EPROTO: its histograms have other buckets than ours; the rest is filled. -ENOMEM, -EBADMSG.
 */
int meta_get(struct items from, struct watch_result *r);

void aggregate_put(struct bytes *b, const struct aggregate *a);

/* Into a fresh aggregate. 0, -ENOMEM or -EBADMSG. */
int aggregate_get(struct items from, struct aggregate *a);

#endif
