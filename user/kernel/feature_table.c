/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* feature_table.c - the table, and what follows from a kernel's answers. */
#include "kernel/feature_table.h"

const struct feature_info feature_table[FEATURE_COUNT] = {
	[FEATURE_CONNECTIONS] = {
		"connections", "TCP states, owners, accept queue",
		"no connections, so no exchanges", true, -1 },
	[FEATURE_SYSCALLS] = {
		"syscalls", "event loops, system-call latency, accepts",
		"no event loops, so no ledger", true, -1 },
	[FEATURE_CALLS] = {
		"loop-calls", "event loops and accepts only: --no-syscalls, slow, conns",
		"the cheap way is not there: all system calls are hooked", false, -1 },
	[FEATURE_SCHED] = {
		"scheduler", "wakeup, runqueue and return stages, off-CPU time",
		"no wakeup, runqueue or return stages", true, -1 },
	[FEATURE_SOCKET] = {
		"socket", "data arrival, reads and sends at the socket (Linux 6.3)",
		"data arrival, reads and sends are taken from the substitutes", false,
		FEATURE_SOCKET_OLD },
	[FEATURE_SOCKET_OLD] = {
		"socket-substitute",
		"the same from tcp_probe, tcp_rcv_space_adjust, system calls",
		"arrival is stamped as the segment comes in, just before it is queued; not seen are data "
		"with the handshake's last segment, io_uring sends, requests read by splice",
		false, -1 },
	[FEATURE_RETRANSMITS] = {
		"retransmits", "retransmitted segments",
		"retransmits stay 0", false, -1 },
	[FEATURE_RESETS] = {
		"resets", "resets sent and received",
		"resets are reported as errors", false, -1 },
	[FEATURE_PROCESS] = {
		"processes", "children of the target, its end",
		"children that are forked later are not followed", false, -1 },
	[FEATURE_SNAPSHOT] = {
		"snapshot", "sockets that were open before the attach",
		"connections opened before the attach are met at their first read", false, -1 },
	[FEATURE_STACKS] = {
		"stacks", "on-CPU samples, stacks of absences and wake-ups: flame, record",
		"no flame graphs", false, -1 },
};

const struct hook hook_table[] = {
	{ FEATURE_CONNECTIONS, "on_set_state", "btf_trace_inet_sock_set_state", false },
	{ FEATURE_SYSCALLS, "on_sys_enter", "btf_trace_sys_enter", false },
	{ FEATURE_SYSCALLS, "on_sys_exit", "btf_trace_sys_exit", false },
	{ FEATURE_CALLS, "on_call_enter", "trace_event_raw_sys_enter", true },
	{ FEATURE_CALLS, "on_call_exit", "trace_event_raw_sys_exit", true },
	{ FEATURE_SCHED, "on_sched_switch", "btf_trace_sched_switch", false },
	{ FEATURE_SCHED, "on_sched_waking", "btf_trace_sched_waking", false },
	{ FEATURE_SCHED, "on_sched_wakeup", "btf_trace_sched_wakeup", false },
	{ FEATURE_SCHED, "on_sched_wakeup_new", "btf_trace_sched_wakeup_new", false },
	{ FEATURE_SOCKET, "on_data_ready", "btf_trace_sk_data_ready", false },
	{ FEATURE_SOCKET, "on_recv_length", "btf_trace_sock_recv_length", false },
	{ FEATURE_SOCKET, "on_send_length", "btf_trace_sock_send_length", false },
	{ FEATURE_SOCKET_OLD, "on_tcp_probe", "btf_trace_tcp_probe", false },
	{ FEATURE_SOCKET_OLD, "on_rcv_space_adjust", "btf_trace_tcp_rcv_space_adjust", false },
	{ FEATURE_SOCKET_OLD, "on_destroy_sock", "btf_trace_tcp_destroy_sock", false },
	{ FEATURE_RETRANSMITS, "on_retransmit", "btf_trace_tcp_retransmit_skb", false },
	{ FEATURE_RESETS, "on_send_reset", "btf_trace_tcp_send_reset", false },
	{ FEATURE_RESETS, "on_receive_reset", "btf_trace_tcp_receive_reset", false },
	{ FEATURE_PROCESS, "on_fork", "btf_trace_sched_process_fork", false },
	{ FEATURE_PROCESS, "on_exec", "btf_trace_sched_process_exec", false },
	{ FEATURE_PROCESS, "on_exit", "btf_trace_sched_process_exit", false },
	{ FEATURE_SNAPSHOT, "on_task_file", "bpf_iter__task_file", true },
	{ FEATURE_SNAPSHOT, "on_tcp", "bpf_iter__tcp", true },
	{ FEATURE_SNAPSHOT, "on_flush", "bpf_iter__tcp", true },
	{ FEATURE_STACKS, "on_sample", "perf_event", true },
};

const size_t hook_count = sizeof(hook_table) / sizeof(hook_table[0]);

void features_decide(struct feature_set *set, bool (*has_type)(const char *type, void *ctx),
		     void *ctx)
{
	int f;

	*set = (struct feature_set){ 0 };
	for (f = 0; f < FEATURE_COUNT; f++)
		set->available[f] = true;
	for (size_t i = 0; i < hook_count; i++) {
		const struct hook *h = &hook_table[i];

		if (has_type(h->type, ctx))
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
