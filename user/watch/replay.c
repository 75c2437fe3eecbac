/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* replay.c - see replay.h. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "capture/data.h"
#include "capture/read.h"
#include "capture/stacks.h"
#include "stream/stream.h"
#include "stream/tail.h"
#include "symbols/stack_modules.h"
#include "watch/replay.h"

struct replaying {
	const char *name;
	const struct replay_config *config;
	struct sinks sinks;		/* the owner's and ours */
	struct sink adder;		/* ours: adds into `sums` */
	struct watch_result *r;
	struct capture_reader reader;
	struct stream *stream;
	struct stack_modules *modules;
	struct aggregate *sums;		/* of the records; r->aggregate if the file has none */
	uint64_t next_latency_ns;
	uint64_t last_ns;		/* the latest time of a record or tick */
	bool headed, trailed;		/* head and trailer could be read */
	bool other_buckets;		/* its histograms are cut in another way */
};

static void note(struct watch_result *r, const char *text)
{
	if (r->n_notes < WATCH_NOTES)
		r->notes[r->n_notes++] = text;
}

static void give_latency(struct replaying *p, uint64_t now)
{
	p->next_latency_ns = now + TAIL_EVERY_NS;
	stream_latency(p->stream, now, &p->sums->ledger.latency);
}

/* False if the bytes are not records: the rest of them is passed over. */
static bool feed(struct replaying *p, const uint8_t *data, size_t len)
{
	struct event_head head;

	for (; len && !stream_done(p->stream); data += head.size, len -= head.size) {
		if (len < sizeof(head))
			return false;
		memcpy(&head, data, sizeof(head));
		if (head.size < sizeof(head) || head.size > len)
			return false;
		if (head.time_ns > p->last_ns)
			p->last_ns = head.time_ns;
		if (head.kind != CAPTURE_TICK) {
			stream_record(p->stream, data, head.size);
			continue;
		}
		stream_tick(p->stream, head.time_ns);
		if (head.time_ns >= p->next_latency_ns)
			give_latency(p, head.time_ns);
	}
	return true;
}

static void damaged(struct replaying *p, uint64_t offset, const char *what)
{
	struct capture_reader *r = &p->reader;

	if (r->damage[0] && r->damaged_at <= offset)
		return;
	r->damaged_at = offset;
	strncpy(r->damage, what, sizeof(r->damage) - 1);
}

static int read_aggregate(struct replaying *p, const struct capture_chunk *chunk)
{
	struct items items = { .data = chunk->data, .len = chunk->len };
	struct aggregate *a;
	int err;

	if (p->other_buckets || p->r->aggregate)
		return 0;
	a = aggregate_new();
	if (!a)
		return -ENOMEM;
	err = aggregate_get(items, a);
	if (!err) {
		p->r->aggregate = a;
		return 0;
	}
	aggregate_free(a);
	if (err != -EBADMSG)
		return err;
	damaged(p, chunk->offset, "the aggregate makes no sense");
	return 0;
}

static int read_meta(struct replaying *p, struct items items, uint64_t offset)
{
	int err = meta_get(items, p->r);

	/* What the user says comes before what the file says. */
	if (p->config->window_ns)
		p->r->window_ns = p->config->window_ns;
	if (err == -ENOMEM)
		return err;
	if (err == -EPROTO)
		p->other_buckets = true;
	else if (err)
		damaged(p, offset, "what was watched makes no sense");
	return 0;
}

/* Without the kernel's sums the records' are the report. */
static void settle_aggregate(struct replaying *p)
{
	if (p->r->aggregate)
		return;
	p->r->aggregate = p->sums;
	p->r->rebuilt = true;
}

static void on_module(void *ctx, const struct stack_module *m)
{
	struct replaying *p = ctx;

	/* One too many only stays without a name. */
	stack_modules_add(p->modules, m);
}

/* What had no symbol where it was recorded may have one here. */
static void on_stack(void *ctx, const struct named_stack *s)
{
	struct replaying *p = ctx;
	const char *frames[STACK_DEPTH];
	struct named_stack named = *s;

	named.frames = frames;
	for (size_t i = 0; i < s->n; i++) {
		const struct stack_module *nameless = NULL;
		const char *name = !s->key.pid ? NULL :
			stack_modules_resolve(p->modules, p->config->debug_dir, s->frames[i], &nameless);

		frames[i] = name ? name : s->frames[i];
		if (nameless)
			stream_module(p->stream, nameless);
	}
	stream_stack(p->stream, &named);
}

static int on_chunk(struct replaying *p, const struct capture_chunk *chunk)
{
	switch (chunk->type) {
	case CHUNK_EVENTS:
		if (!feed(p, chunk->data, chunk->len))
			damaged(p, chunk->offset, "malformed event chunk");
		return 0;
	case CHUNK_AGGREGATE:
		return read_aggregate(p, chunk);
	case CHUNK_TRAILER:
		settle_aggregate(p);
		p->trailed = true;
		return read_meta(p, (struct items){ .data = chunk->data, .len = chunk->len },
				 chunk->offset);
	case CHUNK_STACKS:
		if (sinks_hear_stacks(&p->sinks) && stacks_get(chunk->data, chunk->len, on_stack, p))
			damaged(p, chunk->offset, "malformed stack chunk");
		return 0;
	case CHUNK_MODULES:
		if (sinks_hear_stacks(&p->sinks) && modules_get(chunk->data, chunk->len, on_module, p))
			damaged(p, chunk->offset, "malformed module chunk");
		return 0;
	default:
		return 0;	/* of a newer program */
	}
}

static int open_stream(struct replaying *p)
{
	struct stream_config config = {
		.sinks = &p->sinks, .window_ns = p->r->window_ns, .every_exchange = true,
	};

	p->adder = aggregate_sink(p->sums);
	sinks_add(&p->sinks, &p->adder);
	p->stream = stream_new(&config);
	return p->stream ? 0 : -ENOMEM;
}

static int read_all(struct replaying *p)
{
	struct capture_chunk chunk;
	int got = 0, err = 0;

	if (p->reader.items.len) {
		p->headed = true;
		err = read_meta(p, p->reader.items, 0);
	}
	err = err ? err : open_stream(p);
	if (err)
		return err;
	stream_begin(p->stream);
	while (!err && !stream_done(p->stream) && !p->trailed &&
	       (got = capture_next(&p->reader, &chunk)) > 0)
		err = on_chunk(p, &chunk);
	stream_flush(p->stream);
	return err ? err : got < 0 ? got : 0;
}

static void note_window(struct watch_result *r)
{
	const struct counters *n = &r->aggregate->counters;

	note(r, "from a flight recorder: all is added up from the exchanges of its last "
		"seconds; what only the whole recording could tell is left out");
	if (aggregate_lost_events(r->aggregate) || n->map_full || r->aggregate->missed ||
	    n->unmatched || n->clock)
		note(r, "what was lost is counted from the recorder's start on, not only in "
			"these seconds");
}

/* What a report must say of a capture that has no sums, and why. */
static void note_rebuilt(struct replaying *p)
{
	struct watch_result *r = p->r;

	r->interrupted = p->reader.flags & CAPTURE_INCOMPLETE && !p->trailed && !stream_done(p->stream);
	if (!r->rebuilt)
		return;
	if (p->reader.flags & CAPTURE_WINDOW)
		note_window(r);
	else if (p->reader.flags & CAPTURE_INCOMPLETE && !p->trailed)
		note(r, "the recording was interrupted: all is added up from the exchanges that "
			"reached the file; what only its end could tell is left out");
	else
		note(r, "the capture's own sums can't be read: all is added up from its exchanges; "
			"what they do not tell is left out");
}

/* Prints what is wrong with the file, once. */
static void print_damage(struct replaying *p)
{
	struct capture_reader *r = &p->reader;
	bool interrupted = r->known && r->flags & CAPTURE_INCOMPLETE;

	if (!p->trailed && !stream_done(p->stream) && !interrupted)
		damaged(p, r->offset, "the file ends without its trailer");
	if (!r->damage[0])
		return;
	p->r->damaged = true;
	fail_line("%.300s: damaged at offset %llu: %s", p->name,
		  (unsigned long long)r->damaged_at, r->damage);
}

static int finish(struct replaying *p)
{
	struct watch_result *r = p->r;

	give_latency(p, p->trailed ? r->end_ns : p->last_ns);
	settle_aggregate(p);
	r->events = stream_records(p->stream);
	r->bad_events = stream_bad_records(p->stream);
	if (p->sums == r->aggregate)
		p->sums = NULL;
	print_damage(p);
	if (!p->headed && !p->trailed)
		return EXIT_FAULT;	/* not even when and what it was */
	note_rebuilt(p);
	if (!p->trailed)
		r->end_ns = p->last_ns > r->start_ns ? p->last_ns : r->start_ns;
	if (r->bad_events)
		warn_line("%llu events could not be understood", (unsigned long long)r->bad_events);
	return EXIT_OK;
}

int replay_fd(int fd, const char *name, const struct replay_config *config,
	      const struct sinks *sinks, struct watch_result *r)
{
	struct replaying p = { .name = name, .config = config, .sinks = *sinks, .r = r };
	char why[160] = "";
	int err, status = EXIT_FAULT;

	*r = (struct watch_result){
		.program_status = -1, .collector_cpu_seconds = NAN,
		.stack_hz = sinks_needs(sinks).stack_hz, .stack_depth = STACK_DEPTH,
		.window_ns = config->window_ns ? config->window_ns : TAIL_WINDOW_NS,
	};
	memset(r->features.available, true, sizeof(r->features.available));
	err = capture_begin(&p.reader, fd, why, sizeof(why));
	if (err) {
		fail_line("%.300s: %s", name, why);
		goto out;
	}
	p.sums = aggregate_new();
	p.modules = stack_modules_new();
	err = p.sums && p.modules ? read_all(&p) : -ENOMEM;
	if (err)
		fail_line("%.300s: reading failed: %s", name, strerror(-err));
	else
		status = finish(&p);
out:
	capture_shut(&p.reader);
	stream_free(p.stream);
	stack_modules_free(p.modules);
	if (p.sums != r->aggregate)
		aggregate_free(p.sums);
	return status;
}

int replay(const char *path, const struct replay_config *config, const struct sinks *sinks,
	   struct watch_result *r)
{
	bool piped = !strcmp(path, "-");
	int fd = piped ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	*r = (struct watch_result){ .program_status = -1 };
	if (fd < 0) {
		int err = errno;

		fail_line("cannot read '%.300s': %s", path, strerror(err));
		return exit_status_of(-err);
	}
	/* As when watching: a reader that left is an error of our writing, not our end. */
	signal(SIGPIPE, SIG_IGN);
	return replay_fd(fd, piped ? "standard input" : path, config, sinks, r);
}
