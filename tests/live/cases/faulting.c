/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * faulting.c - a server one request of EVERY of which touches a page that is not there, and comes after
 * PAGE_US: faulting EVERY PAGE_US. With PAGE_US 0 the pages are there. Prints "port N", or "cannot" if
 * the kernel lets nobody serve page faults.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGES 65536UL
#define EVENTS 64

static useconds_t page_us;

/* The disk that the pages come from. */
static void *pager(void *arg)
{
	const int *fd = arg;
	struct uffd_msg m;

	while (read(*fd, &m, sizeof(m)) == sizeof(m)) {
		struct uffdio_zeropage zero = {
			.range = { m.arg.pagefault.address & ~(PAGE - 1), PAGE },
		};

		usleep(page_us);
		ioctl(*fd, UFFDIO_ZEROPAGE, &zero);
	}
	return NULL;
}

static int served_faults(char *memory)
{
	static int fd;
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = {
		.range = { (unsigned long)memory, PAGES * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	pthread_t thread;

	fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	return fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &r) ||
	       pthread_create(&thread, NULL, pager, &fd);
}

static void serve(volatile char *memory, int listening, int ep, unsigned long every)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = listening }, events[EVENTS];
	unsigned long requests = 0, page = 0;
	char line[4096];

	epoll_ctl(ep, EPOLL_CTL_ADD, listening, &e);
	for (;;) {
		int n = epoll_wait(ep, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd, one = 1;

			if (fd == listening) {
				e.data.fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
				setsockopt(e.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
				epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e);
			} else if (read(fd, line, sizeof(line)) <= 0) {
				close(fd);
			} else {
				if (++requests % every == 0)
					(void)memory[page++ % PAGES * PAGE];
				if (write(fd, "ok\n", 3) != 3)
					close(fd);
			}
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int listening = socket(AF_INET, SOCK_STREAM, 0);
	char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (argc != 3 || memory == MAP_FAILED)
		return 64;
	page_us = (useconds_t)atoi(argv[2]);
	if (page_us && served_faults(memory)) {
		puts("cannot");
		return 77;
	}
	if (bind(listening, (struct sockaddr *)&a, size) || listen(listening, 128) ||
	    getsockname(listening, (struct sockaddr *)&a, &size))
		return 1;
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	serve(memory, listening, epoll_create1(0), strtoul(argv[1], NULL, 10));
}
