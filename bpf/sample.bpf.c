/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sample.bpf.c - where the target's threads are on the CPU, by a clock on every processor. */
#include "stacks.bpf.h"
#include "target.bpf.h"

SEC("perf_event")
int on_sample(void *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct ev_sample_top *with;
	struct ev_sample *e;

	if (!is_target(pid_tgid >> 32))
		return 0;
	with = event_reserve(sizeof(*with), EV_SAMPLE, bpf_ktime_get_ns());
	if (!with)
		return 0;
	e = &with->sample;
	e->pid = pid_tgid >> 32;
	e->tid = pid_tgid;
	e->kernel_stack = stack_id(ctx, 0);
	e->user_stack = stack_id(ctx, BPF_F_USER_STACK);
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	with->top.n = 0;
	if (e->user_stack >= 0)
		top_take(bpf_get_current_task_btf(), &with->top, true);
	event_submit(with);
	return 0;
}
