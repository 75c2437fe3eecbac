/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* files.c - the files that processes map, each opened and read once. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "symbols/process.h"

#define MAX_BYTES (512ull << 20)

/*
 * --- opening files whose names somebody else chose: first without opening them (O_PATH), to see
 * what they are, for opening a FIFO may wait for ever, and opening a device may do something ---
 */

/* Turns an O_PATH descriptor, or an errno, into one that can be read; closes the former. */
static int reopen(int fd)
{
	char path[64];
	struct stat st;
	int again;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EMEDIUMTYPE;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (again < 0)
		again = -errno;
	close(fd);
	return again;
}

int sym_open_regular(const char *path)
{
	return reopen(open(path, O_PATH | O_CLOEXEC));
}

int sym_open_in_root(uint32_t pid, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	char link[64];
	int fd, root;

	snprintf(link, sizeof(link), "/proc/%" PRIu32 "/root", pid);
	root = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	fd = reopen((int)syscall(SYS_openat2, root, path, &how, sizeof(how)));
	close(root);
	return fd;
}

/* --- those that are kept --- */

static void close_held(struct symbols *s, int *fd)
{
	if (*fd < 0)
		return;
	close(*fd);
	*fd = -1;
	s->held--;
}

static void let_go(struct symbols *s, struct sym_file *file)
{
	close_held(s, &file->fd);
	close_held(s, &file->debug_fd);
}

void sym_files_free(struct symbols *s)
{
	for (size_t i = 0; i < s->n_files; i++) {
		let_go(s, s->files[i]);
		cfi_close(s->files[i]->cfi);
		sym_object_free(&s->files[i]->elf);
		free(s->files[i]);
	}
	cfi_close(s->vdso);
	free(s->files);
}

void sym_skipped(struct symbols *s, const char *what, const char *name, int err)
{
	char text[SYMBOLS_NAME_MAX + 256];

	s->skipped++;
	if (!s->options.note)
		return;
	snprintf(text, sizeof(text), "%s %s skipped: %s", what, name,
		 err == -ENOEXEC     ? "not a 64-bit ELF file" :
		 err == -EINVAL      ? "malformed" :
		 err == -ENOTSUP     ? "a Go function table of a kind that is not known" :
		 err == -EMEDIUMTYPE ? "not a regular file" :
		 err == -E2BIG       ? "no room for more symbols" :
		 err == -EPERM       ? "others could write into it" :
				       strerror(-err));
	s->options.note(s->options.arg, text);
}

uint64_t sym_budget(const struct symbols *s)
{
	uint64_t most = s->options.max_bytes ? s->options.max_bytes : MAX_BYTES;

	return s->bytes < most ? most - s->bytes : 1;
}

static bool is_file(const struct sym_file *file, const struct stat *st)
{
	return file->inode == st->st_ino && file->dev == st->st_dev && file->size == st->st_size &&
	       file->changed.tv_sec == st->st_mtim.tv_sec &&
	       file->changed.tv_nsec == st->st_mtim.tv_nsec;
}

void sym_file_name(struct symbols *s, struct sym_file *file, const char *path)
{
	struct sym_names *names = &s->names;
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
static struct sym_file *keep(struct symbols *s, uint32_t pid, int fd, const struct stat *st,
			     const char *path)
{
	struct sym_file *file;

	for (size_t i = 0; i < s->n_files; i++)
		if (is_file(s->files[i], st)) {
			close(fd);
			return s->files[i];
		}
	file = array_reserve(&s->files, &s->files_room, s->n_files + 1, sizeof(*s->files)) ?
		       NULL : malloc(sizeof(*file));
	if (!file) {
		close(fd);
		return NULL;
	}
	*file = (struct sym_file){
		.dev = st->st_dev, .inode = st->st_ino, .size = st->st_size,
		.changed = st->st_mtim, .fd = fd,
	};
	file->debug_fd = sym_debuglink_open(s, pid, fd, path, &file->debug_crc);
	sym_file_name(s, file, path);
	s->files[s->n_files++] = file;
	s->held += file->debug_fd < 0 ? 1 : 2;
	if (s->held > s->most_held)
		sym_file_load(s, file);
	return file;
}

struct sym_file *sym_files_open(struct symbols *s, uint32_t pid, const struct sym_mapping *m,
				const char *path)
{
	char link[96];
	struct stat st;
	int fd, err;

	snprintf(link, sizeof(link), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, pid,
		 m->start, m->end);
	fd = sym_open_regular(link);
	if (fd >= 0 && !fstat(fd, &st))
		return keep(s, pid, fd, &st, path);
	err = fd;
	/* Links of map_files need privilege, and end with the process. */
	snprintf(link, sizeof(link), "/proc/%" PRIu32 "/exe", pid);
	for (int by_name = 1; err != -EMEDIUMTYPE && by_name >= 0; by_name--) {
		fd = by_name ? sym_open_in_root(pid, path) : sym_open_regular(link);
		if (fd >= 0 && !fstat(fd, &st) && st.st_ino == m->inode)
			return keep(s, pid, fd, &st, path);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* What the functions have instead of names. */
static void load_functions(struct symbols *s, struct sym_file *file, Elf *handle)
{
	int err = sym_elf_functions(handle, &file->elf, sym_budget(s));

	if (err)
		sym_skipped(s, "unwind table of", sym_name(&s->names, file->path), err);
	s->bytes += file->elf.n_functions * sizeof(*file->elf.functions);
}

/* By its build-id, or else the one that it names. */
static int load_debug(struct symbols *s, struct sym_file *file)
{
	struct sym_table *table = &file->elf.table;
	size_t n = table->n;
	int err = sym_debug_load(s->options.debug_dir, file->elf.build_id,
				 file->elf.build_id_len, table);

	if (file->debug_fd < 0 || table->n > n || err == -E2BIG || err == -ENOMEM)
		return err;
	return sym_debuglink_load(file->debug_fd, file->debug_crc, table);
}

void sym_file_load(struct symbols *s, struct sym_file *file)
{
	const char *path = sym_name(&s->names, file->path);
	struct sym_table *table = &file->elf.table;
	Elf *handle = NULL;
	bool whole = false;
	int err;

	if (file->loaded)
		return;
	file->loaded = true;
	table->max_bytes = sym_budget(s);
	err = sym_elf_begin(file->fd, &handle);
	if (!err)
		err = sym_elf_head(handle, &file->elf);
	if (!err)
		err = sym_elf_symbols(handle, &file->elf, &whole);
	if (!err && !whole)
		load_functions(s, file, handle);
	elf_end(handle);
	if (err)
		sym_skipped(s, "symbols of", path, err);
	if (!whole && err != -E2BIG && err != -ENOMEM) {
		err = load_debug(s, file);
		if (err)
			sym_skipped(s, "debug file of", path, err);
	}
	/* Of half a table's symbols those without a size would claim what the others have. */
	if (err == -E2BIG || err == -ENOMEM)
		sym_table_free(table);
	sym_table_finish(table);
	s->bytes += sym_table_bytes(table);
	let_go(s, file);
}

/* --- call-frame information: of files, and of the page that the kernel maps into all --- */

struct cfi *sym_file_cfi(struct symbols *s, struct sym_file *file)
{
	int err;

	if (file->cfi_asked || file->fd < 0)
		return file->cfi;
	file->cfi_asked = true;
	/* It keeps a descriptor of its own. */
	if (s->held >= s->most_held)
		return NULL;
	err = cfi_open(file->fd, &file->cfi);
	if (!err)
		s->held++;
	else if (err != -ENODATA && err != -ENOEXEC)
		sym_skipped(s, "call frames of", sym_name(&s->names, file->path), err);
	return file->cfi;
}

struct cfi *sym_vdso_cfi(struct symbols *s)
{
	const Elf64_Ehdr *header = (const void *)getauxval(AT_SYSINFO_EHDR);
	size_t len;

	if (s->vdso_asked || !header)
		return s->vdso;
	s->vdso_asked = true;
	len = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
	/* Without it some callers are missing, as without the page's own. */
	(void)!cfi_open_memory(header, len, &s->vdso);
	return s->vdso;
}
