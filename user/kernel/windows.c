/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* windows.c - the hooks that are there only in windows of system calls, and how long they stay. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "kernel/private.h"

#define PLACE(window) ((window) & (CALL_WINDOWS - 1))

enum syscall_mode session_syscalls(const struct session *s)
{
	return s->syscalls;
}

void session_calls_begun(const struct session *s, uint64_t begun[SC_COUNT])
{
	memset(begun, 0, SC_COUNT * sizeof(*begun));
	for (unsigned set = 0; set < s->sets; set++)
		for (unsigned sc = 0; sc < SC_COUNT; sc++)
			begun[sc] += s->counters[set].calls_begun[sc];
}

static uint64_t open_calls(const struct session *s, uint32_t window)
{
	uint64_t n = 0;

	for (unsigned set = 0; set < s->sets; set++)
		n += s->counters[set].calls_open[PLACE(window)];
	return n;
}

static int attach(struct bpf_link **link, struct bpf_program *program)
{
	if (!*link)
		*link = bpf_program__attach_trace(program);
	return *link ? 0 : -errno;
}

static void detach(struct bpf_link **link)
{
	bpf_link__destroy(*link);
	*link = NULL;
}

static void set_word(__u32 *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

int session_window_open(struct session *s, uint64_t *from_ns, uint64_t length_ns)
{
	struct control *control = &s->skel->bss->control;
	struct call_windows *w = &s->windows;
	uint64_t now;
	int err = attach(&w->exit, s->skel->progs.on_window_exit);

	err = err ? err : attach(&w->enter, s->skel->progs.on_window_enter);
	if (err) {
		windows_detach(s);
		return err;
	}
	if (w->oldest > w->last || !w->last)
		w->oldest = w->last + 1;
	w->last++;
	w->given_up[PLACE(w->last)] = open_calls(s, w->last);
	now = monotonic_ns();
	if (*from_ns < now)
		*from_ns = now;
	control->window_from_ns = *from_ns;
	control->window_until_ns = *from_ns + length_ns;
	set_word(&control->window, w->last);
	return 0;
}

void session_window_close(struct session *s)
{
	struct call_windows *w = &s->windows;

	set_word(&s->skel->bss->control.window, 0);
	detach(&w->enter);
	w->ended_ns[PLACE(w->last)] = monotonic_ns();
}

/* The hook at the calls' end stays for calls of these windows, the older before the newer. */
void session_window_look(struct session *s, uint64_t now_ns)
{
	struct call_windows *w = &s->windows;

	if (!w->exit || w->enter)
		return;
	while (w->oldest <= w->last &&
	       (open_calls(s, w->oldest) == w->given_up[PLACE(w->oldest)] ||
		now_ns >= w->ended_ns[PLACE(w->oldest)] + CALL_PATIENCE_NS))
		w->oldest++;
	set_word(&s->skel->bss->control.window_oldest, w->oldest);
	if (w->oldest > w->last)
		detach(&w->exit);
}

void windows_detach(struct session *s)
{
	if (s->skel && s->skel->bss)
		set_word(&s->skel->bss->control.window, 0);
	detach(&s->windows.enter);
	detach(&s->windows.exit);
}
