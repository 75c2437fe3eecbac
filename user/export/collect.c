/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* collect.c - from a session's accumulated data to what the page says of its target. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "export/export.h"
#include "target/proc.h"
#include "target/sockets.h"

/* A quarter of what is left over may go to ports, the rest to loops. */
int export_limits(struct export_limits *limits, uint64_t max_series, size_t targets, bool syscalls,
		  uint64_t *least)
{
	struct metrics_need need;
	uint64_t each;
	int err = metrics_need(&need, targets, syscalls);

	if (err)
		return err;
	/* Each kind has an "other". */
	*least = need.fixed + targets * (need.loop + need.port);
	if (max_series < *least)
		return -ERANGE;
	each = (max_series - *least) / targets;
	limits->ports = each / 4 / need.port;
	if (limits->ports > METRICS_PORTS)
		limits->ports = METRICS_PORTS;
	limits->loops = (each - limits->ports * need.port) / need.loop;
	if (limits->loops > LOOPS_MAX)
		limits->loops = LOOPS_MAX;
	return 0;
}

/* --- event loops by name --- */

static bool was_nameless(struct nameless *n, const struct loop *l)
{
	uint64_t id = (uint64_t)l->pid << 32 | l->tid;

	for (size_t i = 0; i < n->n; i++)
		if (n->ids[i] == id)
			return true;
	if (l->comm[0])
		return false;
	if (n->n < LOOPS_MAX)
		n->ids[n->n++] = id;
	return true;
}

/* The place of a name, which it gets when it is first seen; limits->loops stands for "other". */
static size_t loop_place(struct export_target *t, const struct loop *l, size_t room)
{
	char name[LABEL_MAX];

	if (was_nameless(&t->nameless, l))
		return room;
	exposition_label(name, l->comm, COMM_LEN);
	if (!strcmp(name, "other"))
		return room;
	for (size_t i = 0; i < t->n_loop_names; i++)
		if (!strcmp(t->loop_names[i], name))
			return i;
	if (t->n_loop_names == room)
		return room;
	strcpy(t->loop_names[t->n_loop_names], name);
	return t->n_loop_names++;
}

static void add_loop(struct metrics_loop *to, const struct loop *l)
{
	metrics_hist_add(&to->turn, &l->turn);
	to->turns += l->turns;
	to->events += l->events;
	to->wakeups += l->wakeups;
	to->exchanges += l->exchanges;
	to->accepts += l->accepts;
	to->busy_ns += l->busy_ns;
	to->wait_ns += l->wait_ns;
}

static int fill_loops(struct export_target *t, const struct aggregate *a, size_t room,
		      struct metrics_target *out)
{
	if (!t->loop_names)
		t->loop_names = calloc(room ? room : 1, sizeof(*t->loop_names));
	out->loops = calloc(room + 1, sizeof(*out->loops));
	if (!t->loop_names || !out->loops)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_loops; i++) {
		const struct loop *l = &a->loops[i];
		size_t place;

		/* The kernel side writes the name last: a loop without one can wait. */
		if (l->turns < 2 && !l->comm[0] && l->tid)
			continue;
		place = loop_place(t, l, room);
		add_loop(&out->loops[place], l);
		out->loops_merged += place == room && l->tid;
	}
	if (a->loops_handed_out >= LOOPS_MAX)
		out->loops_merged += a->loops_handed_out - (LOOPS_MAX - 1);
	for (size_t i = 0; i < t->n_loop_names; i++)
		strcpy(out->loops[i].name, t->loop_names[i]);
	out->n_loops = t->n_loop_names;
	if (out->loops[room].turns || out->loops_merged) {
		out->loops[out->n_loops] = out->loops[room];
		strcpy(out->loops[out->n_loops++].name, "other");
	}
	return 0;
}

/* --- accept queues --- */

/* Listeners of a port in our own network namespace, now. */
struct queues {
	uint16_t port;
	bool found;
	uint64_t length, limit;
};

static int add_queue(void *ctx, const struct socket_info *l)
{
	struct queues *q = ctx;

	if (l->port == q->port) {
		q->found = true;
		q->length += l->queue;
		q->limit += l->limit;
	}
	return 0;
}

/* In another namespace the kernel side's count is taken, made whenever a queue grows or shrinks. */
static bool look_at_queue(const struct aggregate_listener *l, struct queues *q)
{
	struct stat own;

	*q = (struct queues){ .port = l->key.port };
	if (stat("/proc/self/ns/net", &own) || own.st_ino != l->key.netns ||
	    sockets_in(0, SOCKETS_LISTENING, add_queue, q)) {
		q->length = l->listener.backlog;
		q->limit = l->listener.limit;
		q->found = true;
	}
	return q->found;
}

static size_t port_place(struct export_target *t, uint16_t port, size_t room)
{
	size_t i = 0;

	while (i < t->n_ports && t->ports[i] != port)
		i++;
	if (i == t->n_ports && i < room)
		t->ports[t->n_ports++] = port;
	return i < room ? i : room;
}

static void fill_ports(struct export_target *t, const struct aggregate *a, size_t room,
		       struct metrics_target *out)
{
	struct metrics_port found[METRICS_PORTS + 1] = { 0 };
	bool seen[METRICS_PORTS + 1] = { 0 };

	for (size_t i = 0; i < a->n_listeners; i++) {
		struct queues q;
		size_t place;

		if (!look_at_queue(&a->listeners[i], &q))
			continue;
		place = port_place(t, q.port, room);
		found[place].port = place < room ? q.port : 0;
		found[place].length += q.length;
		found[place].limit += q.limit;
		seen[place] = true;
	}
	for (size_t i = 0; i <= room; i++)
		if (seen[i])
			out->ports[out->n_ports++] = found[i];
}

/* The count of a namespace means nothing in another one: with another process it starts again. */
static void fill_overflows(struct export_target *t, struct metrics_target *out)
{
	uint32_t pid = t->result.targets.n ? t->result.targets.list[0].pid : 0;
	uint64_t now = pid ? proc_listen_overflows(pid) : 0;

	if (pid && pid == t->overflow_pid && now > t->overflow_last)
		t->overflow_sum += now - t->overflow_last;
	t->overflow_pid = pid;
	t->overflow_last = now;
	out->listen_overflows = t->overflow_sum;
}

/* --- the rest --- */

static void fill_hists(const struct aggregate *a, struct metrics_target *out)
{
	metrics_hist_add(&out->exchange, &a->ledger.latency);
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		metrics_hist_add(&out->stage[stage], &a->ledger.stage[stage]);
	metrics_hist_add(&out->send, &a->ledger.send);
	metrics_hist_add(&out->send, &a->hists[H_SEND_LATE]);
	metrics_hist_add(&out->deliver, &a->ledger.deliver);
	metrics_hist_add(&out->deliver, &a->hists[H_DELIVER_LATE]);
	metrics_hist_add(&out->client, &a->hists[H_CLIENT]);
	metrics_hist_add(&out->overlapping, &a->hists[H_OVERLAPPING]);
	metrics_hist_add(&out->runqueue, &a->hists[H_RUNQUEUE]);
	metrics_hist_add(&out->accept_wait, &a->hists[H_ACCEPT_WAIT]);
	for (unsigned sc = 0; sc < SC_COUNT; sc++)
		metrics_hist_add(&out->syscall[sc], &a->hists[H_SYSCALL + sc]);
}

#define COST_MIN_EXCHANGES 500

static void fill_cost(struct export_target *t, const struct aggregate *a, uint64_t exchanges,
		      struct metrics_target *out)
{
	/* The latest cost applies to the exchanges since the last reading: the sum never falls. */
	if (a->cost_exchanges >= COST_MIN_EXCHANGES && a->cost_ns) {
		t->bpf_ns += (uint64_t)((double)a->cost_ns / (double)a->cost_exchanges *
					(double)(exchanges - t->bpf_exchanges));
		t->bpf_exchanges = exchanges;
	}
	out->cost_known = t->bpf_exchanges > 0;
	out->bpf_ns = t->bpf_ns;
}

static int fill(struct export_target *t, const struct export_limits *limits,
		const struct aggregate *a, struct metrics_target *out)
{
	strcpy(out->name, t->label);
	out->created_ns = t->created_ns;
	out->processes = live_alive(t->live);
	out->counters = a->counters;
	out->conn_duration = t->conn_duration;
	memcpy(out->exemplar, t->exemplar, sizeof(out->exemplar));
	memcpy(out->findings, t->findings.list, sizeof(out->findings));
	out->n_findings = t->findings.n;
	out->holds = t->findings.holds;
	out->open_loop = t->findings.open_loop;
	out->lost_events = a->counters.ring_lost;
	out->bad_events = t->result.bad_events;
	out->missed = a->missed;
	out->syscall_window_ns = a->sampled.window_ns;
	out->budget = t->result.budget;
	out->shed = live_shed(t->live);
	fill_hists(a, out);
	fill_ports(t, a, limits->ports, out);
	fill_overflows(t, out);
	fill_cost(t, a, metrics_hist_count(&out->exchange), out);
	return fill_loops(t, a, limits->loops, out);
}

int export_collect(struct export_target *t, const struct export_limits *limits,
		   struct metrics_target *out)
{
	struct aggregate *a = aggregate_new();
	int err = a ? live_read_brief(t->live, a) : -ENOMEM;

	*out = (struct metrics_target){ 0 };
	if (!err)
		err = fill(t, limits, a, out);
	aggregate_free(a);
	return err;
}
