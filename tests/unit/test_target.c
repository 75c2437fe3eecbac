/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_target.c - who is meant: names, ports, children, and who never is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/target.h"

/* A family: a parent with a name of its own, which forks a child, and waits to be killed. */
struct family {
	uint32_t parent, child, thread;	/* thread: of the parent */
	uint32_t port;			/* the parent listens here, with IPv6 */
	char comm[16];
	int fd;				/* its end: both are gone */
};

struct greeting {
	uint32_t child, thread;
	uint32_t port;
};

static void *sleep_thread(void *tid)
{
	__atomic_store_n((uint32_t *)tid, (uint32_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	pause();
	return NULL;
}

static int listen_somewhere(int family, uint32_t *port)
{
	struct sockaddr_storage any = { .ss_family = (sa_family_t)family };
	socklen_t len = sizeof(any);
	int fd = socket(family, SOCK_STREAM, 0);

	/* Port and address 0: any. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, len) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&any, &len))
		return -1;
	*port = ntohs(((struct sockaddr_in *)&any)->sin_port); /* at the same place for both */
	return fd;
}

static _Noreturn void be_parent(const char *comm, int out)
{
	struct greeting hello = { 0 };
	pthread_t thread;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, comm);
	hello.child = (uint32_t)fork();
	if (hello.child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	fd = listen_somewhere(AF_INET6, &hello.port);
	if (fd < 0)
		fd = listen_somewhere(AF_INET, &hello.port);
	pthread_create(&thread, NULL, sleep_thread, &hello.thread);
	while (!__atomic_load_n(&hello.thread, __ATOMIC_SEQ_CST))
		;
	if (fd < 0 || write(out, &hello, sizeof(hello)) != sizeof(hello))
		_exit(1);
	pause();
	_exit(0);
}

static int start_family(void **state)
{
	static struct family f;
	struct greeting hello;
	int ends[2];

	if (pipe(ends))
		return -1;
	snprintf(f.comm, sizeof(f.comm), "fam (%d", (int)getpid() % 100000);
	f.parent = (uint32_t)fork();
	if (f.parent == 0) {
		close(ends[0]);
		be_parent(f.comm, ends[1]);
	}
	close(ends[1]);
	if (read(ends[0], &hello, sizeof(hello)) != sizeof(hello))
		return -1;
	f.child = hello.child;
	f.thread = hello.thread;
	f.port = hello.port;
	f.fd = ends[0];
	*state = &f;
	return 0;
}

static int end_family(void **state)
{
	struct family *f = *state;

	kill((pid_t)f->child, SIGKILL);
	kill((pid_t)f->parent, SIGKILL);
	waitpid((pid_t)f->parent, NULL, 0);
	close(f->fd);
	return 0;
}

static bool has(const struct targets *t, uint32_t pid)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->list[i].pid == pid)
			return true;
	}
	return false;
}

static void resolves(const struct target_spec *spec, struct targets *t)
{
	char why[200] = "";

	if (targets_resolve(spec, t, why, sizeof(why)))
		fail_msg("not resolved: %s", why);
}

static void refuses(const struct target_spec *spec, int err, const char *part)
{
	char why[200] = "";
	struct targets t;

	assert_int_equal(targets_resolve(spec, &t, why, sizeof(why)), err);
	if (!strstr(why, part) || strchr(why, '\n'))
		fail_msg("expected '%s' in '%s'", part, why);
	targets_free(&t);
}

static void test_pid_and_children(void **state)
{
	struct family *f = *state;
	struct target_spec spec = { .pids = &f->parent, .n_pids = 1 };
	struct target_spec below = { .pids = &f->child, .n_pids = 1 };
	struct targets t;
	char own[256] = "";

	assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	resolves(&spec, &t);
	assert_int_equal(t.n, 2);
	assert_true(has(&t, f->parent) && has(&t, f->child));
	assert_string_equal(t.list[0].comm, f->comm);
	assert_string_equal(t.list[0].exe, own);
	assert_true(t.list[0].start_time > 0);
	assert_string_equal(t.note, "");
	targets_free(&t);

	resolves(&below, &t);
	assert_int_equal(t.n, 1);
	targets_free(&t);
}

static void test_thread_means_its_process(void **state)
{
	struct family *f = *state;
	struct target_spec spec = { .pids = &f->thread, .n_pids = 1 };
	struct targets t;
	char number[16];

	snprintf(number, sizeof(number), "%u", f->parent);
	resolves(&spec, &t);
	assert_true(has(&t, f->parent));
	assert_false(has(&t, f->thread));
	assert_non_null(strstr(t.note, number));
	targets_free(&t);
}

static void test_names(void **state)
{
	struct family *f = *state;
	const char *glob[2] = { "fam [(]*" }, *name[1] = { f->comm };
	const char *none[2] = { f->comm, "no-such-*" };
	struct target_spec spec = { .comms = glob, .n_comms = 1 };
	struct targets t;

	resolves(&spec, &t);
	assert_true(has(&t, f->parent) && has(&t, f->child));
	targets_free(&t);

	spec.comms = name;
	resolves(&spec, &t);
	assert_int_equal(t.n, 2);
	targets_free(&t);

	spec = (struct target_spec){ .comms = none, .n_comms = 2 };
	refuses(&spec, -ESRCH, "no process named 'no-such-*'");
}

static void test_long_name(void **state)
{
	const char *name = "0123456789abcdef-and-more";
	struct target_spec spec = { .comms = &name, .n_comms = 1 };
	struct targets t;
	pid_t pid;
	int ready[2];
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, name);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	resolves(&spec, &t);
	assert_true(has(&t, (uint32_t)pid));
	targets_free(&t);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

static void test_ports(void **state)
{
	struct family *f = *state;
	uint32_t two[2] = { f->port, 0 }, own_port;
	struct target_spec spec = { .ports = two, .n_ports = 1 };
	struct targets t;
	int own = listen_somewhere(AF_INET, &own_port);

	resolves(&spec, &t);
	assert_int_equal(t.n, 2);
	assert_true(has(&t, f->parent) && has(&t, f->child));
	targets_free(&t);

	/* Ours is a listener, too, but we are never a target. Users may not see all owners. */
	assert_true(own >= 0);
	spec.ports = &own_port;
	if (geteuid() == 0)
		refuses(&spec, -ESRCH, "belongs to no process");
	close(own);
	refuses(&spec, -ESRCH, "no process listens on port");
	two[1] = own_port;
	spec.ports = two;
	spec.n_ports = 2;
	refuses(&spec, -ESRCH, "no process listens on port");
}

static void test_all_conditions_must_hold(void **state)
{
	struct family *f = *state;
	const char *comm = f->comm;
	struct target_spec spec = {
		.pids = &f->child, .n_pids = 1, .comms = &comm, .n_comms = 1, .ports = &f->port,
		.n_ports = 1,
	};
	uint32_t own_parent = (uint32_t)getpid();
	struct targets t;

	/* The child does not listen itself, but its parent does. */
	resolves(&spec, &t);
	assert_int_equal(t.n, 1);
	assert_true(has(&t, f->child));
	targets_free(&t);

	spec = (struct target_spec){ .pids = &own_parent, .n_pids = 1 };
	refuses(&spec, -ESRCH, "epollscope itself");
}

static void test_refusals(void **state)
{
	uint32_t kthreadd = 2, none = INT32_MAX, zombie;
	struct target_spec spec = { .n_pids = 1 };
	siginfo_t info;

	(void)state;
	spec.pids = &none;
	refuses(&spec, -ESRCH, "pid 2147483647 does not exist");
	spec.pids = &kthreadd;
	if (!access("/proc/2", F_OK) && getppid() != 2 && access("/proc/2/exe", F_OK))
		refuses(&spec, -ESRCH, "kernel thread");
	zombie = (uint32_t)fork();
	if (zombie == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, zombie, &info, WEXITED | WNOWAIT), 0);
	spec.pids = &zombie;
	refuses(&spec, -ESRCH, "has ended");
	waitpid((pid_t)zombie, NULL, 0);
	refuses(&spec, -ESRCH, "does not exist");

	spec = (struct target_spec){ .cgroup = "no/such/group" };
	refuses(&spec, -ENOENT, "'no/such/group'");
	spec = (struct target_spec){ .cgroup = "/proc" };
	refuses(&spec, -ENOENT, "'/proc'");
	spec = (struct target_spec){ 0 };
	refuses(&spec, -EINVAL, "no target");
}

static void test_cgroup(void **state)
{
	struct family *f = *state;
	struct target_spec spec = { .cgroup = "/" };
	char why[200];
	struct targets t;

	/* The root group holds everyone, where groups can be seen at all. */
	if (targets_resolve(&spec, &t, why, sizeof(why)))
		skip();
	assert_true(has(&t, f->parent) && has(&t, f->child));
	assert_false(has(&t, (uint32_t)getpid()));
	targets_free(&t);
}

static void test_refresh(void **state)
{
	struct family *f = *state;
	struct target_spec spec = { .pids = &f->parent, .n_pids = 1 };
	struct targets t;
	size_t n;

	resolves(&spec, &t);
	n = t.n;
	assert_int_equal(targets_refresh(&spec, &t), 0);
	assert_int_equal(t.n, n);

	/* As if the child had come later; its pid may be the smaller one if pids wrapped. */
	if (t.list[0].pid != f->parent)
		t.list[0] = t.list[1];
	t.n = 1;
	assert_int_equal(targets_refresh(&spec, &t), 1);
	assert_int_equal(t.list[1].pid, f->child);
	targets_free(&t);
}

static void test_refresh_after_reuse(void **state)
{
	struct family *f = *state;
	struct target_spec spec = { .pids = &f->child, .n_pids = 1 };
	struct targets t;

	/* As if the pid had belonged to another process when it was given. */
	resolves(&spec, &t);
	t.list[0].start_time--;
	assert_int_equal(targets_refresh(&spec, &t), 0);
	assert_int_equal(t.n, 1);
	targets_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pid_and_children),
		cmocka_unit_test(test_thread_means_its_process),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_all_conditions_must_hold),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_refresh_after_reuse),
	};

	return cmocka_run_group_tests_name("target", tests, start_family, end_family);
}
