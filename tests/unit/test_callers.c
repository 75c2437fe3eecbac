/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_callers.c - callers by rules: made-up ones, and the C library's own, which a child is led through
 * instruction by instruction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <alloca.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "symbols/stack_copy.h"
#include "symbols/symbols.h"
#include "target/proc.h"

/* --- made-up rules --- */

#define SP 0x7ffd00001000ull

/* Code at 0x1000 times its number; what has no rule of its own has none at all. */
enum { FRAMELESS = 1, SMALL, FRAMED, SAVES, POPPED, LOSES, LARGE, BARE, JUNK };

static int made_up(void *ctx, uint64_t address, struct cfi_rule *rule)
{
	static const struct cfi_rule rules[] = {
		[FRAMELESS] = { .cfa = CFI_CFA_SP, .cfa_offset = 32, .fp = CFI_FP_SAME },
		[SMALL] = { .cfa = CFI_CFA_SP, .cfa_offset = 8, .fp = CFI_FP_SAME },
		[FRAMED] = { .cfa = CFI_CFA_FP, .cfa_offset = 16, .fp = CFI_FP_SAVED,
			     .fp_offset = -16 },
		[SAVES] = { .cfa = CFI_CFA_SP, .cfa_offset = 24, .fp = CFI_FP_SAVED,
			    .fp_offset = -16 },
		[POPPED] = { .cfa = CFI_CFA_SP, .cfa_offset = 8, .fp = CFI_FP_SAVED,
			     .fp_offset = -16 },
		[LOSES] = { .cfa = CFI_CFA_SP, .cfa_offset = 8, .fp = CFI_FP_LOST },
		[LARGE] = { .cfa = CFI_CFA_SP, .cfa_offset = (TOP_WORDS + 1) * 8 },
	};
	unsigned code = (unsigned)(address / 0x1000);

	(void)ctx;
	if (code >= JUNK || !code)
		return -ENOENT;
	if (code == BARE)
		return -ENODATA;
	*rule = rules[code];
	return 0;
}

#define CODE(name) ((uint64_t)(name) * 0x1000 + 0x10)

/* The words by their numbers, and what comes of them. */
static void expect_callers(const struct user_top *top, int err, bool astray, unsigned n,
			   const uint64_t *expected)
{
	struct callers found;

	assert_int_equal(callers_find(top, made_up, NULL, &found), err);
	assert_int_equal(found.instead, 0);
	assert_int_equal(found.n, n);
	assert_int_equal(found.astray, astray);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(found.at[i], expected[i]);
}

static void test_to_the_first_frame(void **state)
{
	struct user_top top = { .n = TOP_WORDS, .ip = CODE(FRAMELESS), .sp = SP, .fp = SP + 0x400 };
	uint64_t expected[] = { CODE(SMALL), CODE(FRAMED) };

	(void)state;
	top.word[3] = expected[0];
	top.word[4] = expected[1];
	expect_callers(&top, 0, false, 2, expected);
	top.ip = CODE(FRAMED);
	expect_callers(&top, 0, false, 0, NULL);
	/* Its frame is by the stack pointer and all the same the one that the kernel has. */
	top.ip = CODE(FRAMELESS);
	top.fp = SP + 16;
	top.word[3] = CODE(BARE);
	expect_callers(&top, 0, false, 0, NULL);
}

static void test_frame_pointer_elsewhere(void **state)
{
	struct user_top top = { .n = TOP_WORDS, .ip = CODE(SAVES), .sp = SP, .fp = 0x5678 };
	uint64_t expected[] = { CODE(FRAMED), CODE(FRAMED), CODE(FRAMED) };

	(void)state;
	/* It was saved, and the register used otherwise; the frame that was meant is in sight. */
	top.word[1] = SP + 8 * 8;
	top.word[2] = expected[0];
	top.word[8] = SP + 16 * 8;
	top.word[9] = expected[1];
	top.word[16] = SP + 0x800;
	top.word[17] = expected[2];
	expect_callers(&top, 0, true, 3, expected);
	/* It was saved, and still is what it was. */
	top.fp = top.word[1];
	expect_callers(&top, 0, false, 1, expected);
	/* It was taken back: below the stack pointer nothing is read. */
	top.ip = CODE(POPPED);
	top.fp = SP + 0x200;
	top.word[0] = expected[0];
	expect_callers(&top, 0, false, 1, expected);
	/* Nobody knows where it is. */
	top.ip = CODE(LOSES);
	expect_callers(&top, -ENODATA, false, 1, expected);
}

static void test_ways_that_end(void **state)
{
	struct user_top top = { .n = TOP_WORDS, .ip = CODE(BARE), .sp = SP, .fp = SP + 0x400 };
	uint64_t expected[CALLERS_MAX] = { CODE(BARE) };

	(void)state;
	expect_callers(&top, -ENODATA, false, 0, NULL);
	top.ip = CODE(SMALL);
	top.word[0] = CODE(BARE);
	expect_callers(&top, -ENODATA, false, 1, expected);
	/* No code where a caller should be: the way was wrong from the beginning. */
	top.word[0] = CODE(SMALL);
	top.word[1] = CODE(JUNK);
	expect_callers(&top, -EBADMSG, false, 0, NULL);
	for (unsigned i = 0; i < TOP_WORDS; i++)
		top.word[i] = CODE(SMALL);
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		expected[i] = CODE(SMALL);
	expect_callers(&top, -ENODATA, false, CALLERS_MAX, expected);
	/* The frame lies behind what was sent. */
	top.ip = CODE(LARGE);
	expect_callers(&top, -ENODATA, false, 0, NULL);
}

/* Between two functions with frames one has none: the kernel finds the first and the third caller. */
static void test_gap_further_out(void **state)
{
	struct user_top top = { .n = TOP_WORDS, .ip = CODE(FRAMED), .sp = SP, .fp = SP + 8 };
	struct callers found;

	(void)state;
	top.word[1] = SP + 0x400;
	top.word[2] = CODE(SMALL);
	top.word[3] = CODE(FRAMED);
	assert_int_equal(callers_find(&top, made_up, NULL, &found), 0);
	assert_int_equal(found.n, 2);
	assert_int_equal(found.instead, 1);
	assert_false(found.astray);
	assert_int_equal(found.at[0], CODE(SMALL));
	assert_int_equal(found.at[1], CODE(FRAMED));
	/* The thread began there: nothing further out is told. */
	top.word[1] = 0;
	assert_int_equal(callers_find(&top, made_up, NULL, &found), 0);
	assert_int_equal(found.n + found.instead, 0);
	top.word[1] = SP + 0x400;
	/* Nothing is missing: nothing is told. */
	top.word[2] = CODE(FRAMED);
	assert_int_equal(callers_find(&top, made_up, NULL, &found), 0);
	assert_int_equal(found.n + found.instead, 0);
	/* The stack is no place for what the kernel takes for a frame: it was left behind. */
	top.ip = CODE(SMALL);
	top.word[0] = top.word[1] = CODE(SMALL);
	top.word[2] = CODE(BARE);
	top.fp = SP - 64;
	assert_int_equal(callers_find(&top, made_up, NULL, &found), 0);
	assert_int_equal(found.n, 3);
	assert_true(found.astray);
}

static void test_stack_made_whole(void **state)
{
	struct stack_copy top = { .ip = 1, .callers = { .at = { 2, 9, 3 }, .n = 3, .instead = 1 } };
	uint64_t ip[7] = { 1, 9, 10, 11, 12 };
	static const uint64_t whole[] = { 1, 2, 9, 3, 10, 11, 12 };

	(void)state;
	assert_int_equal(stack_copy_apply(&top, ip, 5, 7), 7);
	assert_memory_equal(ip, whole, sizeof(whole));
	/* Another stack's frames: they are left alone. */
	top.callers.at[1] = 8;
	assert_int_equal(stack_copy_apply(&top, &ip[1], 6, 6), 6);
	top.callers.at[1] = 9;
	assert_memory_equal(ip, whole, sizeof(whole));
	/* No room: the outermost goes. */
	memcpy(&ip[1], &(uint64_t[]){ 9, 10, 11, 12 }, 4 * sizeof(*ip));
	assert_int_equal(stack_copy_apply(&top, ip, 5, 6), 6);
	assert_memory_equal(ip, whole, 6 * sizeof(*whole));
	memcpy(&ip[1], &(uint64_t[]){ 9, 10, 11, 12 }, 4 * sizeof(*ip));
	top.callers.astray = true;
	assert_int_equal(stack_copy_apply(&top, ip, 5, 7), 4);
	assert_memory_equal(ip, whole, 4 * sizeof(*whole));
}

/* --- the C library's rules --- */

#if defined(__x86_64__)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int pipe_fds[2];

/* Has a frame whatever the compiler was told, and does something after the call. */
#define WITH_FRAME(name, call)						\
	__attribute__((noinline)) static long name(long n)		\
	{								\
		volatile char *room = alloca((size_t)n);		\
		room[0] = 0;						\
		return (long)(call) + room[0];				\
	}

static long lock(void)
{
	pthread_mutex_lock(&mutex);
	return pthread_mutex_unlock(&mutex);
}

static long wait_a_moment(void)
{
	struct timespec soon = { .tv_nsec = 1 };

	pthread_mutex_lock(&mutex);
	pthread_cond_timedwait(&cond, &mutex, &soon);
	return pthread_mutex_unlock(&mutex);
}

static char byte;
static struct timespec clock_now;

WITH_FRAME(in_usleep, usleep(1))
WITH_FRAME(in_sleep, sleep(0))
WITH_FRAME(in_poll, poll(NULL, 0, 0))
WITH_FRAME(in_pipe, write(pipe_fds[1], "", 1) + read(pipe_fds[0], &byte, 1))
WITH_FRAME(in_fsync, fsync(pipe_fds[0]))
WITH_FRAME(in_lock, lock())
WITH_FRAME(in_wait, wait_a_moment())
WITH_FRAME(in_clock, clock_gettime(CLOCK_MONOTONIC, &clock_now))

typedef long (*framed_fn)(long n);

struct step_count {
	unsigned inside;	/* instructions in functions that it called */
	unsigned without;	/* of these, where nothing is known: the linker's stubs */
	unsigned followed;	/* from where the kernel's frames were reached, or known for none */
};

/*
 * This very process: a forked child's code is at the same places. A file is closed once its names were
 * read, so those who ask for rules do not ask for names.
 */
struct subject {
	struct symbols *symbols, *rules;
	uint32_t pid;
};

static int own_rule(void *ctx, uint64_t address, struct cfi_rule *rule)
{
	struct subject *s = ctx;

	return symbols_rule(s->rules, s->pid, address, rule);
}

static bool follows_call(pid_t child, uint64_t address)
{
	uint8_t code[8];
	struct iovec to = { code, 8 }, from = { (void *)(address - 8), 8 };

	if (process_vm_readv(child, &to, 1, &from, 1, 0) != 8)
		return false;
	if (code[3] == 0xe8)	/* to an address */
		return true;
	for (unsigned i = 0; i < 7; i++)	/* through a register or memory */
		if (code[i] == 0xff && (code[i + 1] & 0x38) == 0x10)
			return true;
	return false;
}

static bool take_top(pid_t child, struct user_top *top)
{
	struct user_regs_struct regs;
	struct iovec to = { top->word, sizeof(top->word) }, from = { 0 };

	if (ptrace(PTRACE_GETREGS, child, NULL, &regs))
		return false;
	*top = (struct user_top){ .n = TOP_WORDS, .ip = regs.rip, .sp = regs.rsp, .fp = regs.rbp };
	from = (struct iovec){ (void *)regs.rsp, sizeof(top->word) };
	return process_vm_readv(child, &to, 1, &from, 1, 0) > 0;
}

#define FRAMES 24

/* As the kernel does it: by frame pointers, until one can't be read. */
static size_t kernel_walk(pid_t child, const struct user_top *top, uint64_t ip[FRAMES])
{
	uint64_t frame[2] = { top->fp };
	struct iovec to = { frame, sizeof(frame) }, from = { .iov_len = sizeof(frame) };
	size_t n = 1;

	ip[0] = top->ip;
	while (n < FRAMES) {
		from.iov_base = (void *)frame[0];
		if (process_vm_readv(child, &to, 1, &from, 1, 0) != sizeof(frame))
			break;
		ip[n++] = frame[1];
	}
	return n;
}

static bool is_in(struct subject *s, uint64_t address, const char *name)
{
	struct symbol symbol;

	return symbols_user(s->symbols, s->pid, address, &symbol) &&
	       !strcmp(symbol.name, name);
}

/* In a function that `name` called, at any depth: the way out of it must lead there. */
static void check_step(struct subject *s, pid_t child, const struct user_top *top,
		       const char *name, struct step_count *count)
{
	struct stack_copy found = { .ip = top->ip };
	struct symbol symbol;
	int err = callers_find(top, own_rule, s, &found.callers);
	uint64_t ip[FRAMES];
	size_t n = stack_copy_apply(&found, ip, kernel_walk(child, top, ip), FRAMES);
	bool there = false;

	count->inside++;
	symbols_user(s->symbols, s->pid, top->ip, &symbol);
	for (size_t i = 1; i < n && !there; i++) {
		there = is_in(s, ip[i] - 1, name);
		if (i <= found.callers.n && !follows_call(child, ip[i]))
			fail_msg("%s at %#llx: no call before %#llx", symbol.name,
				 (unsigned long long)top->ip, (unsigned long long)ip[i]);
	}
	if (err == -ENODATA && !found.callers.n) {
		if (symbol.kind != SYMBOL_NONE)
			fail_msg("in %s nothing is known", symbol.name);
		count->without++;
		return;
	}
	if (!there)
		fail_msg("%s at %#llx: %u callers, error %d, none is %s", symbol.name,
			 (unsigned long long)top->ip, found.callers.n, err, name);
	count->followed += !err;
}

__attribute__((noinline)) static void be_led(framed_fn fn)
{
	fn(32);	/* the linker has looked up everything */
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	raise(SIGSTOP);
	fn(32);
	_exit(0);
}

static struct step_count lead_through(struct subject *s, framed_fn fn, const char *name)
{
	struct step_count count = { 0 };
	bool begun = false;
	struct user_top top;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child)
		be_led(fn);
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		assert_true(take_top(child, &top));
		if (is_in(s, top.ip, "be_led") && begun)
			break;
		if (is_in(s, top.ip, name))
			begun = true;
		else if (begun)
			check_step(s, child, &top, name, &count);
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL))
			break;
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return count;
}

static void test_each_instruction(void **state)
{
	static const struct {
		framed_fn fn;
		const char *name;
	} cases[] = {
		{ in_usleep, "in_usleep" }, { in_sleep, "in_sleep" }, { in_poll, "in_poll" },
		{ in_pipe, "in_pipe" }, { in_fsync, "in_fsync" }, { in_lock, "in_lock" },
		{ in_wait, "in_wait" }, { in_clock, "in_clock" },
	};
	struct subject s = { .symbols = symbols_new(NULL), .rules = symbols_new(NULL),
			     .pid = (uint32_t)getpid() };

	(void)state;
	assert_true(s.symbols && s.rules);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(symbols_add_process(s.symbols, s.pid), 0);
	assert_int_equal(symbols_add_process(s.rules, s.pid), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct step_count n = lead_through(&s, cases[i].fn, cases[i].name);

		print_message("%s: %u instructions, %u without a rule, %u followed\n", cases[i].name,
			      n.inside, n.without, n.followed);
		assert_true(n.inside > 4 && n.followed && n.without < n.inside / 4);
	}
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	symbols_free(s.symbols);
	symbols_free(s.rules);
}

#else

static void test_each_instruction(void **state)
{
	(void)state;
	skip();
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_the_first_frame),
		cmocka_unit_test(test_frame_pointer_elsewhere),
		cmocka_unit_test(test_ways_that_end),
		cmocka_unit_test(test_gap_further_out),
		cmocka_unit_test(test_stack_made_whole),
		cmocka_unit_test(test_each_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
