/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* feature_table.c - the table, and what follows from a kernel's answers. */
#include "kernel/feature_table.h"

const struct feature_info feature_table[FEATURE_COUNT] = {
	[FEATURE_CONNECTIONS] = {
		"connections", "TCP states, owners, accept queue",
		"no connections, so no exchanges", true, -1, false },
	[FEATURE_SYSCALLS] = {
		"syscalls", "event loops, system-call latency, accepts",
		"no event loops, so no ledger", true, -1, false },
	[FEATURE_WAITS] = {
		"waits", "event loops and accepts, hooked where no system call pays for it",
		"event loops and accepts are hooked at their system calls", false, -1, true },
	[FEATURE_CALLS] = {
		"loop-calls", "event loops and accepts, at their own system calls",
		"the cheap way is not there: all system calls are hooked", false, -1, false },
	[FEATURE_WINDOWS] = {
		"windows", "the other system calls, a tenth of the time: --syscalls sample",
		"system calls are timed all the time, or not at all", false, -1, false },
	[FEATURE_SCHED] = {
		"scheduler", "wakeup, runqueue and return stages, off-CPU time",
		"no wakeup, runqueue or return stages", true, -1, false },
	[FEATURE_SOCKET] = {
		"socket", "data arrival, reads and sends at the socket (Linux 6.3)",
		"data arrival, reads and sends are taken from the substitutes", false,
		FEATURE_SOCKET_OLD, false },
	[FEATURE_SOCKET_OLD] = {
		"socket-substitute",
		"the same from tcp_probe, tcp_rcv_space_adjust, system calls",
		"arrival is stamped as the segment comes in, just before it is queued; not seen are data "
		"with the handshake's last segment, io_uring sends, requests read by splice",
		false, -1, false },
	[FEATURE_RETRANSMITS] = {
		"retransmits", "retransmitted segments",
		"retransmits stay 0", false, -1, false },
	[FEATURE_RESETS] = {
		"resets", "resets sent and received",
		"resets are reported as errors", false, -1, false },
	[FEATURE_PROCESS] = {
		"processes", "children of the target, its end",
		"children that are forked later are not followed", false, -1, false },
	[FEATURE_SNAPSHOT] = {
		"snapshot", "sockets that were open before the attach",
		"connections opened before the attach are met at their first read", false, -1, false },
	[FEATURE_STACKS] = {
		"stacks", "on-CPU samples, stacks of off-CPU intervals, wake-ups: flame, record",
		"no flame graphs", false, -1, false },
};

/*
 * Attached in this order: an exchange that is counted has a loop, and a connection whose state was seen
 * to change an accept.
 */
const struct hook hook_table[] = {
	{ FEATURE_SYSCALLS, "on_sys_enter", "btf_trace_sys_enter", false, false },
	{ FEATURE_SYSCALLS, "on_sys_exit", "btf_trace_sys_exit", false, false },
	{ FEATURE_WAITS, "on_wait_begin", "do_epoll_wait", false, true },
	{ FEATURE_WAITS, "on_wait_end", "__bpf_tramp_image_put_rcu", false, true },
	{ FEATURE_WAITS, "on_poll_begin", "do_sys_poll", false, true },
	{ FEATURE_WAITS, "on_poll_end", "do_sys_poll", false, true },
	{ FEATURE_WAITS, "on_select_begin", "core_sys_select", false, true },
	{ FEATURE_WAITS, "on_select_end", "core_sys_select", false, true },
	{ FEATURE_WAITS, "on_accept_begin", "__sys_accept4", false, true },
	{ FEATURE_WAITS, "on_accepted", "__sys_accept4", false, true },
	{ FEATURE_WAITS, "on_spliced", "do_splice", false, true },
	{ FEATURE_CALLS, "on_call_enter", "trace_event_raw_sys_enter", true, false },
	{ FEATURE_CALLS, "on_call_exit", "trace_event_raw_sys_exit", true, false },
	{ FEATURE_WINDOWS, "on_window_enter", "btf_trace_sys_enter", true, false },
	{ FEATURE_WINDOWS, "on_window_exit", "btf_trace_sys_exit", true, false },
	{ FEATURE_PROCESS, "on_fork", "btf_trace_sched_process_fork", false, false },
	{ FEATURE_PROCESS, "on_exec", "btf_trace_sched_process_exec", false, false },
	{ FEATURE_PROCESS, "on_exit", "btf_trace_sched_process_exit", false, false },
	{ FEATURE_SCHED, "on_sched_switch", "btf_trace_sched_switch", false, false },
	{ FEATURE_SCHED, "on_sched_waking", "btf_trace_sched_waking", false, false },
	{ FEATURE_SCHED, "on_sched_wakeup", "btf_trace_sched_wakeup", false, false },
	{ FEATURE_SCHED, "on_sched_wakeup_new", "btf_trace_sched_wakeup_new", false, false },
	{ FEATURE_SOCKET, "on_data_ready", "btf_trace_sk_data_ready", false, false },
	{ FEATURE_SOCKET, "on_recv_length", "btf_trace_sock_recv_length", false, false },
	{ FEATURE_SOCKET, "on_send_length", "btf_trace_sock_send_length", false, false },
	{ FEATURE_SOCKET_OLD, "on_tcp_probe", "btf_trace_tcp_probe", false, false },
	{ FEATURE_SOCKET_OLD, "on_rcv_space_adjust", "btf_trace_tcp_rcv_space_adjust", false, false },
	{ FEATURE_SOCKET_OLD, "on_destroy_sock", "btf_trace_tcp_destroy_sock", false, false },
	{ FEATURE_CONNECTIONS, "on_set_state", "btf_trace_inet_sock_set_state", false, false },
	{ FEATURE_RETRANSMITS, "on_retransmit", "btf_trace_tcp_retransmit_skb", false, false },
	{ FEATURE_RESETS, "on_send_reset", "btf_trace_tcp_send_reset", false, false },
	{ FEATURE_RESETS, "on_receive_reset", "btf_trace_tcp_receive_reset", false, false },
	{ FEATURE_SNAPSHOT, "on_task_file", "bpf_iter__task_file", true, false },
	{ FEATURE_SNAPSHOT, "on_tcp", "bpf_iter__tcp", true, false },
	{ FEATURE_SNAPSHOT, "on_flush", "bpf_iter__tcp", true, false },
	{ FEATURE_STACKS, "on_sample", "perf_event", true, false },
};

const size_t hook_count = sizeof(hook_table) / sizeof(hook_table[0]);

void features_decide(struct feature_set *set, bool (*has_type)(const char *type, bool function, void *ctx),
		     void *ctx)
{
	int f;

	*set = (struct feature_set){ 0 };
	for (f = 0; f < FEATURE_COUNT; f++)
		set->available[f] = true;
	for (size_t i = 0; i < hook_count; i++) {
		const struct hook *h = &hook_table[i];

		if (has_type(h->type, h->function, ctx))
			continue;
		set->available[h->feature] = false;
		if (!set->missing[h->feature])
			set->missing[h->feature] = h->type;
	}
	for (f = 0; f < FEATURE_COUNT; f++)
		set->used[f] = set->available[f];
	for (f = 0; f < FEATURE_COUNT; f++) {
		int sub = feature_table[f].substitute;

		if (sub >= 0)
			set->used[sub] = set->available[sub] && !set->available[f];
	}
}

void features_refuse(struct feature_set *set, enum feature f, const char *what)
{
	set->available[f] = set->used[f] = false;
	set->missing[f] = what;
}

int features_lacking(const struct feature_set *set)
{
	for (int f = 0; f < FEATURE_COUNT; f++) {
		int sub = feature_table[f].substitute;

		if (feature_table[f].essential && !set->used[f])
			return f;
		if (sub >= 0 && !set->used[f] && !set->used[sub])
			return f;
	}
	return -1;
}
