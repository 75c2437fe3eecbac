/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* turns.c - the turn that a thread is in, from its state: what the kernel side tells at a turn's end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/private.h"
#include "bpf/state.h"

/* Only of threads that have a slot: others are in task storage. */
static int thread_read(const struct session *s, uint32_t tid, struct thread *t)
{
	uint32_t key = tid & (THREAD_SLOTS - 1);

	if (bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.thread_slots), &key, t))
		return -errno;
	return t->tid == tid ? 0 : -ENOENT;
}

/* As turn_hold() in bpf/symptoms.bpf.h: the connection served now, as far as the turn has come. */
static void fill_held(struct ev_turn *turn, const struct thread *t, uint64_t now)
{
	uint64_t served = now;

	turn->long_ns = t->long_ns;
	turn->long_conn = t->long_conn;
	turn->own_ns = t->own_ns;
	if (!t->held_ns)
		return;
	if (t->sent_ns > t->held_ns)
		served = t->sent_ns;
	else if (!t->held_conn)
		served = t->held_ns;
	if (t->held_conn && served - t->held_ns > turn->long_ns) {
		turn->long_ns = served - t->held_ns;
		turn->long_conn = t->held_conn;
	}
	if (now > served && now - served > turn->own_ns)
		turn->own_ns = now - served;
}

/* What goes by since it left the CPU is in no total yet. */
static void fill_off(struct ev_turn *turn, const struct thread *t, uint64_t now)
{
	uint64_t off_ns = now > t->off_ns ? now - t->off_ns : 0;

	turn->syscall = ~0u;
	if (t->state == THREAD_RUNNABLE) {
		turn->runnable_ns += off_ns;
	} else if (t->state == THREAD_BLOCKED) {
		turn->blocked_ns += off_ns;
		turn->syscall = t->off_nr;
		turn->kind = t->off_kind;
	}
}

int session_open_turn(const struct session *s, uint32_t tid, uint64_t now_ns, struct ev_turn *turn)
{
	struct thread *t = calloc(1, sizeof(*t));
	int err = t ? thread_read(s, tid, t) : -ENOMEM;

	*turn = (struct ev_turn){
		.head = { .size = sizeof(*turn), .kind = EV_TURN, .time_ns = now_ns },
		.tid = tid, .flags = TURN_UNENDED, .syscall = ~0u,
	};
	if (!err && (t->in_wait || t->return_ns > now_ns)) {
		err = -EAGAIN;
	} else if (!err) {
		turn->start_ns = t->return_ns;
		turn->turn = t->turn;
		turn->runnable_ns = t->runnable_ns - t->return_runnable_ns;
		turn->blocked_ns = t->blocked_ns - t->return_blocked_ns;
		turn->events = t->turn_events;
		turn->touched = t->touched;
		fill_off(turn, t, now_ns);
		fill_held(turn, t, now_ns);
	}
	free(t);
	return err;
}
