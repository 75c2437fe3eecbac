/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * format.h - the capture file on disk; docs/capture-format.md describes it.
 *
 *   head (32 bytes) | its items | chunk | chunk | ... | TRAILER chunk
 *
 * Little-endian. Head and chunks begin at multiples of 8 bytes, zeros between. Ids are append-only:
 * a reader passes over those it does not know. What changes the meaning of what is there raises
 * the major version.
 */
#ifndef EPOLLSCOPE_CAPTURE_FORMAT_H
#define EPOLLSCOPE_CAPTURE_FORMAT_H

#include <stdint.h>

#define CAPTURE_MAGIC	  "\x89" "EPS\r\n\x1a\n"	/* breaks if sent as text */
#define CAPTURE_MAJOR	  1
#define CAPTURE_MINOR	  1
#define CAPTURE_ALIGN	  8
#define CAPTURE_HEAD_MAX  (1u << 20)	/* bytes, with its items */
#define CAPTURE_CHUNK_MAX (16u << 20)	/* of a chunk's contents, stored or not */

enum capture_flags {
	CAPTURE_INCOMPLETE = 1 << 0,	/* the recorder did not get to its end */
	CAPTURE_WINDOW = 1 << 1,	/* flight recorder: only the last seconds, no aggregate */
};

struct capture_head {
	char magic[8];
	uint16_t major, minor;
	uint32_t head_bytes;	/* this and its items, a multiple of 8: the first chunk is there */
	uint32_t flags;		/* the only bytes that are ever written again, */
	uint32_t flags_check;	/* and their complement */
	uint32_t items_bytes;
	uint32_t crc;		/* of this struct with 0 for flags, flags_check, crc; and the items */
};

#define CAPTURE_CHUNK_MAGIC 0x4b4e4843u	/* "CHNK" */

enum capture_chunk_type {
	CHUNK_EVENTS = 1,	/* records as they came out of the rings, and ticks */
	CHUNK_AGGREGATE,	/* items: struct aggregate */
	CHUNK_TRAILER,		/* items: the head's, and what only the end knows; the last chunk */
	CHUNK_MAPS,		/* never written: STACKS holds frames as text, */
	CHUNK_SYMBOLS,		/* never written: MODULES holds the build-ids */
	CHUNK_STACKS,		/* stacks as text, by process and id: stacks.h */
	CHUNK_MODULES,		/* since 1.1; items: the files of frames that no symbol covered */
};

enum capture_coding {
	CODING_PLAIN,
	CODING_DEFLATE,		/* zlib */
	CODING_PACKED,		/* events only: each record by its difference to the last of its kind */
};

struct capture_chunk_head {
	uint32_t magic;
	uint32_t type;
	uint32_t coding;
	uint32_t stored_bytes;	/* that follow, without the zeros up to the next chunk */
	uint32_t plain_bytes;	/* decoded */
	uint32_t number;	/* of the chunk, from 0 */
	uint32_t crc;		/* of what is stored */
	uint32_t head_crc;	/* of this struct up to here */
};

/*
 * A record of CHUNK_EVENTS that no ring sent, an event_head alone: the rings were drained at
 * time_ns. Between two of them records are in the order in which they came out.
 */
#define CAPTURE_TICK 0xffff

/* Head and trailer: struct watch_result. */
enum meta_item {
	META_VERSION = 1,	/* text: the epollscope that wrote it */
	META_KERNEL,		/* text */
	META_HOST,		/* text */
	META_START,		/* ns, CLOCK_MONOTONIC */
	META_OFFSET,		/* ns to add for the wall clock, signed */
	META_CPUS,
	META_HISTOGRAM,		/* { HIST_SUB_BITS, HIST_EXP_MAX } of every histogram */
	META_FEATURE,		/* items; one for each */
	META_TARGET,		/* items; one for each process */
	META_OPTIONS,		/* items */
	META_END,		/* from here on only in the trailer */
	META_OFFSET_END,
	META_EVENTS,		/* records that reached the recorder */
	META_BAD_EVENTS,
	META_LISTEN_OVERFLOWS,
	META_COLLECTOR,		/* CPU seconds of the recorder, an IEEE 754 double */
	META_LOSS,		/* { ring, map full, missed, unmatched, clock }, since META_ATTACHED */
	META_KINDS,		/* records in the file, by kind */
	META_FACTS,		/* fields of struct facts: what /proc said of the target */
	/* Since 1.1, head and trailer: */
	META_ATTACHED,		/* ns: of a WINDOW, when its recorder began to count losses */
	META_BUDGET,		/* only in the trailer: fields of struct budget_info */
};

enum feature_item { FEATURE_NAME = 1, FEATURE_STATE /* { available, used } */ };
enum target_item { TARGET_PID = 1, TARGET_START_TIME, TARGET_COMM, TARGET_EXE };
enum option_item {
	OPTION_NO_SYSCALLS = 1, OPTION_OVER, OPTION_PORTS, OPTION_COMM, OPTION_CGROUP,
	OPTION_DURATION, OPTION_RING_KIB,
	/* Since 1.1: samples a second (0: no stacks), frames of a stack, ns of the tail's window. */
	OPTION_STACK_HZ, OPTION_STACK_DEPTH, OPTION_WINDOW,
};

enum modules_item { MODULES_FILE = 1 };
enum module_item { MODULE_NAME = 1, MODULE_PATH, MODULE_BUILD_ID };

enum aggregate_item {
	AGGREGATE_TOTALS = 1,	/* fields of struct aggregate itself */
	AGGREGATE_COUNTERS,
	AGGREGATE_LEDGER,	/* items: enum ledger_item */
	AGGREGATE_HIST,		/* items: HIST_ID, HIST_DATA; one for each that is not empty */
	AGGREGATE_LOOP,		/* fields; one for each, as the three below */
	AGGREGATE_EVENTPOLL,
	AGGREGATE_WAKER,
	AGGREGATE_LISTENER,
};

/* LEDGER_STAGE + enum stage; LEDGER_STAGE_NS: rows { bucket, a sum for each stage }. */
enum ledger_item { LEDGER_LATENCY = 1, LEDGER_SEND, LEDGER_DELIVER, LEDGER_STAGE_NS,
		   LEDGER_STAGE = 16 };
enum hist_item { HIST_ID = 1, HIST_DATA };

_Static_assert(sizeof(struct capture_head) == 32, "format");
_Static_assert(sizeof(struct capture_chunk_head) == 32, "format");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are written as they are");

#endif
