/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live_holds.c - turns that no hook can tell of: those that began before the watch, and those that
 * have not ended when it ends.
 *
 * Whether a thread was at work at the attach is looked up then. A loop that never came back to its
 * wait is known by what its process lacks: somebody who polls.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "target/proc.h"
#include "target/task_now.h"
#include "watch/live_private.h"

#define THREADS_LOOKED_AT 1024	/* of a process: a look costs some 20 us each */

static bool was_at_work(const struct live *live, uint32_t tid)
{
	for (size_t i = 0; i < live->holds.n; i++)
		if (live->holds.tids[i] == tid)
			return true;
	return false;
}

/* A worker that waits for work sleeps on a lock: of several threads such a one is no held loop. */
static bool is_at_work(uint32_t pid, uint32_t tid, bool alone)
{
	long call = task_call(pid, tid);

	return call != TASK_UNKNOWN && !call_waits(call) && (alone || !call_is_lock(call));
}

static void look_at(struct live *live, uint32_t pid)
{
	uint32_t *tids = NULL;
	size_t n;

	if (proc_threads(pid, &tids, &n))
		return;
	for (size_t i = 0; i < n && i < THREADS_LOOKED_AT; i++)
		if (is_at_work(pid, tids[i], n == 1) &&
		    !array_reserve(&live->holds.tids, &live->holds.room, live->holds.n + 1,
				   sizeof(*live->holds.tids)))
			live->holds.tids[live->holds.n++] = tids[i];
	free(tids);
}

void live_holds_begin(struct live *live)
{
	/* A program that was launched has only begun. */
	if (!live->needs.intervals || live->config.spec->program)
		return;
	for (size_t i = 0; i < live->alive.n; i++)
		look_at(live, live->alive.pids[i]);
}

/*
 * The kernel side counts from before its hooks were there, and attaching them takes a while. The look
 * came behind them: who was at work then and waits first after the watch's beginning was in one turn.
 */
static bool since_beginning(const struct live *live, struct ev_turn *turn)
{
	uint64_t start_ns = live->r->start_ns, end_ns = turn->head.time_ns;

	if (!was_at_work(live, turn->tid) || end_ns < start_ns + BEHIND_NS)
		return false;
	turn->start_ns = start_ns;
	if (turn->own_ns > end_ns - start_ns)
		turn->own_ns = end_ns - start_ns;
	if (turn->long_ns > end_ns - start_ns)
		turn->long_ns = end_ns - start_ns;
	return true;
}

bool live_holds_turn(const struct live *live, struct ev_turn *turn)
{
	if (turn->flags & TURN_BEFORE && !since_beginning(live, turn))
		return false;
	known_flow(live->known, turn->long_conn, &turn->flow);
	return true;
}

/* --- the end --- */

struct looking {
	struct live *live;
	uint32_t pid;
	struct ev_turn *open;	/* the turns that are under way */
	size_t n, room;
	uint32_t at_work;	/* threads at work since before the watch that never waited */
	bool polled;		/* somebody waits, or did in the watch */
};

/* Since before the watch, and no hook has told of a wait; where none told anything, it slept all along. */
static void since_before(struct looking *l, struct ev_turn *turn, uint32_t tid, bool told)
{
	long call = task_call(l->pid, tid);

	turn->flags |= TURN_BEFORE;
	turn->start_ns = l->live->r->start_ns;
	l->at_work++;
	if (told || call == TASK_RUNS)
		return;
	turn->blocked_ns = turn->head.time_ns - turn->start_ns;
	turn->syscall = call < 0 ? ~0u : (uint32_t)call;
	turn->kind = OFFCPU_OTHER;
}

static void look_at_end(struct looking *l, uint32_t tid, bool alone)
{
	uint64_t end_ns = l->live->r->end_ns;
	struct proc_stat st;
	struct ev_turn turn;
	int err = session_open_turn(l->live->session, tid, end_ns, &turn);
	bool before = was_at_work(l->live, tid);

	if (err == -EAGAIN || turn.start_ns)
		l->polled = true;
	if (!turn.start_ns && before && is_at_work(l->pid, tid, alone))
		since_before(l, &turn, tid, !err);
	else if (call_waits(task_call(l->pid, tid)))
		l->polled = true;
	if (!turn.start_ns || end_ns - turn.start_ns < BEHIND_NS || proc_stat(tid, &st) ||
	    array_reserve(&l->open, &l->room, l->n + 1, sizeof(*l->open)))
		return;
	turn.pid = l->pid;
	memcpy(turn.comm, st.comm, COMM_LEN);
	l->open[l->n++] = turn;
}

static void give(struct looking *l, struct ev_turn *turn)
{
	known_flow(l->live->known, turn->long_conn, &turn->flow);
	stream_record(l->live->stream, turn, sizeof(*turn));
}

/* With several loops it is not known whose connections these are. */
static void give_open(struct looking *l)
{
	struct unread unread = { 0 };
	bool one = l->n == 1;

	if (!l->n || unread_look(l->pid, &unread))
		return;
	for (size_t i = 0; i < l->n; i++) {
		struct ev_turn *turn = &l->open[i];

		if (turn->flags & TURN_BEFORE &&
		    (l->polled || l->at_work > 1 || !unread.eventpoll))
			continue;
		turn->waiting = one ? unread.connections : 0;
		give(l, turn);
	}
}

void live_holds_end(struct live *live)
{
	struct looking l = { .live = live };

	for (size_t i = 0; i < live->alive.n && live->needs.intervals; i++) {
		uint32_t *tids = NULL;
		size_t n;

		l.pid = live->alive.pids[i];
		l.n = l.at_work = 0;
		l.polled = false;
		if (proc_threads(l.pid, &tids, &n))
			continue;
		for (size_t k = 0; k < n && k < THREADS_LOOKED_AT; k++)
			look_at_end(&l, tids[k], n == 1);
		free(tids);
		give_open(&l);
	}
	free(l.open);
}
