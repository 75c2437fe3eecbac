// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sample.bpf.c - where the target's threads are on the CPU, by a clock on every processor. */
#include "stacks.h"
#include "target.h"

SEC("perf_event")
int on_sample(void *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct ev_sample *e;

	if (!is_target(pid_tgid >> 32))
		return 0;
	e = event_reserve(sizeof(*e), EV_SAMPLE, bpf_ktime_get_ns());
	if (!e)
		return 0;
	e->pid = pid_tgid >> 32;
	e->tid = pid_tgid;
	e->kernel_stack = stack_id(ctx, 0);
	e->user_stack = stack_id(ctx, BPF_F_USER_STACK);
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	event_submit(e);
	return 0;
}
