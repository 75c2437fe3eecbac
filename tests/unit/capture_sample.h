/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* capture_sample.h - a capture out of fixed records, for tests, fuzz seeds and benchmarks. */
#ifndef CAPTURE_SAMPLE_H
#define CAPTURE_SAMPLE_H

#include "capture/data.h"
#include "capture/write.h"

struct capture_sample {
	struct watch_result r;	/* with an aggregate of the exchanges and a little of everything */
	uint32_t exchanges;	/* to write */
	uint32_t round;		/* 100, or fewer between two ticks: a chunk each, then */
	uint32_t flags;		/* CAPTURE_WINDOW */
	bool no_aggregate, no_end;
	bool stacks;		/* some, and files without symbols */
};

/* 0 or a negative errno. capture_sample_free() in any case. */
int capture_sample_init(struct capture_sample *s, uint32_t exchanges);
void capture_sample_free(struct capture_sample *s);

/* Writes it to fd, which stays open. 0 or a negative errno. */
int capture_sample_write(struct capture_sample *s, int fd);

/* The i-th exchange and its answer. */
void sample_exchange(uint32_t i, struct ev_exchange *e, struct ev_answer *answer);

#endif
