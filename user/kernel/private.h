/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* private.h - struct session, for the files of this room only. */
#ifndef EPOLLSCOPE_PRIVATE_H
#define EPOLLSCOPE_PRIVATE_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <pthread.h>

#include "kernel/session.h"
#include "kernel/types.h"
#include "bpf/control.h"
#include "epollscope.skel.h"

/* What one program has cost in the slices that were measured. */
struct program_cost {
	uint64_t ns;
	uint64_t runs;
};

#define CALLS_MAX 16

/* The tracepoints of the loop's calls: enter and exit of each. */
struct calls {
	unsigned n;
	int enter_id[CALLS_MAX], exit_id[CALLS_MAX];	/* tracefs's numbers */
	struct bpf_link *links[2 * CALLS_MAX];
	bool leaves[2 * CALLS_MAX];	/* a thread is taking the link away */
	pthread_t threads[2 * CALLS_MAX];
};

/* Windows of system calls. */
struct call_windows {
	struct bpf_link *enter, *exit;	/* NULL: not attached */
	uint32_t last;			/* the number of the one that is or was open; 0: none yet */
	uint32_t oldest;		/* whose calls are awaited */
	uint64_t ended_ns[CALL_WINDOWS];	/* by number, modulo */
	uint64_t given_up[CALL_WINDOWS];	/* open calls of earlier ones of that place */
};

struct session {
	struct epollscope_bpf *skel;
	int types_fd;		/* until the load: the types that the programs are relocated to */
	struct bpf_link **hooks;	/* by the rows of hook_table; NULL: not attached */
	struct feature_set features;
	unsigned cpus;		/* possible processors */
	unsigned sets;		/* of histograms */

	/* The kernel's arrays, mapped. */
	struct hist *hists;		/* sets x H_MAX */
	struct ledger_set *ledgers;	/* sets */
	struct counters *counters;	/* sets */

	/* Rings of exchange records, one a processor: mapped. */
	struct ev_record *records;	/* cpus x records_room, then a spare one each */
	struct record_ring *record_rings;	/* in the skeleton's memory */
	uint64_t *record_heads;		/* how far the records to drain go */
	uint32_t records_room;

	struct ring_buffer *rings;
	int *ring_fds;		/* one a processor; libbpf does not own them */
	uint64_t drained;	/* records that came out of them */
	record_fn drain_fn;	/* during session_drain */
	void *drain_ctx;

	struct bpf_link *task_file;	/* iterators */
	struct bpf_link *tcp;
	struct bpf_link *flush;
	uint64_t accepts_stuck;	/* notes of accepts that the last look did not take */

	struct calls calls;
	enum syscall_mode syscalls;
	struct call_windows windows;
	bool in_slice;		/* a slice is measured */
	int stats_fd;		/* held meanwhile, else -1 */
	const struct stats_switch *stats;	/* or else this does it */
	uint64_t slice_exchanges;	/* seen in measured slices */
	uint64_t slice_start;		/* exchanges and cost when it began */
	struct program_cost slice_from;
	struct program_cost slice_cost;	/* of the measured slices */
	struct bpf_link **samplers;	/* one a processor */
	uint32_t stack_hz;
	uint32_t shed;		/* SHED_BIT() of what is left out */
	uint64_t tail_ns, record_ns;	/* what was asked for, if records are not left out */
	uint32_t stack_slots;	/* frames in the stack map */
	bool blame;
	bool every_turn;
	bool detached;
};

/* Which hooks are used; then sizes and values of the skeleton. 0 or a negative errno. */
int configure_hooks(struct session *s, const struct session_config *config);
int configure(struct session *s, const struct session_config *config);

/* The skeleton, not loaded; then its programs and maps. 0 or a negative errno. */
int load_open(struct session *s);
int load_all(struct session *s, const struct types *types);

/* What this kernel has by its types, and lets us do; as session_probe(). */
int probe_features(const struct types *types, struct feature_set *set, char *why, size_t why_len);

/* 0, or -ENOSYS and why: a kernel without types. */
int probe_types(struct types **types, char *why, size_t why_len);

/* Before the load: sizes. After it: mapped, 0 or a negative errno. */
int records_configure(struct session *s, const struct session_config *config);
int records_map(struct session *s);
void records_unmap(struct session *s);

/*
 * What is drained is what was there at the look. Names and addresses come by the other rings before
 * the records that need them: those are emptied between the two.
 */
void records_look(struct session *s);
long records_drain(struct session *s, record_fn fn, void *ctx);

uint64_t records_made(const struct session *s);

/*
 * Before the attach: under load the hooks meet connections at once, and only the listeners tell
 * accepted ones from opened ones.
 */
int snapshot_listeners(struct session *s);

/*
 * Looks the tracepoints up; where tracefs is not mounted, in a mount namespace of our own, so that
 * the host sees nothing of it. 0 or a negative errno.
 */
int calls_find(struct calls *c);
int calls_attach(struct calls *c, struct epollscope_bpf *skel);
/* In threads of their own, while others are taken away; then waits for these. */
void calls_detach_begin(struct calls *c);
void calls_detach_end(struct calls *c);

void windows_detach(struct session *s);

/* Whether it did. */
bool stats_switch_set(const struct stats_switch *w, bool on);

/* Before the load: the stack map has room for stacks of this depth and our hooks' frames. */
int stacks_configure(struct session *s, const struct session_config *config);

/* The sampling clock on every processor that is online. 0 or a negative errno. */
int sampling_attach(struct session *s);
void sampling_detach(struct session *s);

/* All programs' run time so far, as the kernel counted it while statistics were on. */
void session_cost_total(const struct session *s, struct program_cost *total, uint64_t *misses);

#endif
