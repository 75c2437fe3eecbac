/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ports.c - who listens on a port: the inodes of the listening sockets of every network
 * namespace, then the processes that have one of them open.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "target/match.h"
#include "target/sockets.h"

struct set {
	uint64_t *list;
	size_t n;
};

/* What was found on the way from ports to processes. */
struct search {
	const uint32_t *ports;
	size_t n_ports;
	bool *listening;	/* for each port: somebody listens on it */
	struct set inodes;
	struct set namespaces;
};

static int set_add(struct set *s, uint64_t value)
{
	uint64_t *place = array_more(&s->list, s->n, sizeof(*place));

	if (!place)
		return -ENOMEM;
	*place = value;
	s->n++;
	return 0;
}

static bool set_has(const struct set *s, uint64_t value)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i] == value)
			return true;
	}
	return false;
}

static int add_listener(void *ctx, const struct socket_info *l)
{
	struct search *s = ctx;
	bool wanted = false;

	for (size_t i = 0; i < s->n_ports; i++) {
		if (s->ports[i] == l->port) {
			s->listening[i] = true;
			wanted = true;
		}
	}
	return wanted ? set_add(&s->inodes, l->inode) : 0;
}

/*
 * The kernel prints all listening sockets before the first connection; each read makes it walk
 * its whole table, so there should be few.
 */
static int read_listeners(struct search *s, const char *path)
{
	char line[512], buffer[32768];
	int err = 0;
	FILE *file = fopen(path, "re");

	if (!file)
		return 0; /* gone, or a kernel without IPv6 */
	setvbuf(file, buffer, _IOFBF, sizeof(buffer));
	/* The heading is no socket. */
	while (!err && fgets(line, sizeof(line), file)) {
		unsigned port, state;
		uint64_t inode;

		if (sscanf(line,
			   " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u"
			   " %*u %" SCNu64,
			   &port, &state, &inode) != 3)
			continue;
		if (state != TCP_LISTEN)
			break;
		err = add_listener(s, &(struct socket_info){ .port = port, .inode = inode });
	}
	fclose(file);
	return err;
}

/* The listeners of the process's network namespace, unless that was read already. */
static int read_namespace(struct search *s, uint32_t pid)
{
	char path[64];
	struct stat st;
	int err;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/ns/net", pid);
	if (stat(path, &st) || set_has(&s->namespaces, st.st_ino))
		return 0;
	err = set_add(&s->namespaces, st.st_ino);
	if (pid == (uint32_t)getpid() && !sockets_in(0, SOCKETS_LISTENING, add_listener, s))
		return err;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/net/tcp", pid);
	if (!err)
		err = read_listeners(s, path);
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/net/tcp6", pid);
	if (!err)
		err = read_listeners(s, path);
	return err;
}

static int is_listener(void *inodes, const char *fd, const char *link)
{
	uint64_t inode;

	(void)fd;
	return sscanf(link, "socket:[%" SCNu64, &inode) == 1 && set_has(inodes, inode);
}

static void mark_owners(struct candidates *c, struct search *s, struct reason *why)
{
	bool found = false, hidden = false;

	for (size_t i = 0; i < c->n; i++) {
		int owns;

		if (c->list[i].known)
			continue;
		owns = proc_descriptors(c->list[i].stat.pid, is_listener, &s->inodes);
		if (owns > 0) {
			c->list[i].match |= MATCH_PORT;
			found = true;
		}
		hidden |= owns == -EACCES || owns == -EPERM;
	}
	if (!found && hidden)
		reason_give(why, -EACCES, "who listens on port %u cannot be seen: run as root",
			    s->ports[0]);
	else if (!found)
		reason_give(why, -ESRCH, "the listener on port %u belongs to no process seen here",
			    s->ports[0]);
}

void match_ports(struct candidates *c, const uint32_t *ports, size_t n, struct reason *why)
{
	struct search s = { .ports = ports, .n_ports = n, .listening = calloc(n, sizeof(bool)) };
	int err = s.listening ? read_namespace(&s, (uint32_t)getpid()) : -ENOMEM;

	for (size_t i = 0; i < c->n && !err; i++)
		err = read_namespace(&s, c->list[i].stat.pid);
	if (err)
		reason_give(why, err, "out of memory for the list of sockets");
	for (size_t i = 0; i < n && !err; i++) {
		if (!s.listening[i])
			reason_give(why, -ESRCH, "no process listens on port %u", ports[i]);
	}
	if (s.inodes.n)
		mark_owners(c, &s, why);
	free(s.listening);
	free(s.inodes.list);
	free(s.namespaces.list);
}
