// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpf_stacks.c - the sampling clock, and stacks by their ids. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf_private.h"

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

size_t session_stack(const struct session *s, int32_t id, uint64_t ip[STACK_DEPTH])
{
	uint32_t key = (uint32_t)id;
	size_t n = 0;

	if (id < 0 || !s->stack_hz)
		return 0;
	memset(ip, 0, STACK_DEPTH * sizeof(*ip));
	if (bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.stacks), &key, ip))
		return 0;
	while (n < STACK_DEPTH && ip[n])
		n++;
	return n;
}
