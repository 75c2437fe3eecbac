/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * skip_server.c - an echo server of one connection that makes every other request's hooks go unseen,
 * as if the kernel had skipped them: that of the data's arrival, by taking the stamp away that it left
 * in the socket's storage; those of the read, of the send and of both, by not being a target meanwhile.
 * The offset of target_bits in epollscope's variables is its argument. At the end it prints a line,
 * "arrivals N reads N sends N both N".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum skip { ARRIVAL, READ, SEND, BOTH, KINDS };

static uint64_t *target_word;	/* this process's, in the watching epollscope */
static int conns = -1;		/* its map of connections */
static uint32_t conn_size;

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static int map_info(int fd, struct bpf_map_info *info)
{
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = sizeof(*info),
					  .info = (uintptr_t)info } };

	memset(info, 0, sizeof(*info));
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

static uint64_t target_bit(void)
{
	return 1ULL << (getpid() % 64);
}

/* The variables of an epollscope that watches this process. */
static void try_variables(int fd, const struct bpf_map_info *info, size_t offset)
{
	uint64_t *word;
	char *at;

	if (!strstr(info->name, ".bss") || info->value_size < offset)
		return;
	at = mmap(NULL, info->value_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return;
	word = (uint64_t *)(at + offset) + getpid() / 64;
	if (*word & target_bit())
		target_word = word;
}

/* The map in which the connection has its state. */
static void try_conns(int fd, const struct bpf_map_info *info, int connection)
{
	char value[4096];
	union bpf_attr attr = { .map_fd = (uint32_t)fd, .key = (uintptr_t)&connection,
				.value = (uintptr_t)value };

	if (info->type != BPF_MAP_TYPE_SK_STORAGE || strcmp(info->name, "conns") ||
	    info->value_size > sizeof(value) || bpf(BPF_MAP_LOOKUP_ELEM, &attr))
		return;
	conns = dup(fd);
	conn_size = info->value_size;
}

static void find_maps(int connection, size_t offset)
{
	union bpf_attr attr = { 0 };
	struct bpf_map_info info;
	int fd;

	while (!bpf(BPF_MAP_GET_NEXT_ID, &attr)) {
		attr.start_id = attr.next_id;
		fd = bpf(BPF_MAP_GET_FD_BY_ID, &(union bpf_attr){ .map_id = attr.next_id });
		if (fd < 0)
			continue;
		if (!map_info(fd, &info)) {
			try_variables(fd, &info, offset);
			try_conns(fd, &info, connection);
		}
		close(fd);
	}
	if (!target_word || conns < 0)
		give_up("nobody watches this server");
}

/* ready_ns, the first member of struct conn. */
static void forget_arrival(int connection)
{
	uint64_t value[512] = { 0 };
	union bpf_attr attr = { .map_fd = (uint32_t)conns, .key = (uintptr_t)&connection,
				.value = (uintptr_t)value };

	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr) || !value[0])
		give_up("the arrival has no stamp");
	value[0] = 0;
	attr.flags = BPF_EXIST;
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr))
		give_up("updating the connection's state");
}

static void be_seen(int seen)
{
	if (seen)
		__atomic_fetch_or(target_word, target_bit(), __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(target_word, ~target_bit(), __ATOMIC_SEQ_CST);
}

/* One request; false at the end of the connection. */
static int answer(int fd, enum skip skip)
{
	char buffer[4096];
	ssize_t n;

	if (skip == ARRIVAL)
		forget_arrival(fd);
	if (skip == READ || skip == BOTH)
		be_seen(0);
	n = recv(fd, buffer, sizeof(buffer), 0);
	be_seen(1);
	if (n <= 0)
		return 0;
	if (skip == SEND || skip == BOTH)
		be_seen(0);
	if (send(fd, buffer, (size_t)n, MSG_NOSIGNAL) != n)
		give_up("send");
	be_seen(1);
	return 1;
}

static int listener(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (void *)&address, len) || listen(fd, 16) ||
	    getsockname(fd, (void *)&address, &len))
		give_up("listen");
	printf("port %u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	unsigned long long skipped[KINDS] = { 0 };
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(0), fd = listener(), more = 1;
	size_t offset;

	if (argc != 2)
		return 1;
	offset = strtoul(argv[1], NULL, 0);
	fd = accept(fd, NULL, NULL);
	if (fd < 0 || ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event))
		give_up("accept");
	for (unsigned n = 0; more; n++) {
		/* The first is a plain one, and so is every other. */
		enum skip skip = n % 2 ? (enum skip)(n / 2 % KINDS) : KINDS;

		if (epoll_wait(ep, &event, 1, -1) != 1)
			give_up("epoll_wait");
		if (!n)
			find_maps(fd, offset);
		/* Its end has no request. */
		if (event.events & EPOLLRDHUP || recv(fd, &(char){ 0 }, 1, MSG_PEEK) <= 0)
			break;
		more = answer(fd, skip);
		if (more && skip < KINDS)
			skipped[skip]++;
	}
	printf("arrivals %llu reads %llu sends %llu both %llu\n", skipped[ARRIVAL], skipped[READ],
	       skipped[SEND], skipped[BOTH]);
	return 0;
}
