/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.c - the result of a run: text for people, or one JSON object on one line for programs. */
#include <inttypes.h>
#include <sys/resource.h>

#include "tools/clock.h"
#include "protocol.h"
#include "report.h"

static const char *const loss_names[LOSSES] = {
	[LOST_CONNECT] = "connect", [LOST_RESET] = "reset", [LOST_CLOSED] = "closed",
	[LOST_TIMEOUT] = "timeout", [LOST_GARBLED] = "garbled", [LOST_STOPPED] = "stopped",
};

static const char *const refusal_names[REFUSALS] = {
	[FAILED_REFUSED] = "refused", [FAILED_TIMEOUT] = "timeout", [FAILED_NO_PORT] = "no_port",
	[FAILED_NO_FILE] = "no_file", [FAILED_OTHER] = "other",
};

/* Seconds of the run, requests a second sent and answered. */
struct speed {
	double seconds, sent, answered;
};

static uint64_t sum(const uint64_t *n, int count)
{
	uint64_t all = 0;

	for (int i = 0; i < count; i++)
		all += n[i];
	return all;
}

static double per_second(uint64_t n, uint64_t from_ns, uint64_t last_ns)
{
	return last_ns > from_ns ? (double)n * (double)NS_PER_S / (double)(last_ns - from_ns) : 0;
}

static struct speed speed_of(const struct result *r)
{
	const struct counts *c = &r->counts;

	/* The first is sent at the start: n of them have n - 1 gaps. */
	return (struct speed){
		.seconds = (double)(r->end_ns - r->start_ns) / (double)NS_PER_S,
		.sent = per_second(c->sent ? c->sent - 1 : 0, r->start_ns, c->last_sent_ns),
		.answered = per_second(c->answered, r->start_ns, c->last_answer_ns),
	};
}

struct text {
	char s[32];
};

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

static void print_head(FILE *out, const struct config *cfg, const struct speed *s)
{
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

static void print_counts(FILE *out, const struct config *cfg, const struct counts *c,
			 const struct speed *s)
{
	fprintf(out, "sent         %10" PRIu64 "   %" PRIu64 "/s", c->sent, (uint64_t)(s->sent + .5));
	if (c->unsent)
		fprintf(out, "; %" PRIu64 " more were due and never sent", c->unsent);
	fprintf(out, "\nanswered     %10" PRIu64 "   %" PRIu64 "/s\n", c->answered,
		(uint64_t)(s->answered + .5));
	if (c->refused)
		fprintf(out, "refused      %10" PRIu64 "   not in the latency\n", c->refused);
	fprintf(out, "lost         %10" PRIu64, sum(c->lost, LOSSES));
	print_kinds(out, loss_names, c->lost, LOSSES);
	fprintf(out, "connections  %10" PRIu64 "   opened, %" PRIu64 " closed by the server, %" PRIu64
		" failed", c->opened, c->closed_by_peer, sum(c->failed, REFUSALS));
	print_kinds(out, refusal_names, c->failed, REFUSALS);
	if (cfg->active < cfg->connections || cfg->hold)
		fprintf(out, "             %10" PRIu64 "   open at the end\n", c->kept);
	if (cfg->topics)
		fprintf(out, "deliveries   %10" PRIu64 "   of %" PRIu64 ": published ones times the "
			"subscribers of their topic\n", c->delivered, c->to_deliver);
	fprintf(out, "bytes        %10" PRIu64 "   sent, %" PRIu64 " received\n\n", c->bytes_sent,
		c->bytes_received);
}

static void print_text(FILE *out, const struct config *cfg, const struct result *r)
{
	const struct counts *c = &r->counts;
	struct speed s = speed_of(r);

	print_head(out, cfg, &s);
	print_counts(out, cfg, c, &s);
	fprintf(out, "%-12s %10s %10s %10s %10s %10s %10s\n", "", "mean", "p50", "p90", "p99",
		"p99.9", "max");
	print_summary(out, "latency", &c->latency);
	if (cfg->topics)
		print_summary(out, "delivery", &c->delivery);
	if (!cfg->closed)
		print_summary(out, "send error", &c->send_error);
	if (c->held)
		print_summary(out, "  our own", &c->own_error);
	print_summary(out, "connect", &c->connect);
	if (!cfg->closed)
		fprintf(out, "\nLatency counts from the intended time; send error is the actual minus "
			"the intended time.\n");
	if (c->held)
		fprintf(out, "%" PRIu64 " requests were sent late because every connection was "
			"busy; `our own' is the error of the rest.\n", c->held);
	if (sum(c->lost, LOSSES) || c->unsent)
		fprintf(out, "The latency is that of the answered ones only: the lost and unsent "
			"would make it worse.\n");
}

/* Three decimals; the locale is never set, so the sign is '.'. */
static void put_number(FILE *out, const char *name, double value)
{
	fprintf(out, "\"%s\":%.3f", name, value);
}

/* The target is what getaddrinfo took for an address: still, nothing may break the string. */
static void put_text(FILE *out, const char *name, const char *s)
{
	fprintf(out, "\"%s\":\"", name);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void put_kinds(FILE *out, const char *const *names, const uint64_t *n, int count)
{
	for (int i = 0; i < count; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", names[i], n[i]);
}

static void put_value(FILE *out, const char *name, bool known, uint64_t value)
{
	if (known)
		fprintf(out, ",\"%s\":%" PRIu64, name, value);
	else
		fprintf(out, ",\"%s\":null", name);
}

static void put_summary(FILE *out, const char *name, const struct hist *h)
{
	struct summary s;

	histogram_summary(h, &s);
	fprintf(out, ",\"%s\":{\"count\":%" PRIu64, name, s.count);
	put_value(out, "mean", s.count, s.mean_ns);
	put_value(out, "p50", s.count, s.p50_ns);
	put_value(out, "p90", s.count, s.p90_ns);
	put_value(out, "p99", s.count, s.p99_ns);
	put_value(out, "p999", s.count, s.p999_ns);
	put_value(out, "max", s.count, s.max_ns);
	fprintf(out, "}");
}

/* The whole distribution: [upper bound in ns, count] of each bucket that holds something. */
static void put_buckets(FILE *out, const struct hist *h)
{
	const char *sep = "";

	fprintf(out, ",\"latency_buckets\":[");
	for (unsigned b = 0; b < HIST_BUCKETS; b++) {
		if (!h->bucket[b])
			continue;
		fprintf(out, "%s[%" PRIu64 ",%" PRIu64 "]", sep, (uint64_t)hist_bucket_upper(b),
			(uint64_t)h->bucket[b]);
		sep = ",";
	}
	fprintf(out, "]");
}

static void put_config(FILE *out, const struct config *cfg)
{
	fprintf(out, "{\"schema\":\"epollload.report/1\",");
	put_text(out, "target", cfg->host);
	fprintf(out, ",\"targets\":%u", cfg->targets);
	fprintf(out, ",\"protocol\":\"%s\",\"loop\":\"%s\",", cfg->protocol->name,
		cfg->closed ? "closed" : "open");
	fprintf(out, "\"rate\":");
	fprintf(out, cfg->closed ? "null" : "%" PRIu64, cfg->rate);
	fprintf(out, ",\"threads\":%u,\"pipeline\":%u,\"size\":%u,\"connection_per_request\":%s,",
		cfg->threads, cfg->depth, cfg->size, cfg->conn_per_request ? "true" : "false");
}

static void put_requests(FILE *out, const struct counts *c, const struct speed *s)
{
	fprintf(out, ",\"requests\":{\"intended\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"unsent\":%" PRIu64
		",\"answered\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"lost\":%" PRIu64
		",\"held\":%" PRIu64 ",", c->sent + c->unsent, c->sent, c->unsent, c->answered,
		c->refused, sum(c->lost, LOSSES), c->held);
	put_number(out, "sent_per_s", s->sent);
	fputc(',', out);
	put_number(out, "answered_per_s", s->answered);
	fprintf(out, "},\"lost\":{");
	put_kinds(out, loss_names, c->lost, LOSSES);
	fprintf(out, "}");
}

static void put_topics(FILE *out, const struct config *cfg, const struct counts *c)
{
	if (!cfg->topics)
		return;
	fprintf(out, ",\"topics\":%u,\"deliveries\":{\"expected\":%" PRIu64 ",\"received\":%" PRIu64
		"}", cfg->topics, c->to_deliver, c->delivered);
	put_summary(out, "delivery_ns", &c->delivery);
}

/* Processor time that we used. */
static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void put_json(FILE *out, const struct config *cfg, const struct result *r)
{
	const struct counts *c = &r->counts;
	struct speed s = speed_of(r);

	put_config(out, cfg);
	put_number(out, "seconds", s.seconds);
	fputc(',', out);
	put_number(out, "cpu_seconds", cpu_seconds());
	put_requests(out, c, &s);
	fprintf(out, ",\"connections\":{\"asked\":%u,\"active\":%u,\"opened\":%" PRIu64
		",\"closed_by_server\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"open_at_end\":%" PRIu64 "},\"failed\":{",
		cfg->connections, cfg->active, c->opened, c->closed_by_peer, sum(c->failed, REFUSALS),
		c->kept);
	put_kinds(out, refusal_names, c->failed, REFUSALS);
	fprintf(out, "},\"bytes\":{\"sent\":%" PRIu64 ",\"received\":%" PRIu64 "}", c->bytes_sent,
		c->bytes_received);
	put_summary(out, "latency_ns", &c->latency);
	put_summary(out, "send_error_ns", &c->send_error);
	put_summary(out, "own_send_error_ns", &c->own_error);
	put_summary(out, "connect_ns", &c->connect);
	put_buckets(out, &c->latency);
	put_topics(out, cfg, c);
	fprintf(out, "}\n");
}

void report(FILE *out, const struct config *cfg, const struct result *r)
{
	(cfg->json ? put_json : print_text)(out, cfg, r);
}
