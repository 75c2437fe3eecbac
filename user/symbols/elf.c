/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* elf.c - an ELF file's frame: header, sections, segments, build-id. */
#include <elfutils/libdwelf.h>
#include <endian.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbols/elf.h"

#define MAX_SECTION (256u << 20)
#define MAX_NOTES (1u << 20)
#define MAX_SECTION_NAME 64

#if __BYTE_ORDER == __LITTLE_ENDIAN
#define HOST_DATA ELFDATA2LSB
#else
#define HOST_DATA ELFDATA2MSB
#endif

/*
 * What libelf would take on trust: numbers of headers beyond 16 bits make it allocate for as many
 * as a sparse file could hold.
 */
static int check_header(const Elf64_Ehdr *header)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != HOST_DATA)
		return -ENOEXEC;
	if ((header->e_shoff && !header->e_shnum) || header->e_phnum == PN_XNUM ||
	    header->e_shstrndx == SHN_XINDEX)
		return -EINVAL;
	return 0;
}

/* A file or, if there is one, an image. */
static int begin(const Elf64_Ehdr *header, int fd, char *image, size_t len, Elf **elf)
{
	int err = check_header(header);

	if (err)
		return err;
	elf_version(EV_CURRENT);
	*elf = image ? elf_memory(image, len) : elf_begin(fd, ELF_C_READ, NULL);
	if (!*elf)
		return -EINVAL;
	if (elf_kind(*elf) == ELF_K_ELF)
		return 0;
	elf_end(*elf);
	*elf = NULL;
	return -ENOEXEC;
}

int sym_elf_begin(int fd, Elf **elf)
{
	Elf64_Ehdr header;

	*elf = NULL;
	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return -ENOEXEC;
	return begin(&header, fd, NULL, 0, elf);
}

int sym_elf_begin_memory(char *image, size_t len, Elf **elf)
{
	Elf64_Ehdr header;

	*elf = NULL;
	if (len < sizeof(header))
		return -ENOEXEC;
	memcpy(&header, image, sizeof(header));
	return begin(&header, -1, image, len, elf);
}

Elf_Data *sym_elf_data(Elf_Scn *section)
{
	GElf_Shdr header;

	if (!section || !gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS ||
	    header.sh_flags & SHF_COMPRESSED || !header.sh_size || header.sh_size > MAX_SECTION)
		return NULL;
	return elf_getdata(section, NULL);
}

Elf_Scn *sym_elf_section(Elf *elf, const char *name)
{
	size_t index, len = strlen(name) + 1;
	Elf_Scn *section = NULL;
	Elf_Data *names;
	GElf_Shdr header;

	if (elf_getshdrstrndx(elf, &index))
		return NULL;
	names = sym_elf_data(elf_getscn(elf, index));
	while (names && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_name < names->d_size &&
		    names->d_size - header.sh_name >= len &&
		    !memcmp((char *)names->d_buf + header.sh_name, name, len))
			return section;
	return NULL;
}

/* Notes that are larger together than any linker makes them are not looked at. */
static bool notes_are_small(Elf *elf, size_t n_headers)
{
	Elf_Scn *section = NULL;
	uint64_t sum = 0;
	GElf_Shdr sh;
	GElf_Phdr ph;

	for (size_t i = 0; i < n_headers && sum <= MAX_NOTES; i++)
		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_NOTE)
			sum = ph.p_filesz > MAX_NOTES ? UINT64_MAX : sum + ph.p_filesz;
	while (sum <= MAX_NOTES && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &sh) && sh.sh_type == SHT_NOTE)
			sum = sh.sh_size > MAX_NOTES ? UINT64_MAX : sum + sh.sh_size;
	return sum <= MAX_NOTES;
}

static void read_build_id(Elf *elf, size_t n_headers, struct sym_object *object)
{
	const void *bits;
	ssize_t len;

	if (!notes_are_small(elf, n_headers))
		return;
	len = dwelf_elf_gnu_build_id(elf, &bits);
	if (len <= 0 || len > BUILD_ID_MAX)
		return;
	memcpy(object->build_id, bits, (size_t)len);
	object->build_id_len = (unsigned)len;
}

int sym_elf_head(Elf *elf, struct sym_object *object)
{
	size_t n, sections;
	GElf_Ehdr header;
	GElf_Phdr ph;

	/* libelf makes little of a file that was cut short. */
	if (!gelf_getehdr(elf, &header) || elf_getphdrnum(elf, &n) ||
	    elf_getshdrnum(elf, &sections) || n != header.e_phnum || sections != header.e_shnum)
		return -EINVAL;
	read_build_id(elf, n, object);
	if (!n)
		return 0;
	object->segments = calloc(n, sizeof(*object->segments));
	if (!object->segments)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD)
			object->segments[object->n_segments++] = (struct sym_segment){
				.offset = ph.p_offset,
				.size = ph.p_filesz,
				.vaddr = ph.p_vaddr,
				.code = ph.p_flags & PF_X,
			};
	return 0;
}

bool sym_object_vaddr(const struct sym_object *object, uint64_t offset, uint64_t *vaddr)
{
	const struct sym_segment *found = NULL;

	/* One page of the file may be the end of one segment and the beginning of another. */
	for (size_t i = 0; i < object->n_segments; i++) {
		const struct sym_segment *s = &object->segments[i];

		if (offset - s->offset < s->size && (!found || (s->code && !found->code)))
			found = s;
	}
	if (found)
		*vaddr = offset - found->offset + found->vaddr;
	return found;
}

void sym_object_free(struct sym_object *object)
{
	free(object->segments);
	free(object->functions);
	sym_table_free(&object->table);
	*object = (struct sym_object){ 0 };
}
