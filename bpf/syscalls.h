/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syscalls.h - the system calls that are timed: X(id, name, x86-64 number, arm64 number or -1).
 *
 * The order is the order of the report and of hist ids: append only. Numbers are the kernel's ABI.
 */
#ifndef EPOLLSCOPE_SYSCALLS_H
#define EPOLLSCOPE_SYSCALLS_H

#define SYSCALLS(X)                         \
	X(EPOLL_WAIT, "epoll_wait", 232, -1)     \
	X(EPOLL_PWAIT, "epoll_pwait", 281, 22)   \
	X(EPOLL_PWAIT2, "epoll_pwait2", 441, 441) \
	X(EPOLL_CTL, "epoll_ctl", 233, 21)       \
	X(ACCEPT, "accept", 43, 202)             \
	X(ACCEPT4, "accept4", 288, 242)          \
	X(CONNECT, "connect", 42, 203)           \
	X(READ, "read", 0, 63)                   \
	X(READV, "readv", 19, 65)                \
	X(RECVFROM, "recvfrom", 45, 207)         \
	X(RECVMSG, "recvmsg", 47, 212)           \
	X(RECVMMSG, "recvmmsg", 299, 243)        \
	X(WRITE, "write", 1, 64)                 \
	X(WRITEV, "writev", 20, 66)              \
	X(SENDTO, "sendto", 44, 206)             \
	X(SENDMSG, "sendmsg", 46, 211)           \
	X(SENDMMSG, "sendmmsg", 307, 269)        \
	X(SENDFILE, "sendfile", 40, 71)          \
	X(SPLICE, "splice", 275, 76)             \
	X(CLOSE, "close", 3, 57)                 \
	X(FUTEX, "futex", 202, 98)               \
	X(POLL, "poll", 7, -1)                   \
	X(PPOLL, "ppoll", 271, 73)               \
	X(SELECT, "select", 23, -1)              \
	X(PSELECT6, "pselect6", 270, 72)

#define SYSCALL_ENUM(id, name, x86, arm) SC_##id,
enum syscall_id { SYSCALLS(SYSCALL_ENUM) SC_COUNT };
#undef SYSCALL_ENUM

_Static_assert(SC_COUNT <= 32, "hist ids and counters hold 32");

/* System calls beside those of the loop, which has hooks of its own. */
enum syscall_mode {
	SYSCALLS_OFF,
	SYSCALLS_ALL,		/* every one is timed */
	SYSCALLS_SAMPLE,	/* those that begin in a window */
};

/*
 * Why a thread is off the CPU inside a call: X(kind, x86-64 number, arm64 number or -1). BY_FILE:
 * the descriptor in the first argument tells (socket, pipe, else disk). Calls not named here are
 * OFFCPU_OTHER; a wait for events is OFFCPU_IDLE whatever its call.
 */
#define OFFCPU_BY_FILE 255

#define OFFCPU_CALLS(X)          \
	X(OFFCPU_FUTEX, 202, 98)      \
	X(OFFCPU_SLEEP, 35, 101)      /* nanosleep */ \
	X(OFFCPU_SLEEP, 230, 115)     /* clock_nanosleep */ \
	X(OFFCPU_SLEEP, 34, -1)       /* pause */ \
	X(OFFCPU_DISK, 74, 82)        /* fsync */ \
	X(OFFCPU_DISK, 75, 83)        /* fdatasync */ \
	X(OFFCPU_DISK, 26, 227)       /* msync */ \
	X(OFFCPU_DISK, 162, 81)       /* sync */ \
	X(OFFCPU_DISK, 277, 84)       /* sync_file_range */ \
	X(OFFCPU_DISK, 306, 267)      /* syncfs */ \
	X(OFFCPU_SOCKET, 43, 202)     /* accept */ \
	X(OFFCPU_SOCKET, 288, 242)    /* accept4 */ \
	X(OFFCPU_SOCKET, 42, 203)     /* connect */ \
	X(OFFCPU_SOCKET, 45, 207)     /* recvfrom */ \
	X(OFFCPU_SOCKET, 47, 212)     /* recvmsg */ \
	X(OFFCPU_SOCKET, 299, 243)    /* recvmmsg */ \
	X(OFFCPU_SOCKET, 44, 206)     /* sendto */ \
	X(OFFCPU_SOCKET, 46, 211)     /* sendmsg */ \
	X(OFFCPU_SOCKET, 307, 269)    /* sendmmsg */ \
	X(OFFCPU_SOCKET, 40, 71)      /* sendfile */ \
	X(OFFCPU_BY_FILE, 0, 63)      /* read */ \
	X(OFFCPU_BY_FILE, 19, 65)     /* readv */ \
	X(OFFCPU_BY_FILE, 1, 64)      /* write */ \
	X(OFFCPU_BY_FILE, 20, 66)     /* writev */ \
	X(OFFCPU_BY_FILE, 17, 67)     /* pread64 */ \
	X(OFFCPU_BY_FILE, 18, 68)     /* pwrite64 */ \
	X(OFFCPU_BY_FILE, 275, 76)    /* splice */

#endif
