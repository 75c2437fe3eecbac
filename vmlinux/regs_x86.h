/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* regs_x86.h - registers of a system call on x86-64, as struct pt_regs keeps them. */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax;
	unsigned long ip, cs, flags, sp, ss;
};

#define SYSCALL_NR(regs)	((regs)->orig_ax)
/* Not yet on its way out: the kernel keeps -ENOSYS there until it has a result. */
#define SYSCALL_RUNS(regs)	((long)(regs)->ax == -38)
#define SYSCALL_ARG1(regs)	((regs)->di)
#define SYSCALL_ARG2(regs)	((regs)->si)
#define SYSCALL_ARG3(regs)	((regs)->dx)
#define SYSCALL_ARG4(regs)	((regs)->r10)

/* Where the thread was in user mode. */
#define USER_IP(regs)		((regs)->ip)
#define USER_SP(regs)		((regs)->sp)
#define USER_FP(regs)		((regs)->bp)
