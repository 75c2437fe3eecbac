/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_launch.c - programs under epollscope and the signals that end it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "target/launch.h"
#include "target/proc.h"
#include "base/stop.h"

#define PATIENCE_MS 10000

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

/* Runs sh -c script under stop and returns its status. */
static int run(const char *script, const struct stop *stop)
{
	char *argv[] = { "sh", "-c", (char *)script, NULL };
	struct launch l = LAUNCH_INIT;
	char why[160] = "";
	int status;

	assert_int_equal(launch_start(&l, argv, stop), 0);
	if (launch_release(&l, why, sizeof(why)))
		fail_msg("release: %s", why);
	assert_true(readable(launch_wait_fd(&l), PATIENCE_MS));
	status = launch_status(&l);
	assert_int_equal(launch_status(&l), status);
	launch_end(&l);
	return status;
}

static void test_statuses(void **state)
{
	(void)state;
	assert_int_equal(run("exit 0", NULL), 0);
	assert_int_equal(run("exit 77", NULL), 77);
	assert_int_equal(run("kill -TERM $$", NULL), 128 + SIGTERM);
	assert_int_equal(run("kill -KILL $$", NULL), 128 + SIGKILL);
}

static void test_waits_for_release(void **state)
{
	char *argv[] = { "true", NULL };
	struct launch l = LAUNCH_INIT;
	char why[160];

	(void)state;
	assert_int_equal(launch_start(&l, argv, NULL), 0);
	assert_false(readable(launch_wait_fd(&l), 50));
	assert_int_equal(launch_status(&l), -EAGAIN);
	assert_int_equal(launch_release(&l, why, sizeof(why)), 0);
	assert_true(readable(launch_wait_fd(&l), PATIENCE_MS));
	assert_int_equal(launch_status(&l), 0);
	launch_end(&l);
	launch_end(&l);
}

static void test_cannot_execute(void **state)
{
	static const char *const programs[] = { "/no/such/program", "no-such-program-anywhere", "/",
					       "/etc/passwd" };

	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		char *argv[] = { (char *)programs[i], NULL };
		struct launch l = LAUNCH_INIT;
		char why[160] = "";

		assert_int_equal(launch_start(&l, argv, NULL), 0);
		assert_int_equal(launch_release(&l, why, sizeof(why)), -ENOENT);
		if (!strstr(why, programs[i]))
			fail_msg("expected '%s' in '%s'", programs[i], why);
		launch_end(&l);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	}
}

static void test_ended_before_release(void **state)
{
	char *argv[] = { "true", NULL };
	struct launch l = LAUNCH_INIT;
	struct proc_stat st;
	char why[160];
	pid_t pid;

	(void)state;
	assert_int_equal(launch_start(&l, argv, NULL), 0);
	pid = l.pid;
	launch_end(&l);
	assert_int_equal(proc_stat((uint32_t)pid, &st), -ESRCH);

	assert_int_equal(launch_start(&l, argv, NULL), 0);
	kill(l.pid, SIGKILL);
	assert_true(readable(launch_wait_fd(&l), PATIENCE_MS));
	assert_int_equal(launch_release(&l, why, sizeof(why)), -EPIPE);
	assert_int_equal(launch_status(&l), 128 + SIGKILL);
	launch_end(&l);
	assert_int_equal(launch_status(&l), 128 + SIGKILL);
}

/* Whoever launches is killed: the child must not run its program. */
static void test_launcher_vanishes(void **state)
{
	int alive[2];
	char c;
	pid_t launcher;

	(void)state;
	assert_int_equal(pipe(alive), 0);
	launcher = fork();
	if (launcher == 0) {
		char *argv[] = { "sh", "-c", "echo started", NULL };
		struct launch l = LAUNCH_INIT;

		dup2(alive[1], STDOUT_FILENO);
		close(alive[0]);
		close(alive[1]);
		launch_start(&l, argv, NULL);
		raise(SIGKILL);
	}
	close(alive[1]);
	waitpid(launcher, NULL, 0);
	/* The end of the pipe: the child has gone, and has printed nothing. */
	assert_true(readable(alive[0], PATIENCE_MS));
	assert_int_equal(read(alive[0], &c, 1), 0);
	close(alive[0]);
}

/* The program sees the mask and the dispositions that we were started with. */
static void test_signals_of_the_child(void **state)
{
	static const char script[] =
		"while read -r name value; do case $name in "
		"SigBlk:|SigIgn:) [ $((0x$value & 0x5002)) = 0 ] || exit 9;; "
		"esac; done < /proc/self/status";
	struct stop stop;

	(void)state;
	assert_int_equal(stop_open(&stop), 0);
	assert_int_equal(run(script, &stop), 0);
	stop_close(&stop);
}

static void test_first_signal(void **state)
{
	struct stop stop;
	sigset_t mask;

	(void)state;
	assert_int_equal(stop_open(&stop), 0);
	assert_false(readable(stop.fd, 0));
	assert_int_equal(stop_take(&stop), 0);
	kill(getpid(), SIGTERM);
	assert_true(readable(stop.fd, PATIENCE_MS));
	kill(getpid(), SIGTERM); /* an echo of it */
	assert_int_equal(stop_take(&stop), SIGTERM);
	assert_int_equal(stop_take(&stop), SIGTERM);
	stop_close(&stop);
	stop_close(&stop);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGTERM));
}

static void test_second_signal(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct stop stop;

		stop_open(&stop);
		raise(SIGINT);
		stop_take(&stop);
		raise(SIGINT);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGINT);
}

/* Nobody looks whether a signal has come: the second one ends us all the same. */
static void test_second_signal_unheard(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct timespec pause = { .tv_nsec = 50000000 };
		struct stop stop;

		stop_open(&stop);
		raise(SIGTERM);
		nanosleep(&pause, NULL);
		raise(SIGTERM);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
}

static void test_write_without_reader(void **state)
{
	static const char much[1 << 20];
	struct stop stop;
	int ends[2];

	(void)state;
	assert_int_equal(stop_open(&stop), 0);
	assert_int_equal(pipe(ends), 0);
	stop_after(&stop, 1000000);
	assert_false(stop_late());
	/* As much as there is room for, and then nothing for as long as we let it. */
	assert_in_range(write(ends[1], much, sizeof(much)), 1, sizeof(much) - 1);
	assert_true(stop_late());
	assert_int_equal(write(ends[1], much, sizeof(much)), -1);
	assert_int_equal(errno, EINTR);
	assert_int_equal(stop_take(&stop), 0);
	close(ends[0]);
	close(ends[1]);
	stop_close(&stop);
}

static void test_closed_reader(void **state)
{
	struct stop stop;
	int ends[2];

	(void)state;
	assert_int_equal(stop_open(&stop), 0);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_int_equal(write(ends[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	close(ends[1]);
	stop_close(&stop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_waits_for_release),
		cmocka_unit_test(test_cannot_execute),
		cmocka_unit_test(test_ended_before_release),
		cmocka_unit_test(test_launcher_vanishes),
		cmocka_unit_test(test_signals_of_the_child),
		cmocka_unit_test(test_first_signal),
		cmocka_unit_test(test_second_signal),
		cmocka_unit_test(test_second_signal_unheard),
		cmocka_unit_test(test_write_without_reader),
		cmocka_unit_test(test_closed_reader),
	};

	return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
