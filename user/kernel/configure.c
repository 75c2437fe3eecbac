/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* configure.c - what a watch asks for, and what of it the kernel can do, before the load. */
#include <string.h>

#include "kernel/private.h"

/* Powers of two up to SETS_MAX; processors beyond share a set. */
static unsigned sets_for(unsigned cpus)
{
	unsigned sets = 1;

	while (sets < cpus && sets < SETS_MAX)
		sets *= 2;
	return sets;
}

/*
 * All calls by one pair of programs, or the loop's calls alone: at the kernel's functions, else at
 * their own tracepoints, and the others in windows. Without socket hooks it is all: sends are taken
 * at their calls.
 */
static void choose_syscall_hooks(struct session *s, const struct session_config *config)
{
	bool *used = s->features.used;
	bool loop_alone = config->syscalls != SYSCALLS_ALL && used[FEATURE_SOCKET];

	used[FEATURE_WAITS] = used[FEATURE_WAITS] && loop_alone;
	used[FEATURE_CALLS] = used[FEATURE_CALLS] && loop_alone && !used[FEATURE_WAITS] &&
			      !calls_find(&s->calls);
	used[FEATURE_SYSCALLS] = !used[FEATURE_WAITS] && !used[FEATURE_CALLS];
	s->syscalls = config->syscalls == SYSCALLS_SAMPLE &&
		      (used[FEATURE_SYSCALLS] || !used[FEATURE_WINDOWS]) ?
			      SYSCALLS_ALL : config->syscalls;
	used[FEATURE_WINDOWS] = s->syscalls == SYSCALLS_SAMPLE;
}

int configure_hooks(struct session *s, const struct session_config *config)
{
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		return cpus;
	choose_syscall_hooks(s, config);
	s->features.used[FEATURE_STACKS] = s->features.available[FEATURE_STACKS] && config->stack_hz;
	s->stack_hz = config->stack_hz;
	s->blame = config->blame;
	s->every_turn = config->every_turn;
	s->cpus = (unsigned)cpus;
	s->sets = sets_for(s->cpus);
	return 0;
}

static void fill_syscall_tables(struct epollscope_bpf *skel)
{
#if defined(__x86_64__)
#define NUMBER(x86, arm) (x86)
#else
#define NUMBER(x86, arm) (arm)
#endif
#define PUT(table, x86, arm, value) do {				\
	if (NUMBER(x86, arm) >= 0)					\
		skel->rodata->table[NUMBER(x86, arm)] = (value);	\
} while (0);
#define PUT_ID(id, name, x86, arm) PUT(cfg_syscall, x86, arm, SC_##id)
#define PUT_KIND(kind, x86, arm) PUT(cfg_off_kind, x86, arm, kind)
	memset((void *)skel->rodata->cfg_syscall, SC_COUNT, SYSCALL_NUMBERS);
	memset((void *)skel->rodata->cfg_off_kind, OFFCPU_OTHER, SYSCALL_NUMBERS);
	SYSCALLS(PUT_ID)
	OFFCPU_CALLS(PUT_KIND)
	skel->rodata->cfg_epoll_ctl = NUMBER(233, 21);
#undef PUT_KIND
#undef PUT_ID
#undef PUT
#undef NUMBER
}

int configure(struct session *s, const struct session_config *config)
{
	struct epollscope_bpf *skel = s->skel;
	bool by_addr = !s->features.used[FEATURE_SOCKET];
	int err;

	skel->rodata->cfg_sets = s->sets;
	skel->rodata->cfg_atomic = s->cpus > s->sets;
	skel->rodata->cfg_by_addr = by_addr;
	skel->rodata->cfg_syscalls = s->syscalls;
	skel->rodata->cfg_stacks = config->stack_hz > 0;
	skel->rodata->cfg_ports = config->n_ports > 0;
	fill_syscall_tables(skel);
	skel->bss->control.conn_events = config->conn_events;
	skel->bss->control.close_wait_ns = config->close_wait_ns;
	s->record_ns = config->record_ns;
	session_tail(s, config->tail_ns);
	for (size_t i = 0; i < config->n_ports; i++)
		skel->bss->port_bits[config->ports[i] / 64] |= 1ULL << (config->ports[i] % 64);

	/* What this kernel does not need takes no memory; the verifier drops its uses. */
	err = bpf_map__set_autocreate(by_addr ? skel->maps.conns : skel->maps.conns_by_addr, false);
	err = err ? err : stacks_configure(s, config);
	err = err ? err : records_configure(s, config);
	err = err ? err : bpf_map__set_max_entries(skel->maps.hists, s->sets * H_MAX);
	err = err ? err : bpf_map__set_max_entries(skel->maps.ledger_sets, s->sets);
	err = err ? err : bpf_map__set_max_entries(skel->maps.counter_sets, s->sets);
	err = err ? err : bpf_map__set_max_entries(skel->maps.rings, s->cpus);
	return err;
}
