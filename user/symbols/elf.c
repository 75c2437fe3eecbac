/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* elf.c - an ELF file: header, sections, segments, build-id, symbol tables. */
#include <elfutils/libdwelf.h>
#include <endian.h>
#include <errno.h>
#include <gelf.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "symbols/elf.h"

#define MAX_SECTION (256u << 20)
#define MAX_NOTES (1u << 20)
#define MAX_NAME 4096
#define MAX_UNPACKED (64u << 20)
#define MAX_DECODER (128u << 20)	/* memory that a stream may ask its decoder to use */

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

/* --- symbols --- */

static bool ends_with(const char *name, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && !memcmp(name + len - n, end, n);
}

/*
 * Which of several names of one address people would say: that of a function, with a size, not a
 * static one, with few underscores in front.
 */
static uint32_t rank_of(const Elf64_Sym *sym, const char *name)
{
	unsigned binding = ELF64_ST_BIND(sym->st_info);
	uint32_t underscores = (uint32_t)strspn(name, "_");

	return (sym->st_size ? SYM_RANK_SIZED : 0) |
	       (ELF64_ST_TYPE(sym->st_info) == STT_NOTYPE ? 0 : 1u << 30) |
	       (binding == STB_LOCAL ? 0 : 1u << 29) |
	       (15 - (underscores < 15 ? underscores : 15)) << 8 |
	       (binding == STB_GLOBAL ? 1u << 7 : 0);
}

/* A symbol without a size reaches at most to the end of its section; 0: it isn't one of code. */
static uint64_t size_of(Elf *elf, const Elf64_Sym *sym, const char *name, size_t len)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);
	GElf_Shdr header;

	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return 0;
	if (sym->st_size && type != STT_NOTYPE)
		return sym->st_size;
	if (sym->st_shndx >= SHN_LORESERVE ||
	    !gelf_getshdr(elf_getscn(elf, sym->st_shndx), &header) ||
	    !(header.sh_flags & SHF_EXECINSTR) || sym->st_value - header.sh_addr >= header.sh_size)
		return 0;
	if (sym->st_size)
		return sym->st_size;
	/* ARM's mapping symbols and marks of an end name no function. */
	if (name[0] == '$' || ends_with(name, len, "etext"))
		return 0;
	return header.sh_addr + header.sh_size - sym->st_value;
}

static int add_symbols(Elf *elf, Elf_Scn *section, struct sym_table *t)
{
	GElf_Shdr header;
	Elf_Data *data = sym_elf_data(section), *strings;
	const Elf64_Sym *list;
	int err = 0;

	if (!data || !gelf_getshdr(section, &header))
		return -EINVAL;
	strings = sym_elf_data(elf_getscn(elf, header.sh_link));
	if (!strings || data->d_type != ELF_T_SYM)
		return -EINVAL;
	list = data->d_buf;
	for (size_t i = 1; i < data->d_size / sizeof(*list) && !err; i++) {
		const Elf64_Sym *sym = &list[i];
		const char *name;
		uint64_t size;
		size_t room, len;

		if (sym->st_shndx == SHN_UNDEF || sym->st_name >= strings->d_size)
			continue;
		name = (const char *)strings->d_buf + sym->st_name;
		room = strings->d_size - sym->st_name;
		len = strnlen(name, room < MAX_NAME ? room : MAX_NAME);
		if (!len || len == room)
			continue;
		size = size_of(elf, sym, name, len);
		if (size && sym->st_value + size > sym->st_value)
			err = sym_table_add(t, sym->st_value, size, name, len, rank_of(sym, name));
	}
	return err;
}

static Elf_Scn *section_of_type(Elf *elf, uint32_t type)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == type)
			return section;
	return NULL;
}

int sym_elf_symtab(Elf *elf, struct sym_table *table)
{
	Elf_Scn *section = section_of_type(elf, SHT_SYMTAB);

	return section ? add_symbols(elf, section, table) : 0;
}

/* Unpacks up to MAX_UNPACKED bytes; free(*out). */
static int unpack(const Elf_Data *data, char **out, size_t *len)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t room = 0;
	lzma_ret ret = lzma_stream_decoder(&stream, MAX_DECODER, 0);

	*out = NULL;
	*len = 0;
	stream.next_in = data->d_buf;
	stream.avail_in = data->d_size;
	while (ret == LZMA_OK && *len < MAX_UNPACKED) {
		if (array_reserve(out, &room, *len ? 2 * *len : 1 << 20, 1))
			break;
		stream.next_out = (uint8_t *)*out + *len;
		stream.avail_out = room - *len;
		ret = lzma_code(&stream, LZMA_FINISH);
		*len = room - stream.avail_out;
	}
	lzma_end(&stream);
	if (ret == LZMA_STREAM_END)
		return 0;
	free(*out);
	*out = NULL;
	return ret == LZMA_OK ? -EFBIG : -EINVAL;
}

/*
 * .gnu_debugdata: an ELF file that holds only a .symtab, packed by xz, which some distributions
 * leave in stripped programs.
 */
static int add_debugdata(Elf *elf, struct sym_table *table)
{
	Elf_Data *packed = sym_elf_data(sym_elf_section(elf, ".gnu_debugdata"));
	Elf *inner;
	char *image;
	size_t len;
	int err;

	if (!packed)
		return 0;
	err = unpack(packed, &image, &len);
	if (err)
		return err;
	err = sym_elf_begin_memory(image, len, &inner);
	if (!err) {
		err = sym_elf_symtab(inner, table);
		elf_end(inner);
	}
	free(image);
	return err;
}

int sym_elf_symbols(Elf *elf, struct sym_object *object, bool *whole)
{
	Elf_Scn *symtab = section_of_type(elf, SHT_SYMTAB);
	Elf_Scn *dynamic = section_of_type(elf, SHT_DYNSYM);
	int err, other = 0;

	*whole = symtab;
	if (symtab) {
		err = add_symbols(elf, symtab, &object->table);
	} else {
		err = add_debugdata(elf, &object->table);
		other = sym_elf_go(elf, &object->table);
	}
	err = err ? err : other;
	other = dynamic ? add_symbols(elf, dynamic, &object->table) : 0;
	return err ? err : other;
}
