/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stacks.c - the sampling clock, and stacks by their ids. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/private.h"

static int open_clock(unsigned cpu, uint32_t hz)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK, .sample_freq = hz, .freq = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A processor that is offline has no clock, and needs none. */
int sampling_attach(struct session *s)
{
	if (s->samplers)
		return 0;
	s->samplers = calloc(s->cpus, sizeof(*s->samplers));
	if (!s->samplers)
		return -ENOMEM;
	for (unsigned cpu = 0; cpu < s->cpus; cpu++) {
		int fd = open_clock(cpu, s->stack_hz);

		if (fd == -ENODEV || fd == -ENXIO)
			continue;
		if (fd < 0)
			return fd;
		s->samplers[cpu] = bpf_program__attach_perf_event(s->skel->progs.on_sample, fd);
		if (!s->samplers[cpu]) {
			int err = -errno;

			close(fd);
			return err;
		}
	}
	return 0;
}

void sampling_detach(struct session *s)
{
	for (unsigned cpu = 0; s->samplers && cpu < s->cpus; cpu++)
		bpf_link__destroy(s->samplers[cpu]);
	free(s->samplers);
	s->samplers = NULL;
}

#define HOOK_FRAMES 8	/* at most, between a tracepoint and us */

uint32_t session_stack_limit(void)
{
	unsigned limit = STACK_DEPTH;
	FILE *f = fopen("/proc/sys/kernel/perf_event_max_stack", "re");

	if (!f)
		return STACK_DEPTH;
	if (fscanf(f, "%u", &limit) != 1 || limit > STACK_DEPTH)
		limit = STACK_DEPTH;
	fclose(f);
	return limit;
}

int stacks_configure(struct session *s, const struct session_config *config)
{
	struct bpf_map *maps[] = { s->skel->maps.stacks, s->skel->maps.stacks_2 };
	uint32_t limit = session_stack_limit();
	int err = 0;

	s->stack_slots = config->stack_depth && config->stack_depth + HOOK_FRAMES < limit ?
				 config->stack_depth + HOOK_FRAMES : limit;
	for (size_t i = 0; i < 2 && !err; i++) {
		err = bpf_map__set_value_size(maps[i],
					      s->stack_slots * (uint32_t)sizeof(uint64_t));
		if (!err && !config->stack_hz)
			err = bpf_map__set_max_entries(maps[i], 1);
	}
	if (err || config->stack_hz)
		return err;
	return bpf_map__set_max_entries(s->skel->maps.tops, 1);
}

size_t session_stack(const struct session *s, int32_t id, uint64_t ip[STACK_DEPTH], bool *cut)
{
	const struct bpf_map *map = id & STACK_SECOND ? s->skel->maps.stacks_2 :
							s->skel->maps.stacks;
	uint32_t key = (uint32_t)(id & ~STACK_SECOND);
	size_t n = 0;

	*cut = false;
	if (id < 0 || !s->stack_hz)
		return 0;
	memset(ip, 0, STACK_DEPTH * sizeof(*ip));
	if (bpf_map_lookup_elem(bpf_map__fd(map), &key, ip))
		return 0;
	while (n < s->stack_slots && ip[n])
		n++;
	*cut = n == s->stack_slots;
	return n;
}
