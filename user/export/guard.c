/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * guard.c - the privileges that an attached exporter gives up: it will parse strangers' requests.
 *
 * Its maps are mapped, its hooks attached and its iterators linked by now: reading, draining and
 * meeting a new process's sockets take no privilege (from Linux 5.19 on).
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "export/guard.h"

#define DENY SCMP_ACT_ERRNO(EPERM)

static const int allowed[] = {
	/* files and descriptors */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(statx), SCMP_SYS(lseek), SCMP_SYS(getdents64), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(fcntl), SCMP_SYS(ioctl),
	/* waiting, and the server's sockets */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2), SCMP_SYS(accept),
	SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto),
	SCMP_SYS(sendmsg), SCMP_SYS(sendfile), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	/* memory and threads */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(prctl), SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* signals, time, ourselves */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(tgkill), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
	SCMP_SYS(getrusage), SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(sysinfo),
	/* iterators, maps, programs' counts; without capabilities nothing can be loaded */
	SCMP_SYS(bpf),
};

/* Some calls only with harmless arguments. */
static int allow_some(scmp_filter_ctx c)
{
	int err;

	/* clone3's flags are out of reach: libc then uses clone. Threads only. */
	err = seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	err = err ? err : seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	err = err ? err : seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	err = err ? err : seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* For reading only; nothing is created. */
	err = err ? err : seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, 0));
	/* Listeners' queues are asked over netlink. */
	return err ? err : seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0));
}

static int filter_calls(bool measure_cost)
{
	scmp_filter_ctx c = seccomp_init(DENY);
	int err = c ? 0 : -ENOMEM;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !err; i++) {
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, allowed[i], 0);
		if (err == -EDOM || err == -EINVAL)
			err = 0;	/* not a call of this architecture */
	}
	if (!err && measure_cost)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(setns), 0);
	err = err ? err : allow_some(c);
	err = err ? err : seccomp_load(c);
	seccomp_release(c);
	return err;
}

static int drop_capabilities(bool by_port, bool measure_cost)
{
	struct {
		unsigned capability;
		bool keep;
	} caps[] = {
		{ CAP_SYS_PTRACE, by_port },
		{ CAP_DAC_READ_SEARCH, by_port },
		{ CAP_SYS_ADMIN, measure_cost },
	};
	const size_t n = sizeof(caps) / sizeof(caps[0]);
	bool bounds;

	if (capng_get_caps_process())
		return -EPERM;
	/* A capability that we don't have can't be kept. */
	for (size_t i = 0; i < n; i++)
		caps[i].keep &= capng_have_capability(CAPNG_PERMITTED, caps[i].capability);
	bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < n; i++)
		if (caps[i].keep && capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
						 caps[i].capability))
			return -EINVAL;
	return capng_apply(bounds ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

int export_drop_privileges(bool by_port, bool measure_cost, const char **why)
{
	int err;

	*why = "giving up capabilities";
	err = drop_capabilities(by_port, measure_cost);
	if (err)
		return err;
	*why = "setting no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	*why = "filtering system calls";
	return filter_calls(measure_cost);
}
