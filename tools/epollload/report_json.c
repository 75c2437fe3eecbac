/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report_json.c - the result for programs: one JSON object on one line. */
#include <inttypes.h>

#include "tools/clock.h"
#include "protocol.h"
#include "report.h"

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
		c->refused, counts_lost(c), c->held);
	put_number(out, "sent_per_s", s->sent);
	fputc(',', out);
	put_number(out, "answered_per_s", s->answered);
	fprintf(out, "},\"lost\":{");
	put_kinds(out, loss_names, c->lost, LOSSES);
	fprintf(out, "}");
}

static void put_topics(FILE *out, const struct report *r)
{
	if (!r->cfg->topics)
		return;
	fprintf(out, ",\"topics\":%u,\"deliveries\":{\"expected\":%" PRIu64 ",\"received\":%" PRIu64
		"}", r->cfg->topics, r->counts->to_deliver, r->counts->delivered);
	put_summary(out, "delivery_ns", &r->counts->delivery);
}

void report_json(FILE *out, const struct report *r)
{
	const struct counts *c = r->counts;
	struct speed s;

	report_speed(r, &s);
	put_config(out, r->cfg);
	put_number(out, "seconds", s.seconds);
	fputc(',', out);
	put_number(out, "cpu_seconds", r->cpu_s);
	put_requests(out, c, &s);
	fprintf(out, ",\"connections\":{\"asked\":%u,\"active\":%u,\"opened\":%" PRIu64
		",\"closed_by_server\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"open_at_end\":%" PRIu64 "},\"failed\":{",
		r->cfg->connections, r->cfg->active, c->opened, c->closed_by_peer, counts_failed(c),
		c->kept);
	put_kinds(out, refusal_names, c->failed, REFUSALS);
	fprintf(out, "},\"bytes\":{\"sent\":%" PRIu64 ",\"received\":%" PRIu64 "}", c->bytes_sent,
		c->bytes_received);
	put_summary(out, "latency_ns", &c->latency);
	put_summary(out, "send_error_ns", &c->send_error);
	put_summary(out, "own_send_error_ns", &c->own_error);
	put_summary(out, "connect_ns", &c->connect);
	put_buckets(out, &c->latency);
	put_topics(out, r);
	fprintf(out, "}\n");
}
