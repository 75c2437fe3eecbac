/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* syscall_loop.c - what a system call of a process costs: prints the ns of one, over N calls. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/clock.h"

int main(int argc, char **argv)
{
	long calls = argc > 1 ? atol(argv[1]) : 1000000;
	uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	for (long i = 0; i < calls; i++)
		syscall(SYS_getppid);
	printf("%.2f\n", (double)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)calls);
	return 0;
}
