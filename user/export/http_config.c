/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* http_config.c - what the server is given: a listening socket; certificate, key and password. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "export/http.h"

#define FILE_MAX 65536
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

/* The address it listens on, as a URL; the port given may have been 0. */
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

int http_listen(struct http_config *c, const char *where, char url[256], bool *loopback)
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
	if (fd < 0)
		return fd;
	describe(fd, url, loopback);
	c->listen_fd = fd;
	return 0;
}

/* All of a regular file, terminated. */
static int read_file(const char *path, char **text)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	int err = 0;

	if (!file)
		return -errno;
	if (fstat(fileno(file), &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size >= FILE_MAX)
		err = -EFBIG;
	else
		*text = calloc(1, FILE_MAX);
	if (*text)
		fread(*text, 1, FILE_MAX - 1, file);
	if (!err && (!*text || ferror(file)))
		err = *text ? -EIO : -ENOMEM;
	fclose(file);
	return err;
}

static int open_one(const char *path, char **text)
{
	int err = path ? read_file(path, text) : 0;

	if (!err)
		return EXIT_OK;
	fail_line("cannot read %.300s: %s", path, strerror(-err));
	return EXIT_NOTARGET;
}

int http_read_files(struct http_config *c, const char *cert, const char *key, const char *auth)
{
	int status = open_one(cert, &c->cert);
	char *colon;

	status = status ? status : open_one(key, &c->key);
	status = status ? status : open_one(auth, &c->user);
	if (status || !c->user)
		return status;
	c->user[strcspn(c->user, "\r\n")] = '\0';
	colon = strchr(c->user, ':');
	if (!colon || colon == c->user || !colon[1]) {
		fail_line("%.300s: its first line should be USER:PASSWORD", auth);
		return EXIT_USAGE_ERROR;
	}
	*colon = '\0';
	c->password = colon + 1;
	return EXIT_OK;
}

void http_config_free(struct http_config *c)
{
	free(c->cert);
	free(c->key);
	free(c->user);
	if (c->listen_fd >= 0)
		close(c->listen_fd);
}
