/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * events.h - the wire contract: what the kernel side sends and what it accumulates.
 *
 * Included by the BPF programs (after vmlinux.h) and by user space (after <linux/types.h>).
 * All times are CLOCK_MONOTONIC nanoseconds, all durations nanoseconds, ports in host order.
 * Event kinds and fields are append-only: of a record that is longer than its reader knows the known
 * part is read; fields that an older writer did not send read as 0.
 */
#ifndef EPOLLSCOPE_EVENTS_H
#define EPOLLSCOPE_EVENTS_H

#define COMM_LEN 16

/* The ledger's eight stages, in order; they sum to the latency exactly. */
enum stage {
	STAGE_ACCEPT,
	STAGE_RECEIVE,
	STAGE_WAKEUP,
	STAGE_RUNQUEUE,
	STAGE_BUSY,
	STAGE_RETURN,
	STAGE_DISPATCH,
	STAGE_SERVICE,
	STAGE_COUNT,
};

/* Stages that are split into on-CPU, runnable and blocked. */
enum split_stage {
	SPLIT_BUSY,
	SPLIT_DISPATCH,
	SPLIT_SERVICE,
	SPLIT_COUNT,
};

/* What a thread was doing when it left the CPU without being preempted. */
enum offcpu_kind {
	OFFCPU_IDLE,	/* asleep in epoll_wait, poll or select: not a loss */
	OFFCPU_FUTEX,
	OFFCPU_DISK,	/* block I/O wait, or a synchronising file call */
	OFFCPU_PIPE,
	OFFCPU_SOCKET,	/* blocked in a socket call */
	OFFCPU_SLEEP,
	OFFCPU_OTHER,
	OFFCPU_STOPPED,	/* by SIGSTOP or a debugger */
	OFFCPU_COUNT,
};

enum role {
	ROLE_UNKNOWN,
	ROLE_SERVER,	/* accepted */
	ROLE_CLIENT,	/* connected: the upstream side of a proxy */
};

/* Indices as in the kernel's TCP states. */
#define TCP_STATES 13

enum close_reason {
	CLOSE_FIN,
	CLOSE_RESET_SENT,
	CLOSE_RESET_RECEIVED,
	CLOSE_TIMEOUT,
	CLOSE_ERROR,
	CLOSE_REASONS,
};

enum close_side {
	SIDE_NONE,
	SIDE_LOCAL,
	SIDE_REMOTE,
};

/* What passes over a connection; bpf/traffic.h judges. */
enum traffic_kind {
	KIND_NONE,		/* too little passed */
	KIND_REQUEST,		/* request-response */
	KIND_OVERLAPPING,	/* requests are read while answers are due */
	KIND_ONE_WAY,		/* pushes, acknowledgements, replication */
	TRAFFIC_KINDS,
};

/* Recognised at a connection's first read; said, and needed for nothing but the kind of some. */
enum protocol {
	PROTOCOL_NONE,
	PROTOCOL_HTTP1,
	PROTOCOL_HTTP2,
	PROTOCOL_TLS,
	PROTOCOL_REDIS,
	PROTOCOL_MEMCACHED,
	PROTOCOL_MQTT,
	PROTOCOL_POSTGRESQL,
	PROTOCOL_WEBSOCKET,
	PROTOCOL_COUNT,
	PROTOCOL_ROOM = 16,	/* in counters */
};

enum event_kind {
	EV_NONE,
	EV_CONN_CLOSE,	/* struct ev_conn_close */
	EV_EXCHANGE,	/* struct ev_exchange: first byte of the answer taken by the kernel */
	EV_ANSWER,	/* struct ev_answer: the same exchange's answer, complete */
	EV_PROCESS,	/* struct ev_process */
	EV_TURN,	/* struct ev_turn: a long one */
	EV_OFFCPU,	/* struct ev_offcpu: a long one */
	EV_SAMPLE,	/* struct ev_sample: where a thread was, every so often */
	EV_BEHIND,	/* struct ev_behind: what a long turn had kept waiting */
	EV_KINDS,
	/* In the rings alone, never in a capture: user space makes EV_EXCHANGE and EV_ANSWER of them. */
	EV_RECORD = 32,	/* struct ev_record: a finished exchange, as stamps */
	EV_CONN,	/* struct ev_conn: whose records will come */
	EV_THREAD,	/* struct ev_thread: the same */
	EV_KIND,	/* struct ev_kind: the doubt in a connection's exchanges is over */
};

struct event_head {
	__u32 size;	/* whole record, bytes */
	__u16 kind;	/* enum event_kind */
	__u16 cpu;
	__u64 time_ns;	/* when it happened */
};

/* Both ends of a connection. IPv4 addresses are in the first four bytes. */
struct flow {
	__u16 family;	/* AF_INET or AF_INET6 */
	__u16 local_port;
	__u16 remote_port;
	__u8 role;	/* enum role */
	__u8 pad;
	__u8 local[16];
	__u8 remote[16];
};

enum exchange_flags {
	EXCHANGE_ASYNC = 1 << 0,	/* the service spans turns */
	EXCHANGE_HANDOFF = 1 << 1,	/* answered by another thread than the reader */
	EXCHANGE_CLAMPED = 1 << 2,	/* a stamp was moved to keep the order */
	EXCHANGE_MERGED = 1 << 3,	/* return stamp lost: busy is contained in dispatch */
	EXCHANGE_SPLIT_BUSY = 1 << 4,	/* split[] of that stage is valid */
	EXCHANGE_SPLIT_DISPATCH = 1 << 5,
	EXCHANGE_SPLIT_SERVICE = 1 << 6,
	EXCHANGE_NO_WAIT = 1 << 7,	/* read without a wait since the data came: all dispatch */
	/* Of a record: how the data was delivered, if neither MERGED nor NO_WAIT. */
	EXCHANGE_ASLEEP = 1 << 8,	/* a thread slept on the eventpoll; else none did */
	/* Of a record alone: */
	RECORD_SLOW = 1 << 9,		/* it took control.tail_ns or longer */
	RECORD_PREV_SLOW = 1 << 10,	/* so did the one before it, whose answer is in prev_* */
	RECORD_DOUBTFUL = 1 << 11,	/* its connection may not be request-response: see EV_KIND */
	EXCHANGE_UNARMED = 1 << 15,	/* no eventpoll watched the descriptor when the data came */
	EXCHANGE_ESTIMATED = 1 << 19,	/* the kernel skipped a hook: one of the stamps is estimated */
};

/* On-CPU time is the stage's time less these two. */
struct split {
	__u64 runnable_ns;
	__u64 blocked_ns;
};

/*
 * What else a stage's time can be, so that less is left for the exchange's own time on the CPU. Of
 * service only where it is asynchronous and split.
 */
struct aside {
	__u64 others_ns;	/* of service: on the CPU for others, or nobody known */
	__u64 idle_ns;		/* of service: its loop slept in its waits, with nothing to do */
	__u64 upstream_ns;	/* of service: while an upstream owed the answer that was read before ours */
	__u64 unarmed_ns;	/* of busy: no eventpoll watched the descriptor; with UNARMED */
};

struct ev_exchange {
	struct event_head head;	/* time_ns: end of the exchange */
	__u64 conn;		/* socket cookie */
	__u64 number;		/* of the exchange on its connection, from 1 */
	__u64 turn;		/* of the answering thread, from 1; 0 outside a loop */
	__u64 latency_ns;
	__u64 stage_ns[STAGE_COUNT];
	struct split split[SPLIT_COUNT];
	__u64 bytes_in;
	__u32 pid;
	__u32 tid;
	__u32 flags;		/* enum exchange_flags */
	__u32 reader_tid;	/* who read the request; another than tid: handoff */
	char comm[COMM_LEN];	/* of the thread; raw bytes, not terminated when full */
	struct flow flow;
	__u8 kind;		/* enum traffic_kind */
	__u8 protocol;		/* enum protocol */
	__u8 pad[6];
	struct aside aside;
};

/*
 * A finished exchange as the kernel side hands it over: raw stamps, CLOCK_MONOTONIC; bpf/stages.h
 * makes the ledger of them. Names and addresses came before, with EV_THREAD and EV_CONN. Records
 * have a ring of their own on each processor (struct record_ring); head.size says whether the part
 * from accepted_ns on is there.
 */
struct ev_record {
	struct event_head head;	/* time_ns: end of the exchange */
	__u64 conn;		/* socket cookie */
	__u64 first_ns;		/* arrival of the request's first byte */
	__u64 arrival_ns;	/* arrival of the first byte of what the last read took */
	__u64 wake_ns;		/* the wait that delivered that: with ASLEEP */
	__u64 oncpu_ns;
	__u64 return_ns;	/* neither with MERGED nor with NO_WAIT */
	__u64 read_ns;		/* the last read */
	__u32 number;		/* of the exchange on its connection, from 1 */
	__u32 turn;		/* of the answering thread, from 1; 0 outside a loop */
	__u32 pid;
	__u32 tid;
	__u32 reader_tid;
	__u32 flags;		/* enum exchange_flags */
	__u32 bytes_in;
	/* The answer before this one on its connection, complete: */
	__u32 prev_sends;	/* how many sends; 0: there was none, or it was told as EV_ANSWER */
	__u64 prev_send_ns;	/* first to last byte handed to the kernel */
	__u64 prev_deliver_ns;	/* last byte handed over to last byte acknowledged; ~0: not known */
	__u32 prev_bytes_out;
	__u8 kind;		/* KIND_REQUEST: others make no records */
	__u8 protocol;		/* enum protocol */
	__u8 pad[2];
	/* Only where one of them is not 0. */
	__u64 accepted_ns;	/* the connection was accepted after its data came */
	struct split split[SPLIT_COUNT];
	struct aside aside;
	__u64 pad2[5];
};

#define RECORD_SHORT	__builtin_offsetof(struct ev_record, accepted_ns)

/*
 * The head of a processor's ring of records, which the kernel side fills and user space empties:
 * slot i of those that were ever taken is at i modulo the ring's size, a power of two.
 */
struct record_ring {
	__u64 head;		/* slots ever filled: written by the kernel side */
	__u64 pad[7];
	__u64 tail;		/* slots ever emptied: written by user space */
	__u64 pad2[7];
};

enum answer_flags {
	ANSWER_DELIVERED = 1 << 0,	/* deliver_ns is valid: the last byte was acknowledged */
};

struct ev_answer {
	struct event_head head;
	__u64 conn;
	__u64 number;
	__u64 send_ns;		/* first to last byte handed to the kernel */
	__u64 deliver_ns;	/* last byte handed over to last byte acknowledged, 1 us fine */
	__u64 bytes_out;
	__u32 flags;		/* enum answer_flags */
	__u32 pad;
};

struct ev_conn_close {
	struct event_head head;
	__u64 conn;
	__u64 duration_ns;	/* ESTABLISHED to CLOSE, or attach to CLOSE when preexisting */
	__u64 state_ns[TCP_STATES];
	__u64 accept_wait_ns;	/* ESTABLISHED to accept's return; ~0 when not known */
	__u64 bytes_in;
	__u64 bytes_out;
	__u64 exchanges;
	__u64 max_latency_ns;
	__u64 srtt_ns;
	__u32 retransmits;
	__u32 pid;
	char comm[COMM_LEN];
	struct flow flow;
	__u8 preexisting;
	__u8 closed_by;		/* enum close_side */
	__u8 reason;		/* enum close_reason */
	__u8 kind;		/* enum traffic_kind */
	__u8 protocol;		/* enum protocol */
	__u8 pad[3];
};

/* Sent before the second record of a connection, or before one that is slow. */
struct ev_conn {
	struct event_head head;
	__u64 conn;
	__u32 pid;
	__u32 pad;
	struct flow flow;
};

/* After records with RECORD_DOUBTFUL: what its connection is. */
struct ev_kind {
	struct event_head head;
	__u64 conn;
	__u8 kind;		/* enum traffic_kind */
	__u8 pad[7];
};

/* Sent before a thread's first record. */
struct ev_thread {
	struct event_head head;
	__u32 pid;
	__u32 tid;
	char comm[COMM_LEN];
};

enum process_change {
	PROCESS_FORK = 1,	/* pid is the child, of a target */
	PROCESS_EXEC,
	PROCESS_EXIT,		/* the thread group is gone */
};

struct ev_process {
	struct event_head head;
	__u32 pid;
	__u32 parent;
	__u32 change;		/* enum process_change */
	__u32 pad;
	char comm[COMM_LEN];
};

enum turn_flags {
	TURN_BEFORE = 1 << 0,	/* it had begun before the watch: start_ns is the attach */
	TURN_UNENDED = 1 << 1,	/* it had not ended at the watch's end, which is head.time_ns */
};

/*
 * A turn that lasted as long as control.turn_ns or longer. A connection is served from the read of
 * its data to the last send before another connection's read, or to that read or the turn's end if
 * nothing was sent. What is left of the turn is the loop's own work: timers, say.
 */
struct ev_turn {
	struct event_head head;	/* time_ns: its end, the next wait */
	__u64 start_ns;		/* the wait's return */
	__u64 turn;
	__u64 runnable_ns;
	__u64 blocked_ns;
	__u64 long_ns;		/* the longest that one connection was served, */
	__u64 long_conn;	/* and which: 0: none was */
	__u32 pid;
	__u32 tid;
	__u32 events;		/* that the wait returned */
	__u32 touched;		/* connections, listeners and other files that had I/O */
	char comm[COMM_LEN];
	__u64 own_ns;		/* the longest that none was served */
	__u32 flags;		/* enum turn_flags */
	__u32 syscall;		/* UNENDED: the call that it is blocked in, ~0: in none; */
	__u32 kind;		/* enum offcpu_kind of that */
	__u32 waiting;		/* UNENDED: its process's connections with data that nobody read */
	struct flow flow;	/* of long_conn; user space fills it in. Family 0: not known */
};

/* The wait after a turn of BEHIND_NS or more: what it found at once had waited behind that turn. */
#define BEHIND_NS 1000000ULL

struct ev_behind {
	struct event_head head;
	__u64 turn;		/* that one */
	__u32 pid;
	__u32 tid;
	__u32 events;		/* 0: the thread slept until there was something */
	__u32 pad;
};

enum offcpu_flags {
	OFFCPU_IN_WAIT = 1 << 0,	/* asleep in the wait for events: only runnable_ns matters */
	OFFCPU_WAKER = 1 << 1,		/* the waker's fields are valid */
	OFFCPU_INTERRUPT = 1 << 2,	/* they are of who ran when an interrupt ended the blocking */
	OFFCPU_INSTEAD = 1 << 3,	/* instead_us is valid */
};

/*
 * A thread was off the CPU as long as control.off_ns or longer: first blocked, then runnable. In
 * its wait for events the blocked part is idleness, so there the runnable part must be that long.
 */
struct ev_offcpu {
	struct event_head head;	/* time_ns: back on a CPU */
	__u64 start_ns;
	__u64 blocked_ns;	/* 0: it was preempted */
	__u64 turn;
	__u32 pid;
	__u32 tid;
	__u32 kind;		/* enum offcpu_kind */
	__u32 syscall;		/* the kernel's number, ~0: none */
	__u32 flags;		/* enum offcpu_flags */
	__u32 waker_pid;	/* who ended the blocking; 0: an interrupt or a timer */
	__u32 waker_tid;
	__u32 instead_pid;	/* who had the CPU until the thread got it; 0: nobody */
	__u32 instead_tid;
	__u32 instead_us;	/* for how much of the runnable part it had it without a break */
	char comm[COMM_LEN];
	char waker_comm[COMM_LEN];
	char instead_comm[COMM_LEN];
	__s32 kernel_stack;	/* where it left the CPU: ids in the stack map, below 0: none */
	__s32 user_stack;
	__s32 waker_kernel_stack;	/* where its waker was, if that is valid */
	__s32 waker_user_stack;
};

/* A thread of the target was found on a CPU by the sampling clock. */
struct ev_sample {
	struct event_head head;
	__u32 pid;
	__u32 tid;
	__s32 kernel_stack;	/* as in ev_offcpu; below 0: it was in user mode */
	__s32 user_stack;
	char comm[COMM_LEN];
};

#define STACK_DEPTH	127	/* frames; deeper ones are cut */
#define STACK_SECOND	(1 << 20)	/* in an id: it is in the second stack map */

/*
 * The top of the user stack where its thread was. Frame pointers miss the callers of a function that
 * has no frame: user space finds them by the file's call-frame information. In a ring only, behind
 * a record whose user_stack it belongs to; never in a capture.
 */
#define TOP_WORDS	256
#define OFF_TOP_WORDS	40	/* absences are many, and may not fill the ring with it */

struct user_top {
	__u64 ip, sp;
	__u64 fp;		/* the register that frame pointers are in */
	__u64 n;		/* words that could be read */
	__u64 word[TOP_WORDS];	/* from sp on */
};

/* The same with fewer words. */
struct off_top {
	__u64 ip, sp, fp, n;
	__u64 word[OFF_TOP_WORDS];
};

struct ev_offcpu_top {
	struct ev_offcpu offcpu;
	struct off_top top;
};

struct ev_sample_top {
	struct ev_sample sample;
	struct user_top top;
};

#define SMALL_SENDS	2		/* more than this, */
#define SMALL_BYTES	256		/* of less than this each, are small writes, */
#define SMALL_GAP_NS	1000000ULL	/* unless they are this far apart on average: a stream */

/*
 * What the kernel side accumulates. Each processor writes its own set, so nothing is lost and
 * nothing is shared; user space maps them and adds the sets up.
 */
enum hist_id {
	H_SEND_LATE,	/* answers completed by a close or a flush, not by the next request */
	H_DELIVER_LATE,
	H_CLIENT,	/* client exchanges: first byte sent to first received */
	H_RUNQUEUE,	/* every wait for a processor: woken and preempted */
	H_ACCEPT_WAIT,
	H_OVERLAPPING,	/* a read to the next send, of overlapping connections */
	H_SYSCALL,	/* + enum syscall_id */
	H_MAX = H_SYSCALL + 32,
};

/* What every exchange adds to: one look-up finds it all. */
struct ledger_set {
	struct hist latency;
	struct hist stage[STAGE_COUNT];	/* only exchanges that have the stage */
	struct hist send;
	struct hist deliver;
	/* For each bucket of the latency, the time of its exchanges by stage: the tail's shares. */
	__u64 stage_ns[HIST_BUCKETS][STAGE_COUNT];
};

enum ctl_op {
	CTL_ADD,
	CTL_DEL,
	CTL_MOD,	/* neither of the following */
	CTL_MOD_OUT,	/* with EPOLLOUT in the mask */
	CTL_MOD_ONESHOT,	/* with EPOLLONESHOT: re-armed */
	CTL_COUNT,
};

struct counters {
	__u64 clamped;
	__u64 estimated;
	__u64 async;
	__u64 handoff;
	__u64 merged;
	__u64 no_wait;
	struct split split[SPLIT_COUNT];	/* sums over exchanges whose split is valid */
	__u64 split_ns[SPLIT_COUNT];		/* time of those stages */

	__u64 opened;
	__u64 closed;
	__u64 preexisting;
	__u64 unknown;			/* queued for our listener, closed without an accept */
	__u64 retransmits;
	__u64 resets;
	__u64 state[TCP_STATES];	/* entered less left; wraps below 0 in one set, not in the sum */
	__u64 closed_reason[CLOSE_REASONS];

	__u64 wakeups;
	__u64 preemptions;
	__u64 offcpu[OFFCPU_COUNT];
	__u64 offcpu_ns[OFFCPU_COUNT];

	__u64 syscall_errors[32];
	__u64 syscall_eagain[32];

	__u64 ring_lost;	/* events that found their ring full */
	__u64 ring_sent;	/* events that found room: as many must come out */
	__u64 map_full;		/* state that could not be created */
	__u64 unmatched;	/* exchanges whose answer could not be placed */
	__u64 clock;		/* durations that ended before they began: left out */
	__u64 switches_missed;	/* the kernel did not tell of a context switch */
	__u64 calls_missed;	/* nor of a wait's beginning */
	__u64 stacks_lost;	/* stacks that found no room */

	__u64 accepts_left;	/* for the connection's next hook to find */
	__u64 accepts_taken;

	/* What findings rest on. */
	__u64 accept_empty;		/* accepts that found nothing, first of their turn */
	__u64 accept_no_fd;		/* EMFILE, ENFILE */
	__u64 wakes_vain;		/* by a listener, in a wait for events that found nothing and went on */
	__u64 ctl[CTL_COUNT];		/* epoll_ctl by enum ctl_op */
	__u64 events_spurious;		/* returned by a wait, then no I/O on it in that turn */
	__u64 waits_empty;		/* returned nothing and did not sleep */
	__u64 undrained;		/* edge-triggered, bytes left unread for > 100 ms */
	__u64 undrained_ns;
	__u64 answers;			/* completed; their sends, and those with many small ones */
	__u64 answer_sends;
	__u64 answers_small;		/* more than two sends of less than 256 bytes, soon after another */
	__u64 nagle_held;		/* sends that the Nagle algorithm kept back */
	__u64 nagle_delayed;		/* for 20 ms or more */
	__u64 nagle_delayed_ns;
	__u64 send_eagain;		/* sends that found the socket's buffer full */
	__u64 window_theirs;		/* times their receive window was shut for > 200 ms */
	__u64 window_theirs_ns;
	__u64 window_ours;		/* ours */
	__u64 window_ours_ns;
	__u64 segments_out;		/* with data, of our connections: at their close or the end */
	__u64 close_wait_old;		/* at the end: in CLOSE_WAIT longer than control.close_wait_ns */
	__u64 close_wait_unaccepted;	/* of these nobody accepted */
	__u64 close_wait_max_ns;	/* the oldest; a maximum only where one set is written */

	/* Of SYSCALLS_SAMPLE. */
	__u64 events_windowed;		/* of turns that lay in one window: events_spurious is of these */
	__u64 calls_begun[32];		/* in windows, by enum syscall_id */
	/*
	 * By their window, modulo CALL_WINDOWS: begun and not ended, so that their end is awaited. The
	 * last takes those that the hook at the calls' end need not wait for: it is parked, or its
	 * thread has ended. Wrap below 0 in one set, not in the sum.
	 */
	__u64 calls_open[9];

	/* Traffic: connections by kind and protocol wrap below 0 in one set, not in the sum. */
	__u64 kind_conns[TRAFFIC_KINDS * PROTOCOL_ROOM];
	__u64 kind_in[TRAFFIC_KINDS];	/* bytes */
	__u64 kind_out[TRAFFIC_KINDS];
	__u64 kind_late;	/* reads of overlapping connections that came while an answer was due */
	__u64 kind_rejudged;	/* exchanges that were counted before their connection's kind changed */
	__u64 kind_doubtful;	/* exchanges in doubt that found no ring, and were counted */

	__u64 eof_reads;		/* returned 0, of a connection whose end was read before */
	__u64 cork_delayed;		/* sends that TCP_CORK kept back for 20 ms or more */
	__u64 cork_delayed_ns;
	__u64 answers_streamed;		/* more than two sends, 1 ms or more apart on average */
	struct aside aside;		/* sums */
	__u64 unarmed;			/* exchanges whose data came while nobody watched */
};

/* One event loop: a thread that waits for events. Slot 0 takes what no slot was left for. */
#define LOOPS_MAX 128

struct loop {
	__u32 pid;
	__u32 tid;
	char comm[COMM_LEN];
	__u64 turns;
	__u64 events;
	__u64 wakeups;		/* waits in which the thread slept */
	__u64 exchanges;
	__u64 accepts;
	__u64 busy_ns;		/* the sums of the two: filled in by user space */
	__u64 wait_ns;
	struct hist turn;
	struct hist wait;
};

/* A listening address of the target, by network namespace and port. */
struct listener_key {
	__u32 netns;	/* inode number */
	__u16 port;
	__u16 pad;
};

struct listener {
	__u32 backlog;		/* at the last look */
	__u32 backlog_max;	/* highest seen */
	__u32 limit;
	__u32 pad;
	__u64 queued;		/* connections that entered the accept queue */
	__u64 accepted;
};

_Static_assert(sizeof(struct event_head) == 16, "wire");
_Static_assert(sizeof(struct flow) == 40, "wire");
_Static_assert(sizeof(struct ev_exchange) == 280, "wire");
_Static_assert(sizeof(struct ev_record) == 256, "wire");
_Static_assert(RECORD_SHORT == 128, "wire");
_Static_assert(sizeof(struct ev_conn) == 72, "wire");
_Static_assert(sizeof(struct ev_thread) == 40, "wire");
_Static_assert(sizeof(struct ev_kind) == 32, "wire");
_Static_assert(sizeof(struct ev_answer) == 64, "wire");
_Static_assert(sizeof(struct ev_conn_close) == 256, "wire");
_Static_assert(sizeof(struct ev_process) == 48, "wire");
_Static_assert(sizeof(struct ev_turn) == 160, "wire");
_Static_assert(sizeof(struct ev_behind) == 40, "wire");
_Static_assert(sizeof(struct ev_offcpu) == 144, "wire");
_Static_assert(sizeof(struct ev_sample) == 48, "wire");
_Static_assert(sizeof(struct user_top) == 32 + TOP_WORDS * 8, "wire");
_Static_assert(sizeof(struct off_top) == 32 + OFF_TOP_WORDS * 8, "wire");
_Static_assert(sizeof(struct ev_offcpu_top) == 144 + sizeof(struct off_top), "wire");
_Static_assert(sizeof(struct ev_sample_top) == 48 + sizeof(struct user_top), "wire");

#endif
