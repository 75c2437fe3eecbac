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

static struct bpf_program *program_of(const struct session *s, size_t hook)
{
	return bpf_object__find_program_by_name(s->skel->obj, hook_table[hook].program);
}

static void choose_programs(struct session *s)
{
	for (size_t i = 0; i < hook_count; i++)
		bpf_program__set_autoload(program_of(s, i), s->features.used[hook_table[i].feature]);
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
	return s->hists && s->ledgers && s->counters ? 0 : -errno;
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
	if (s->rings)
		return ring_buffer__add(s->rings, fd, on_record, s);
	s->rings = ring_buffer__new(fd, on_record, s, NULL);
	return s->rings ? 0 : -errno;
}

/*
 * After each change of a map of maps the kernel waits for all of its programs to have left, 10 ms here:
 * once for all rings, where it can take them at once.
 */
static int put_rings(const struct session *s)
{
	int fd = bpf_map__fd(s->skel->maps.rings);
	uint32_t n = s->cpus, *cpus = malloc(n * sizeof(*cpus));
	int err;

	if (!cpus)
		return -ENOMEM;
	for (uint32_t cpu = 0; cpu < n; cpu++)
		cpus[cpu] = cpu;
	err = bpf_map_update_batch(fd, cpus, s->ring_fds, &n, NULL) ? -ENOTSUP : 0;
	for (uint32_t cpu = 0; err == -ENOTSUP && cpu < s->cpus; cpu++)
		if (bpf_map_update_elem(fd, &cpu, &s->ring_fds[cpu], BPF_ANY))
			err = -errno;
	err = err == -ENOTSUP ? 0 : err;
	free(cpus);
	return err;
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
	return err ? err : put_rings(s);
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

/* Everything but the attach; on an error *step is what failed. */
static int make(struct session *s, const struct session_config *config, const struct types *types,
		const char **step)
{
	int err;

	*step = "counting the processors";
	err = configure_hooks(s, config);
	if (err)
		return err;
	*step = "opening the BPF programs";
	err = load_open(s);
	if (err)
		return err;
	choose_programs(s);
	*step = "sizing the BPF maps";
	err = configure(s, config);
	if (err)
		return err;
	*step = "loading the BPF programs";
	err = load_all(s, types);
	if (err)
		return err;
	*step = "mapping the histograms";
	err = map_arrays(s);
	err = err ? err : records_map(s);
	if (err)
		return err;
	*step = "creating the ring buffers";
	return make_rings(s, config->ring_kib);
}

int session_open(struct session **out, const struct session_config *config, char *why,
		 size_t why_len)
{
	struct types *types = NULL;
	const char *step = NULL;
	struct session *s;
	int err;

	*out = NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->stats_fd = s->types_fd = -1;
	s->stats = config->stats;
	s->hooks = calloc(hook_count, sizeof(*s->hooks));
	libbpf_set_print(NULL);
	err = s->hooks ? probe_types(&types, why, why_len) : -ENOMEM;
	err = err ? err : probe_features(types, &s->features, why, why_len);
	if (err) {
		types_free(types);
		session_close(s);
		return err;
	}
	set_chatter(config->verbose);
	err = make(s, config, types, &step);
	types_free(types);
	malloc_trim(0);
	if (err)
		return fail(s, err, step, why, why_len);
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

/* In the order of the table. On an error *what is its name. */
static int attach_hooks(struct session *s, const char **what)
{
	for (size_t i = 0; i < hook_count; i++) {
		const struct hook *h = &hook_table[i];

		if (h->manual || !s->features.used[h->feature])
			continue;
		s->hooks[i] = bpf_program__attach_trace(program_of(s, i));
		if (!s->hooks[i]) {
			*what = h->program;
			return -errno;
		}
	}
	return 0;
}

static void detach_hooks(struct session *s)
{
	for (size_t i = 0; s->hooks && i < hook_count; i++) {
		bpf_link__destroy(s->hooks[i]);
		s->hooks[i] = NULL;
	}
}

int session_attach(struct session *s, char *why, size_t why_len)
{
	struct timespec now;
	const char *what = "the BPF programs";
	int err;

	clock_gettime(CLOCK_MONOTONIC, &now);
	s->skel->bss->control.attach_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	err = snapshot_listeners(s);
	/* Before the sockets': an exchange that is counted has a loop. */
	if (!err && s->features.used[FEATURE_CALLS]) {
		what = "the BPF programs of the loop's calls";
		err = calls_attach(&s->calls, s->skel);
	}
	if (!err)
		err = attach_hooks(s, &what);
	if (!err && s->features.used[FEATURE_STACKS]) {
		what = "the sampling clock";
		err = sampling_attach(s);
	}
	if (err)
		snprintf(why, why_len, "attaching %s failed: %s (-v says more)", what,
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

/* All hooks; those that are not there are fine. */
static void take_away(struct session *s)
{
	calls_detach_begin(&s->calls);
	windows_detach(s);
	sampling_detach(s);
	detach_hooks(s);
	calls_detach_end(&s->calls);
}

void session_detach(struct session *s)
{
	if (s->detached)
		return;
	session_cost_end(s);
	take_away(s);
	s->skel->bss->control.last_flush = 1;
	s->detached = true;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	if (s->stats_fd >= 0)
		close(s->stats_fd);
	if (s->types_fd >= 0)
		close(s->types_fd);
	take_away(s);
	free(s->hooks);
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
	}
	epollscope_bpf__destroy(s->skel);
	free(s);
}
