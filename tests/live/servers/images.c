/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * images.c - burns in functions of its own, in images that are gone when their stacks get names:
 *   fork N      N children, one after the other, each ends without an exec
 *   exec        itself again, and that once more
 *   plugin FILE a library that is closed afterwards
 * With -DPLUGIN it is that library.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void plugin_burn(long ms);

/* On the processor for so long, and in the caller all the time: the clock is read seldom. */
#define BURN(ms) do {                                                                   \
	struct timespec from, now;                                                      \
	volatile unsigned long sum = 0;                                                 \
                                                                                        \
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);                                  \
	do {                                                                            \
		for (unsigned i = 0; i < 100000; i++)                                   \
			sum = sum + i;                                                  \
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);                           \
	} while ((now.tv_sec - from.tv_sec) * 1000 +                                    \
		 (now.tv_nsec - from.tv_nsec) / 1000000 < (ms));                        \
} while (0)

#ifdef PLUGIN
void plugin_burn(long ms)
{
	BURN(ms);
}
#else
static __attribute__((noinline)) void child_burn(long ms)
{
	BURN(ms);
}

static __attribute__((noinline)) void first_burn(long ms)
{
	BURN(ms);
}

static __attribute__((noinline)) void second_burn(long ms)
{
	BURN(ms);
}

static void forks(int n)
{
	while (n-- > 0) {
		pid_t pid = fork();

		if (!pid) {
			child_burn(3);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

static void plugin(const char *path)
{
	void (*burn)(long ms);
	void *library;

	first_burn(200);
	library = dlopen(path, RTLD_NOW);
	if (!library)
		exit(1);
	*(void **)&burn = dlsym(library, "plugin_burn");
	burn(300);
	dlclose(library);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "fork")) {
		forks(atoi(argv[2]));
	} else if (!strcmp(what, "exec")) {
		first_burn(200);
		execl("/proc/self/exe", argv[0], "again", NULL);
		return 1;
	} else if (!strcmp(what, "again")) {
		second_burn(200);
		execl("/bin/true", "true", NULL);
		return 1;
	} else if (!strcmp(what, "plugin")) {
		plugin(argv[2]);
	}
	return 0;
}
#endif
