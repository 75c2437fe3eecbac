/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stack_modules.c - see stack_modules.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/map.h"
#include "symbols/stack_modules.h"
#include "symbols/process.h"

#define TABLES_MAX (512ull << 20)	/* bytes of all symbols */

struct module {
	struct stack_module m;		/* whose texts are ours */
	struct sym_table table;
	bool loaded, told;
};

struct stack_modules {
	struct module *list;
	size_t n;
	struct map by_name;
	struct sym_names names;	/* of resolved frames */
	uint64_t bytes;
};

struct stack_modules *stack_modules_new(void)
{
	return calloc(1, sizeof(struct stack_modules));
}

void stack_modules_free(struct stack_modules *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free((char *)s->list[i].m.name);
		free((char *)s->list[i].m.path);
		sym_table_free(&s->list[i].table);
	}
	free(s->list);
	map_free(&s->by_name);
	sym_names_free(&s->names);
	free(s);
}

static bool same_name(const void *list, uint32_t number, const void *name)
{
	return !strcmp(((const struct module *)list)[number].m.name, name);
}

static struct module *find_name(const struct stack_modules *s, const char *name)
{
	uint32_t i = map_find(&s->by_name, name, strlen(name), same_name, s->list);

	return i == MAP_NONE ? NULL : &s->list[i];
}

int stack_modules_add(struct stack_modules *s, const struct stack_module *m)
{
	char name[MODULE_NAME_MAX];
	struct module *new;

	if (s->n >= STACK_MODULES_MAX)
		return -E2BIG;
	snprintf(name, sizeof(name), "%s", m->name);
	if (find_name(s, name))
		return 0;
	new = array_more(&s->list, s->n, sizeof(*new));
	if (!new)
		return -ENOMEM;
	*new = (struct module){ .m = *m };
	new->m.name = strdup(name);
	new->m.path = strdup(m->path);
	if (!new->m.name || !new->m.path ||
	    map_add(&s->by_name, name, strlen(name), (uint32_t)s->n)) {
		free((char *)new->m.name);
		free((char *)new->m.path);
		return -ENOMEM;
	}
	s->n++;
	return 0;
}

static struct module *find_place(const struct stack_modules *s, const struct symbol_place *place)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct stack_module *m = &s->list[i].m;

		if (m->build_id_len == place->build_id_len &&
		    !memcmp(m->build_id, place->build_id, m->build_id_len) &&
		    !strcmp(m->path, place->path))
			return &s->list[i];
	}
	return NULL;
}

/* Another file of the same name, or another build of it, is told apart by its number. */
static struct module *add_place(struct stack_modules *s, const char *object,
				const struct symbol_place *place)
{
	char name[MODULE_NAME_MAX];
	struct stack_module m = { .name = name, .path = place->path,
				  .build_id_len = place->build_id_len };

	memcpy(m.build_id, place->build_id, sizeof(m.build_id));
	snprintf(name, sizeof(name), "%.480s", object);
	for (unsigned again = 2; find_name(s, name); again++)
		snprintf(name, sizeof(name), "%.480s~%u", object, again);
	return stack_modules_add(s, &m) ? NULL : &s->list[s->n - 1];
}

const struct stack_module *stack_modules_frame(struct stack_modules *s, const char *object,
					       const struct symbol_place *place, bool *fresh,
					       char frame[MODULE_FRAME_MAX])
{
	struct module *module = find_place(s, place);

	*fresh = !module;
	if (!module)
		module = add_place(s, object, place);
	if (!module)
		return NULL;
	snprintf(frame, MODULE_FRAME_MAX, "[%s+0x%" PRIx64 "]", module->m.name,
		 place->function ? place->function : place->vaddr);
	return &module->m;
}

/* "[NAME+0xADDRESS]"; a name may have any character in it. */
static struct module *parse(const struct stack_modules *s, const char *frame, uint64_t *vaddr)
{
	const char *plus = frame[0] == '[' ? strrchr(frame, '+') : NULL;
	char name[MODULE_NAME_MAX];
	const char *at;

	if (!plus || plus[1] != '0' || plus[2] != 'x' || plus - frame > MODULE_NAME_MAX)
		return NULL;
	at = plus + 1;
	if (!sym_hex(&at, vaddr) || strcmp(at, "]"))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(plus - frame - 1), frame + 1);
	return find_name(s, name);
}

static void load(struct stack_modules *s, struct module *module, const char *dir)
{
	module->loaded = true;
	module->table.max_bytes = s->bytes < TABLES_MAX ? TABLES_MAX - s->bytes : 1;
	if (sym_debug_load(dir, module->m.build_id, module->m.build_id_len, &module->table))
		sym_table_free(&module->table);
	sym_table_finish(&module->table);
	s->bytes += sym_table_bytes(&module->table);
}

const char *stack_modules_resolve(struct stack_modules *s, const char *dir, const char *frame,
				  const struct stack_module **told)
{
	struct sym_entry *e;
	struct module *module;
	uint64_t vaddr;

	*told = NULL;
	module = parse(s, frame, &vaddr);
	if (!module)
		return NULL;
	if (!module->loaded)
		load(s, module, dir);
	e = sym_table_find(&module->table, vaddr);
	if (e)
		return sym_table_name(&module->table, e, &s->names);
	*told = module->told ? NULL : &module->m;
	module->told = true;
	return NULL;
}
