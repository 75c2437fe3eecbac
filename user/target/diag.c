/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * diag.c - the listening sockets of our own network namespace, asked from the kernel's
 * socket monitoring: unlike net/tcp it does not walk the table of all connections for them.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "target/diag.h"

static int ask(int fd, int family)
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
			.idiag_states = 1u << TCP_LISTEN,
		},
	};

	return send(fd, &request, sizeof(request), 0) == sizeof(request) ? 0 : -errno;
}

/* One answer: 1 if more will follow, 0 at its end, or a negative errno. */
static int take(int fd, listener_fn *found, void *ctx)
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
		err = found(ctx, &(struct listen_socket){
			.port = ntohs(socket->id.idiag_sport), .inode = socket->idiag_inode,
			.queue = socket->idiag_rqueue, .limit = socket->idiag_wqueue,
		});
		if (err)
			return err;
	}
	return 1;
}

int diag_listeners(int family, listener_fn *found, void *ctx)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int more;

	if (fd < 0)
		return -errno;
	more = ask(fd, family);
	if (!more)
		do
			more = take(fd, found, ctx);
		while (more > 0);
	close(fd);
	return more;
}
