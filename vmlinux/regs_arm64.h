/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* regs_arm64.h - registers of a system call on arm64, as struct pt_regs keeps them. */
struct user_pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
};

struct pt_regs {
	struct user_pt_regs user_regs;
	u64 orig_x0;
	s32 syscallno;
};

#define SYSCALL_NR(regs)	((regs)->syscallno)
#define SYSCALL_RUNS(regs)	true	/* nothing there tells */
#define SYSCALL_ARG1(regs)	((regs)->orig_x0)
#define SYSCALL_ARG2(regs)	((regs)->user_regs.regs[1])
#define SYSCALL_ARG3(regs)	((regs)->user_regs.regs[2])
#define SYSCALL_ARG4(regs)	((regs)->user_regs.regs[3])
