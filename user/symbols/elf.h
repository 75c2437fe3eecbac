/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * elf.h - what an ELF file says about its functions. The file may be anybody's: sizes are
 * checked before something is allocated for them, and it is read, not mapped, since a mapped file
 * that is cut short kills its reader.
 */
#ifndef EPOLLSCOPE_SYM_ELF_H
#define EPOLLSCOPE_SYM_ELF_H

#include <elfutils/libdw.h>
#include <libelf.h>

#include "symbols/symbols.h"
#include "symbols/table.h"

struct sym_segment {
	uint64_t offset;
	uint64_t size;
	uint64_t vaddr;
	bool code;
};

/* A function that may have no name. */
struct sym_function {
	uint64_t start;
	uint32_t size;
	uint32_t entry;		/* where .eh_frame tells of it */
};

struct sym_object {
	struct sym_segment *segments;	/* those that are loaded */
	size_t n_segments;
	uint8_t build_id[BUILD_ID_MAX];
	unsigned build_id_len;
	struct sym_table table;
	struct sym_function *functions;	/* by start; those of the unwind table, if they were read */
	size_t n_functions;
};

/*
 * A file, which must stay open, or an image of one in memory; end it with elf_end(). 0, -ENOEXEC:
 * not a 64-bit ELF file of this machine's byte order, -EINVAL: malformed.
 */
int sym_elf_begin(int fd, Elf **elf);
int sym_elf_begin_memory(char *image, size_t len, Elf **elf);

/* Segments and build-id. 0, -EINVAL, -ENOMEM. */
int sym_elf_head(Elf *elf, struct sym_object *object);

/*
 * Adds the functions of a file's .symtab, or else of its .gnu_debugdata, with .dynsym; Go's table
 * if there is no .symtab. `whole` says whether a .symtab was found. Those that could be read stay
 * if something else is malformed. 0 or a negative errno. sym_table_finish() is left to the caller.
 */
int sym_elf_symbols(Elf *elf, struct sym_object *object, bool *whole);

/* Only .symtab, for a file of debug information. 0 also if there is none. */
int sym_elf_symtab(Elf *elf, struct sym_table *table);

/*
 * Reads which functions the unwind table has, if there is one in the usual encoding. 0, -EINVAL,
 * -ENOMEM, -E2BIG: they take more than max_bytes.
 */
int sym_elf_functions(Elf *elf, struct sym_object *object, uint64_t max_bytes);
/* That of an address, or NULL. */
const struct sym_function *sym_object_function(const struct sym_object *object, uint64_t vaddr);

/* The address that the file itself gives to an offset in it. */
bool sym_object_vaddr(const struct sym_object *object, uint64_t offset, uint64_t *vaddr);

void sym_object_free(struct sym_object *object);

/* --- for those who read its sections --- */

/* The contents of a section, or NULL if it has none, is compressed, or is too large. */
Elf_Data *sym_elf_data(Elf_Scn *section);
/* The first section of that name or NULL. */
Elf_Scn *sym_elf_section(Elf *elf, const char *name);
/* .gopclntab, if there is one. 0 or a negative errno. */
int sym_elf_go(Elf *elf, struct sym_table *table);

/* --- call-frame information of a file (.eh_frame) --- */

struct cfi;

/*
 * Of a file, whose descriptor remains the caller's, or of an image in memory, which is copied. 0;
 * -ENODATA if it has no such information; -ENOEXEC, -EINVAL, -ENOMEM or another negative errno.
 */
int cfi_open(int fd, struct cfi **out);
int cfi_open_memory(const void *image, size_t len, struct cfi **out);
void cfi_close(struct cfi *cfi);	/* NULL is fine */

/* The rule for the byte at this offset in the file; whether there is one. */
bool cfi_find(struct cfi *cfi, uint64_t offset, struct cfi_rule *rule);

/*
 * The rule at an address of an entry of .eh_frame. In: rule->start and end of its code; out: of the
 * rule. False if it or the CIE is malformed or not of a known kind.
 */
bool cfi_run(const Dwarf_CIE *cie, const Dwarf_FDE *fde, uint64_t address, struct cfi_rule *rule);

#endif
