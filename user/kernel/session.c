/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* session.c - open, configure, load, attach, drain, detach. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kernel/private.h"

/* libbpf's own words are for -v: they name its insides, not what the user can do. */
static int print_warnings(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static int print_all(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	return vfprintf(stderr, fmt, args);
}

static void set_chatter(unsigned verbose)
{
	libbpf_set_print(verbose > 1 ? print_all : verbose ? print_warnings : NULL);
}

static void choose_programs(struct session *s)
{
	for (size_t i = 0; i < hook_count; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(s->skel->obj,
									 hook_table[i].program);

		bpf_program__set_autoload(p, s->features.used[hook_table[i].feature]);
		if (hook_table[i].manual)
			bpf_program__set_autoattach(p, false);
	}
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

/* Powers of two up to SETS_MAX; processors beyond share a set. */
static unsigned sets_for(unsigned cpus)
{
	unsigned sets = 1;

	while (sets < cpus && sets < SETS_MAX)
		sets *= 2;
	return sets;
}

static int configure(struct session *s, const struct session_config *config)
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

static void *map_array(const struct bpf_map *map)
{
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);

	return at == MAP_FAILED ? NULL : at;
}

static void unmap_array(const struct bpf_map *map, void *at)
{
	if (at)
		munmap(at, (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map));
}

static int map_arrays(struct session *s)
{
	s->hists = map_array(s->skel->maps.hists);
	s->ledgers = map_array(s->skel->maps.ledger_sets);
	s->counters = map_array(s->skel->maps.counter_sets);
	s->loops = map_array(s->skel->maps.loops);
	return s->hists && s->ledgers && s->counters && s->loops ? 0 : -errno;
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct session *s = ctx;

	s->drained++;
	s->drain_fn(s->drain_ctx, data, size);
	return 0;
}

static int add_ring(struct session *s, unsigned cpu, uint32_t ring_kib)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "epollscope_ring", 0, 0, ring_kib * 1024,
				NULL);

	s->ring_fds[cpu] = fd;
	if (fd < 0)
		return fd;
	if (bpf_map_update_elem(bpf_map__fd(s->skel->maps.rings), &cpu, &fd, BPF_ANY))
		return -errno;
	if (s->rings)
		return ring_buffer__add(s->rings, fd, on_record, s);
	s->rings = ring_buffer__new(fd, on_record, s, NULL);
	return s->rings ? 0 : -errno;
}

static int make_rings(struct session *s, uint32_t ring_kib)
{
	int err = 0;

	s->ring_fds = malloc(s->cpus * sizeof(int));
	s->record_heads = calloc(s->cpus, sizeof(*s->record_heads));
	if (!s->ring_fds || !s->record_heads)
		return -ENOMEM;
	for (unsigned cpu = 0; cpu < s->cpus; cpu++)
		s->ring_fds[cpu] = -1;
	for (unsigned cpu = 0; cpu < s->cpus && !err; cpu++)
		err = add_ring(s, cpu, ring_kib);
	return err;
}

static int fail(struct session *s, int err, const char *step, char *why, size_t why_len)
{
	if (err == -EPERM)
		snprintf(why, why_len, "the kernel refused %s: run as root, or with CAP_BPF "
			 "and CAP_PERFMON (a locked-down kernel refuses root too)",
			 step);
	else
		snprintf(why, why_len, "%s failed: %s (-v says more)", step, strerror(-err));
	session_close(s);
	return err;
}

int session_open(struct session **out, const struct session_config *config, char *why,
		 size_t why_len)
{
	struct session *s;
	int err;

	*out = NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->stats_fd = -1;
	s->stats = config->stats;
	err = session_probe(&s->features, why, why_len);
	if (err) {
		session_close(s);
		return err;
	}
	set_chatter(config->verbose);
	choose_syscall_hooks(s, config);
	s->features.used[FEATURE_STACKS] = s->features.available[FEATURE_STACKS] && config->stack_hz;
	s->stack_hz = config->stack_hz;
	s->blame = config->blame;
	s->every_turn = config->every_turn;
	s->cpus = libbpf_num_possible_cpus();
	s->sets = sets_for(s->cpus);
	s->skel = epollscope_bpf__open();
	if (!s->skel)
		return fail(s, -errno, "opening the BPF programs", why, why_len);
	choose_programs(s);
	err = configure(s, config);
	if (err)
		return fail(s, err, "sizing the BPF maps", why, why_len);
	err = epollscope_bpf__load(s->skel);
	if (err)
		return fail(s, err, "loading the BPF programs", why, why_len);
	err = map_arrays(s);
	err = err ? err : records_map(s);
	if (err)
		return fail(s, err, "mapping the histograms", why, why_len);
	err = make_rings(s, config->ring_kib);
	if (err)
		return fail(s, err, "creating the ring buffers", why, why_len);
	malloc_trim(0);	/* the kernel's types took 20 MB to read */
	*out = s;
	return 0;
}

static __u64 *pid_word(const struct session *s, uint32_t pid)
{
	return &s->skel->bss->target_bits[pid % PID_LIMIT / 64];
}

void session_watch_pid(struct session *s, uint32_t pid)
{
	__atomic_fetch_or(pid_word(s, pid), 1ULL << (pid % 64), __ATOMIC_RELAXED);
}

void session_forget_pid(struct session *s, uint32_t pid)
{
	__atomic_fetch_and(pid_word(s, pid), ~(1ULL << (pid % 64)), __ATOMIC_RELAXED);
}

void session_forget_all(struct session *s)
{
	__u64 *bits = s->skel->bss->target_bits;

	for (size_t i = 0; i < PID_LIMIT / 64; i++)
		if (bits[i])
			__atomic_store_n(&bits[i], 0, __ATOMIC_RELAXED);
}

int session_attach(struct session *s, char *why, size_t why_len)
{
	struct timespec now;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &now);
	s->skel->bss->control.attach_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	err = snapshot_listeners(s);
	/* Before the sockets': an exchange that is counted has a loop. */
	if (!err && s->features.used[FEATURE_CALLS])
		err = calls_attach(&s->calls, s->skel);
	if (!err)
		err = epollscope_bpf__attach(s->skel);
	if (!err && s->features.used[FEATURE_STACKS])
		err = sampling_attach(s);
	if (err)
		snprintf(why, why_len, "attaching the BPF programs failed: %s (-v says more)",
			 strerror(-err));
	return err;
}

long session_drain(struct session *s, record_fn fn, void *ctx)
{
	long n;

	s->drain_fn = fn;
	s->drain_ctx = ctx;
	records_look(s);
	n = ring_buffer__consume(s->rings);
	return n < 0 ? n : n + records_drain(s, fn, ctx);
}


const struct feature_set *session_features(const struct session *s)
{
	return &s->features;
}

void session_detach(struct session *s)
{
	if (s->detached)
		return;
	session_cost_end(s);
	windows_detach(s);
	calls_detach(&s->calls);
	sampling_detach(s);
	epollscope_bpf__detach(s->skel);
	s->skel->bss->control.last_flush = 1;
	s->detached = true;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	if (s->stats_fd >= 0)
		close(s->stats_fd);
	windows_detach(s);
	calls_detach(&s->calls);
	sampling_detach(s);
	bpf_link__destroy(s->task_file);
	bpf_link__destroy(s->tcp);
	bpf_link__destroy(s->flush);
	ring_buffer__free(s->rings);
	for (unsigned cpu = 0; s->ring_fds && cpu < s->cpus; cpu++)
		if (s->ring_fds[cpu] >= 0)
			close(s->ring_fds[cpu]);
	free(s->ring_fds);
	free(s->record_heads);
	if (s->skel) {
		records_unmap(s);
		unmap_array(s->skel->maps.hists, s->hists);
		unmap_array(s->skel->maps.ledger_sets, s->ledgers);
		unmap_array(s->skel->maps.counter_sets, s->counters);
		unmap_array(s->skel->maps.loops, s->loops);
	}
	epollscope_bpf__destroy(s->skel);
	free(s);
}
