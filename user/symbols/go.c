/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * go.c - Go's function table (.gopclntab), which even a stripped Go program keeps: its own
 * tracebacks need it. Layouts: src/runtime/symtab.go (pcHeader, functab, _func) of Go 1.2 to 1.26.
 *
 * All versions: a header, then pairs (start of the function, offset of its record) sorted by start
 * and ended by the end of the code; a record begins with the start again and the offset of the name.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "symbols/table.h"

enum go_layout { GO_2, GO_16, GO_18 };	/* since 1.2, 1.16, 1.18 */

struct pclntab {
	const struct sym_go *go;
	enum go_layout layout;
	unsigned pointer;	/* bytes */
	uint64_t count;		/* functions */
	uint64_t text;		/* what starts are relative to */
	uint64_t names;		/* offset of the names in the table */
	uint64_t functions;	/* offset of the pairs, and of what records' offsets are relative to */
	uint64_t records;
};

/* An unsigned number of the machine's own byte order; 0 and *bad set beyond the end. */
static uint64_t number(const struct sym_go *go, uint64_t offset, unsigned size, bool *bad)
{
	uint32_t four;
	uint64_t eight;

	if (offset > go->len || go->len - offset < size) {
		*bad = true;
		return 0;
	}
	if (size == 4) {
		memcpy(&four, go->data + offset, 4);
		return four;
	}
	memcpy(&eight, go->data + offset, 8);
	return eight;
}

static int layout_of(const struct sym_go *go, enum go_layout *layout)
{
	bool bad = false;

	switch (number(go, 0, 4, &bad)) {
	case 0xfffffffb:
		*layout = GO_2;
		break;
	case 0xfffffffa:
		*layout = GO_16;
		break;
	case 0xfffffff0:	/* 1.18 */
	case 0xfffffff1:	/* 1.20: the same as far as it matters here */
		*layout = GO_18;
		break;
	default:
		return -ENOTSUP;
	}
	/* Two zeros, the quantum of instructions, the size of a pointer; 32-bit code is not ours. */
	if (bad || go->len < 8 || go->data[4] || go->data[5])
		return -EINVAL;
	return go->data[7] == 8 ? 0 : -ENOTSUP;
}

bool sym_go_text_offset(const struct sym_go *go, size_t *offset)
{
	enum go_layout layout;

	*offset = 8 + 2 * 8;
	return !layout_of(go, &layout) && layout == GO_18;
}

static int read_header(const struct sym_go *go, struct pclntab *p)
{
	bool bad = false;
	int err;

	*p = (struct pclntab){ .go = go, .pointer = 8 };
	err = layout_of(go, &p->layout);
	if (err)
		return err;
	p->count = number(go, 8, 8, &bad);
	switch (p->layout) {
	case GO_2:
		p->functions = 16;
		break;
	case GO_16:
		p->names = number(go, 8 + 2 * 8, 8, &bad);
		p->functions = number(go, 8 + 6 * 8, 8, &bad);
		p->records = p->functions;
		break;
	case GO_18:
		p->pointer = 4;
		p->text = go->text ? go->text : number(go, 8 + 2 * 8, 8, &bad);
		p->names = number(go, 8 + 3 * 8, 8, &bad);
		p->functions = number(go, 8 + 7 * 8, 8, &bad);
		p->records = p->functions;
		if (!bad && !p->text)
			return -ENOTSUP;
		break;
	}
	if (bad || p->names > go->len || p->functions > go->len ||
	    p->count > (go->len - p->functions) / (2 * p->pointer))
		return -EINVAL;
	return 0;
}

static int add_function(const struct pclntab *p, uint64_t start, uint64_t end, uint64_t record,
			struct sym_table *t)
{
	bool bad = false;
	unsigned entry = p->layout == GO_18 ? 4 : 8;
	uint64_t at, name, stated;
	const char *text;
	size_t room, len;

	/* Offsets are below 2^32 or refused: the sums cannot wrap. */
	if (record > UINT32_MAX)
		return -EINVAL;
	at = p->records + record;
	stated = number(p->go, at, entry, &bad);
	name = p->names + number(p->go, at + entry, 4, &bad);
	if (bad || name >= p->go->len || stated != start)
		return -EINVAL;
	text = (const char *)p->go->data + name;
	room = p->go->len - name;
	len = strnlen(text, room < 4096 ? room : 4096);
	if (len == room)
		return -EINVAL;
	if (!len)
		return 0;
	return sym_table_add(t, p->text + start, end - start, text, len, SYM_RANK_SIZED);
}

int sym_go_read(const struct sym_go *go, struct sym_table *t)
{
	struct pclntab p;
	uint64_t start, end;
	bool bad = false;
	int err = read_header(go, &p);

	if (err)
		return err;
	start = number(go, p.functions, p.pointer, &bad);
	for (uint64_t i = 0; i < p.count && !err; i++) {
		uint64_t pair = p.functions + i * 2 * p.pointer;
		uint64_t record = number(go, pair + p.pointer, p.pointer, &bad);

		end = number(go, pair + 2 * p.pointer, p.pointer, &bad);
		/* Unrelocated starts are all 0: nothing to be had. */
		if (bad || end < start || (end == start && !end))
			return -EINVAL;
		err = add_function(&p, start, end, record, t);
		start = end;
	}
	return err;
}
