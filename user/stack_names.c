// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* stack_names.c - see stack_names.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack_names.h"
#include "symbols.h"

struct stack_names {
	struct stack_set set;
	struct symbols *symbols;
};

struct stack_names *stack_names_new(void)
{
	struct stack_names *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->symbols = symbols_new(NULL);
	if (s->symbols)
		return s;
	free(s);
	return NULL;
}

void stack_names_free(struct stack_names *s)
{
	if (!s)
		return;
	stack_set_free(&s->set);
	symbols_free(s->symbols);
	free(s);
}

void stack_names_process(struct stack_names *s, uint32_t pid)
{
	symbols_add_process(s->symbols, pid);
}

void stack_names_event(struct stack_names *s, const struct event *e)
{
	stack_set_event(&s->set, e);
	if (e->head.kind == EV_PROCESS && e->process.change != PROCESS_EXIT)
		symbols_add_process(s->symbols, e->process.pid);
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

/* "name_[k]", kept by the caller for as long as the stack is told. */
static const char *kernel_frame(const struct symbol *symbol, char *room, size_t len)
{
	snprintf(room, len, "%s%s", symbol->name, symbols_suffix(symbol));
	return room;
}

static void tell(struct stack_names *s, const struct session *session, struct stack_key key,
		 named_stack_fn fn, void *ctx)
{
	static const size_t frame_bytes = SYMBOLS_NAME_MAX + 8;
	struct symbol symbols[STACK_DEPTH];
	const char *frames[STACK_DEPTH];
	uint64_t ip[STACK_DEPTH];
	size_t n = session_stack(session, key.id, ip);
	struct named_stack named = { .key = key, .frames = frames, .cut = n == STACK_DEPTH };
	char *room = key.pid ? NULL : malloc(STACK_DEPTH * frame_bytes);

	if (!n || (!key.pid && !room))
		return;
	named.n = key.pid ? symbols_user_stack(s->symbols, key.pid, 0, ip, n, symbols) :
			    symbols_kernel_stack(s->symbols, ip, n, symbols);
	if (!key.pid) {
		size_t skip = tracing_frames(symbols, named.n);

		memmove(symbols, symbols + skip, (named.n -= skip) * sizeof(symbols[0]));
	}
	for (size_t i = 0; i < named.n; i++)
		frames[i] = key.pid ? symbols[i].name :
				      kernel_frame(&symbols[i], room + i * frame_bytes, frame_bytes);
	fn(ctx, &named);
	free(room);
}

void stack_names_tell(struct stack_names *s, const struct session *session, named_stack_fn fn,
		      void *ctx)
{
	for (size_t i = 0; i < s->set.room; i++)
		if (s->set.keys[i].id >= 0)
			tell(s, session, s->set.keys[i], fn, ctx);
}
