/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* target.c - one look at all processes, a mark for each condition, and who has every mark. */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "target/match.h"
#include "target/proc.h"
#include "target/target.h"

void target_spec_free(struct target_spec *spec)
{
	free(spec->pids);
	free(spec->comms);
	free(spec->ports);
	*spec = (struct target_spec){ 0 };
}

bool target_spec_given(const struct target_spec *spec)
{
	return spec->n_pids || spec->n_comms || spec->n_ports || spec->cgroup;
}

void targets_free(struct targets *t)
{
	free(t->list);
	*t = (struct targets){ 0 };
}

static int candidates_scan(struct candidates *c)
{
	uint32_t *pids, self = (uint32_t)getpid();
	size_t n;
	int err = proc_list(&pids, &n);

	*c = (struct candidates){ 0 };
	if (err)
		return err;
	c->list = calloc(n + 1, sizeof(*c->list));
	if (!c->list)
		err = -ENOMEM;
	for (size_t i = 0; i < n && !err; i++) {
		struct proc_stat *st = &c->list[c->n].stat;

		if (pids[i] == self || proc_stat(pids[i], st) || st->kernel || proc_is_zombie(st))
			continue;
		c->n++;
	}
	free(pids);
	return err;
}

static int by_pid(const void *key, const void *element)
{
	uint32_t pid = *(const uint32_t *)key;
	const struct candidate *c = element;

	return (pid > c->stat.pid) - (pid < c->stat.pid);
}

struct candidate *candidates_find(const struct candidates *c, uint32_t pid)
{
	return bsearch(&pid, c->list, c->n, sizeof(*c->list), by_pid);
}

void reason_give(struct reason *r, int err, const char *fmt, ...)
{
	va_list args;

	if (r->err)
		return;
	r->err = err;
	va_start(args, fmt);
	vsnprintf(r->line, r->len, fmt, args);
	va_end(args);
}

/* Why a pid that was asked for is not among the candidates. */
static void explain_pid(uint32_t pid, struct reason *why)
{
	struct proc_stat st;
	int err = proc_stat(pid, &st);

	if (err == -EACCES || err == -EPERM)
		reason_give(why, -EACCES, "pid %" PRIu32 " cannot be inspected: run as root", pid);
	else if (err)
		reason_give(why, -ESRCH, "pid %" PRIu32 " does not exist", pid);
	else if (pid == (uint32_t)getpid())
		reason_give(why, -ESRCH, "pid %" PRIu32 " is epollscope itself", pid);
	else if (st.kernel)
		reason_give(why, -ESRCH, "pid %" PRIu32 " (%s) is a kernel thread: give a process",
			    pid, st.comm);
	else
		reason_give(why, -ESRCH, "pid %" PRIu32 " (%s) has ended: it is a zombie", pid,
			    st.comm);
}

static void match_pids(struct candidates *c, const struct target_spec *spec, struct targets *out,
		       struct reason *why)
{
	for (size_t i = 0; i < spec->n_pids; i++) {
		uint32_t pid = spec->pids[i], tgid;
		struct candidate *found = candidates_find(c, pid);

		/* The list of processes has no threads, but each can be asked for its process. */
		if (!found && !proc_tgid(pid, &tgid) && tgid != pid) {
			found = candidates_find(c, tgid);
			if (found)
				snprintf(out->note, sizeof(out->note),
					 "%" PRIu32 " is a thread: watching its process %" PRIu32
					 " (%s)", pid, tgid, found->stat.comm);
		}
		if (found)
			found->match |= MATCH_PID;
		else
			explain_pid(pid, why);
	}
}

/* The kernel keeps 15 bytes of a name, so no more of a plain one can be compared. */
static bool comm_matches(const char *glob, const char *comm)
{
	if (!strpbrk(glob, "*?[\\"))
		return !strncmp(glob, comm, PROC_COMM_LEN - 1);
	return !fnmatch(glob, comm, 0);
}

static void match_comms(struct candidates *c, const struct target_spec *spec, struct reason *why)
{
	for (size_t i = 0; i < spec->n_comms; i++) {
		bool found = false;

		for (size_t j = 0; j < c->n; j++) {
			if (!comm_matches(spec->comms[i], c->list[j].stat.comm))
				continue;
			c->list[j].match |= MATCH_COMM;
			found = true;
		}
		if (!found)
			reason_give(why, -ESRCH, "no process named '%.80s' is running",
				    spec->comms[i]);
	}
}

/* A launched program has no port yet: there, ports only select connections. */
static bool ports_matter(const struct target_spec *spec)
{
	return spec->n_ports && !spec->program;
}

static unsigned conditions(const struct target_spec *spec)
{
	return (spec->n_pids ? MATCH_PID : 0) | (spec->n_comms ? MATCH_COMM : 0) |
	       (ports_matter(spec) ? MATCH_PORT : 0) | (spec->cgroup ? MATCH_CGROUP : 0);
}

static void match_others(struct candidates *c, const struct target_spec *spec, struct reason *why)
{
	match_comms(c, spec, why);
	if (ports_matter(spec))
		match_ports(c, spec->ports, spec->n_ports, why);
	if (spec->cgroup)
		match_cgroup(c, spec->cgroup, why);
}

/* A child meets every condition that its parent meets. */
static void inherit_matches(struct candidates *c)
{
	bool changed;

	do {
		changed = false;
		for (size_t i = 0; i < c->n; i++) {
			struct candidate *child = &c->list[i];
			const struct candidate *parent = candidates_find(c, child->stat.ppid);

			/* A parent younger than its child has a reused pid. */
			if (!parent || parent->stat.start_time > child->stat.start_time ||
			    !(parent->match & ~child->match))
				continue;
			child->match |= parent->match;
			changed = true;
		}
	} while (changed);
}

static void describe(struct target *t, const struct proc_stat *st)
{
	memcpy(t->comm, st->comm, sizeof(t->comm));
	proc_exe(st->pid, t->exe, sizeof(t->exe));
}

/* Appends the candidates that meet every condition and are not known; how many, or -ENOMEM. */
static int append_matches(struct targets *t, const struct candidates *c, unsigned wanted)
{
	size_t before = t->n;

	for (size_t i = 0; i < c->n; i++) {
		const struct proc_stat *st = &c->list[i].stat;
		struct target *new;

		if ((c->list[i].match & wanted) != wanted || c->list[i].known)
			continue;
		new = array_more(&t->list, t->n, sizeof(*new));
		if (!new) {
			t->n = before;
			return -ENOMEM;
		}
		*new = (struct target){ .pid = st->pid, .start_time = st->start_time };
		describe(new, st);
		t->n++;
	}
	return (int)(t->n - before);
}

int targets_resolve(const struct target_spec *spec, struct targets *out, char *why, size_t why_len)
{
	struct reason reason = { .line = why, .len = why_len };
	unsigned wanted = conditions(spec);
	struct candidates c;
	int n = candidates_scan(&c);

	*out = (struct targets){ 0 };
	if (n < 0) {
		reason_give(&reason, n, "cannot read /proc: %s", strerror(-n));
	} else if (!wanted) {
		reason_give(&reason, -EINVAL, "no target was given");
	} else {
		match_pids(&c, spec, out, &reason);
		match_others(&c, spec, &reason);
		inherit_matches(&c);
	}
	if (!reason.err) {
		n = append_matches(out, &c, wanted);
		if (n < 0)
			reason_give(&reason, n, "out of memory for the list of targets");
		else if (n == 0)
			reason_give(&reason, -ESRCH, "no process meets all conditions at once");
	}
	free(c.list);
	return reason.err;
}

int targets_refresh(const struct target_spec *spec, struct targets *known)
{
	char unused[16];
	struct reason reason = { .line = unused, .len = sizeof(unused) };
	unsigned wanted = conditions(spec);
	struct candidates c;
	int n = candidates_scan(&c);

	if (n < 0)
		goto out;
	for (size_t i = 0; i < known->n; i++) {
		struct candidate *same = candidates_find(&c, known->list[i].pid);

		if (same && same->stat.start_time == known->list[i].start_time) {
			same->match |= wanted;
			same->known = true;
			describe(&known->list[i], &same->stat);
		}
	}
	/* Pids were judged when they were given: by now they may belong to somebody else. */
	match_others(&c, spec, &reason);
	inherit_matches(&c);
	n = append_matches(known, &c, wanted);
out:
	free(c.list);
	return n;
}

void targets_forget_ended(struct targets *known)
{
	size_t kept = 0;

	for (size_t i = 0; i < known->n; i++) {
		struct proc_stat st;

		if (proc_stat(known->list[i].pid, &st) || proc_is_zombie(&st) ||
		    st.start_time != known->list[i].start_time)
			continue;
		known->list[kept++] = known->list[i];
	}
	known->n = kept;
}
