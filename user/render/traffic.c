/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* traffic.c - what kinds of traffic the connections carry: as text, JSON and words for the page. */
#include <string.h>

#include "render/columns.h"
#include "render/render.h"

bool traffic_known(const struct report *r)
{
	for (unsigned i = 0; i < TRAFFIC_KINDS - 1; i++)
		if (r->traffic[i].connections)
			return !r->exchanges_only;
	return false;
}

void traffic_protocols(const struct traffic_info *t, char *out, size_t size)
{
	size_t at = 0;

	*out = '\0';
	for (unsigned p = 1; p <= PROTOCOL_COUNT; p++) {
		/* The others come last. */
		unsigned protocol = p % PROTOCOL_COUNT;
		uint64_t n = t->protocols[protocol];

		if (!n || at >= size)
			continue;
		at += (size_t)snprintf(out + at, size - at, "%s%s %s", at ? ", " : "",
				       protocol ? protocol_name(protocol) : "other",
				       format_count(n).s);
	}
}

void traffic_sentences(const struct report *r, char *out, size_t size)
{
	const struct traffic_info *lapping = &r->traffic[KIND_OVERLAPPING - 1];
	uint64_t late = r->counters.kind_late, reads = lapping->exchanges + late;
	size_t at = 0;

	*out = '\0';
#define SAY(...) do {									\
	if (at < size)									\
		at += (size_t)snprintf(out + at, size - at, __VA_ARGS__);		\
} while (0)
	if (lapping->connections)
		SAY("Overlapping: several requests at once on a connection");
	if (lapping->connections && reads)
		SAY(", %s of their reads came while an answer was due",
		    format_share((double)late / (double)reads).s);
	if (lapping->connections)
		SAY("; from a read to the next send is a lower bound of a request's latency. ");
	if (r->traffic[KIND_ONE_WAY - 1].connections)
		SAY("One-way: pushes, acknowledgements, replication, which answer nothing. ");
	if (lapping->connections || r->traffic[KIND_ONE_WAY - 1].connections)
		SAY("Neither is in the latency, the ledger or the diagnosis. ");
	if (r->counters.kind_rejudged)
		SAY("%s exchanges were counted before their connection's kind was known. ",
		    format_count(r->counters.kind_rejudged).s);
	if (r->counters.kind_doubtful)
		SAY("%s exchanges were counted although their connection's kind was in doubt. ",
		    format_count(r->counters.kind_doubtful).s);
#undef SAY
}

/* ---- text ------------------------------------------------------------------------------ */

#define NAME_WIDTH	-17
#define PROTOCOLS_WIDTH	27

/* A list that is too long ends where it can. */
static void shorten(char *list, size_t width)
{
	size_t end = width - 5;	/* ", ..." */

	if (strlen(list) <= width)
		return;
	while (end && list[end] != ',')
		end--;
	strcpy(list + end, end ? ", ..." : "...");
}

static void put_kind(FILE *out, const struct traffic_info *t, const char *name)
{
	const uint64_t ns[] = { t->latency.p50_ns, t->latency.p99_ns };
	char protocols[256];

	traffic_protocols(t, protocols, sizeof(protocols));
	shorten(protocols, PROTOCOLS_WIDTH);
	put_cell(out, name, NAME_WIDTH);
	put_cell(out, format_fit(t->connections, 11).s, 12);
	put_cell(out, t->latency.count ? format_fit(t->exchanges, 11).s : "-", 12);
	put_cell(out, format_short(t->bytes_in).s, 6);
	put_cell(out, format_short(t->bytes_out).s, 6);
	for (unsigned i = 0; i < 2; i++)
		put_cell(out, t->latency.count ? format_ns(ns[i]).s : "-", 9);
	fprintf(out, "%s%s\n", protocols[0] ? "  " : "", protocols);
}

void put_traffic(FILE *out, const struct report *r, const struct style *style)
{
	char text[768];
	struct para p;

	if (!traffic_known(r))
		return;
	fprintf(out, "\n%s", ink_on(style, INK_BOLD));
	put_cell(out, "TRAFFIC", NAME_WIDTH);
	fprintf(out, "%12s%12s%6s%6s%9s%9s  %s%s\n", "connections", "exchanges", "in", "out", "P50",
		"P99", "protocols", ink_off(style));
	for (unsigned i = 0; i < TRAFFIC_KINDS - 1; i++)
		if (r->traffic[i].connections || r->traffic[i].exchanges)
			put_kind(out, &r->traffic[i], traffic_kind_name(i + 1));
	traffic_sentences(r, text, sizeof(text));
	if (!*text)
		return;
	para_begin(&p, out, style, "", 2);
	para_words(&p, text);
	para_end(&p);
}

/* ---- JSON ------------------------------------------------------------------------------ */

static void json_kind(struct json *j, const struct traffic_info *t, const char *name)
{
	json_object(j, NULL);
	json_string(j, "kind", name);
	json_u64(j, "connections", t->connections);
	json_u64(j, "exchanges", t->exchanges);
	json_u64(j, "bytes_in", t->bytes_in);
	json_u64(j, "bytes_out", t->bytes_out);
	if (t->latency.count) {
		json_object(j, "latency_ns");
		json_columns(j, latency_columns, &t->latency);
		json_object_end(j);
	} else {
		json_null(j, "latency_ns");
	}
	json_object(j, "protocols");
	for (unsigned protocol = 1; protocol < PROTOCOL_COUNT; protocol++)
		if (t->protocols[protocol])
			json_u64(j, protocol_name(protocol), t->protocols[protocol]);
	json_object_end(j);
	json_object_end(j);
}

void json_traffic(struct json *j, const struct report *r)
{
	json_array(j, "traffic");
	for (unsigned i = 0; i < TRAFFIC_KINDS - 1; i++)
		json_kind(j, &r->traffic[i], traffic_kind_name(i + 1));
	json_array_end(j);
	json_u64(j, "reads_while_due", r->counters.kind_late);
	json_u64(j, "rejudged", r->counters.kind_rejudged);
}
