/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* recorder.c - see recorder.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/status.h"
#include "base/term.h"
#include "capture/data.h"
#include "capture/recorder.h"
#include "capture/recorder_store.h"
#include "capture/stacks.h"

#define MS 1000000ULL

#define SEAL_NS		(500 * MS)	/* a block is written after this time: a kill -9 costs as much */
#define RING_PARTS	16		/* least number of blocks in a flight recorder's window */
#define END_BYTES	(192u << 10)	/* of --max-size, kept free for the end of the file */
#define STOP_BYTES	BLOCK_BYTES	/* kept free for what is under way when the recording stops */
#define RING_MAX_BYTES	(256u << 20)	/* of a flight recorder's memory, without --max-size */
#define STACKS_BYTES	(CAPTURE_CHUNK_MAX / 2)	/* of encoded stacks make a chunk */
#define STACKS_SHARE	8		/* one part in so many of --max-size is for stacks */

struct recorder {
	const struct recorder_config *config;
	struct sink sink;
	struct capture_writer writer;
	struct store store;
	const struct watch_result *watch;
	struct bytes modules;	/* files without symbols that these stacks name, to be written */
	uint64_t n_modules;	/* in the whole recording */
	struct bytes stacks;	/* encoded, until there are enough of them for a chunk */
	uint64_t n_stacks;	/* in `stacks` */
	uint64_t stacks_dropped;	/* the file had no room for them */
	bool begun;		/* the store runs */
	struct block *block;	/* being filled; NULL: none */
	uint64_t last_ns;	/* of the last tick */
	uint64_t seal_ns;
	int trigger_fd;		/* SIGUSR1; -1 */
	const char *trigger;	/* why it stopped; NULL */
	int err;
};

static void fail_write(const struct recorder *rec, int err)
{
	fail_line("cannot write '%.300s': %s", rec->config->path, write_reason(-err));
}

static void seal(struct recorder *rec)
{
	if (!rec->block)
		return;
	rec->block->to_ns = rec->last_ns;
	store_put(&rec->store, rec->block);
	rec->block = NULL;
}

static void append(struct recorder *rec, const void *data, size_t size)
{
	if (rec->block && rec->block->len + size > BLOCK_BYTES)
		seal(rec);
	if (!rec->block) {
		rec->block = store_block(&rec->store);
		if (!rec->block) {
			rec->err = -ENOMEM;
			return;
		}
		rec->block->from_ns = rec->last_ns;
	}
	memcpy(rec->block->data + rec->block->len, data, size);
	rec->block->len += size;
}

static void on_record(void *ctx, const void *data, size_t size)
{
	struct recorder *rec = ctx;
	struct ev_exchange ex;

	if (!rec->begun || rec->err || size < sizeof(ex.head) || size > BLOCK_BYTES)
		return;
	append(rec, data, size);
	memcpy(&ex, data, size < sizeof(ex) ? size : sizeof(ex));
	if (ex.head.kind < EV_KINDS && rec->block)
		rec->block->kinds[ex.head.kind]++;
	if (rec->config->has_until && ex.head.kind == EV_EXCHANGE && size >= sizeof(ex) &&
	    ex.latency_ns > rec->config->until_ns)
		rec->trigger = "--until matched";
}

/* Blocks leave room for the end; what a flight recorder keeps is bounded in any case. */
static uint64_t bytes_for_blocks(const struct recorder *rec)
{
	const struct recorder_config *c = rec->config;

	if (c->max_bytes)
		return c->max_bytes - END_BYTES -
		       (rec->watch->stack_hz ? c->max_bytes / STACKS_SHARE : 0);
	return c->ring_ns ? RING_MAX_BYTES : 0;
}

/* Non-zero when the recording has come to its end. */
static int is_over(struct recorder *rec)
{
	struct signalfd_siginfo info;
	uint64_t bytes;
	int err = store_error(&rec->store, &bytes);

	rec->err = rec->err ? rec->err : err;
	if (rec->err)
		return 1;
	if (rec->trigger_fd >= 0 && read(rec->trigger_fd, &info, sizeof(info)) > 0)
		rec->trigger = "SIGUSR1";
	else if (rec->config->max_bytes && !rec->config->ring_ns &&
		 bytes + STOP_BYTES > bytes_for_blocks(rec))
		rec->trigger = "--max-size is reached";
	return rec->trigger != NULL;
}

static int on_tick(void *ctx, uint64_t now_ns)
{
	struct event_head tick = {
		.size = sizeof(tick), .kind = CAPTURE_TICK, .time_ns = now_ns,
	};
	struct recorder *rec = ctx;

	if (!rec->begun)
		return rec->err != 0;
	append(rec, &tick, sizeof(tick));
	rec->last_ns = now_ns;
	if (rec->block && now_ns - rec->block->from_ns >= rec->seal_ns)
		seal(rec);
	return is_over(rec);
}

static void nothing(int signal_number)
{
	(void)signal_number;
}

/* Once the program is launched, which must not inherit it. */
static int await_trigger(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int put_head(struct recorder *rec, const struct watch_result *r, uint32_t flags)
{
	struct bytes items = { 0 };
	int err;

	meta_put(&items, r, &rec->config->request);
	err = capture_put_head(&rec->writer, &items, flags);
	bytes_free(&items);
	return err;
}

static void on_begin(void *ctx)
{
	struct recorder *rec = ctx;
	const struct recorder_config *c = rec->config;
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGXFSZ, &ignore, NULL);	/* a limit on file sizes is an error, not our end */
	rec->last_ns = rec->watch->start_ns;
	rec->seal_ns = c->ring_ns && c->ring_ns / RING_PARTS < SEAL_NS ? c->ring_ns / RING_PARTS :
									 SEAL_NS;
	rec->writer.max_bytes = c->max_bytes;
	rec->trigger_fd = await_trigger();
	if (!c->ring_ns)
		rec->err = put_head(rec, rec->watch, 0);
	if (!rec->err)
		rec->err = store_start(&rec->store, &rec->writer, c->ring_ns,
					bytes_for_blocks(rec));
	rec->begun = !rec->err;
}

/* A chunk of them; then they are gone. */
static int put_items(struct recorder *rec, uint32_t type, struct bytes *items)
{
	int err = items->failed ? -ENOMEM :
		  capture_put_chunk(&rec->writer, type, items->data, items->len);

	bytes_free(items);
	return err;
}

static int put_aggregate(struct recorder *rec, const struct watch_result *r)
{
	struct bytes items = { 0 };
	int err;

	aggregate_put(&items, r->aggregate);
	err = put_items(rec, CHUNK_AGGREGATE, &items);
	if (err != -ENOBUFS && err != -EMSGSIZE)
		return err;
	warn_line("totals omitted (--max-size): -i recomputes them from the exchanges");
	return 0;
}

/* A flight recorder's file begins with the oldest block that was kept. */
static struct watch_result written_window(const struct recorder *rec)
{
	struct watch_result window = *rec->watch;

	if (rec->config->ring_ns && rec->store.oldest)
		window.start_ns = rec->store.oldest->from_ns;
	return window;
}

/*
 * All events go to the file now, so that a kill from here on costs the stacks only. An error is
 * kept, and printed at the end.
 */
static void on_drained(void *ctx)
{
	struct recorder *rec = ctx;
	struct watch_result window;

	if (!rec->begun)
		return;
	seal(rec);
	rec->err = rec->err ? rec->err : store_stop(&rec->store);
	if (rec->err || !rec->config->ring_ns)
		return;
	window = written_window(rec);
	rec->err = put_head(rec, &window, CAPTURE_WINDOW);
	rec->err = rec->err ? rec->err : store_write_kept(&rec->store);
}

static void put_stacks(struct recorder *rec)
{
	uint64_t max_bytes = rec->writer.max_bytes;
	int err = rec->err;

	rec->writer.max_bytes = max_bytes ? max_bytes - END_BYTES : 0;
	if (!err && rec->modules.len)
		err = put_items(rec, CHUNK_MODULES, &rec->modules);
	if (!err && rec->stacks.len)
		err = put_items(rec, CHUNK_STACKS, &rec->stacks);
	rec->writer.max_bytes = max_bytes;
	if (err == -ENOBUFS)
		rec->stacks_dropped += rec->n_stacks;
	else
		rec->err = err;
	rec->modules.len = rec->stacks.len = rec->n_stacks = 0;
}

static void on_module(void *ctx, const struct stack_module *m)
{
	struct recorder *rec = ctx;

	modules_put(&rec->modules, m);
	rec->n_modules++;
	if (rec->modules.failed)
		rec->err = -ENOMEM;
}

static void on_stack(void *ctx, const struct named_stack *s)
{
	struct recorder *rec = ctx;

	if (!rec->begun)
		return;
	if (stacks_put(&rec->stacks, s))
		rec->err = -ENOMEM;
	rec->n_stacks++;
	if (rec->stacks.len >= STACKS_BYTES)
		put_stacks(rec);
}

static int put_end(struct recorder *rec, const struct watch_result *r)
{
	struct bytes items = { 0 };
	int err;

	r->aggregate->counters.ring_lost += rec->store.dropped;
	err = rec->config->ring_ns ? 0 : put_aggregate(rec, r);
	if (err)
		return err;
	meta_put(&items, r, &rec->config->request);
	meta_put_end(&items, r, rec->store.kinds);
	err = put_items(rec, CHUNK_TRAILER, &items);
	return err ? err : capture_end(&rec->writer);
}

static void print_summary(const struct recorder *rec, const struct watch_result *r)
{
	say_line("%s%swrote %s exchanges and %s connections in %s, %s bytes, to '%.300s'",
		 rec->trigger ? rec->trigger : "", rec->trigger ? ": " : "",
		 format_count(rec->store.kinds[EV_EXCHANGE]).s,
		 format_count(rec->store.kinds[EV_CONN_CLOSE]).s,
		 format_ns(r->end_ns - r->start_ns).s, format_count(rec->writer.bytes).s,
		 rec->config->path);
	if (rec->store.dropped)
		warn_line("%s events did not fit into --max-size any more",
			  format_count(rec->store.dropped).s);
	if (rec->n_modules)
		say_line("%s of the target's files have no symbols here: their frames are "
			 "addresses, with the files' build-ids", format_count(rec->n_modules).s);
	if (rec->stacks_dropped)
		warn_line("%s stacks did not fit into --max-size any more",
			  format_count(rec->stacks_dropped).s);
}

int recorder_open(struct recorder **out, const struct recorder_config *config,
		  const struct watch_result *watch)
{
	struct sigaction harmless = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	struct recorder *rec = calloc(1, sizeof(*rec));
	int err;

	*out = rec;
	if (!rec) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	rec->config = config;
	rec->watch = watch;
	rec->trigger_fd = -1;
	rec->sink = (struct sink){
		.needs = { .exchanges = EXCHANGES_OVER, .prompt_answers = true, .intervals = true,
			   .conn_closes = true, .syscalls = true },
		.begin = on_begin, .record = on_record, .tick = on_tick, .drained = on_drained,
		.module = on_module, .stack = on_stack, .ctx = rec,
	};
	/* A trigger that comes before we wait for it, or after, must not end us. */
	sigaction(SIGUSR1, &harmless, NULL);
	err = capture_create(&rec->writer, config->path);
	if (!err)
		return EXIT_OK;
	fail_write(rec, err);
	return exit_status_of(err);
}

const struct sink *recorder_sink(const struct recorder *rec)
{
	return &rec->sink;
}

int recorder_end(struct recorder *rec)
{
	struct watch_result window = written_window(rec);
	int err;

	if (rec->begun)
		put_stacks(rec);
	else if (!rec->err)
		rec->err = -EINVAL;
	err = rec->err ? rec->err : put_end(rec, &window);
	if (err) {
		fail_write(rec, err);
		return EXIT_FAULT;
	}
	print_summary(rec, &window);
	return EXIT_OK;
}

void recorder_close(struct recorder *rec)
{
	if (!rec)
		return;
	if (rec->begun)
		store_free(&rec->store);
	free(rec->block);
	bytes_free(&rec->modules);
	bytes_free(&rec->stacks);
	if (rec->trigger_fd >= 0)
		close(rec->trigger_fd);
	if (rec->writer.created && !rec->writer.bytes)
		unlink(rec->config->path);
	capture_close(&rec->writer);
	free(rec);
}
