/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets.h - TCP sockets by state, from the kernel's socket monitoring (sock_diag). */
#ifndef EPOLLSCOPE_SOCKETS_H
#define EPOLLSCOPE_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#define SOCKETS_LISTENING	(1u << 10)	/* by the kernel's number of the state */
#define SOCKETS_CLOSE_WAIT	(1u << 8)

struct socket_info {
	uint16_t port;		/* local */
	uint64_t inode;		/* 0: no file, such as in an accept queue */
	uint32_t queue;		/* of a listener: connections that wait to be accepted, */
	uint32_t limit;		/* and how many may */
	uint32_t drops;		/* what it dropped: of a listener, connections */
};

/* 0 to go on, else that is returned at once. */
typedef int socket_fn(void *ctx, const struct socket_info *s);

/*
 * The sockets in these states of a process's network namespace; 0 is our own. Unlike net/tcp it does
 * not walk the table of connections to list listeners. 0, a negative errno, or what `found` returned.
 */
int sockets_in(uint32_t pid, uint32_t states, socket_fn *found, void *ctx);

#endif
