/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.h - what the kernel side remembers of a connection, a thread and an eventpoll.
 *
 * User space knows the sizes, and reads the eventpolls' totals. Times are CLOCK_MONOTONIC ns, 0 means "not so".
 */
#ifndef EPOLLSCOPE_STATE_H
#define EPOLLSCOPE_STATE_H

#include "traffic.h"

/* A ready stamp that nobody took: the data was queued before we looked. */
#define READY_UNKNOWN ~0ULL

enum exchange_phase {
	PHASE_IDLE,	/* owes no answer */
	PHASE_OPEN,	/* request read, answer due */
	PHASE_SKIP,	/* as OPEN, but its beginning was not seen: not counted */
};

#define MET	3

/*
 * Signs of trouble that a hook has to look after: one load tells that there is none. Bytes of their
 * own, because softirq sets `shut` while a thread changes the others.
 */
struct conn_signs {
	__u8 left;	/* left_ns: a read left bytes behind, then */
	__u8 shut;	/* shut_ns: our receive window was shut, then */
	__u8 zero;	/* zero_ns: a send found theirs shut, then */
	__u8 held;	/* held_*: enum kept_by keeps something back */
};

enum kept_by {
	KEPT_BY_NAGLE = 1,
	KEPT_BY_CORK,
};

struct conn {
	/*
	 * What every exchange touches comes first, in the order of its cache lines: the storage's own
	 * header takes eight bytes of the first one.
	 *
	 * Arrival, written where data is queued (often softirq), consumed by the reader. ready_ns
	 * is the stamp of the first unread byte; it covers bytes up to ready_end. What comes while
	 * that is unread has its first stamp in next_ns.
	 */
	__u64 ready_ns;
	__u64 next_ns;

	/* The exchange under way, written by the thread that reads and answers. */
	__u64 first_ns;		/* arrival of the request's first byte */
	__u64 arrival_ns;	/* arrival of the first byte of what the last read took */
	__u64 read_ns;		/* the last read */
	__u32 ready_end;	/* TCP sequence */
	__u32 copied_seq;	/* TCP sequence read so far */
	__u8 phase;		/* enum exchange_phase */
	__u8 role;		/* enum role */
	union {
		struct {
			__u8 owned : 1;		/* a target accepted or connected it: counted */
			__u8 looked : 1;	/* as traffic.looked: nothing to look at in the next read */
			__u8 gaps : 1;		/* eventpolls do not watch it all the time: arrivals */
			__u8 unarmed : 1;	/* look after that, and none did when what is unread came */
		};
		__u8 met;		/* MET: the first two */
	};
	__u8 state;		/* TCP state */
	union {
		struct conn_signs sign;
		__u32 signs;	/* any of them */
	};

	__u64 wake_ns;		/* the wait that delivered it: */
	__u64 oncpu_ns;
	__u64 return_ns;
	__u64 runnable_ns;	/* the reader's totals at the last read */
	__u64 blocked_ns;
	__u64 idle_ns;
	__u32 reader;		/* tid */
	__u32 turn;		/* of the reader */
	__u32 request_bytes;
	__u32 exchanges;
	__u32 answer_start;	/* the answer that is being sent: TCP sequence */
	__u32 answer_end;	/* all bytes that hooks told of end there, an answer's or not */

	__u64 first_send_ns;	/* 0: no answer is being sent */
	__u64 last_send_ns;
	__u64 ep_item;		/* address of its epoll item, */
	__u64 ep;		/* and of the eventpoll that this is in */
	__u64 id;		/* socket cookie */
	__u64 max_latency_ns;
	__u32 sends;		/* of the answer */
	/* The answer before it, complete, on its way into the next record. */
	__u32 prev_sends;	/* 0: there is none */
	__u32 prev_bytes;
	__u16 flags;		/* of enum exchange_flags: how the last read's data was delivered */
	__u8 split_some;	/* one of split[] is not 0 */
	__u8 slow : 1;		/* the last exchange took control.tail_ns or longer */
	__u8 told : 1;		/* EV_CONN is sent */
	__u8 estimated : 1;	/* a stamp of the exchange is, because a hook was skipped */
	__u64 prev_send_ns;
	__u64 prev_deliver_ns;	/* ~0: not acknowledged by itself */

	/* The connection, and what most exchanges leave alone. */
	__u8 preexisting;
	__u8 reset;		/* enum close_reason, if not CLOSE_FIN */
	__u8 first_close;	/* enum close_side */
	__u8 fin_acked;
	struct traffic traffic;	/* its first word is what every exchange looks at */
	__u64 accepted_ns;
	struct split split[2];	/* busy and dispatch, measured at the last read */
	__u64 unarmed_ns;	/* likewise, with EXCHANGE_UNARMED */
	__u64 seen_ep;		/* with gaps: the eventpoll that it was last seen in */
	__u64 born_ns;		/* ESTABLISHED, or the attach */
	__u64 state_since_ns;
	__u64 state_ns[TCP_STATES];
	__u64 left_ns;
	__u64 shut_ns;
	__u64 zero_ns;
	__u32 held_seq;		/* what is kept back ends there: */
	__u32 held_jiffies;	/* since then */
	__u64 held_ns;
	__u32 segments_seen;	/* data_segs_out when we met it */
	__u32 pid;
	__u64 request_ns;	/* client role: first byte sent, answer not seen yet */
	__u64 response_ns;	/* client role: data came before the send returned */
	__u64 asked_ns;		/* client role: the last exchange's beginning */
	__u64 told_ns;		/* and its end */
	__u32 retransmits;
	__u32 uncounted;	/* exchanges that are none, or in doubt */
	__u32 label;		/* kind and protocol that it is counted as: place in kind_conns */
	__u32 looks;		/* reads that were looked at for */
	__u32 look_bytes;	/* the connection's first bytes: */
	__u8 look[32];		/* 16 of them, and what a read has beyond */
	__u64 told_in;		/* bytes that are counted */
	__u64 told_out;
	char comm[COMM_LEN];
	__u32 eof;		/* a read has returned 0 */
	__u32 pad;
};

#define UNDRAINED_NS	100000000ULL	/* bytes left behind so long are stalled */
#define WINDOW_SHUT_NS	200000000ULL	/* a window shut so long counts */
#define NAGLE_NS	20000000ULL	/* kept back so long is a delay */

/* An interval off the CPU: blocked first, then runnable. */
struct off_interval {
	__u64 start_ns;
	__u64 end_ns;
	__u64 blocked_ns;
};

#define OFF_INTERVALS 64	/* power of two */

/* The end of a connection's hold on a thread: after its last read there another one was touched. */
struct hold_end {
	__u64 conn;
	__u64 work_ns;		/* the time then, less all that the thread was off the CPU */
};

#define HOLD_ENDS 32		/* power of two */

enum thread_state {
	THREAD_UNSEEN,		/* no switch seen yet */
	THREAD_RUNNING,
	THREAD_RUNNABLE,
	THREAD_BLOCKED,
};

#define FD_UNKNOWN ~0U

/* A wait that is idle time, and no off-CPU time. */
enum waiting {
	WAITS_NOT,
	WAITS_EVENTS,		/* in a call of its loop */
	WAITS_DATA,		/* no loop: asleep in the read, or the accept, itself */
};

struct thread {
	__u32 tid;		/* who holds the slot; 0: free */
	__u32 pad;

	/* The system call under way. */
	__u64 enter_ns;
	__u64 socket_ns;	/* the last read or send: near enough to its call's end */
	__u32 syscall;		/* enum syscall_id, SC_COUNT if another */
	__u32 fd;		/* its first argument */
	__u32 arg3;
	__u32 in_wait;		/* enum waiting */

	/* The system call that began in a window. */
	__u64 call_ns;		/* then; 0: none */
	__u32 call;		/* enum syscall_id */
	__u32 call_window;	/* 0: it is parked, and ends with the sleep */

	/* The last wait for events. */
	__u64 wait_ep;		/* address of the eventpoll, 0 for poll and select */
	__u32 wait_fd;		/* its descriptor, as long as that is believed */
	__u32 pad2;
	__u64 wait_enter_ns;
	__u64 wait_wake_ns;	/* 0 when it did not sleep */
	__u64 wait_oncpu_ns;
	__u64 return_ns;
	__u64 prev_return_ns;
	__u64 data_return_ns;	/* of the last read that it slept in, without a loop */
	__u64 turn;
	__u64 return_runnable_ns;	/* totals when it returned */
	__u64 return_blocked_ns;
	__u32 ep_shared;	/* other threads wait on wait_ep too */
	__u32 loop;		/* slot + 1, 0 before the first wait */
	__u32 told;		/* EV_THREAD is sent */
	__u32 turn_window;	/* in which the turn began; 0: none */

	/* The turn: what it did with its events. */
	__u32 turn_events;
	__u32 touched;		/* connections, listeners and other files that had I/O */
	__u32 turn_accepts;
	__u32 off_nr;		/* system call that it left the CPU in */
	__u64 held_conn;	/* the connection whose data was read last; 0: none in this turn */
	__u64 held_ns;		/* then, or the turn's beginning */
	__u64 sent_ns;		/* the last send, to any */
	__u64 long_conn;	/* the one that was served longest */
	__u64 long_ns;
	__u64 own_ns;		/* the longest that none was */
	__u64 behind;		/* the wait's end tells what had waited for this turn; 0: it does not */

	/* The last exchange with an upstream whose answer was read. */
	__u64 upstream_read_ns;
	__u64 upstream_from_ns;
	__u64 upstream_to_ns;

	/* Scheduler accounting. */
	__u64 off_ns;		/* left the CPU */
	__u64 waking_ns;	/* last made runnable; written by the waker */
	__u64 oncpu_ns;		/* last came on the CPU */
	__u64 runnable_ns;	/* totals */
	__u64 blocked_ns;
	__u64 idle_ns;		/* the part of blocked_ns that was in waits */
	__u32 listener_wakes;	/* it is woken in its wait, by a listener; written by the waker */
	__u32 listener_woke;	/* so it was the last time */
	__u32 state;		/* enum thread_state */
	__u32 off_kind;		/* enum offcpu_kind */
	__u64 enter_nvcsw;	/* the kernel's count of sleeps when the call began, */
	__u32 enter_blocks;	/* and ours */
	__u32 blocks;
	__u64 off_end_ns;	/* of the last interval in off[] */
	__u32 off_count;	/* intervals ever put in off[] */
	__u32 waker_flags;	/* of a long blocking: enum offcpu_flags */
	__u32 waker_pid;
	__u32 waker_tid;
	char waker_comm[COMM_LEN];
	__u64 number;		/* where a pointer becomes one */
	__s32 off_stack[2];	/* kernel, user: where it left the CPU */
	__s32 waker_stack[2];	/* and where its waker was */
	struct off_interval off[OFF_INTERVALS];
	struct hold_end ended[HOLD_ENDS];
};

/* One return of a wait on an eventpoll. */
struct ep_return {
	__u64 enter_ns;
	__u64 wake_ns;
	__u64 oncpu_ns;
	__u64 return_ns;
};

#define EP_RETURNS 64		/* power of two */

/*
 * An eventpoll, in the hash of all; and the same of a loop's own: the first eventpoll that a loop
 * waited on, as long as nobody else does. Its owner alone writes that, where no look-up finds it. What
 * comes when it is shared goes to the hash.
 */
struct eventpoll_state {
	__u64 own_ep;		/* of an own one: its address */
	__u32 own;		/* in the hash: the loop whose own it is or was, slot + 1 */
	__u32 head;		/* returns ever put in the ring */
	__u32 waiter;		/* the thread that waited first */
	__u32 shared;		/* others did too */
	__u32 pid;
	__u32 pad;
	__u64 events;		/* that its waits returned */
	__u64 wait_ns;
	struct ep_return ring[EP_RETURNS];
};

/* Accepted, but its socket was not yet seen by a hook that can reach its storage. */
struct accepted {
	__u64 time_ns;
	__u32 pid;
	__u32 pad;
	char comm[COMM_LEN];
};

/* Data that left a socket through splice, which no socket hook sees. */
struct spliced {
	__u64 time_ns;
};

#endif
