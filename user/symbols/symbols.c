/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* symbols.c - addresses into names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target/proc.h"
#include "symbols/process.h"
#include "symbols/symbols.h"

#define BUCKETS 1024

struct symbols {
	struct symbols_options options;
	struct sym_names *names;
	struct sym_files files;
	struct sym_process *processes[BUCKETS];	/* by pid, the newest first */
	struct sym_table kernel;
	bool kernel_read;
	uint64_t frames, unresolved;
	uint64_t at_ns;		/* symbols_at() */
};

struct symbols *symbols_new(const struct symbols_options *options)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (options)
		s->options = *options;
	s->names = sym_names_new();
	if (!sym_files_init(&s->files, &s->options, s->names))
		return s;
	free(s);
	return NULL;
}

static void free_process(struct sym_process *p)
{
	sym_jit_free(p->jit);
	free(p->maps);
	free(p);
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (s->processes[i]) {
			struct sym_process *p = s->processes[i];

			s->processes[i] = p->next;
			free_process(p);
		}
	sym_files_free(&s->files);
	sym_table_free(&s->kernel);
	sym_names_free(s->names);
	free(s);
}

/* With start_time 0: as it was at that time, or the newest if that is 0 too. */
static struct sym_process *find_at(struct symbols *s, uint32_t pid, uint64_t start_time,
				   uint64_t time_ns)
{
	struct sym_process *p = s->processes[pid % BUCKETS];

	while (p && (p->pid != pid || (start_time ? p->start_time != start_time :
						   time_ns && p->since_ns > time_ns)))
		p = p->next;
	return p;
}

static struct sym_process *find_process(struct symbols *s, uint32_t pid, uint64_t start_time)
{
	return find_at(s, pid, start_time, s->at_ns);
}

/* Events may come in another order than they happened: the youngest of a pid first. */
static void insert(struct symbols *s, struct sym_process *p)
{
	struct sym_process **at = &s->processes[p->pid % BUCKETS];

	while (*at && ((*at)->pid != p->pid || (*at)->since_ns > p->since_ns))
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

static bool is_exec(const struct sym_process *a, const struct sym_process *b)
{
	return a->exe_inode != b->exe_inode || a->exe_dev != b->exe_dev || a->vdso != b->vdso;
}

/* The new snapshot in the old one's place. */
static int replace(struct sym_process *old, struct sym_process *fresh)
{
	if (!is_exec(old, fresh)) {
		if (sym_process_merge(fresh, old))
			return -ENOMEM;
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
	fresh->next = old->next;
	*old = *fresh;
	free(fresh);
	return 0;
}

/* Opened once; one that was refused was noted. */
static void open_jit(struct symbols *s, const struct sym_process *old, struct sym_process *fresh)
{
	uint64_t skipped = s->files.skipped;

	fresh->jit_refused = old && old->jit_refused;
	if ((old && old->jit) || fresh->jit_refused)
		return;
	fresh->jit = sym_jit_open(&s->files, fresh->pid);
	fresh->jit_refused = !fresh->jit && s->files.skipped > skipped;
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
	err = sym_process_read(&s->files, pid, old, fresh);
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
static struct sym_process *find_running(struct symbols *s, uint32_t pid)
{
	struct sym_process *p = find_at(s, pid, 0, 0);
	struct proc_stat st;

	if (p && p->start_time && (proc_stat(pid, &st) || st.start_time != p->start_time))
		return NULL;
	return p;
}

int symbols_add_process(struct symbols *s, uint32_t pid)
{
	struct sym_process *old = find_running(s, pid), *other = find_at(s, pid, 0, 0), *fresh;
	int err = look(s, pid, old, &fresh);

	if (err)
		return err;
	fresh->since_ns = other ? other->since_ns : 0;
	if (old)
		err = replace(old, fresh);
	else
		insert(s, fresh);
	if (err)
		free_process(fresh);
	return err;
}

int symbols_refresh(struct symbols *s, uint32_t pid)
{
	struct sym_process *old = find_running(s, pid), *fresh;
	int err = old ? look(s, pid, old, &fresh) : -ENOENT;

	if (err)
		return err;
	fresh->since_ns = old->since_ns;
	err = is_exec(old, fresh) ? -EAGAIN : replace(old, fresh);
	if (err)
		free_process(fresh);
	return err;
}

int symbols_add_child(struct symbols *s, uint32_t parent, uint32_t pid, uint64_t start_time,
		      uint64_t fork_ns)
{
	struct sym_process *from = find_at(s, parent, 0, fork_ns), *p;

	if (!from)
		return -ESRCH;
	if (start_time && find_process(s, pid, start_time))
		return 0;
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = *from;
	p->pid = pid;
	p->start_time = start_time;
	p->since_ns = fork_ns;
	p->jit = NULL;
	p->jit_refused = false;
	p->maps = reallocarray(NULL, from->n, sizeof(*p->maps));
	if (!p->maps && from->n) {
		free(p);
		return -ENOMEM;
	}
	if (from->n)
		memcpy(p->maps, from->maps, from->n * sizeof(*p->maps));
	insert(s, p);
	return 0;
}

int symbols_add_exec(struct symbols *s, uint32_t pid, uint64_t exec_ns)
{
	struct sym_process *fresh;

	if (look(s, pid, NULL, &fresh)) {
		/* Gone: nothing is known of it, least of all what was mapped before. */
		fresh = calloc(1, sizeof(*fresh));
		if (!fresh)
			return -ENOMEM;
		fresh->pid = pid;
	}
	fresh->since_ns = exec_ns;
	insert(s, fresh);
	return 0;
}

void symbols_at(struct symbols *s, uint64_t time_ns)
{
	s->at_ns = time_ns;
}

bool symbols_covers(struct symbols *s, uint32_t pid, uint64_t address)
{
	const struct sym_process *p = find_at(s, pid, 0, 0);

	return p && sym_process_find(p, address);
}

static const char *shown(struct symbols *s, const struct sym_table *t, struct sym_entry *e)
{
	if (!e->shown)
		e->shown = sym_intern_symbol(s->names, t->names + e->name);
	return sym_name(s->names, e->shown);
}

static const char *interned(struct symbols *s, const char *text)
{
	return sym_name(s->names, sym_intern(s->names, text, strlen(text)));
}

/* The symbol of a mapped file; tells what the file is called in any case. */
static bool in_file(struct symbols *s, const struct sym_mapping *m, uint64_t address,
		    struct symbol *out)
{
	struct sym_entry *e = NULL;
	uint64_t vaddr;

	sym_file_load(&s->files, m->file);
	out->object = sym_name(s->names, m->file->object);
	if (sym_object_vaddr(&m->file->elf, address - m->start + m->offset, &vaddr))
		e = sym_table_find(&m->file->elf.table, vaddr);
	if (!e)
		return false;
	out->name = shown(s, &m->file->elf.table, e);
	out->kind = SYMBOL_USER;
	return true;
}

bool symbols_user(struct symbols *s, uint32_t pid, uint64_t start_time, uint64_t address,
		  struct symbol *out)
{
	struct sym_process *p = find_process(s, pid, start_time);
	const struct sym_mapping *m = p ? sym_process_find(p, address) : NULL;
	struct sym_entry *e;

	s->frames++;
	*out = (struct symbol){ .kind = SYMBOL_NONE };
	out->name = out->object = sym_name(s->names, m ? m->bracketed : 0);
	if (m && m->file && in_file(s, m, address, out))
		return true;
	/* A runtime speaks for the memory that it filled itself, not for a program's or library's. */
	if (p && p->jit && !(m && m->file && m->file->elf.n_segments)) {
		e = sym_jit_find(&s->files, p->jit, address);
		if (e) {
			out->name = shown(s, &p->jit->table, e);
			out->object = interned(s, "[jit]");
			out->kind = SYMBOL_JIT;
			return true;
		}
	}
	s->unresolved++;
	return false;
}

bool symbols_kernel(struct symbols *s, uint64_t address, struct symbol *out)
{
	struct sym_entry *e;
	const char *text, *module;
	int err;

	if (!s->kernel_read) {
		s->kernel_read = true;
		s->kernel.max_bytes = sym_files_budget(&s->files);
		err = sym_kernel_load(s->options.kallsyms, &s->kernel);
		if (err)
			sym_skipped(&s->files, "symbols of", "the kernel", err);
		s->files.bytes += sym_table_bytes(&s->kernel);
	}
	s->frames++;
	e = sym_table_find(&s->kernel, address);
	out->kind = e ? SYMBOL_KERNEL : SYMBOL_NONE;
	out->name = out->object = interned(s, "[kernel]");
	if (!e) {
		s->unresolved++;
		return false;
	}
	text = s->kernel.names + e->name;
	module = strchr(text, '\t');
	if (module)
		out->object = interned(s, module + 1);
	if (!e->shown)
		e->shown = sym_intern(s->names, text, module ? (size_t)(module - text) : strlen(text));
	out->name = sym_name(s->names, e->shown);
	return true;
}

size_t symbols_user_stack(struct symbols *s, uint32_t pid, uint64_t start_time,
			  const uint64_t *addresses, size_t n, struct symbol *out)
{
	size_t i;

	for (i = 0; i < n && addresses[i]; i++)
		symbols_user(s, pid, start_time, addresses[i] - (i > 0), &out[i]);
	return i;
}

size_t symbols_kernel_stack(struct symbols *s, const uint64_t *addresses, size_t n,
			    struct symbol *out)
{
	size_t i;

	for (i = 0; i < n && addresses[i]; i++)
		symbols_kernel(s, addresses[i] - (i > 0), &out[i]);
	return i;
}

const char *symbols_suffix(const struct symbol *symbol)
{
	return symbol->kind == SYMBOL_KERNEL ? "_[k]" : "";
}

int symbols_place(struct symbols *s, uint32_t pid, uint64_t start_time, uint64_t address,
		  struct symbol_place *place)
{
	struct sym_process *p = find_process(s, pid, start_time);
	const struct sym_mapping *m = p ? sym_process_find(p, address) : NULL;
	const struct sym_function *function;

	*place = (struct symbol_place){ 0 };
	if (!m || !m->file)
		return -ENOENT;
	sym_file_load(&s->files, m->file);
	place->path = sym_name(s->names, m->file->path);
	memcpy(place->build_id, m->file->elf.build_id, sizeof(place->build_id));
	place->build_id_len = m->file->elf.build_id_len;
	place->offset = address - m->start + m->offset;
	if (!sym_object_vaddr(&m->file->elf, place->offset, &place->vaddr))
		place->vaddr = 0;
	function = sym_object_function(&m->file->elf, place->vaddr);
	place->function = function ? function->start : 0;
	return 0;
}

int symbols_rule(struct symbols *s, uint32_t pid, uint64_t address, struct cfi_rule *rule)
{
	struct sym_process *p = find_process(s, pid, 0);
	const struct sym_mapping *m = p ? sym_process_find(p, address) : NULL;
	struct cfi *cfi = NULL;

	if (!m)
		return -ENOENT;
	if (m->file)
		cfi = sym_file_cfi(&s->files, m->file);
	else if (m->vdso)
		cfi = sym_vdso_cfi(&s->files);
	return cfi && cfi_find(cfi, address - m->start + m->offset, rule) ? 0 : -ENODATA;
}

void symbols_get_stats(const struct symbols *s, struct symbols_stats *stats)
{
	*stats = (struct symbols_stats){
		.frames = s->frames,
		.unresolved = s->unresolved,
		.files = s->files.read,
		.skipped = s->files.skipped,
		.bytes = s->files.bytes,
	};
}
