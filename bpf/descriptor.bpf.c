// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * descriptor.bpf.c - from a descriptor of the current task to what is behind it.
 */
#include "socket.bpf.h"

__noinline __u64 file_address(__u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *fdt = task->files->fdt;
	__u64 file = 0;

	if (fd >= fdt->max_fds)
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), fdt->fd + fd);
	return file;
}

__noinline __u64 sock_address(__u32 fd)
{
	struct file *file = (struct file *)file_address(fd);
	struct socket *socket;
	struct sock *sk;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	return (__u64)sk;
}
