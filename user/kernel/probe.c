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

	return btf__find_by_name_kind(ctx, type, kind) > 0;
}

/*
 * Whether a program at the exit of a kernel function can be attached: some kernels are built without
 * the means, some hosts forbid it. The function is one that hardly anybody calls.
 */
static bool functions_can_be_hooked(const struct btf *btf)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT);
	int fd, link;

	opts.attach_btf_id = btf__find_by_name_kind(btf, "core_sys_select", BTF_KIND_FUNC);
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

int session_probe(struct feature_set *set, char *why, size_t why_len)
{
	struct btf *btf;

	libbpf_set_print(NULL);
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		snprintf(why, why_len, "this kernel has no type information (BTF): it needs "
			 "CONFIG_DEBUG_INFO_BTF=y, as the kernels of current distributions have");
		return -ENOSYS;
	}
	features_decide(set, kernel_has_type, btf);
	if (set->available[FEATURE_WAITS] && !functions_can_be_hooked(btf))
		features_refuse(set, FEATURE_WAITS, "fexit");
	btf__free(btf);
	if (features_lacking(set) < 0)
		return 0;
	snprintf(why, why_len, "this kernel lacks the hooks for %s (%s): Linux 5.18 or later is "
		 "needed", feature_table[features_lacking(set)].name,
		 set->missing[features_lacking(set)]);
	return -ENOSYS;
}
