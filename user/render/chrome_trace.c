/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * chrome_trace.c - a watch as a timeline.
 *
 * A track for each thread: its turns ("X"), in them what it was off the CPU for ("B", "E"),
 * "blocked: KIND" and then "runnable". Exchanges are asynchronous slices ("b", "e") with their
 * stages inside; their id is that of the connection and their number in it. Who ended a wait for a
 * futex or a pipe is tied to it by a flow ("s", "f"); other wake-ups come from interrupts, in
 * whatever thread these hit, and get none. Times are microseconds of CLOCK_MONOTONIC with three
 * decimals.
 */
#include <stdlib.h>
#include <string.h>

#include "explain/history.h"
#include "explain/stage_map.h"
#include "render/render.h"

#define NAMES_ROOM 16384	/* of threads, a power of two; half of it is used */

struct chrome_trace {
	struct json json;
	uint64_t left;		/* records that may still come */
	uint64_t left_out;
	uint64_t flows;
	size_t n_named;
	uint32_t named[NAMES_ROOM];	/* threads whose name was written; 0: free */
};

struct chrome_trace *chrome_trace_new(FILE *out, uint64_t limit)
{
	struct chrome_trace *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->left = limit ? limit : CHROME_TRACE_LIMIT;
	json_start(&t->json, out, 2);
	json_object(&t->json, NULL);
	json_string(&t->json, "displayTimeUnit", "ns");
	json_array(&t->json, "traceEvents");
	return t;
}

/* After a failure each further write would fail too, some of them after a long wait. */
static bool wanted(struct chrome_trace *t)
{
	if (ferror(t->json.out))
		return false;
	if (t->left) {
		t->left--;
		return true;
	}
	t->left_out++;
	return false;
}

static void micros(struct json *j, const char *key, uint64_t ns)
{
	json_double(j, key, (double)ns / 1000);
}

/* An event up to its own members; json_object_end() closes it. */
static struct json *event(struct chrome_trace *t, const char *phase, const char *name, uint32_t pid,
			  uint32_t tid)
{
	struct json *j = &t->json;

	json_object(j, NULL);
	json_string(j, "ph", phase);
	json_string(j, "name", name);
	json_u64(j, "pid", pid);
	json_u64(j, "tid", tid);
	return j;
}

static void put_name(struct chrome_trace *t, const char *what, uint32_t pid, uint32_t tid,
		      const char *comm)
{
	struct json *j = event(t, "M", what, pid, tid);

	json_object(j, "args");
	json_string(j, "name", format_comm(comm, COMM_LEN, 40).s);
	json_object_end(j);
	json_object_end(j);
}

/*
 * Names each thread once; beyond the room threads stay numbers. A process has the name of its main
 * thread, if that thread is seen.
 */
static void name_thread(struct chrome_trace *t, uint32_t pid, uint32_t tid, const char *comm)
{
	size_t i = (tid * 2654435761u) & (NAMES_ROOM - 1);

	if (!tid)
		return;
	while (t->named[i] && t->named[i] != tid)
		i = (i + 1) & (NAMES_ROOM - 1);
	if (t->named[i] || t->n_named * 2 >= NAMES_ROOM)
		return;
	t->named[i] = tid;
	t->n_named++;
	put_name(t, "thread_name", pid, tid, comm);
	if (pid == tid)
		put_name(t, "process_name", pid, tid, comm);
}

static struct json *slice_event(struct chrome_trace *t, const char *phase, const char *category,
				const char *name, uint32_t pid, uint32_t tid, uint64_t at)
{
	struct json *j = event(t, phase, name, pid, tid);

	json_string(j, "cat", category);
	micros(j, "ts", at);
	return j;
}

static struct json *slice(struct chrome_trace *t, const char *category, const char *name,
			  uint32_t pid, uint32_t tid, uint64_t from, uint64_t ns)
{
	struct json *j = slice_event(t, "X", category, name, pid, tid, from);

	micros(j, "dur", ns);
	return j;
}

/*
 * One end of a time off the CPU. Two events, since these touch one another: a reader that adds a
 * duration to a start may come out beyond the start of the next, by the last bit of a double.
 */
static void offcpu_event(struct chrome_trace *t, const struct ev_offcpu *e, const char *phase,
			 const char *name, uint64_t at)
{
	json_object_end(slice_event(t, phase, "off-cpu", name, e->pid, e->tid, at));
}

void chrome_trace_turn(struct chrome_trace *t, const struct ev_turn *e)
{
	struct json *j;

	if (!wanted(t))
		return;
	name_thread(t, e->pid, e->tid, e->comm);
	j = slice(t, "loop", "turn", e->pid, e->tid, e->start_ns, e->head.time_ns - e->start_ns);
	json_object(j, "args");
	json_u64(j, "turn", e->turn);
	json_u64(j, "events", e->events);
	json_u64(j, "touched", e->touched);
	json_object_end(j);
	json_object_end(j);
}

static void flow_end(struct chrome_trace *t, const char *phase, uint32_t pid, uint32_t tid,
		     uint64_t at)
{
	struct json *j = event(t, phase, "wake-up", pid, tid);

	json_string(j, "cat", "wakeup");
	if (phase[0] == 'f')
		json_string(j, "bp", "e");
	json_u64(j, "id", t->flows);
	micros(j, "ts", at);
	json_object_end(j);
}

/* A flow from a moment in the waker to the wait that it ended. */
static void flow(struct chrome_trace *t, const struct ev_offcpu *e, uint64_t woken)
{
	t->flows++;
	name_thread(t, e->waker_pid, e->waker_tid, e->waker_comm);
	json_object_end(slice(t, "wakeup", "wakes", e->waker_pid, e->waker_tid, woken, 0));
	flow_end(t, "s", e->waker_pid, e->waker_tid, woken);
	flow_end(t, "f", e->pid, e->tid, woken);
}

static void blocked(struct chrome_trace *t, const struct ev_offcpu *e, uint64_t woken)
{
	char name[40];

	snprintf(name, sizeof(name), "blocked: %s", offcpu_name(e->kind));
	offcpu_event(t, e, "B", name, e->start_ns);
	offcpu_event(t, e, "E", name, woken);
}

/*
 * The flow goes in between: it binds to the slice that is open where it stands. Perfetto puts ends
 * before beginnings of the same time, so a slice without any must be one event.
 */
static void runnable(struct chrome_trace *t, const struct ev_offcpu *e, uint64_t woken,
		     bool has_flow)
{
	bool at_once = woken == e->head.time_ns;

	if (at_once)
		json_object_end(slice(t, "off-cpu", "runnable", e->pid, e->tid, woken, 0));
	else
		offcpu_event(t, e, "B", "runnable", woken);
	if (has_flow)
		flow(t, e, woken);
	if (!at_once)
		offcpu_event(t, e, "E", "runnable", e->head.time_ns);
}

void chrome_trace_offcpu(struct chrome_trace *t, const struct ev_offcpu *e)
{
	uint64_t woken = e->start_ns + e->blocked_ns;
	bool waited = e->flags & OFFCPU_IN_WAIT;

	if (woken > e->head.time_ns || (waited && woken == e->head.time_ns) || !wanted(t))
		return;
	name_thread(t, e->pid, e->tid, e->comm);
	if (e->blocked_ns && !waited)
		blocked(t, e, woken);
	runnable(t, e, woken, e->blocked_ns && released(e) && !waited &&
		 (e->kind == OFFCPU_FUTEX || e->kind == OFFCPU_PIPE));
}

/*
 * An exchange has an id of its own, though it is one of a connection: the next request may come
 * before the send that answers this one has returned, and slices of one id must nest.
 */
static struct json *async(struct chrome_trace *t, const struct ev_exchange *e, const char *phase,
			  const char *name, uint64_t at)
{
	struct json *j = event(t, phase, name, e->pid, e->tid);
	char id[48];

	snprintf(id, sizeof(id), "0x%llx-%llu", (unsigned long long)e->conn,
		 (unsigned long long)e->number);
	json_string(j, "cat", "exchange");
	json_string(j, "id", id);
	micros(j, "ts", at);
	return j;
}

/* The split of a stage, if it can be split and this exchange's was. */
static void put_split(struct json *j, const struct ev_exchange *e, unsigned stage)
{
	struct stage_split split;

	if (!exchange_split(e, stage, &split))
		return;
	json_object(j, "args");
	json_u64(j, "runnable_ns", split.runnable_ns);
	json_u64(j, "blocked_ns", split.blocked_ns);
	json_object_end(j);
}

void chrome_trace_exchange(struct chrome_trace *t, const struct ev_exchange *e)
{
	struct stage_span spans[STAGE_COUNT];
	size_t n = stage_spans(e, spans);
	struct json *j;

	if (!wanted(t))
		return;
	name_thread(t, e->pid, e->tid, e->comm);
	j = async(t, e, "b", "exchange", e->head.time_ns - e->latency_ns);
	json_object(j, "args");
	json_u64(j, "number", e->number);
	json_string(j, "remote", format_end(&e->flow, END_REMOTE).s);
	json_u64(j, "latency_ns", e->latency_ns);
	json_u64(j, "turn", e->turn);
	json_bool(j, "async", e->flags & EXCHANGE_ASYNC);
	json_bool(j, "handoff", e->flags & EXCHANGE_HANDOFF);
	json_object_end(j);
	json_object_end(j);
	for (const struct stage_span *s = spans; s < spans + n; s++) {
		j = async(t, e, "b", stage_name(s->stage), s->from);
		put_split(j, e, s->stage);
		json_object_end(j);
		json_object_end(async(t, e, "e", stage_name(s->stage), s->to));
	}
	json_object_end(async(t, e, "e", "exchange", e->head.time_ns));
}

uint64_t chrome_trace_end(struct chrome_trace *t, int64_t realtime_offset_ns, uint64_t lost_events)
{
	uint64_t left_out;
	struct json *j;

	if (!t)
		return 0;
	j = &t->json;
	left_out = t->left_out;
	json_array_end(j);
	json_object(j, "otherData");
	json_string(j, "clock", "CLOCK_MONOTONIC");
	json_u64(j, "realtime_offset_ns", (uint64_t)realtime_offset_ns);
	json_u64(j, "left_out", left_out);
	json_u64(j, "lost_events", lost_events);
	json_object_end(j);
	json_object_end(j);
	json_finish(j);
	free(t);
	return left_out;
}
