/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_proc.c - /proc read in spite of hostile names and vanishing processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/proc.h"

#define AFTER_NAME                                                                                \
	" S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 98765 111 222 18446744073709551615 1 1"

static int parse(const char *text, struct proc_stat *st)
{
	return proc_parse_stat(text, strlen(text), st);
}

static void test_stat_fields(void **state)
{
	struct proc_stat st;

	(void)state;
	assert_int_equal(parse("42 (nginx)" AFTER_NAME "\n", &st), 0);
	assert_int_equal(st.pid, 42);
	assert_int_equal(st.ppid, 7);
	assert_int_equal(st.state, 'S');
	assert_int_equal(st.threads, 3);
	assert_int_equal(st.start_time, 98765);
	assert_string_equal(st.comm, "nginx");
	assert_false(st.kernel);
}

static void test_stat_hostile_names(void **state)
{
	static const char *const names[] = {
		"a) R 1 (", ")", "(", ") Z 1 1", "new\nline", "\xff\xfe", "\x1b[31m", "", " ",
		"x) S 9 9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[256];
		struct proc_stat st;

		snprintf(text, sizeof(text), "42 (%s)" AFTER_NAME, names[i]);
		assert_int_equal(parse(text, &st), 0);
		assert_string_equal(st.comm, names[i]);
		assert_int_equal(st.state, 'S');
		assert_int_equal(st.ppid, 7);
		assert_int_equal(st.start_time, 98765);
	}
}

static void test_stat_broken(void **state)
{
	static const char whole[] = "42 (nginx)" AFTER_NAME;
	struct proc_stat st;

	(void)state;
	assert_int_equal(parse("", &st), -EINVAL);
	assert_int_equal(parse("42 nginx S 1", &st), -EINVAL);
	assert_int_equal(parse("x (y) S 1", &st), -EINVAL);
	/* A name longer than ours is cut, not overrun. */
	assert_int_equal(parse("2 (a-kernel-worker-with-a-long-name)" AFTER_NAME, &st), 0);
	assert_string_equal(st.comm, "a-kernel-worker");
	/* Cut anywhere before the start time: refused, never read past the end. */
	for (size_t len = 0; len < (size_t)(strstr(whole, "98765") - whole); len++) {
		char *cut = strndup(whole, len);

		assert_int_equal(proc_parse_stat(cut, len, &st), -EINVAL);
		free(cut);
	}
}

static void test_own_process(void **state)
{
	struct proc_stat st;
	char exe[256], own[256] = "";
	uint32_t tgid;

	(void)state;
	assert_int_equal(proc_stat((uint32_t)getpid(), &st), 0);
	assert_int_equal(st.pid, getpid());
	assert_int_equal(st.ppid, getppid());
	assert_false(st.kernel || proc_is_zombie(&st));
	assert_true(st.start_time > 0);
	assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 3);
	assert_int_equal(proc_exe((uint32_t)getpid(), exe, sizeof(exe)), 0);
	assert_string_equal(exe, own);
	assert_int_equal(proc_exe((uint32_t)getpid(), exe, 4), 0);
	assert_int_equal(strlen(exe), 3);
	assert_int_equal(proc_tgid((uint32_t)getpid(), &tgid), 0);
	assert_int_equal(tgid, getpid());
}

static void *wait_for_byte(void *fds)
{
	int *ends = fds;
	uint32_t tid = (uint32_t)syscall(SYS_gettid);
	char c;

	if (write(ends[3], &tid, sizeof(tid)) != sizeof(tid) || read(ends[0], &c, 1) != 1)
		return fds;
	return NULL;
}

static void test_threads(void **state)
{
	uint32_t *list, tid, tgid;
	int ends[4];
	pthread_t thread;
	size_t n;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pipe(ends + 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_byte, ends), 0);
	assert_int_equal(read(ends[2], &tid, sizeof(tid)), sizeof(tid));
	assert_int_equal(proc_threads((uint32_t)getpid(), &list, &n), 0);
	assert_int_equal(n, 2);
	assert_true(list[0] == tid || list[1] == tid);
	free(list);
	assert_int_equal(proc_tgid(tid, &tgid), 0);
	assert_int_equal(tgid, getpid());
	assert_int_equal(write(ends[1], "x", 1), 1);
	pthread_join(thread, NULL);
	for (int i = 0; i < 4; i++)
		close(ends[i]);
}

/* A child with a hostile name: seen, then a zombie, then gone. */
static void test_life_of_a_child(void **state)
{
	static const char name[] = "a) R 1 (\n\xff";
	struct proc_stat st;
	uint32_t *list, pid;
	int ready[2];
	siginfo_t info;
	size_t n;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = (uint32_t)fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, name);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(proc_stat(pid, &st), 0);
	assert_string_equal(st.comm, name);
	assert_int_equal(st.ppid, getpid());

	kill((pid_t)pid, SIGKILL);
	assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc_stat(pid, &st), 0);
	assert_true(proc_is_zombie(&st));
	waitpid((pid_t)pid, NULL, 0);
	assert_int_equal(proc_stat(pid, &st), -ESRCH);
	assert_int_equal(proc_threads(pid, &list, &n), -ESRCH);
	close(ready[0]);
	close(ready[1]);
}

static void test_lists(void **state)
{
	uint32_t *list;
	bool self = false;
	size_t n;

	(void)state;
	assert_int_equal(proc_list(&list, &n), 0);
	for (size_t i = 0; i < n; i++) {
		self |= list[i] == (uint32_t)getpid();
		assert_true(i == 0 || list[i - 1] < list[i]);
	}
	assert_true(self);
	free(list);
}

static int count(void *n, const char *fd, const char *link)
{
	(void)fd;
	(void)link;
	++*(int *)n;
	return 0;
}

static int say_link(void *text, const char *fd, const char *link)
{
	int wanted = *(int *)text;

	if (atoi(fd) == wanted)
		snprintf(text, 64, "%s", link);
	return atoi(fd) == wanted;
}

static void test_descriptors(void **state)
{
	int before = 0, after = 0, ends[2];
	union {
		int fd;
		char text[64];
	} link;

	(void)state;
	assert_int_equal(proc_descriptors((uint32_t)getpid(), count, &before), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(proc_descriptors((uint32_t)getpid(), count, &after), 0);
	assert_int_equal(after, before + 2);
	link.fd = ends[1];
	assert_int_equal(proc_descriptors((uint32_t)getpid(), say_link, &link), 1);
	assert_int_equal(strncmp(link.text, "pipe:[", 6), 0);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(proc_descriptors(INT32_MAX, count, &after), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat_fields),
		cmocka_unit_test(test_stat_hostile_names),
		cmocka_unit_test(test_stat_broken),
		cmocka_unit_test(test_own_process),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_life_of_a_child),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
