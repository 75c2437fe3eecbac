/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * facts.h - what /proc and the control groups say of the target beside the kernel side's own
 * figures: throttling, how its eventpolls are armed, its runtime, the CPU of its loops.
 *
 * Taken twice, at the attach and at the end; what could not be read is 0 or false.
 */
#ifndef EPOLLSCOPE_FACTS_H
#define EPOLLSCOPE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/quota.h"

#define FACTS_COMM	16	/* a thread's name, not terminated when full */
#define FACTS_THREADS	128
#define FACTS_BUSIEST	2

struct thread_cpu {
	uint32_t tid;
	uint32_t pad;
	uint64_t run_ns;	/* at the attach, then: since */
};

#define FACTS_LISTENERS 256

/* A listening socket of the namespace of the target. */
struct listener_fact {
	uint64_t inode;
	uint64_t oldest_ns;	/* so long the first in its queue has waited to be accepted; 0: not known */
	uint32_t drops;		/* connections that it dropped: at the attach, then: since */
	uint32_t queue, limit;	/* how many wait to be accepted, and may */
	uint32_t pid;		/* of whose it is; 0: not known */
	uint32_t port;
	uint16_t own;		/* a target has it */
	uint16_t unmoved;	/* the first in its queue is the one that was first at the attach */
	char comm[FACTS_COMM];	/* of pid */
};

/* Plain data. */
struct facts {
	bool go;		/* a Go program: zero-timeout polls and extra EAGAINs are normal */
	bool io_uring;		/* it holds an io_uring */
	bool known;		/* the end could be read: the target still ran */
	bool epoll_unread;	/* nobody looked at its descriptors: io_uring, out_*, herd_waiters */
	uint32_t out_armed;	/* level-triggered descriptors with EPOLLOUT in their mask, */
	uint32_t out_watched;	/* descriptors of connections, armed so or not */
	uint32_t herd_waiters;	/* eventpolls that share a listener without EPOLLEXCLUSIVE */
	uint32_t n_listeners;
	uint32_t n_threads;
	struct thread_cpu threads[FACTS_THREADS];
	uint32_t busiest[FACTS_BUSIEST];	/* tids of those that used most, in this order; 0: none */
	char busiest_comm[FACTS_BUSIEST * FACTS_COMM];

	/*
	 * Of every port in the namespace, or, where descriptors were looked at, of the ports that a
	 * target listens on.
	 */
	struct listener_fact listeners[FACTS_LISTENERS];

	/* Connections that their clients have closed, level-triggered in an eventpoll: always ready. */
	uint32_t eof_watched;	/* so many; one of them: */
	uint32_t eof_fd;
	uint32_t eof_pid;

	struct quotas quotas;	/* of the groups that the processes are in */
	uint64_t throttled;	/* periods in which the group that stood still longest ran out of quota */
	uint64_t throttled_ns;
	char cgroup[128];	/* that group; "" if none was throttled */
};

/* Of the processes `pids`. */
void facts_begin(struct facts *f, const uint32_t *pids, size_t n);
void facts_end(struct facts *f, const uint32_t *pids, size_t n);

/*
 * Usage alone, throttling and threads, for windows that follow each other: what anybody may read.
 * facts_usage_begin() clears the rest.
 */
void facts_usage_begin(struct facts *f, const uint32_t *pids, size_t n);
void facts_usage_end(struct facts *f, const uint32_t *pids, size_t n);

/*
 * Whether a process, or an executable, is a Go program; false if it could not be read. The file may
 * be hostile: it is opened and read with the same care as files with symbols (user/symbols/).
 */
bool facts_runtime(uint32_t pid, bool *go);
bool facts_is_go(const char *path, bool *go);

/* How long the first in a listener's queue has waited, as in listener_fact; after facts_end(). */
void facts_queue(struct facts *f, uint64_t inode, uint64_t oldest_ns, bool unmoved);

/*
 * Connections that the target's own listeners dropped since the attach, as far as descriptors tell
 * which are its own; else those of the ports that it listens on.
 */
uint64_t facts_drops(const struct facts *f, bool (*own_port)(const void *ctx, uint32_t port),
		     const void *ctx);

/* CPU time of a thread since the attach; 0 if not known. */
uint64_t facts_cpu_ns(const struct facts *f, uint32_t tid);

#endif
