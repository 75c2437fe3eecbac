// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* replay.c - see replay.h. Rounds and their order are those of watcher.c. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/data.h"
#include "capture/read.h"
#include "capture/stacks.h"
#include "stream/correlate.h"
#include "watch/replay.h"
#include "symbols/stack_modules.h"
#include "base/status.h"
#include "stream/tail.h"

struct replaying {
	const char *name;
	const struct watch_handlers *h;
	struct watch_result *r;
	struct capture_reader reader;
	struct correlate *correlate;
	struct stack_modules *modules;
	struct aggregate *sums;		/* of the records; r->aggregate if the file has none */
	struct tail_judge judge;	/* when only the tail is wanted */
	uint64_t next_latency_ns;
	uint64_t first_ns, last_ns;	/* of all that has a time */
	uint64_t kinds[EV_KINDS];
	bool enough;			/* a handler has had enough */
	bool headed, trailed;		/* head and trailer could be read */
	bool other_buckets;		/* its histograms are cut in another way */
};

static void note(struct watch_result *r, const char *text)
{
	if (r->n_notes < WATCH_NOTES)
		r->notes[r->n_notes++] = text;
}

static void on_exchange(void *ctx, const struct exchange_info *x)
{
	struct replaying *p = ctx;
	uint64_t least_ns = p->h->every_exchange ? p->h->over_ns :
			    p->h->tail_only ? tail_judge_least(&p->judge, x->ex.head.time_ns) : 0;

	if (p->enough || !p->h->exchange || x->ex.latency_ns < least_ns)
		return;
	if (p->h->exchange(p->h->ctx, x))
		p->enough = true;
}

static void on_record(struct replaying *p, const uint8_t *data, size_t size)
{
	struct event e;

	p->r->events++;
	if (decode_event(data, size, &e)) {
		p->r->bad_events++;
		return;
	}
	p->kinds[e.head.kind]++;
	if (e.head.kind == EV_EXCHANGE)
		tail_judge_see(&p->judge, e.exchange.latency_ns);
	correlate_feed(p->correlate, &e);
	if (e.head.kind == EV_EXCHANGE)
		aggregate_add_exchange(p->sums, &e.exchange);
	else if (e.head.kind == EV_ANSWER)
		aggregate_add_answer(p->sums, &e.answer);
	else if (e.head.kind == EV_CONN_CLOSE && p->h->conn_close && !p->enough &&
		 p->h->conn_close(p->h->ctx, &e.conn_close))
		p->enough = true;
	else if (e.head.kind == EV_TURN && p->h->turn)
		p->h->turn(p->h->ctx, &e.turn);
	else if (e.head.kind == EV_OFFCPU && p->h->offcpu)
		p->h->offcpu(p->h->ctx, &e.offcpu);
	else if (e.head.kind == EV_SAMPLE && p->h->sample)
		p->h->sample(p->h->ctx, &e.sample);
}

static void tell_latency(struct replaying *p, uint64_t now)
{
	p->next_latency_ns = now + TAIL_EVERY_NS;
	if (p->h->latency)
		p->h->latency(p->h->ctx, now, &p->sums->ledger.latency);
}

static void on_time(struct replaying *p, uint64_t now)
{
	if (!p->first_ns || now < p->first_ns)
		p->first_ns = now;
	if (now > p->last_ns)
		p->last_ns = now;
}

/* False if the bytes are not records: the rest of them is passed over. */
static bool feed(struct replaying *p, const uint8_t *data, size_t len)
{
	struct event_head head;

	for (; len && !p->enough; data += head.size, len -= head.size) {
		if (len < sizeof(head))
			return false;
		memcpy(&head, data, sizeof(head));
		if (head.size < sizeof(head) || head.size > len)
			return false;
		on_time(p, head.time_ns);
		if (head.kind != CAPTURE_TICK) {
			on_record(p, data, head.size);
			continue;
		}
		correlate_tick(p->correlate, head.time_ns);
		if (p->h->tail_only)
			tail_judge_tick(&p->judge, head.time_ns);
		if (head.time_ns >= p->next_latency_ns)
			tell_latency(p, head.time_ns);
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
	if (p->h->window_ns)
		p->r->window_ns = p->h->window_ns;
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
			stack_modules_resolve(p->modules, p->h->debug_dir, s->frames[i], &nameless);

		frames[i] = name ? name : s->frames[i];
		if (nameless && p->h->module)
			p->h->module(p->h->ctx, nameless);
	}
	p->h->stack(p->h->ctx, &named);
}

static int on_chunk(struct replaying *p, const struct capture_chunk *chunk)
{
	switch (chunk->type) {
	case CHUNK_EVENTS:
		if (!feed(p, chunk->data, chunk->len))
			damaged(p, chunk->offset, "a chunk of events that are none");
		return 0;
	case CHUNK_AGGREGATE:
		return read_aggregate(p, chunk);
	case CHUNK_TRAILER:
		settle_aggregate(p);
		p->trailed = true;
		return read_meta(p, (struct items){ .data = chunk->data, .len = chunk->len },
				 chunk->offset);
	case CHUNK_STACKS:
		if (p->h->stack && stacks_get(chunk->data, chunk->len, on_stack, p))
			damaged(p, chunk->offset, "a chunk of stacks that are none");
		return 0;
	case CHUNK_MODULES:
		if (p->h->stack && modules_get(chunk->data, chunk->len, on_module, p))
			damaged(p, chunk->offset, "a chunk of modules that are none");
		return 0;
	default:
		if (p->h->chunk)
			p->h->chunk(p->h->ctx, chunk->type, chunk->data, chunk->len);
		return 0;
	}
}

static int read_all(struct replaying *p)
{
	struct capture_chunk chunk;
	int got = 0, err = 0;

	if (p->reader.items.len) {
		p->headed = true;
		err = read_meta(p, p->reader.items, 0);
	}
	p->judge.tail.window_ns = p->r->window_ns;
	if (p->h->attached)
		p->h->attached(p->h->ctx);
	while (!err && !p->enough && !p->trailed && (got = capture_next(&p->reader, &chunk)) > 0)
		err = on_chunk(p, &chunk);
	correlate_flush(p->correlate);
	return err ? err : got < 0 ? got : 0;
}

static void tell_window(struct watch_result *r)
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
static void tell_rebuilt(struct replaying *p)
{
	struct watch_result *r = p->r;

	r->interrupted = p->reader.flags & CAPTURE_INCOMPLETE && !p->trailed && !p->enough;
	if (!r->rebuilt)
		return;
	if (p->reader.flags & CAPTURE_WINDOW)
		tell_window(r);
	else if (p->reader.flags & CAPTURE_INCOMPLETE && !p->trailed)
		note(r, "the recording was interrupted: all is added up from the exchanges that "
			"reached the file; what only its end could tell is left out");
	else
		note(r, "the capture's own sums can't be read: all is added up from its exchanges; "
			"what they do not tell is left out");
}

/* Prints what is wrong with the file, once. */
static void tell_damage(struct replaying *p)
{
	struct capture_reader *r = &p->reader;
	bool interrupted = r->known && r->flags & CAPTURE_INCOMPLETE;

	if (!p->trailed && !p->enough && !interrupted)
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

	tell_latency(p, p->trailed ? r->end_ns : p->last_ns);
	settle_aggregate(p);
	if (p->sums == r->aggregate)
		p->sums = NULL;
	tell_damage(p);
	if (!p->headed && !p->trailed)
		return EXIT_FAULT;	/* not even when and what it was */
	tell_rebuilt(p);
	if (!p->trailed)
		r->end_ns = p->last_ns > r->start_ns ? p->last_ns : r->start_ns;
	if (r->bad_events)
		warn_line("%llu events could not be understood", (unsigned long long)r->bad_events);
	return EXIT_OK;
}

int replay_fd(int fd, const char *name, const struct watch_handlers *h, struct watch_result *r)
{
	struct correlate_limits limits = {
		.capacity = CORRELATE_CAPACITY, .wait_ns = CORRELATE_WAIT_NS,
		.grace_ns = CORRELATE_GRACE_NS,
	};
	struct replaying p = { .name = name, .h = h, .r = r };
	char why[160] = "";
	int err, status = EXIT_FAULT;

	*r = (struct watch_result){
		.program_status = -1, .collector_cpu_seconds = NAN, .stack_hz = h->stack_hz,
		.stack_depth = STACK_DEPTH,
		.window_ns = h->window_ns ? h->window_ns : TAIL_WINDOW_NS,
	};
	memset(r->features.available, true, sizeof(r->features.available));
	err = capture_begin(&p.reader, fd, why, sizeof(why));
	if (err) {
		fail_line("%.300s: %s", name, why);
		goto out;
	}
	p.correlate = correlate_new(&limits, on_exchange, &p);
	p.sums = aggregate_new();
	p.modules = stack_modules_new();
	err = p.correlate && p.sums && p.modules ? read_all(&p) : -ENOMEM;
	if (err)
		fail_line("%.300s: reading failed: %s", name, strerror(-err));
	else
		status = finish(&p);
out:
	capture_shut(&p.reader);
	correlate_free(p.correlate);
	stack_modules_free(p.modules);
	if (p.sums != r->aggregate)
		aggregate_free(p.sums);
	return status;
}

int replay(const struct options *o, const struct watch_handlers *h, struct watch_result *r)
{
	bool piped = !strcmp(o->input, "-");
	int fd = piped ? STDIN_FILENO : open(o->input, O_RDONLY | O_CLOEXEC);

	*r = (struct watch_result){ .program_status = -1 };
	if (fd < 0) {
		int err = errno;

		fail_line("cannot read '%.300s': %s", o->input, strerror(err));
		return exit_status_of(-err);
	}
	/* As when watching: a reader that left is an error of our writing, not our end. */
	signal(SIGPIPE, SIG_IGN);
	return replay_fd(fd, piped ? "standard input" : o->input, h, r);
}
