/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * window.bpf.h - a system call that began in a window, until its end (SYSCALLS_SAMPLE):
 *
 *   open --its end is seen, or its thread's way back to the CPU--> counted
 *   open --sleeps in a call that may last for ever--> parked --is back on the CPU--> counted
 *   open --user space waits no longer, or its thread ends--> unfinished
 *
 * User space keeps the hook at the calls' end while calls are open; parked ones need it not.
 */
#ifndef EPOLLSCOPE_WINDOW_BPF_H
#define EPOLLSCOPE_WINDOW_BPF_H

#include "count.bpf.h"

_Static_assert(sizeof(((struct counters *)0)->calls_open) / sizeof(__u64) == CALL_WINDOWS + 1,
	       "a count for each window, and one for those that nobody waits for");

/*
 * The window at this time, or 0. Its hooks are there a little before and a little after it: user space
 * may get its processor late, and most of all when the target is busy, which is no time to be seen
 * longer than others.
 */
INLINE __u32 window_at(__u64 now)
{
	__u32 window = control.window;

	return window && now >= control.window_from_ns && now < control.window_until_ns ? window : 0;
}

INLINE void calls_open_add(__u32 window, __u64 n)
{
	struct counters *c = counters();

	if (c)
		ADD_AT(c->calls_open, window ? window & (CALL_WINDOWS - 1) : CALL_WINDOWS, n);
}

INLINE bool call_given_up(const struct thread *t)
{
	return t->call_window && t->call_window < control.window_oldest;
}

/* Nobody waits for the call's end any more, though it may still be told. */
INLINE void call_parks(struct thread *t)
{
	if (call_given_up(t)) {
		t->call_ns = 0;
		return;
	}
	calls_open_add(t->call_window, -1ULL);
	calls_open_add(0, 1);
	t->call_window = 0;
}

/* It ended, and no hook told: it stays among those that did not end. */
INLINE void call_lost(struct thread *t)
{
	call_parks(t);
	t->call_ns = 0;
}

INLINE void call_ends(struct thread *t, __u64 now)
{
	if (!call_given_up(t)) {
		calls_open_add(t->call_window, -1ULL);
		hist_add_shared(H_SYSCALL + t->call, now - t->call_ns);
	}
	t->call_ns = 0;
}

INLINE void call_failed(__u32 sc, long ret)
{
	struct counters *n;

	if (ret >= 0)
		return;
	n = counters();
	if (!n)
		return;
	if (ret == -EAGAIN)
		ADD_AT(n->syscall_eagain, sc, 1);
	else
		ADD_AT(n->syscall_errors, sc, 1);
}

/* A call whose beginning and end other hooks than the windows' told; `bucket` is that of its time. */
INLINE void call_timed_at(__u32 sc, long ret, __u32 bucket, __u64 ns)
{
	struct hist *h = hist_of(H_SYSCALL + sc);

	if (h)
		hist_put_at(h, bucket, ns, cfg_syscalls != SYSCALLS_ALL);
	call_failed(sc, ret);
}

INLINE void call_timed(__u32 sc, long ret, __u64 begin_ns, __u64 now)
{
	call_timed_at(sc, ret, hist_bucket(now - begin_ns), now - begin_ns);
}

#endif
