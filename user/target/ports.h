/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ports.h - the listening TCP sockets of our own network namespace, as the kernel tells of them. */
#ifndef EPOLLSCOPE_PORTS_H
#define EPOLLSCOPE_PORTS_H

#include <stdint.h>

struct listen_socket {
	unsigned port;
	uint64_t inode;
	uint32_t queue, limit;	/* of connections to accept; 0 where only /proc was read */
};

/* Called for each listening socket; anything but 0 ends the search. */
typedef int listener_fn(void *ctx, const struct listen_socket *l);

/* Those of AF_INET or AF_INET6. 0, what `found` returned, or a negative errno. */
int ports_listeners(int family, listener_fn *found, void *ctx);

#endif
