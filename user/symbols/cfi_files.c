// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cfi_files.c - call-frame information of mapped files, and of the kernel's own page among them. */
#include <elf.h>
#include <errno.h>
#include <sys/auxv.h>

#include "symbols/process.h"

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
