/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * processes.c - which processes a pid was and is: programs come by fork and exec, pids are used
 * again, and stacks are asked about when their process may have ended.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/process.h"
#include "target/proc.h"

static void free_process(struct sym_process *p)
{
	sym_jit_free(p->jit);
	free(p->maps);
	free(p);
}

static bool same_pid(const void *list, uint32_t number, const void *pid)
{
	return ((struct sym_process *const *)list)[number]->pid == *(const uint32_t *)pid;
}

/* The place of the newest process of that pid, or NULL. */
static struct sym_process **newest(const struct symbols *s, uint32_t pid)
{
	uint32_t i = map_find(&s->by_pid, &pid, sizeof(pid), same_pid, s->processes);

	return i == MAP_NONE ? NULL : &s->processes[i];
}

struct sym_process *sym_processes_find(const struct symbols *s, uint32_t pid, uint64_t time_ns)
{
	struct sym_process **at = newest(s, pid), *p = at ? *at : NULL;

	while (p && time_ns && p->since_ns > time_ns)
		p = p->older;
	return p;
}

/* Takes over p, also when it fails. Events may come in another order than they happened. */
static int insert(struct symbols *s, struct sym_process *p)
{
	struct sym_process **at = newest(s, p->pid);

	for (; at && *at && (*at)->since_ns > p->since_ns; at = &(*at)->older)
		;
	if (at) {
		p->older = *at;
		*at = p;
		return 0;
	}
	if (array_reserve(&s->processes, &s->processes_room, s->n_processes + 1,
			  sizeof(*s->processes)) ||
	    map_add(&s->by_pid, &p->pid, sizeof(p->pid), (uint32_t)s->n_processes)) {
		free_process(p);
		return -ENOMEM;
	}
	p->older = NULL;
	s->processes[s->n_processes++] = p;
	return 0;
}

static bool is_exec(const struct sym_process *a, const struct sym_process *b)
{
	return a->exe_inode != b->exe_inode || a->exe_dev != b->exe_dev || a->vdso != b->vdso;
}

/* The new snapshot in the old one's place. Takes over fresh, also when it fails. */
static int replace(struct sym_process *old, struct sym_process *fresh)
{
	if (!is_exec(old, fresh)) {
		if (sym_process_merge(fresh, old)) {
			free_process(fresh);
			return -ENOMEM;
		}
		/* One that is open grows; what was opened later may be another's. */
		if (old->jit) {
			sym_jit_free(fresh->jit);
			fresh->jit = old->jit;
			fresh->jit->stale = true;
			old->jit = NULL;
		}
	}
	sym_jit_free(old->jit);
	free(old->maps);
	fresh->older = old->older;
	*old = *fresh;
	free(fresh);
	return 0;
}

/* Opened once; one that was refused was noted. */
static void open_jit(struct symbols *s, const struct sym_process *old,
		     struct sym_process *fresh)
{
	uint64_t skipped = s->skipped;

	fresh->jit_refused = old && old->jit_refused;
	if ((old && old->jit) || fresh->jit_refused)
		return;
	fresh->jit = sym_jit_open(s, fresh->pid);
	fresh->jit_refused = !fresh->jit && s->skipped > skipped;
}

/* What a process has mapped now; `old` is what is known of it. 0 with *out, or a negative errno. */
static int look(struct symbols *s, uint32_t pid, const struct sym_process *old,
		struct sym_process **out)
{
	struct sym_process *fresh;
	struct proc_stat before, after;
	int err = proc_stat(pid, &before);

	if (err)
		return err;
	fresh = malloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	err = sym_process_read(s, pid, old, fresh);
	if (err) {
		free(fresh);
		return err;
	}
	fresh->start_time = before.start_time;
	open_jit(s, old && !is_exec(old, fresh) ? old : NULL, fresh);
	/* Its pid may have become another's meanwhile. */
	err = proc_stat(pid, &after);
	if (!err && after.start_time != before.start_time)
		err = -ESRCH;
	if (err)
		free_process(fresh);
	else
		*out = fresh;
	return err;
}

/* The newest of that pid, if it is the process that runs now. */
static struct sym_process *find_running(const struct symbols *s, uint32_t pid)
{
	struct sym_process *p = sym_processes_find(s, pid, 0);
	struct proc_stat st;

	if (p && p->start_time && (proc_stat(pid, &st) || st.start_time != p->start_time))
		return NULL;
	return p;
}

int symbols_add_process(struct symbols *s, uint32_t pid)
{
	struct sym_process *other = sym_processes_find(s, pid, 0), *fresh;
	struct sym_process *old = find_running(s, pid);
	int err = look(s, pid, old, &fresh);

	if (err)
		return err;
	fresh->since_ns = other ? other->since_ns : 0;
	return old ? replace(old, fresh) : insert(s, fresh);
}

int symbols_refresh(struct symbols *s, uint32_t pid)
{
	struct sym_process *old = find_running(s, pid), *fresh;
	int err = old ? look(s, pid, old, &fresh) : -ENOENT;

	if (err)
		return err;
	if (is_exec(old, fresh)) {
		free_process(fresh);
		return -EAGAIN;
	}
	fresh->since_ns = old->since_ns;
	return replace(old, fresh);
}

int symbols_add_child(struct symbols *s, uint32_t parent, uint32_t pid, uint64_t fork_ns)
{
	const struct sym_process *from = sym_processes_find(s, parent, fork_ns);
	struct sym_process *p;

	if (!from)
		return -ESRCH;
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (struct sym_process){
		.pid = pid, .since_ns = fork_ns,
		.maps = reallocarray(NULL, from->n, sizeof(*p->maps)), .n = from->n,
		.exe_dev = from->exe_dev, .exe_inode = from->exe_inode, .vdso = from->vdso,
	};
	if (!p->maps && p->n) {
		free(p);
		return -ENOMEM;
	}
	if (p->n)
		memcpy(p->maps, from->maps, p->n * sizeof(*p->maps));
	return insert(s, p);
}

int symbols_add_exec(struct symbols *s, uint32_t pid, uint64_t exec_ns)
{
	struct sym_process *fresh;

	if (look(s, pid, NULL, &fresh)) {
		/* It has ended: nothing is known of it, least of all what was mapped before. */
		fresh = calloc(1, sizeof(*fresh));
		if (!fresh)
			return -ENOMEM;
		fresh->pid = pid;
	}
	fresh->since_ns = exec_ns;
	return insert(s, fresh);
}

void sym_processes_free(struct symbols *s)
{
	for (size_t i = 0; i < s->n_processes; i++)
		while (s->processes[i]) {
			struct sym_process *p = s->processes[i];

			s->processes[i] = p->older;
			free_process(p);
		}
	free(s->processes);
	map_free(&s->by_pid);
}
