/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live_windows.c - when system calls are sampled.
 *
 *   waiting --its beginning is near--> open --it is over--> waiting for the next
 *
 * The time between two windows is exponentially distributed, behind the little that opening takes: how
 * long ago the last one was tells nothing of when the next will be, so a load with whatever period meets
 * windows as often as anything else does. Both ends of a window are fixed before it begins: were they
 * where the collector gets to run, the busiest moments, when it has to wait, would be seen the longest,
 * or not at all. So the hooks are there some time before, as much as the collector lately came late.
 */
#include <math.h>

#include "base/status.h"
#include "watch/live_private.h"

#define MS 1000000ULL

#define WINDOW_NS	(10 * MS)
#define BETWEEN_NS	(90 * MS)	/* from a window's end to the next one's beginning, on average */
#define EARLY_MIN_NS	(3 * MS)	/* hooks are there so long before, at least */
#define EARLY_MAX_NS	(20 * MS)

/* xorshift64*: nobody needs be kept from guessing it. */
uint64_t live_random(uint64_t *state, uint64_t n)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 2685821657736338717ULL >> 20) % n;
}

/* Behind a window, or any other moment that has nothing to do with what the target does. */
static void plan(struct live_windows *w, uint64_t now)
{
	double uniform = (double)(live_random(&w->random, 1 << 30) + 1) / (1 << 30);

	w->from_ns = now + w->early_ns +
		     (uint64_t)(-log(uniform) * (double)(BETWEEN_NS - w->early_ns));
}

/* Twice as early as would have been in time; less by and by, when it was too early. */
static void learn(struct live_windows *w, uint64_t late_ns)
{
	uint64_t wanted = 2 * late_ns + MS;

	w->early_ns = wanted > w->early_ns ? wanted : w->early_ns - (w->early_ns - wanted) / 32;
	if (w->early_ns < EARLY_MIN_NS)
		w->early_ns = EARLY_MIN_NS;
	if (w->early_ns > EARLY_MAX_NS)
		w->early_ns = EARLY_MAX_NS;
}

void live_windows_begin(struct live *live, uint64_t now)
{
	struct live_windows *w = &live->windows;

	w->on = session_syscalls(live->session) == SYSCALLS_SAMPLE;
	w->random = now | 1;
	w->early_ns = EARLY_MIN_NS;
	plan(w, now);
	w->looked_ns = now;
}

static void open_window(struct live *live)
{
	struct live_windows *w = &live->windows;
	int err;

	session_calls_begun(live->session, w->begun);
	err = session_window_open(live->session, &w->from_ns, WINDOW_NS);
	w->open = !err;
	if (!err)
		return;
	warn_line("system calls are no longer sampled: attaching failed with errno %d", -err);
	w->on = false;
}

/* Before its end when the watch is over. */
static void close_window(struct live *live, uint64_t now)
{
	struct live_windows *w = &live->windows;
	uint64_t begun[SC_COUNT], length = WINDOW_NS;

	if (now < w->from_ns + WINDOW_NS)
		length = now > w->from_ns ? now - w->from_ns : 0;
	session_window_close(live->session);
	session_calls_begun(live->session, begun);
	for (unsigned sc = 0; sc < SC_COUNT; sc++)
		begun[sc] -= w->begun[sc];
	sampled_add(&live->sums->sampled, begun, length);
	w->open = false;
}

/* Time in which the target does not run is not watched, and has no windows; nor does what is shed. */
static void count_time(struct live *live, uint64_t now)
{
	if (live_alive(live) && !live->windows.shed && now > live->windows.looked_ns)
		live->sums->sampled.watched_ns += now - live->windows.looked_ns;
	live->windows.looked_ns = now;
}

void live_windows_tick(struct live *live, uint64_t now)
{
	struct live_windows *w = &live->windows;

	if (!w->on)
		return;
	count_time(live, now);
	if (w->open && now >= w->from_ns + WINDOW_NS) {
		close_window(live, now);
		plan(w, w->from_ns + WINDOW_NS);
	}
	session_window_look(live->session, now);
	if (w->open || now + w->early_ns < w->from_ns)
		return;
	learn(w, now + w->early_ns - w->from_ns);
	if (live_alive(live) && !w->shed)
		open_window(live);
	else
		plan(w, now);
}

void live_windows_shed(struct live *live, bool shed, uint64_t now)
{
	struct live_windows *w = &live->windows;

	if (!w->on)
		return;
	count_time(live, now);
	if (w->open) {
		close_window(live, now);
		plan(w, now);
	}
	w->shed = shed;
}

void live_windows_end(struct live *live, uint64_t now)
{
	if (!live->windows.on)
		return;
	count_time(live, now);
	if (live->windows.open)
		close_window(live, now);
	live->windows.on = false;
}

int live_wait_ms(const struct live *live, uint64_t now)
{
	const struct live_windows *w = &live->windows;
	uint64_t at = w->open ? w->from_ns + WINDOW_NS : w->from_ns - w->early_ns;

	if (!w->on || at >= now + LIVE_TICK_MS * MS)
		return LIVE_TICK_MS;
	return at > now ? (int)((at - now + MS - 1) / MS) : 1;
}
