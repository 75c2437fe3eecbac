/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load.c - our programs into the kernel, by types that were read once.
 *
 * libbpf parses all of the kernel's types if it has to find the fields of one, or if a program is of
 * type TRACING. So it gets a file with the few that we need, and the programs are of another type
 * until the moment at which each is loaded: then its hook's number is set too, which libbpf would look
 * for name by name.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/private.h"

/* The sections of our programs, and what the kernel's types call their hooks. */
static const struct section {
	const char *name, *prefix;
	uint32_t kind;
	enum bpf_attach_type attach;
} sections[] = {
	{ "tp_btf+", "btf_trace_", BTF_KIND_TYPEDEF, BPF_TRACE_RAW_TP },
	{ "fentry+", "", BTF_KIND_FUNC, BPF_TRACE_FENTRY },
	{ "fexit+", "", BTF_KIND_FUNC, BPF_TRACE_FEXIT },
	{ "iter+", "bpf_iter_", BTF_KIND_FUNC, BPF_TRACE_ITER },
};

#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

/* While programs are loaded, which is one session's at a time: libbpf's callback is given a number. */
static const struct types *types_now;

static int prepare(struct bpf_program *program, struct bpf_prog_load_opts *opts, long section)
{
	const struct section *s = &sections[section];
	const char *hook = strchr(bpf_program__section_name(program), '/');
	char name[128];

	snprintf(name, sizeof(name), "%s%s", s->prefix, hook ? hook + 1 : "");
	opts->attach_btf_id = types_find(types_now, name, s->kind);
	return opts->attach_btf_id ? bpf_program__set_type(program, BPF_PROG_TYPE_TRACING) : -ESRCH;
}

/* Once for the whole process: what an object keeps of it must stay where it is. */
static int take_sections(void)
{
	static bool taken;

	for (size_t i = 0; i < SECTIONS && !taken; i++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)i,
			    .prog_prepare_load_fn = prepare);
		int err = libbpf_register_prog_handler(sections[i].name,
						       BPF_PROG_TYPE_RAW_TRACEPOINT,
						       sections[i].attach, &opts);

		if (err < 0)
			return err;
	}
	taken = true;
	return 0;
}

int load_open(struct session *s)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	char path[64];
	int err = take_sections();

	if (err)
		return err;
	s->types_fd = memfd_create("epollscope-types", MFD_CLOEXEC);
	if (s->types_fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->types_fd);
	opts.btf_custom_path = path;
	s->skel = epollscope_bpf__open_opts(&opts);
	return s->skel ? 0 : -errno;
}

int load_all(struct session *s, const struct types *types)
{
	int err = types_write(types, bpf_object__btf(s->skel->obj), s->types_fd);

	types_now = types;
	err = err ? err : epollscope_bpf__load(s->skel);
	types_now = NULL;
	close(s->types_fd);
	s->types_fd = -1;
	/* Where libbpf takes the kernel to be unable to map an array it goes on without. */
	return err || s->skel->bss ? err : -EOPNOTSUPP;
}
