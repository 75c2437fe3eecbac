/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report_text.c - the result for people; and the figures that both forms show. */
#include <inttypes.h>

#include "tools/clock.h"
#include "protocol.h"
#include "report.h"

struct text {
	char s[32];
};

static double per_second(uint64_t n, uint64_t from_ns, uint64_t last_ns)
{
	return last_ns > from_ns ? (double)n * (double)NS_PER_S / (double)(last_ns - from_ns) : 0;
}

void report_speed(const struct report *r, struct speed *s)
{
	const struct counts *c = r->counts;

	s->seconds = (double)(r->end_ns - r->start_ns) / (double)NS_PER_S;
	/* The first is sent at the start: n of them have n - 1 gaps. */
	s->sent = per_second(c->sent ? c->sent - 1 : 0, r->start_ns, c->last_sent_ns);
	s->answered = per_second(c->answered, r->start_ns, c->last_answer_ns);
}

static struct text duration(uint64_t ns)
{
	static const struct {
		uint64_t from, unit;
		const char *name;
	} units[] = { { 1000000000, 1000000000, "s" }, { 1000000, 1000000, "ms" }, { 1000, 1000, "us" } };
	struct text t;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t u = units[i].unit, hundredths = ns % u * 100 / u;

		if (ns < units[i].from)
			continue;
		snprintf(t.s, sizeof(t.s), "%" PRIu64 ".%02" PRIu64 " %s", ns / u, hundredths,
			 units[i].name);
		return t;
	}
	snprintf(t.s, sizeof(t.s), "%" PRIu64 " ns", ns);
	return t;
}

static void print_summary(FILE *out, const char *name, const struct hist *h)
{
	struct summary s;

	histogram_summary(h, &s);
	if (!s.count) {
		fprintf(out, "%-12s %10s\n", name, "-");
		return;
	}
	fprintf(out, "%-12s %10s %10s %10s %10s %10s %10s\n", name, duration(s.mean_ns).s,
		duration(s.p50_ns).s, duration(s.p90_ns).s, duration(s.p99_ns).s,
		duration(s.p999_ns).s, duration(s.max_ns).s);
}

/* "name 3, other 1" of those that are not zero. */
static void print_kinds(FILE *out, const char *const *names, const uint64_t *n, int count)
{
	const char *sep = " (";

	for (int i = 0; i < count; i++) {
		if (!n[i])
			continue;
		fprintf(out, "%s%s %" PRIu64, sep, names[i], n[i]);
		sep = ", ";
	}
	fprintf(out, "%s\n", *sep == ',' ? ")" : "");
}

static void print_head(FILE *out, const struct report *r, const struct speed *s)
{
	const struct config *cfg = r->cfg;
	uint64_t tenths = (uint64_t)(s->seconds * 10 + .5);

	fprintf(out, "%s %s, %s loop", cfg->protocol->name, cfg->host,
		cfg->closed ? "closed" : "open");
	if (!cfg->closed)
		fprintf(out, " at %" PRIu64 " requests/s", cfg->rate);
	if (cfg->targets > 1)
		fprintf(out, ", %u targets", cfg->targets);
	fprintf(out, ", %u connections%s", cfg->connections,
		cfg->conn_per_request ? " (one per request)" : "");
	if (cfg->active < cfg->connections)
		fprintf(out, " (%u %s)", cfg->active, cfg->topics ? "publish" : "active");
	if (cfg->topics)
		fprintf(out, ", %u topics", cfg->topics);
	if (cfg->depth > 1)
		fprintf(out, ", pipelining %u", cfg->depth);
	fprintf(out, ", %u thread%s, %" PRIu64 ".%" PRIu64 " s\n\n", cfg->threads,
		cfg->threads == 1 ? "" : "s", tenths / 10, tenths % 10);
}

static void print_counts(FILE *out, const struct report *r, const struct speed *s)
{
	const struct counts *c = r->counts;

	fprintf(out, "sent         %10" PRIu64 "   %" PRIu64 "/s", c->sent, (uint64_t)(s->sent + .5));
	if (c->unsent)
		fprintf(out, "; %" PRIu64 " more were due and never sent", c->unsent);
	fprintf(out, "\nanswered     %10" PRIu64 "   %" PRIu64 "/s\n", c->answered,
		(uint64_t)(s->answered + .5));
	if (c->refused)
		fprintf(out, "refused      %10" PRIu64 "   not in the latency\n", c->refused);
	fprintf(out, "lost         %10" PRIu64, counts_lost(c));
	print_kinds(out, loss_names, c->lost, LOSSES);
	fprintf(out, "connections  %10" PRIu64 "   opened, %" PRIu64 " closed by the server, %" PRIu64
		" failed", c->opened, c->closed_by_peer, counts_failed(c));
	print_kinds(out, refusal_names, c->failed, REFUSALS);
	if (r->cfg->active < r->cfg->connections || r->cfg->hold)
		fprintf(out, "             %10" PRIu64 "   open at the end\n", c->kept);
	if (r->cfg->topics)
		fprintf(out, "deliveries   %10" PRIu64 "   of %" PRIu64 ": published ones times the "
			"subscribers of their topic\n", c->delivered, c->to_deliver);
	fprintf(out, "bytes        %10" PRIu64 "   sent, %" PRIu64 " received\n\n", c->bytes_sent,
		c->bytes_received);
}

void report_text(FILE *out, const struct report *r)
{
	const struct counts *c = r->counts;
	struct speed s;

	report_speed(r, &s);
	print_head(out, r, &s);
	print_counts(out, r, &s);
	fprintf(out, "%-12s %10s %10s %10s %10s %10s %10s\n", "", "mean", "p50", "p90", "p99",
		"p99.9", "max");
	print_summary(out, "latency", &c->latency);
	if (r->cfg->topics)
		print_summary(out, "delivery", &c->delivery);
	if (!r->cfg->closed)
		print_summary(out, "send error", &c->send_error);
	if (c->held)
		print_summary(out, "  our own", &c->own_error);
	print_summary(out, "connect", &c->connect);
	if (!r->cfg->closed)
		fprintf(out, "\nLatency counts from the intended time; send error is the actual minus "
			"the intended time.\n");
	if (c->held)
		fprintf(out, "%" PRIu64 " requests were sent late because every connection was "
			"busy; `our own' is the error of the rest.\n", c->held);
	if (counts_lost(c) || c->unsent)
		fprintf(out, "The latency is that of the answered ones only: the lost and unsent "
			"would make it worse.\n");
}
