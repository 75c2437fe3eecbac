/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sched.bpf.c - what the scheduler does to the target's threads.
 *
 *   RUNNING --switch out, still runnable--> RUNNABLE --switch in--> RUNNING
 *   RUNNING --switch out, asleep--> BLOCKED --wakeup (stamped)--> BLOCKED --switch in--> RUNNING
 *
 * A thread's time off the CPU is blocked until it is made runnable, and runnable from there, as in
 * the kernel's own schedstat. Some kernels leave switches out: see switch_in_missed().
 *
 * sched_waking comes before sched_wakeup, in the waker: it tells who that is.
 */
#include "symptoms.bpf.h"
#include "stacks.bpf.h"

/* A wake-up seen this much before the switch that it overtook still belongs to it. */
#define WAKING_RACE_NS	100000

/* A wake-up this soon after data arrived on the same processor comes from that data. */
#define NETWORK_WAKE_NS	10000

/* The freezer of version 2 groups holds the thread on its way back to user mode. */
#define JOBCTL_TRAP_FREEZE (1UL << 23)

/* Runs in the thread itself, so its registers and descriptors are at hand. */
INLINE __u32 off_kind(struct thread *t, struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u64 nr = SYSCALL_NR(regs);
	struct file *file;
	__u32 kind, type;

	t->off_nr = nr;
	if (task->jobctl & JOBCTL_TRAP_FREEZE)
		return OFFCPU_STOPPED;
	if (BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait))
		return OFFCPU_DISK;
	if (nr >= SYSCALL_NUMBERS)
		return OFFCPU_OTHER;
	kind = cfg_off_kind[nr];
	if (kind != OFFCPU_BY_FILE)
		return kind;
	file = file_of_fd(SYSCALL_ARG1(regs));
	if (!file)
		return OFFCPU_OTHER;
	type = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
	return type == S_IFSOCK ? OFFCPU_SOCKET : type == S_IFIFO ? OFFCPU_PIPE : OFFCPU_DISK;
}

/* Bits of a task's state that say somebody stopped it. */
#define TASK_STOPPED_BITS 0x0c

/*
 * The call that it goes to sleep in tells: its wait began before the attach, or the kernel skipped
 * that hook; or it has no loop, and waits in the read or accept itself.
 */
INLINE void wait_begin_asleep(struct thread *t, struct task_struct *task, __u64 now)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u64 nr = SYSCALL_NR(regs);
	__u32 sc;

	if (nr >= SYSCALL_NUMBERS || !SYSCALL_RUNS(regs))
		return;
	sc = cfg_syscall[nr];
	if (is_wait(sc, t))
		t->in_wait = WAITS_EVENTS;
	else if (!t->turn && (is_read(sc) || is_accept(sc)) &&
		 listener_probe(sock_of_fd(SYSCALL_ARG1(regs))))
		t->in_wait = WAITS_DATA;
	else
		return;
	t->wait_enter_ns = now;
	t->wait_wake_ns = 0;
}

/* A lock, or data that only a client can send: there the thread may sleep for ever. */
INLINE bool may_last(const struct thread *t)
{
	return t->call_ns && t->call_window &&
	       (t->call == SC_FUTEX || t->in_wait == WAITS_DATA);
}

INLINE bool in_call(struct task_struct *task)
{
	return SYSCALL_NR((struct pt_regs *)bpf_task_pt_regs(task)) < SYSCALL_NUMBERS;
}

INLINE void off_stack_take(void *ctx, struct thread *t, struct task_struct *task)
{
	struct off_top *top;

	stacks_take(ctx, t->off_stack);
	top = top_of(t, task->pid);
	if (!top)
		return;
	if (t->off_stack[1] >= 0)
		top_take(task, (struct user_top *)top, false);
	else
		top->n = 0;
}

/* Asleep in its wait for events, as most are that sleep: nothing is left to find out. */
INLINE void falls_idle(struct thread *t)
{
	t->blocks++;
	t->state = THREAD_BLOCKED;
	t->off_kind = OFFCPU_IDLE;
	if (cfg_stacks)
		t->off_stack[0] = t->off_stack[1] = STACK_NONE;
}

INLINE void switched_out(void *ctx, struct thread *t, struct task_struct *task, bool runnable,
			 unsigned int state, __u64 now)
{
	if (t->state > THREAD_RUNNING)
		switch_in_missed(t);
	t->off_ns = now;
	t->waker_flags = 0;
	if (t->in_wait == WAITS_EVENTS && !runnable && !t->call_ns && !(state & TASK_STOPPED_BITS)) {
		falls_idle(t);
		return;
	}
	/* No hook told of that call's end. */
	if (t->in_wait == WAITS_DATA && (!runnable || !in_call(task)))
		t->in_wait = WAITS_NOT;
	if (!t->in_wait && !runnable && !(state & TASK_STOPPED_BITS))
		wait_begin_asleep(t, task, now);
	if (cfg_syscalls == SYSCALLS_SAMPLE && !runnable && may_last(t))
		call_parks(t);
	if (cfg_stacks && t->in_wait)
		t->off_stack[0] = t->off_stack[1] = STACK_NONE;
	else if (cfg_stacks)
		off_stack_take(ctx, t, task);
	if (runnable) {
		t->state = THREAD_RUNNABLE;
		COUNT(preemptions);
		return;
	}
	t->blocks++;
	t->state = THREAD_BLOCKED;
	t->off_kind = t->in_wait ? OFFCPU_IDLE : splits_off() ? OFFCPU_OTHER : off_kind(t, task);
	if (state & TASK_STOPPED_BITS)
		t->off_kind = OFFCPU_STOPPED;
}

/* When the thread that comes on the CPU became runnable. */
INLINE __u64 runnable_since(const struct thread *t, __u64 now)
{
	if (t->state == THREAD_RUNNABLE)
		return t->off_ns;
	if (t->waking_ns >= t->off_ns)
		return t->waking_ns < now ? t->waking_ns : now;
	if (t->off_ns - t->waking_ns < WAKING_RACE_NS)
		return t->off_ns;
	return now;
}

/*
 * For how long `instead` has had the CPU without a break while `task` waited for it: by the
 * scheduler's own stamps, which are of one clock and not ours. Who had it before is not known.
 */
INLINE __u64 ran_instead(const struct task_struct *task, const struct task_struct *instead,
			 __u64 waited_ns)
{
	__u64 came = instead->sched_info.last_arrival, queued = task->sched_info.last_queued;

	if (came <= queued)
		return waited_ns;
	came -= queued;
	return came < waited_ns ? waited_ns - came : 0;
}

INLINE void tell_absence(struct thread *t, struct task_struct *task,
			 const struct task_struct *instead, __u64 blocked_ns, __u64 now)
{
	struct absence a = {
		.blocked_ns = blocked_ns, .pid = task->tgid, .tid = task->pid,
		.instead_pid = instead->tgid, .instead_tid = instead->pid,
	};

	if (bpf_core_field_exists(task->sched_info.last_arrival)) {
		a.flags = OFFCPU_INSTEAD;
		a.instead_us = ran_instead(task, instead, now - t->off_ns - blocked_ns) / 1000;
	}
	__builtin_memcpy(a.comm, task->comm, COMM_LEN);
	__builtin_memcpy(a.instead_comm, instead->comm, COMM_LEN);
	if (t->in_wait)
		t->off_nr = SYSCALL_NR((struct pt_regs *)bpf_task_pt_regs(task));
	off_report(t, &a, cfg_stacks && !t->in_wait ? top_of(t, task->pid) : NULL, now);
}

INLINE void switched_in(struct thread *t, struct task_struct *task, struct task_struct *instead,
			__u64 now)
{
	__u64 since, blocked;

	t->oncpu_ns = now;
	if (t->state == THREAD_RUNNING)
		COUNT(switches_missed);
	if (t->state <= THREAD_RUNNING) {
		t->state = THREAD_RUNNING;
		return;
	}
	since = runnable_since(t, now);
	blocked = since - t->off_ns;
	hist_add(H_RUNQUEUE, now - since);	/* no interrupt comes here, and no other hook adds */
	if (now - t->off_ns >= control.off_ns && (!t->in_wait || now - since >= control.off_ns))
		tell_absence(t, task, instead, blocked, now);
	off_ended(t, blocked, now);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	bool out = is_target(prev->tgid), in = is_target(next->tgid);
	struct thread *t;
	__u64 now;

	if (!out && !in)
		return 0;
	now = bpf_ktime_get_ns();
	if (out) {
		t = thread_get(prev);
		if (t)
			switched_out(ctx, t, prev, preempt || !prev_state, prev_state, now);
	}
	if (in) {
		t = thread_get(next);
		if (t)
			switched_in(t, next, prev, now);
	}
	return 0;
}

INLINE void waker_count(__u32 key, struct task_struct *task)
{
	struct waker *w = bpf_map_lookup_elem(&wakers, &key);

	if (w) {
		add_shared(&w->count, 1);
	} else {
		struct waker fresh = { .count = 1 };

		BPF_CORE_READ_INTO(&fresh.comm, task, group_leader, comm);
		if (bpf_map_update_elem(&wakers, &key, &fresh, BPF_NOEXIST))
			COUNT(map_full);
	}
}

#define PF_KTHREAD 0x00200000

/*
 * Whether it is an interrupt that wakes, so that `by` is merely who ran. It hit user mode if no
 * system call is under way; else interrupts have a stack of their own, and the context of this
 * program lies on the stack in use, between the task's and the registers at that one's top. A
 * pointer becomes a number by way of memory.
 */
INLINE bool by_interrupt(void *ctx, struct thread *t, struct task_struct *by)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(by);
	volatile __u64 *number = &t->number;
	__u64 at, top;

	if (!by->pid || (!(by->flags & PF_KTHREAD) && (long)SYSCALL_NR(regs) < 0))
		return true;
	*number = (__u64)ctx;
	at = *number;
	*number = (__u64)regs;
	top = *number;
	return at < (__u64)by->stack || at >= top;
}

INLINE bool signal_pending(struct task_struct *task)
{
	return (task->pending.signal.sig[0] | task->signal->shared_pending.signal.sig[0]) &
	       ~task->blocked.sig[0];
}

/* The end of a long blocking has a name, if a task ended it. */
INLINE void waker_remember(void *ctx, struct thread *t, struct task_struct *of,
			   struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	/* A signal ends it, too: of that we say nothing. */
	if (signal_pending(of))
		return;
	t->waker_pid = task->tgid;
	t->waker_tid = task->pid;
	t->waker_flags = OFFCPU_WAKER;
	if (by_interrupt(ctx, t, task))
		t->waker_flags |= OFFCPU_INTERRUPT;
	bpf_get_current_comm(t->waker_comm, sizeof(t->waker_comm));
	if (!cfg_stacks)
		return;
	t->waker_stack[0] = t->waker_stack[1] = STACK_NONE;
	if (control.stacks_off)
		return;
	t->waker_stack[0] = stack_id(ctx, 0);
	/* Not in a call: an interrupt hit whoever it was, and such stacks would fill the map. */
	t->waker_stack[1] = (long)SYSCALL_NR(regs) < 0 ? STACK_NONE :
			    stack_id(ctx, BPF_F_USER_STACK);
}

/* Whoever runs here wakes the thread; in softirq that is chance, so data is named instead. */
SEC("tp_btf/sched_waking")
int BPF_PROG(on_sched_waking, struct task_struct *task)
{
	struct task_struct *by = bpf_get_current_task_btf();
	struct cpu_words *words;
	struct thread *t;
	__u32 cpu = bpf_get_smp_processor_id() & (CPU_SLOTS - 1);
	__u64 now;

	if (!is_target(task->tgid))
		return 0;
	now = bpf_ktime_get_ns();
	words = &cpu_words[cpu];
	if (now - words->ready_ns < NETWORK_WAKE_NS || by->tgid == WAKER_NETWORK)
		add_shared(&words->network_wakes, 1);
	else
		waker_count(by->tgid, by);
	t = thread_of(task);
	if (!t || t->state != THREAD_BLOCKED)
		return 0;
	if (t->in_wait)
		t->listener_wakes = now - listener_on_cpu[cpu] < NETWORK_WAKE_NS;
	else if (now - t->off_ns >= control.off_ns)
		waker_remember(ctx, t, task, by);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_sched_wakeup, struct task_struct *task)
{
	struct thread *t;

	if (!is_target(task->tgid))
		return 0;
	COUNT(wakeups);
	t = thread_of(task);
	if (t)
		t->waking_ns = bpf_ktime_get_ns();
	return 0;
}

/* A new thread waits for its first turn on a processor. */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_sched_wakeup_new, struct task_struct *task)
{
	struct thread *t;

	if (!is_target(task->tgid))
		return 0;
	t = thread_get(task);
	if (!t)
		return 0;
	t->state = THREAD_RUNNABLE;
	t->off_ns = bpf_ktime_get_ns();
	return 0;
}
