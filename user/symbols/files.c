/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* files.c - the files that processes map, each opened and read once. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "symbols/process.h"

#define MAX_BYTES (512ull << 20)
#define MAX_HELD 4096

int sym_files_init(struct sym_files *files, const struct symbols_options *options,
		   struct sym_names *names)
{
	struct rlimit limit;

	*files = (struct sym_files){ .options = options, .names = names, .most_held = MAX_HELD };
	/* Rings, programs and sockets need descriptors too. */
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur / 4 < MAX_HELD)
		files->most_held = limit.rlim_cur / 4;
	return names ? 0 : -ENOMEM;
}

static void close_held(struct sym_files *files, int *fd)
{
	if (*fd < 0)
		return;
	close(*fd);
	*fd = -1;
	files->held--;
}

static void let_go(struct sym_files *files, struct sym_file *file)
{
	close_held(files, &file->fd);
	close_held(files, &file->debug_fd);
}

void sym_files_free(struct sym_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		let_go(files, files->list[i]);
		cfi_close(files->list[i]->cfi);
		sym_object_free(&files->list[i]->elf);
		free(files->list[i]);
	}
	cfi_close(files->vdso);
	free(files->list);
}

void sym_skipped(struct sym_files *files, const char *what, const char *name, int err)
{
	char text[SYMBOLS_NAME_MAX + 256];

	files->skipped++;
	if (!files->options->note)
		return;
	snprintf(text, sizeof(text), "%s %s skipped: %s", what, name,
		 err == -ENOEXEC     ? "not a 64-bit ELF file" :
		 err == -EINVAL      ? "malformed" :
		 err == -ENOTSUP     ? "a Go function table of a kind that is not known" :
		 err == -EMEDIUMTYPE ? "not a regular file" :
		 err == -E2BIG       ? "no room for more symbols" :
		 err == -EPERM       ? "others could write into it" :
				       strerror(-err));
	files->options->note(files->options->arg, text);
}

uint64_t sym_files_budget(const struct sym_files *files)
{
	uint64_t most = files->options->max_bytes ? files->options->max_bytes : MAX_BYTES;

	return files->bytes < most ? most - files->bytes : 1;
}

static struct sym_identity identity_of(const struct stat *st)
{
	return (struct sym_identity){ st->st_dev, st->st_ino, st->st_size, st->st_mtim };
}

static bool same(const struct sym_identity *a, const struct sym_identity *b)
{
	return a->inode == b->inode && a->dev == b->dev && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

void sym_file_name(struct sym_files *files, struct sym_file *file, const char *path)
{
	struct sym_names *names = files->names;
	static const char deleted[] = " (deleted)";
	size_t len = strlen(path), mark = sizeof(deleted) - 1;
	char bracketed[SYMBOLS_NAME_MAX + 2];
	const char *base;

	if (len > mark && !memcmp(path + len - mark, deleted, mark))
		len -= mark;
	base = memrchr(path, '/', len);
	base = base ? base + 1 : path;
	file->path = sym_intern(names, path, len);
	file->object = sym_intern(names, base, (size_t)(path + len - base));
	len = (size_t)snprintf(bracketed, sizeof(bracketed), "[%s]", sym_name(names, file->object));
	file->bracketed = sym_intern(names, bracketed, len);
}

/* Takes over the descriptor. NULL without memory. */
static struct sym_file *keep(struct sym_files *files, uint32_t pid, int fd, const struct stat *st,
			     const char *path)
{
	struct sym_identity id = identity_of(st);
	struct sym_file *file;

	for (size_t i = 0; i < files->n; i++)
		if (same(&files->list[i]->id, &id)) {
			close(fd);
			return files->list[i];
		}
	file = array_reserve(&files->list, &files->room, files->n + 1, sizeof(*files->list)) ?
		       NULL : calloc(1, sizeof(*file));
	if (!file) {
		close(fd);
		return NULL;
	}
	file->id = id;
	file->fd = fd;
	file->debug_fd = sym_debuglink_open(files, pid, fd, path, &file->debug_crc);
	sym_file_name(files, file, path);
	files->list[files->n++] = file;
	files->held += file->debug_fd < 0 ? 1 : 2;
	if (files->held > files->most_held)
		sym_file_load(files, file);
	return file;
}

/* By the path that the process gave it. */
static int open_named(uint32_t pid, const char *path)
{
	int fd, root = sym_open_root(pid);

	if (root < 0)
		return root;
	fd = sym_open_below(root, path);
	close(root);
	return fd;
}

struct sym_file *sym_files_open(struct sym_files *files, uint32_t pid, const struct sym_mapping *m,
				const char *path)
{
	char link[96];
	struct stat st;
	int fd, err;

	snprintf(link, sizeof(link), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, pid,
		 m->start, m->end);
	fd = sym_open_regular(link);
	if (fd >= 0 && !fstat(fd, &st))
		return keep(files, pid, fd, &st, path);
	err = fd;
	/* Links of map_files need privilege, and end with the process. */
	snprintf(link, sizeof(link), "/proc/%" PRIu32 "/exe", pid);
	for (int by_name = 1; err != -EMEDIUMTYPE && by_name >= 0; by_name--) {
		fd = by_name ? open_named(pid, path) : sym_open_regular(link);
		if (fd >= 0 && !fstat(fd, &st) && st.st_ino == m->inode)
			return keep(files, pid, fd, &st, path);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* What the functions have instead of names. */
static void load_functions(struct sym_files *files, struct sym_file *file, Elf *handle)
{
	int err = sym_elf_functions(handle, &file->elf, sym_files_budget(files));

	if (err)
		sym_skipped(files, "unwind table of", sym_name(files->names, file->path), err);
	files->bytes += file->elf.n_functions * sizeof(*file->elf.functions);
}

/* By its build-id, or else the one that it names. */
static int load_debug(struct sym_files *files, struct sym_file *file)
{
	struct sym_table *table = &file->elf.table;
	size_t n = table->n;
	int err = sym_debug_load(files->options->debug_dir, file->elf.build_id,
				 file->elf.build_id_len, table);

	if (file->debug_fd < 0 || table->n > n || err == -E2BIG || err == -ENOMEM)
		return err;
	return sym_debuglink_load(file->debug_fd, file->debug_crc, table);
}

void sym_file_load(struct sym_files *files, struct sym_file *file)
{
	const char *path = sym_name(files->names, file->path);
	struct sym_table *table = &file->elf.table;
	Elf *handle = NULL;
	bool whole = false;
	int err;

	if (file->loaded)
		return;
	file->loaded = true;
	table->max_bytes = sym_files_budget(files);
	err = sym_elf_begin(file->fd, &handle);
	if (!err)
		err = sym_elf_head(handle, &file->elf);
	if (!err)
		err = sym_elf_symbols(handle, &file->elf, &whole);
	if (!err && !whole)
		load_functions(files, file, handle);
	elf_end(handle);
	if (err)
		sym_skipped(files, "symbols of", path, err);
	if (!whole && err != -E2BIG && err != -ENOMEM) {
		err = load_debug(files, file);
		if (err)
			sym_skipped(files, "debug file of", path, err);
	}
	/* Of half a table's symbols those without a size would claim what the others have. */
	if (err == -E2BIG || err == -ENOMEM)
		sym_table_free(table);
	sym_table_finish(table);
	files->bytes += sym_table_bytes(table);
	let_go(files, file);
}

/* --- call-frame information: of files, and of the page that the kernel maps into all --- */

struct cfi *sym_file_cfi(struct sym_files *files, struct sym_file *file)
{
	int err;

	if (file->cfi_asked || file->fd < 0)
		return file->cfi;
	file->cfi_asked = true;
	/* It keeps a descriptor of its own. */
	if (files->held >= files->most_held)
		return NULL;
	err = cfi_open(file->fd, &file->cfi);
	if (!err)
		files->held++;
	else if (err != -ENODATA && err != -ENOEXEC)
		sym_skipped(files, "call frames of", sym_name(files->names, file->path), err);
	return file->cfi;
}

struct cfi *sym_vdso_cfi(struct sym_files *files)
{
	const Elf64_Ehdr *header = (const void *)getauxval(AT_SYSINFO_EHDR);
	size_t len;

	if (files->vdso_asked || !header)
		return files->vdso;
	files->vdso_asked = true;
	len = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
	/* Without it some callers are missing, as without the page's own. */
	(void)!cfi_open_memory(header, len, &files->vdso);
	return files->vdso;
}
