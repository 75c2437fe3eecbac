/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * maps.bpf.h - every map, every configuration value, every control word. maps.bpf.c owns them (it
 * defines MAPS_OWNER); the families of hooks see them as extern and bpftool links the objects.
 */
#ifndef EPOLLSCOPE_MAPS_H
#define EPOLLSCOPE_MAPS_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>

#include "hist.h"
#include "events.h"
#include "syscalls.h"
#include "control.h"
#include "stages.h"
#include "state.h"

#ifdef MAPS_OWNER
#define MAP
#else
#define MAP extern
#endif

/* Connection state lives with its socket; by address where no socket hook gives the pointer. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn);
} conns SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, __u64);
	__type(value, struct conn);
} conns_by_addr SEC(".maps");

/*
 * A thread's state is in the slot of its id; when another thread holds that, in task storage. The
 * slot costs three loads, the storage a helper with several calls inside.
 */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, THREAD_SLOTS);
	__type(key, __u32);
	__type(value, struct thread);
} thread_slots SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct eventpoll_state);
} eventpolls SEC(".maps");

/* Those of the loops' own, in the order of `loops`. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LOOPS_MAX);
	__type(key, __u32);
	__type(value, struct eventpoll_state);
} own_eventpolls SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ACCEPTS_MAX);
	__type(key, __u64);	/* address of the socket */
	__type(value, struct accepted);
} accepts SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);	/* address of the socket */
	__type(value, struct spliced);
} splices SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct listener_key);
	__type(value, struct listener);
} listeners SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);	/* inode of the listening socket */
	__type(value, struct queue_first);
} queue_firsts SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);	/* thread group */
	__type(value, struct waker);
} wakers SEC(".maps");

/* cfg_sets sets of H_MAX histograms. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, H_MAX);
	__type(key, __u32);
	__type(value, struct hist);
} hists SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ledger_set);
} ledger_sets SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} counter_sets SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LOOPS_MAX);
	__type(key, __u32);
	__type(value, struct loop);
} loops SEC(".maps");

/* Kernel and user stacks, by the id that events carry. Only with cfg_stacks. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, STACK_SLOTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, STACK_DEPTH * sizeof(__u64));
} stacks SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, STACK_SLOTS_2);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, STACK_DEPTH * sizeof(__u64));
} stacks_2 SEC(".maps");

/* Of threads that have a slot, with cfg_stacks: their user stack where they left the CPU. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, THREAD_SLOTS);
	__type(key, __u32);
	__type(value, struct off_top);
} tops SEC(".maps");

/* cfg_records records for each processor, and one more in which a record that found no room is made. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ev_record);
} records SEC(".maps");

struct ring_def {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
};

/* A ring for each processor. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ring_def);
} rings SEC(".maps");

/* Fixed before the load: the verifier drops what they rule out. */
MAP const volatile __u32 cfg_sets;	/* processors' sets of histograms, a power of two */
MAP const volatile __u32 cfg_records;	/* in a processor's ring, a power of two */
MAP const volatile __u32 cfg_cpus;	/* that may come to be */
MAP const volatile __u32 cfg_atomic;	/* sets are shared by processors */
MAP const volatile __u32 cfg_by_addr;	/* no socket hooks: conns_by_addr */
MAP const volatile __u32 cfg_syscalls;	/* enum syscall_mode */
MAP const volatile __u32 cfg_epoll_ctl;	/* its number */
MAP const volatile __u32 cfg_stacks;	/* events carry stacks */
MAP const volatile __u32 cfg_ports;	/* a port filter is set */
MAP const volatile __u8 cfg_syscall[SYSCALL_NUMBERS];	/* number -> enum syscall_id */
MAP const volatile __u8 cfg_off_kind[SYSCALL_NUMBERS];	/* number -> enum offcpu_kind */

/* Written by user space while we run. */
MAP struct control control;

/* Two bitmaps that every hook asks first. */
MAP __u64 target_bits[PID_LIMIT / 64];
MAP __u64 port_bits[65536 / 64];

/* How far the ring of records of each processor is filled and emptied. */
MAP struct record_ring record_rings[CPU_SLOTS];

MAP struct cpu_words cpu_words[CPU_SLOTS];

/* The same of a listener of ours: names what woke a wait for events. */
MAP __u64 listener_on_cpu[CPU_SLOTS];

#endif
