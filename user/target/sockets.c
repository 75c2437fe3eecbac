/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets.c - see sockets.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/sockets.h"

static int ask(int fd, int family, uint32_t states)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} request = {
		.head = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.body = {
			.sdiag_family = (uint8_t)family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1u << (INET_DIAG_SKMEMINFO - 1),
			.idiag_states = states,
		},
	};

	return send(fd, &request, sizeof(request), 0) == sizeof(request) ? 0 : -errno;
}

static uint32_t drops_of(const struct nlmsghdr *head, const struct inet_diag_msg *socket)
{
	const struct rtattr *at = (const struct rtattr *)(socket + 1);
	unsigned left = head->nlmsg_len - NLMSG_LENGTH(sizeof(*socket));
	uint32_t mem[SK_MEMINFO_VARS];

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type != INET_DIAG_SKMEMINFO || RTA_PAYLOAD(at) < sizeof(mem))
			continue;
		memcpy(mem, RTA_DATA(at), sizeof(mem));
		return mem[SK_MEMINFO_DROPS];
	}
	return 0;
}

/* One answer: 1 if more will follow, 0 at its end, or a negative errno. */
static int take(int fd, socket_fn *found, void *ctx)
{
	_Alignas(struct nlmsghdr) char buf[32768];
	ssize_t got = recv(fd, buf, sizeof(buf), 0);
	unsigned left = got > 0 ? (unsigned)got : 0;

	if (got <= 0)
		return got ? -errno : -EPROTO;
	for (struct nlmsghdr *head = (struct nlmsghdr *)buf; NLMSG_OK(head, left);
	     head = NLMSG_NEXT(head, left)) {
		const struct inet_diag_msg *socket = NLMSG_DATA(head);
		int err;

		if (head->nlmsg_type == NLMSG_DONE)
			return 0;
		if (head->nlmsg_type == NLMSG_ERROR)
			return -EOPNOTSUPP;
		if (head->nlmsg_len < NLMSG_LENGTH(sizeof(*socket)))
			return -EPROTO;
		err = found(ctx, &(struct socket_info){
			.port = ntohs(socket->id.idiag_sport), .inode = socket->idiag_inode,
			.queue = socket->idiag_rqueue, .limit = socket->idiag_wqueue,
			.drops = drops_of(head, socket),
		});
		if (err)
			return err;
	}
	return 1;
}

static int list_family(int fd, int family, uint32_t states, socket_fn *found, void *ctx)
{
	int more = ask(fd, family, states);

	if (more)
		return more;
	do
		more = take(fd, found, ctx);
	while (more > 0);
	return more;
}

static int monitor_here(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

/* A monitoring socket belongs to the namespace that it was made in, wherever its owner goes. */
static int monitor_of(uint32_t pid)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there, fd;
	struct stat a, b;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (home < 0 || there < 0 || fstat(home, &a) || fstat(there, &b)) {
		fd = -errno;
	} else if (a.st_ino == b.st_ino) {
		fd = monitor_here();
	} else if (setns(there, CLONE_NEWNET)) {
		fd = -errno;
	} else {
		fd = monitor_here();
		if (setns(home, CLONE_NEWNET) && fd >= 0) {
			close(fd);
			fd = -EPERM;
		}
	}
	if (home >= 0)
		close(home);
	if (there >= 0)
		close(there);
	return fd;
}

int sockets_in(uint32_t pid, uint32_t states, socket_fn *found, void *ctx)
{
	int fd = pid ? monitor_of(pid) : monitor_here(), err;

	if (fd < 0)
		return fd;
	err = list_family(fd, AF_INET, states, found, ctx);
	if (!err)
		err = list_family(fd, AF_INET6, states, found, ctx);
	close(fd);
	return err;
}
