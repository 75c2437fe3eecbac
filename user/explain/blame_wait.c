/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* blame_wait.c - requests that somebody else than the reader's turn kept: later turns, worker threads. */
#include "explain/blame_join.h"

/* What busy workers slept in, while a request waited for one of them. */
static void worker_calls(const struct join *j, const struct stage_span *s)
{
	for (size_t i = 0; i < j->workers.n; i++) {
		struct history_walk w = history_walk(j->h, EV_OFFCPU, j->workers.list[i].tid, s->from);
		const struct ev_offcpu *o;

		while ((o = history_next_offcpu(&w, s->to))) {
			const struct blame_row call = { .nr = o->syscall, .kind = o->kind };
			uint64_t ns = span_overlap(s->from, s->to, o->start_ns, woken_at(o));

			if (ns && !workers_idle_in(&j->workers, o))
				blame_row_add(&j->out->worker_calls, call.key, ns, o->blocked_ns);
		}
	}
}

void blame_worker(const struct join *j, const struct stage_span *s)
{
	struct blame_sums *out = j->out;
	uint64_t busy_ns, ns = s->to - s->from;
	uint64_t wait_ns = workers_busy(&j->workers, j->h, s->from, s->to, &busy_ns);

	out->cause_ns[CAUSE_WORKER] += wait_ns;
	out->cause_ns[CAUSE_ASYNC] += ns - wait_ns;
	out->worker_span_ns += ns;
	out->worker_busy_ns += busy_ns;
	max_u64(&out->worker_max_ns, wait_ns);
	if (wait_ns)
		worker_calls(j, s);
}

/* The handlers that ran in the turns between read and answer, where one of them, or the loop itself, took most. */
static void blame_others(const struct join *j, const struct ev_exchange *x,
			 const struct stage_span *s, uint64_t others_ns)
{
	struct history_walk w = history_walk(j->h, EV_TURN, s->tid, s->from);
	uint64_t left = others_ns;
	const struct ev_turn *t;

	while (left && (t = history_next(&w)) && t->start_ns < s->to) {
		uint64_t ns = min_u64(span_overlap(s->from, s->to, t->start_ns, t->head.time_ns), left);
		bool held = turn_is_held(t) && t->long_conn && t->long_conn != x->conn;

		ns = min_u64(ns, held ? t->long_ns : turn_is_own(t) ? t->own_ns : 0);
		left -= ns;
		j->out->cause_ns[held ? CAUSE_HELD : CAUSE_OWN] += ns;
		if (held)
			blame_row_add(&j->out->conns, t->long_conn, ns, t->long_ns);
	}
	j->out->cause_ns[CAUSE_BATCH] += left;
}

/* Answered in a later turn than it was read in: the thread's time in between. Returns its own work. */
uint64_t blame_async(const struct join *j, const struct ev_exchange *x,
			    const struct stage_span *s, uint64_t awake_ns)
{
	uint64_t idle = min_u64(x->aside.idle_ns, awake_ns);
	uint64_t others = min_u64(x->aside.others_ns, awake_ns - idle);
	uint64_t upstream = min_u64(x->aside.upstream_ns, idle);

	j->out->cause_ns[CAUSE_UPSTREAM] += upstream;
	j->out->cause_ns[CAUSE_IDLE] += idle - upstream;
	max_u64(&j->out->upstream_max_ns, upstream);
	max_u64(&j->out->idle_max_ns, idle - upstream);
	blame_others(j, x, s, others);
	return awake_ns - idle - others;
}
