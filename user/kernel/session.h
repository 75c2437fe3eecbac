/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * session.h - the life of the kernel side: open, attach, watch, detach.
 *
 * Only this room knows libbpf. Nothing is pinned: when the process ends, however it ends,
 * the kernel removes programs, maps and links.
 */
#ifndef EPOLLSCOPE_SESSION_H
#define EPOLLSCOPE_SESSION_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/aggregate.h"
#include "model/budget.h"
#include "kernel/feature_table.h"
#include "target/target.h"

struct session;

/*
 * Whoever gives up CAP_SYS_ADMIN before the watch begins, and wants its cost measured: started before
 * there are threads. 0 or a negative errno; stats_switch_stop() in any case, of a zeroed one too.
 */
struct stats_switch {
	int pid;	/* 0: there is none */
	int fd;
};

int stats_switch_start(struct stats_switch *w);
void stats_switch_stop(struct stats_switch *w);

struct session_config {
	const uint32_t *ports;	/* only connections of these local ports; n_ports 0: all */
	size_t n_ports;
	uint32_t ring_kib;	/* a processor's ring, a power of two */
	enum syscall_mode syscalls;	/* as sampled, if the kernel can */
	bool conn_events;	/* send EV_CONN_CLOSE */
	bool blame;		/* send EV_TURN and EV_OFFCPU, of a length that session_tail() sets */
	bool every_turn;	/* with blame: EV_TURN of any length */
	uint32_t stack_hz;	/* sample stacks so often on each CPU, and at off-CPU intervals; 0: none */
	uint32_t stack_depth;	/* frames that are wanted of each, at most session_stack_limit() */
	uint64_t close_wait_ns;	/* connections in CLOSE_WAIT for longer are counted at the end */
	uint64_t tail_ns;	/* first threshold for names and late answers; 0: all */
	const struct stats_switch *stats;	/* outlives the session; NULL: by ourselves */
	uint64_t record_ns;	/* exchanges at or above this come as records; ~0: none */
	unsigned verbose;
};

/*
 * Loads the programs that this kernel can take. 0 and *out, or a negative errno and one line in
 * `why`: -EPERM privilege, -ENOSYS the kernel lacks something essential, others as they come.
 */
int session_open(struct session **out, const struct session_config *config, char *why,
		 size_t why_len);

/* The hooks fire for this process (its thread group) from now on, or no more. */
void session_watch_pid(struct session *s, uint32_t pid);
void session_forget_pid(struct session *s, uint32_t pid);
void session_forget_all(struct session *s);	/* for none: what is known stays readable */

int session_attach(struct session *s, char *why, size_t why_len);

/*
 * Meets the sockets that the watched processes have open, in the network namespaces of `pids`.
 * After the attach; again when a process is added. 0 or a negative errno.
 */
int session_snapshot(struct session *s, const uint32_t *pids, size_t n);

/*
 * Between the accept of a connection and its first request the kernel side keeps a note, and has
 * room for so many: when half of it is used, takes the notes of silent connections to their state.
 * Cheap when there is nothing to do.
 */
int session_make_room(struct session *s, const uint32_t *pids, size_t n);

/*
 * Completes answers that no further request has completed: their EV_ANSWER follows. The last one,
 * after the detach, also counts what open connections still hold against their application.
 */
int session_flush(struct session *s, const uint32_t *pids, size_t n);

/*
 * Listening sockets with a queue at the last session_flush(): since when its first has been there,
 * CLOCK_MONOTONIC ns, and whether the same was first at the attach.
 */
typedef void (*queue_fn)(void *ctx, uint64_t inode, uint64_t since_ns, bool unmoved);
void session_queues(const struct session *s, queue_fn fn, void *ctx);

/* Calls fn for each record in the rings. Returns their number. */
typedef void (*record_fn)(void *ctx, const void *data, size_t size);
long session_drain(struct session *s, record_fn fn, void *ctx);

/*
 * Exchanges at or above this are sent from now on, and with `blame` the turns and off-CPU intervals
 * that are long beside it.
 */
void session_tail(struct session *s, uint64_t tail_ns);

/*
 * The latency of the exchanges that are in the kernel side's sums, for want of room among the
 * records: those that session_drain() gave are not.
 */
void session_latency(const struct session *s, struct hist *sum);

/* Reads all that the kernel side accumulated into a fresh aggregate. 0 or -ENOMEM. */
int session_read(const struct session *s, struct aggregate *a);

/* The same without wakers and eventpolls: no walk over a large map. */
int session_read_brief(const struct session *s, struct aggregate *a);

/*
 * Gives back the room of wakers and, if asked to, of eventpolls whose process has ended. What they
 * counted is gone: not for a watch that reports it. Walks their maps: not every second.
 */
void session_forget_ended(struct session *s, bool (*pid_runs)(uint32_t pid), bool eventpolls);

/*
 * The turn that a thread of the target is in, as far as it has come: TURN_UNENDED, without pid, comm
 * and flow; start_ns 0: its wait was not seen yet. 0; -EAGAIN: it waits; -ENOENT: nothing is known.
 */
int session_open_turn(const struct session *s, uint32_t tid, uint64_t now_ns, struct ev_turn *turn);

const struct feature_set *session_features(const struct session *s);

/* What became of the mode that was asked for: where every call is hooked all are timed. */
enum syscall_mode session_syscalls(const struct session *s);

/*
 * Windows of SYSCALLS_SAMPLE, one at a time: calls that begin in one are timed, to their end, which
 * is awaited for CALL_PATIENCE_NS. Opening attaches the hooks for a window of that length, which begins
 * at *from_ns, or at once if that is past. Closing it at its end or earlier takes the hook at the
 * calls' beginning away. The look takes the other one away when no call is open any more. 0 or a
 * negative errno.
 */
#define CALL_PATIENCE_NS 300000000ULL
int session_window_open(struct session *s, uint64_t *from_ns, uint64_t length_ns);
void session_window_close(struct session *s);
void session_window_look(struct session *s, uint64_t now_ns);

/* Calls that ever began in a window, by enum syscall_id. */
void session_calls_begun(const struct session *s, uint64_t begun[SC_COUNT]);

/* The deepest stacks that this kernel takes (kernel.perf_event_max_stack), at most STACK_DEPTH. */
uint32_t session_stack_limit(void);

/*
 * The frames of a stack that an event named, innermost first: their number, 0 if there is no such
 * stack. The kernel's begin with our own hooks: there are some more than were asked for. *cut: as
 * many as there can be, so that outer ones may be missing. Readable until session_close().
 */
size_t session_stack(const struct session *s, int32_t id, uint64_t ip[STACK_DEPTH], bool *cut);

/* Exchanges so far. */
uint64_t session_exchanges(const struct session *s);

/* What of the watch is left out from now on: SHED_BIT() of enum shed_step, but windows. */
void session_shed(struct session *s, uint32_t shed);

/*
 * Measuring our own cost raises it, so it is sampled: a slice in which the kernel keeps count. False:
 * it will not, for want of CAP_SYS_ADMIN.
 */
bool session_cost_begin(struct session *s);
void session_cost_end(struct session *s);

/* Run time of all programs in the slices that have ended. */
uint64_t session_cost_ns(const struct session *s);

/* With verbose: a line for each program, what it cost, on stderr. */
void session_cost_print(const struct session *s);

void session_detach(struct session *s);	/* hooks off, maps stay readable */
void session_close(struct session *s);	/* any state, NULL too */

/* For doctor: asks the kernel without loading. 0 or a negative errno and why. */
int session_probe(struct feature_set *set, char *why, size_t why_len);

#endif
