/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listen.c - from "ADDRESS:PORT" to a listening socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "export/http.h"

#define BACKLOG 64

static bool is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static int listen_on(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	int on = 1, off = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* [::] takes IPv4 too. */
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	on = -errno;
	close(fd);
	return on;
}

/* What it listens on by now, as a URL: the port may have been 0. */
static void describe(int fd, char url[256], bool *loopback)
{
	struct sockaddr_storage at = { 0 };
	socklen_t len = sizeof(at);
	char host[64] = "?", port[8] = "?";

	getsockname(fd, (struct sockaddr *)&at, &len);
	getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(url, 256, at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	*loopback = is_loopback((struct sockaddr *)&at);
}

int http_listen(const char *where, char url[256], bool *loopback)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
	const char *colon = strrchr(where, ':');
	char host[256] = "";
	size_t len = (size_t)(colon - where);
	int fd = -EADDRNOTAVAIL;

	if (len >= 2 && where[0] == '[' && where[len - 1] == ']') {
		where++;
		len -= 2;
	}
	snprintf(host, sizeof(host), "%.*s", (int)len, where);
	/* An empty address is all of them, IPv6 first: that takes IPv4 too. */
	if (!len && getaddrinfo("::", colon + 1, &hints, &found) == 0) {
		fd = listen_on(found);
		freeaddrinfo(found);
		if (fd >= 0 || fd == -EADDRINUSE)
			goto out;
	}
	if (getaddrinfo(len ? host : NULL, colon + 1, &hints, &found))
		return -EADDRNOTAVAIL;
	for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
		fd = listen_on(a);
	freeaddrinfo(found);
out:
	if (fd >= 0)
		describe(fd, url, loopback);
	return fd;
}
