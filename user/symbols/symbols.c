/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * symbols.c - addresses into names. The way of an address: the process at that time (processes.c),
 * what it has mapped there (process.c), the file (files.c) and its tables (elf.c, debug.c,
 * gopclntab.c; listings.c where no file is), the entry that covers it and its name (table.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "symbols/process.h"
#include "symbols/symbols.h"

#define MAX_HELD 4096

struct symbols *symbols_new(const struct symbols_options *options)
{
	struct symbols *s = calloc(1, sizeof(*s));
	struct rlimit limit;

	if (!s)
		return NULL;
	if (options)
		s->options = *options;
	s->most_held = MAX_HELD;
	/* Rings, programs and sockets need descriptors too. */
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur / 4 < MAX_HELD)
		s->most_held = limit.rlim_cur / 4;
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	sym_processes_free(s);
	sym_files_free(s);
	sym_table_free(&s->kernel);
	sym_names_free(&s->names);
	free(s);
}

void symbols_at(struct symbols *s, uint64_t time_ns)
{
	s->at_ns = time_ns;
}

/* The process at symbols_at() and the mapping of an address in it; either may be NULL. */
static const struct sym_mapping *find(struct symbols *s, uint32_t pid, uint64_t address,
				      struct sym_process **process)
{
	*process = sym_processes_find(s, pid, s->at_ns);
	return *process ? sym_process_find(*process, address) : NULL;
}

bool symbols_covers(struct symbols *s, uint32_t pid, uint64_t address)
{
	const struct sym_process *p = sym_processes_find(s, pid, 0);

	return p && sym_process_find(p, address);
}

static const char *interned(struct symbols *s, const char *text)
{
	return sym_name(&s->names, sym_intern(&s->names, text, strlen(text)));
}

/* The symbol of a mapped file; tells what the file is called in any case. */
static bool in_file(struct symbols *s, const struct sym_mapping *m, uint64_t address,
		    struct symbol *out)
{
	struct sym_entry *e = NULL;
	uint64_t vaddr;

	sym_file_load(s, m->file);
	out->object = sym_name(&s->names, m->file->object);
	if (sym_object_vaddr(&m->file->elf, address - m->start + m->offset, &vaddr))
		e = sym_table_find(&m->file->elf.table, vaddr);
	if (!e)
		return false;
	out->name = sym_table_name(&m->file->elf.table, e, &s->names);
	out->kind = SYMBOL_USER;
	return true;
}

bool symbols_user(struct symbols *s, uint32_t pid, uint64_t address, struct symbol *out)
{
	struct sym_process *p;
	const struct sym_mapping *m = find(s, pid, address, &p);
	struct sym_entry *e;

	*out = (struct symbol){ .kind = SYMBOL_NONE };
	out->name = out->object = sym_name(&s->names, m ? m->bracketed : 0);
	if (m && m->file && in_file(s, m, address, out))
		return true;
	/* A runtime speaks for memory that it filled itself, not for a program's or library's. */
	if (!p || !p->jit || (m && m->file && m->file->elf.n_segments))
		return false;
	e = sym_jit_find(s, p->jit, address);
	if (!e)
		return false;
	out->name = sym_table_name(&p->jit->table, e, &s->names);
	out->object = interned(s, "[jit]");
	out->kind = SYMBOL_JIT;
	return true;
}

bool symbols_kernel(struct symbols *s, uint64_t address, struct symbol *out)
{
	struct sym_entry *e;
	const char *text, *module;
	int err;

	if (!s->kernel_read) {
		s->kernel_read = true;
		s->kernel.max_bytes = sym_budget(s);
		err = sym_kernel_load(s->options.kallsyms, &s->kernel);
		if (err)
			sym_skipped(s, "symbols of", "the kernel", err);
		s->bytes += sym_table_bytes(&s->kernel);
	}
	e = sym_table_find(&s->kernel, address);
	out->kind = e ? SYMBOL_KERNEL : SYMBOL_NONE;
	out->name = out->object = interned(s, "[kernel]");
	if (!e)
		return false;
	text = s->kernel.names + e->name;
	module = strchr(text, '\t');
	if (module)
		out->object = interned(s, module + 1);
	if (!e->shown)
		e->shown = sym_intern(&s->names, text,
				      module ? (size_t)(module - text) : strlen(text));
	out->name = sym_name(&s->names, e->shown);
	return true;
}

size_t symbols_stack(struct symbols *s, uint32_t pid, const uint64_t *addresses, size_t n,
		     struct symbol *out)
{
	size_t i;

	for (i = 0; i < n && addresses[i]; i++)
		if (pid)
			symbols_user(s, pid, addresses[i] - (i > 0), &out[i]);
		else
			symbols_kernel(s, addresses[i] - (i > 0), &out[i]);
	return i;
}

const char *symbols_suffix(const struct symbol *symbol)
{
	return symbol->kind == SYMBOL_KERNEL ? "_[k]" : "";
}

int symbols_place(struct symbols *s, uint32_t pid, uint64_t address, struct symbol_place *place)
{
	struct sym_process *p;
	const struct sym_mapping *m = find(s, pid, address, &p);
	const struct sym_function *function;

	*place = (struct symbol_place){ 0 };
	if (!m || !m->file)
		return -ENOENT;
	sym_file_load(s, m->file);
	place->path = sym_name(&s->names, m->file->path);
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
	struct sym_process *p;
	const struct sym_mapping *m = find(s, pid, address, &p);
	struct cfi *cfi = NULL;

	if (!m)
		return -ENOENT;
	if (m->file)
		cfi = sym_file_cfi(s, m->file);
	else if (m->vdso)
		cfi = sym_vdso_cfi(s);
	return cfi && cfi_find(cfi, address - m->start + m->offset, rule) ? 0 : -ENODATA;
}
