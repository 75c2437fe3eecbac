/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* probe.c - what this kernel has, by its types, and what it lets us do, by trying. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/private.h"

static bool kernel_has_type(const char *type, bool function, void *ctx)
{
	uint32_t kind = function ? BTF_KIND_FUNC :
			!strncmp(type, "btf_trace_", 10) ? BTF_KIND_TYPEDEF : BTF_KIND_STRUCT;

	return types_find(ctx, type, kind) > 0;
}

/*
 * Whether a program at the exit of a kernel function can be attached: some kernels are built without
 * the means, some hosts forbid it. The function is one that hardly anybody calls.
 */
static bool functions_can_be_hooked(const struct types *types)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT);
	int fd, link;

	opts.attach_btf_id = types_find(types, "core_sys_select", BTF_KIND_FUNC);
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "epollscope_try", "GPL", insns, 2, &opts);
	if (fd < 0)
		return false;
	link = bpf_raw_tracepoint_open(NULL, fd);
	close(fd);
	if (link < 0)
		return false;
	close(link);
	return true;
}

int probe_types(struct types **types, char *why, size_t why_len)
{
	int err = types_read(types);

	if (err == -ENOENT || err == -EINVAL)
		snprintf(why, why_len, "this kernel has no type information (BTF): it needs "
			 "CONFIG_DEBUG_INFO_BTF=y, as the kernels of current distributions have");
	else if (err)
		snprintf(why, why_len, "reading the kernel's types (BTF) failed: %s", strerror(-err));
	return err == -ENOENT || err == -EINVAL ? -ENOSYS : err;
}

int probe_features(const struct types *types, struct feature_set *set, char *why, size_t why_len)
{
	features_decide(set, kernel_has_type, (void *)types);
	if (set->available[FEATURE_WAITS] && !functions_can_be_hooked(types))
		features_refuse(set, FEATURE_WAITS, "fexit");
	if (features_lacking(set) < 0)
		return 0;
	snprintf(why, why_len, "this kernel lacks the hooks for %s (%s): Linux 5.18 or later is "
		 "needed", feature_table[features_lacking(set)].name,
		 set->missing[features_lacking(set)]);
	return -ENOSYS;
}

int session_probe(struct feature_set *set, char *why, size_t why_len)
{
	struct types *types;
	int err = probe_types(&types, why, why_len);

	libbpf_set_print(NULL);
	err = err ? err : probe_features(types, set, why, why_len);
	types_free(types);
	return err;
}
