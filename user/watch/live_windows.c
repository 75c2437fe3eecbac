/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live_windows.c - when system calls are sampled.
 *
 *   waiting --its place in the slot is near--> open --it is over--> waiting for the next slot's
 *
 * Its place is random over the whole slot, so that a load with a period meets windows as often as
 * anything else does. Both of its ends are fixed before it begins: were they where the collector gets
 * to run, the busiest moments, when it has to wait, would be seen the longest.
 */
#include "base/status.h"
#include "watch/live_private.h"

#define MS 1000000ULL

#define SLOT_NS	  (100 * MS)
#define WINDOW_NS (10 * MS)
#define EARLY_NS  (2 * MS)	/* hooks are there so long before */

/* xorshift64*: nobody needs be kept from guessing it. */
static uint64_t random_in_slot(struct live_windows *w)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (w->random * 2685821657736338717ULL >> 20) % SLOT_NS;
}

static void plan(struct live_windows *w, uint64_t now)
{
	w->slot_ns += SLOT_NS;
	if (w->slot_ns + SLOT_NS <= now)
		w->slot_ns = now;
	w->from_ns = w->slot_ns + random_in_slot(w);
}

void live_windows_begin(struct live *live, uint64_t now)
{
	struct live_windows *w = &live->windows;

	w->on = session_syscalls(live->session) == SYSCALLS_SAMPLE;
	w->random = now | 1;
	w->slot_ns = now;
	w->from_ns = now + random_in_slot(w);
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

/* Time in which the target does not run is not watched, and has no windows. */
static void count_time(struct live *live, uint64_t now)
{
	if (live_alive(live) && now > live->windows.looked_ns)
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
		plan(w, now);
	}
	session_window_look(live->session, now);
	if (!w->open && now + EARLY_NS >= w->from_ns) {
		if (live_alive(live))
			open_window(live);
		else
			plan(w, now);
	}
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
	uint64_t at = w->open ? w->from_ns + WINDOW_NS : w->from_ns - EARLY_NS;

	if (!w->on || at >= now + LIVE_TICK_MS * MS)
		return LIVE_TICK_MS;
	return at > now ? (int)((at - now + MS - 1) / MS) : 1;
}
