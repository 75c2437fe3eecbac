/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stack_names.c - see stack_names.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/status.h"
#include "base/term.h"
#include "symbols/stack_modules.h"
#include "symbols/stack_names.h"
#include "symbols/symbols.h"

#define FRAME_BYTES (SYMBOLS_NAME_MAX + 8)
#define NOTES_MAX 5	/* a large target may have the same cause thousands of times */
#define LOOK_EVERY_NS	50000000ULL	/* at what a process has mapped since, at most, */
#define LOOK_SHARE	100		/* and for a hundredth of our time */

_Static_assert(FRAME_BYTES >= MODULE_FRAME_MAX, "a frame is one or the other");

struct stack_names {
	stack_read_fn read;
	const void *read_ctx;
	struct stack_key *keys;		/* in the order of the events that named them first */
	size_t n_keys, keys_room;
	struct map known;
	struct symbols *symbols;
	struct stack_modules *modules;
	struct stack_copies copies;
	size_t depth;
	char room[STACK_DEPTH][FRAME_BYTES];	/* of frames that are not a symbol's name alone */
	unsigned notes;
	uint64_t next_look_ns;		/* at a process that has mapped more */
};

/* A file or a map that was not believed: why there are no names. */
static void on_skipped(void *arg, const char *text)
{
	struct stack_names *s = arg;

	if (s->notes++ < NOTES_MAX)
		warn_line("%s", text);
	else if (s->notes == NOTES_MAX + 1)
		warn_line("more files with symbols were skipped");
}

struct stack_names *stack_names_new(size_t depth, const char *debug_dir, stack_read_fn read,
				    const void *ctx)
{
	struct stack_names *s = calloc(1, sizeof(*s));
	struct symbols_options options = {
		.debug_dir = debug_dir, .note = on_skipped, .arg = s,
	};

	if (!s)
		return NULL;
	s->read = read;
	s->read_ctx = ctx;
	s->depth = depth && depth < STACK_DEPTH ? depth : STACK_DEPTH;
	s->symbols = symbols_new(&options);
	s->modules = stack_modules_new();
	s->copies.symbols = s->symbols;
	if (s->symbols && s->modules)
		return s;
	stack_names_free(s);
	return NULL;
}

void stack_names_free(struct stack_names *s)
{
	if (!s)
		return;
	free(s->keys);
	map_free(&s->known);
	stack_copies_free(&s->copies);
	stack_modules_free(s->modules);
	symbols_free(s->symbols);
	free(s);
}

void stack_names_process(struct stack_names *s, uint32_t pid)
{
	if (symbols_refresh(s->symbols, pid) == -ENOENT)
		symbols_add_process(s->symbols, pid);
}

const void *stack_names_record(struct stack_names *s, const void *data, size_t *size,
			       struct ev_offcpu *room)
{
	return stack_copies_record(&s->copies, data, size, room);
}

void stack_names_say(const struct stack_names *s, bool verbose)
{
	const struct stack_copies *t = &s->copies;
	uint64_t lacking = t->open + t->bad;

	if (verbose)
		say_line("call-frame information: %s user stacks, %s extended, %s with a bad frame "
			 "pointer, %s left incomplete, %s rejected", format_count(t->asked).s,
			 format_count(t->found).s, format_count(t->astray).s,
			 format_count(t->open).s, format_count(t->bad).s);
	else if (lacking)
		say_line("%s of %s user stacks may lack callers of their innermost function: it "
			 "has no frame pointer or usable unwind information",
			 format_share((double)lacking / (double)t->asked).s,
			 format_count(t->asked).s);
}

static void look_again(struct stack_names *s, uint32_t pid, uint64_t now)
{
	uint64_t cost;

	stack_names_process(s, pid);
	cost = (monotonic_ns() - now) * LOOK_SHARE;
	s->next_look_ns = now + (cost > LOOK_EVERY_NS ? cost : LOOK_EVERY_NS);
}

/* A new stack of a process, which may have mapped more since it was looked at. */
static void check(struct stack_names *s, uint32_t pid, int32_t id)
{
	const struct stack_copy *top = stack_copies_find(&s->copies, id);
	uint64_t ip[STACK_DEPTH], now = monotonic_ns();
	size_t n;
	bool is_cut;

	if (now < s->next_look_ns)
		return;
	n = s->read(s->read_ctx, top ? top->id : id, ip, &is_cut);
	for (size_t i = 0; i < n; i++)
		if (!symbols_covers(s->symbols, pid, ip[i] - (i > 0))) {
			look_again(s, pid, now);
			return;
		}
}

static void process_event(struct stack_names *s, const struct ev_process *p)
{
	if (p->change == PROCESS_EXEC)
		symbols_add_exec(s->symbols, p->pid, p->head.time_ns);
	else if (p->change == PROCESS_FORK &&
		 symbols_add_child(s->symbols, p->parent, p->pid, p->head.time_ns) == -ESRCH)
		symbols_add_process(s->symbols, p->pid);
}

static bool same_stack(const void *keys, uint32_t number, const void *key)
{
	const struct stack_key *a = &((const struct stack_key *)keys)[number], *b = key;

	return a->pid == b->pid && a->id == b->id;
}

/* Whether the stack is new. Without memory it is left out. */
static bool add(struct stack_names *s, const struct stack_key *key)
{
	const size_t len = offsetof(struct stack_key, first_ns);

	if (key->id < 0 || map_find(&s->known, key, len, same_stack, s->keys) != MAP_NONE ||
	    array_reserve(&s->keys, &s->keys_room, s->n_keys + 1, sizeof(*s->keys)) ||
	    map_add(&s->known, key, len, (uint32_t)s->n_keys))
		return false;
	s->keys[s->n_keys++] = *key;
	return true;
}

/* The stacks that an event names, at most four; those of the kernel have pid 0. */
static unsigned stacks_of(const struct event *e, struct stack_key keys[4])
{
	const struct ev_offcpu *o = &e->offcpu;
	const struct ev_sample *c = &e->sample;
	unsigned n = 0;

	if (e->head.kind == EV_SAMPLE) {
		keys[n++] = (struct stack_key){ .id = c->kernel_stack };
		keys[n++] = (struct stack_key){ .pid = c->pid, .id = c->user_stack };
	} else if (e->head.kind == EV_OFFCPU && !(o->flags & OFFCPU_IN_WAIT)) {
		keys[n++] = (struct stack_key){ .id = o->kernel_stack };
		keys[n++] = (struct stack_key){ .pid = o->pid, .id = o->user_stack };
		if (o->flags & OFFCPU_WAKER) {
			keys[n++] = (struct stack_key){ .id = o->waker_kernel_stack };
			keys[n++] = (struct stack_key){ .pid = o->waker_pid,
							.id = o->waker_user_stack };
		}
	}
	return n;
}

void stack_names_event(struct stack_names *s, const struct event *e)
{
	struct stack_key keys[4];
	unsigned n = stacks_of(e, keys);
	bool fresh = false;

	for (unsigned i = 0; i < n; i++) {
		keys[i].first_ns = e->head.time_ns;
		fresh |= add(s, &keys[i]);
	}
	for (unsigned i = 0; i < n && fresh; i++)
		if (keys[i].pid)
			check(s, keys[i].pid, keys[i].id);
	if (e->head.kind == EV_PROCESS)
		process_event(s, &e->process);
}

/* The innermost frames of a stack that a tracepoint took are the way to us. */
static size_t tracing_frames(const struct symbol *symbols, size_t n)
{
	static const char *const ours[] = { "bpf_prog_", "bpf_trace_run", "__bpf_trace_",
					    "__traceiter_", "bpf_get_stackid" };
	size_t skip = 0;

	for (size_t i = 0; i < n && i < 6; i++)
		for (size_t k = 0; k < sizeof(ours) / sizeof(ours[0]); k++)
			if (!strncmp(symbols[i].name, ours[k], strlen(ours[k])))
				skip = i + 1;
	return skip < n ? skip : 0;
}

/* To whom the named stacks go. */
struct receiver {
	struct stack_names *names;
	stack_module_fn module;
	named_stack_fn stack;
	void *ctx;
};

/* Without a symbol its file and the address in it are all there is to say. */
static const char *user_frame(const struct receiver *t, uint32_t pid, uint64_t address,
			      const struct symbol *symbol, char room[FRAME_BYTES])
{
	struct stack_names *s = t->names;
	const struct stack_module *m;
	struct symbol_place place;
	bool fresh;

	if (symbol->kind != SYMBOL_NONE || symbols_place(s->symbols, pid, address, &place) ||
	    !place.vaddr)
		return symbol->name;
	m = stack_modules_frame(s->modules, symbol->object, &place, &fresh, room);
	if (!m)
		return symbol->name;
	if (fresh)
		t->module(t->ctx, m);
	return room;
}

static size_t user_frames(const struct receiver *t, uint32_t pid, const uint64_t *ip, size_t n,
			  const char **frames)
{
	struct symbol symbols[STACK_DEPTH];

	n = symbols_stack(t->names->symbols, pid, ip, n, symbols);
	/* All but the first are return addresses: the call is before. */
	for (size_t i = 0; i < n; i++)
		frames[i] = user_frame(t, pid, ip[i] - (i > 0), &symbols[i], t->names->room[i]);
	return n;
}

static size_t kernel_frames(const struct receiver *t, const uint64_t *ip, size_t n,
			    const char **frames)
{
	struct symbol symbols[STACK_DEPTH];
	size_t skip;

	n = symbols_stack(t->names->symbols, 0, ip, n, symbols);
	skip = tracing_frames(symbols, n);
	for (size_t i = skip; i < n; i++) {
		char *room = t->names->room[i];

		snprintf(room, FRAME_BYTES, "%s%s", symbols[i].name, symbols_suffix(&symbols[i]));
		frames[i - skip] = room;
	}
	return n - skip;
}

/* The outer frames of a stack that is deeper than what is kept go. */
static size_t cut(const struct receiver *t, size_t n, struct named_stack *named)
{
	if (n <= t->names->depth)
		return n;
	named->cut = true;
	return t->names->depth;
}

static void give(const struct receiver *t, struct stack_key key)
{
	const char *frames[STACK_DEPTH];
	uint64_t ip[STACK_DEPTH];
	struct named_stack named = { .key = key, .frames = frames };
	struct stack_names *s = t->names;
	const struct stack_copy *top = key.pid ? stack_copies_find(&s->copies, key.id) : NULL;
	size_t n = s->read(s->read_ctx, top ? top->id : key.id, ip, &named.cut);

	if (top && top->callers.astray)
		named.cut = false;
	if (top)
		n = stack_copy_apply(top, ip, n, STACK_DEPTH);
	if (!n)
		return;
	symbols_at(s->symbols, key.first_ns);
	if (key.pid)
		named.n = user_frames(t, key.pid, ip, cut(t, n, &named), frames);
	else
		named.n = cut(t, kernel_frames(t, ip, n, frames), &named);
	t->stack(t->ctx, &named);
}

void stack_names_give(struct stack_names *s, stack_module_fn module, named_stack_fn stack,
		      void *ctx)
{
	struct receiver t = { .names = s, .module = module, .stack = stack, .ctx = ctx };

	for (size_t i = 0; i < s->n_keys; i++)
		give(&t, s->keys[i]);
}
