/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.h - what user space and the programs share besides events and histograms.
 */
#ifndef EPOLLSCOPE_CONTROL_H
#define EPOLLSCOPE_CONTROL_H

#define PID_LIMIT	4194304	/* the kernel's PID_MAX_LIMIT */
#define SYSCALL_NUMBERS	512
#define CPU_SLOTS	1024	/* processors, a power of two */
#define THREAD_SLOTS	1024	/* power of two */
#define STACK_SLOTS	16384
#define STACK_SLOTS_2	4096	/* for those whose place is taken */
#define SETS_MAX	16	/* more processors than this share sets, with atomic adds */
#define ACCEPTS_MAX	65536	/* accepted and silent since: user space makes room in time */
#define CALL_WINDOWS	8	/* of which calls may be under way at once, a power of two */
#define WAKER_NETWORK	0	/* no process has this id; counted in struct cpu_words */

struct control {
	__u64 tail_ns;		/* exchanges at or above this are told with names and their answer */
	__u64 record_ns;	/* those at or above this are handed over as records; ~0: none */
	__u32 conn_events;	/* EV_CONN_CLOSE is wanted */
	__u32 next_loop;	/* slots of struct loop handed out */
	__u32 snapshot_pass;	/* of the iterator: enum snapshot_pass */
	__u32 last_flush;	/* the watch is over: what connections still hold is counted */
	__u64 turn_ns;		/* turns as long as this go to the ring; ~0: none */
	__u64 off_ns;		/* intervals off the CPU as long as this do; ~0: none */
	__u64 close_wait_ns;	/* older ones are counted at the end */
	__u64 attach_ns;	/* what is older than this was there before us */
	__u64 window_from_ns;	/* the window of system calls whose hooks are there */
	__u64 window_until_ns;
	__u32 window;		/* its number, from 1; 0: there is none */
	__u32 window_oldest;	/* calls that began in earlier ones are given up */
	__u64 splits_from_ns;	/* exchanges that began before are not split; ~0: none is, to be cheaper */
	__u32 stacks_off;	/* for now none are taken, to be cheaper */
	__u32 pad;
};

enum snapshot_pass {
	SNAPSHOT_LISTENERS,
	SNAPSHOT_CONNS,
	SNAPSHOT_ACCEPTED,	/* on_flush: those accepted and silent since, and nothing else */
	SNAPSHOT_END,
};

/* Since when the first in a listener's accept queue is there, CLOCK_MONOTONIC ns; 0: none, or not known. */
struct queue_first {
	__u64 attach_ns;	/* of the one that was first at the attach, */
	__u64 end_ns;		/* and at the end */
};

/* What a processor alone writes, a cache line each. */
struct cpu_words {
	__u64 ready_ns;		/* a tracked socket last became readable: names the network as waker */
	__u64 network_wakes;
	__u64 pad[6];
};

struct waker {
	__u64 count;
	char comm[16];
};

#endif
