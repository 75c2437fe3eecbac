/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lines.c - a line for each slow exchange and each closed connection. */
#include <inttypes.h>
#include <string.h>

#include "render/render.h"

bool exchange_split(const struct ev_exchange *x, unsigned stage, struct stage_split *out)
{
	static const struct {
		enum split_stage split;
		uint32_t flag;
	} split_of[STAGE_COUNT] = {
		[STAGE_BUSY] = { SPLIT_BUSY, EXCHANGE_SPLIT_BUSY },
		[STAGE_DISPATCH] = { SPLIT_DISPATCH, EXCHANGE_SPLIT_DISPATCH },
		[STAGE_SERVICE] = { SPLIT_SERVICE, EXCHANGE_SPLIT_SERVICE },
	};
	const struct split *split = &x->split[split_of[stage].split];
	uint64_t other, all = x->stage_ns[stage];

	*out = (struct stage_split){ 0 };
	if (!(x->flags & split_of[stage].flag))
		return false;
	*out = (struct stage_split){
		.runnable_ns = split->runnable_ns,
		.blocked_ns = split->blocked_ns,
		.others_ns = stage == STAGE_SERVICE ? x->aside.others_ns : 0,
		.idle_ns = stage == STAGE_SERVICE ? x->aside.idle_ns : 0,
		.unarmed_ns = stage == STAGE_BUSY ? x->aside.unarmed_ns : 0,
	};
	other = out->runnable_ns + out->blocked_ns + out->others_ns + out->idle_ns +
		out->unarmed_ns;
	out->oncpu_ns = other < all ? all - other : 0;
	return true;
}

/* ---- JSON ------------------------------------------------------------------------------ */

/* A cookie as ss -e shows it; a string, because JSON readers round numbers above 2^53. */
static void put_cookie(struct json *j, uint64_t conn)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIx64, conn);
	json_string(j, "conn", text);
}

/* Captures from before there were kinds hold request-response alone. */
static void put_kind(struct json *j, unsigned kind, unsigned protocol)
{
	if (kind)
		json_string(j, "kind", traffic_kind_name(kind));
	else
		json_null(j, "kind");
	if (protocol)
		json_string(j, "protocol", protocol_name(protocol));
	else
		json_null(j, "protocol");
}

static void put_stage(struct json *j, const struct ev_exchange *ex, unsigned stage)
{
	struct stage_split split;
	bool known = exchange_split(ex, stage, &split);

	json_object(j, NULL);
	json_string(j, "stage", stage_name(stage));
	json_u64(j, "ns", ex->stage_ns[stage]);
	json_known(j, "oncpu_ns", known, split.oncpu_ns);
	json_known(j, "runnable_ns", known, split.runnable_ns);
	json_known(j, "blocked_ns", known, split.blocked_ns);
	if (stage == STAGE_BUSY) {
		json_known(j, "unarmed_ns", known || ex->flags & EXCHANGE_UNARMED,
			   ex->aside.unarmed_ns);
	} else if (stage == STAGE_SERVICE) {
		json_known(j, "others_ns", known, split.others_ns);
		json_known(j, "idle_ns", known, split.idle_ns);
	}
	json_object_end(j);
}

static void put_answer(struct json *j, const struct exchange_info *x)
{
	bool delivered = x->has_answer && x->answer.flags & ANSWER_DELIVERED;

	json_known(j, "send_ns", x->has_answer, x->answer.send_ns);
	json_known(j, "deliver_ns", delivered, x->answer.deliver_ns);
	json_u64(j, "bytes_in", x->ex.bytes_in);
	json_known(j, "bytes_out", x->has_answer, x->answer.bytes_out);
}

void json_exchange(struct json *j, const struct exchange_info *x, int64_t offset_ns)
{
	const struct ev_exchange *ex = &x->ex;

	json_string(j, "time", format_time(ex->head.time_ns + (uint64_t)offset_ns, 6).s);
	json_u64(j, "pid", ex->pid);
	json_u64(j, "tid", ex->tid);
	json_bytes(j, "comm", ex->comm, sizeof(ex->comm));
	put_cookie(j, ex->conn);
	json_u64(j, "number", ex->number);
	json_string(j, "local", format_end(&ex->flow, END_LOCAL).s);
	json_string(j, "remote", format_end(&ex->flow, END_REMOTE).s);
	json_string(j, "role", role_name(ex->flow.role));
	json_u64(j, "latency_ns", ex->latency_ns);
	json_array(j, "stages");
	for (unsigned i = 0; i < STAGE_COUNT; i++)
		put_stage(j, ex, i);
	json_array_end(j);
	put_answer(j, x);
	json_u64(j, "turn", ex->turn);
	json_bool(j, "async", ex->flags & EXCHANGE_ASYNC);
	json_bool(j, "handoff", ex->flags & EXCHANGE_HANDOFF);
	json_bool(j, "clamped", ex->flags & EXCHANGE_CLAMPED);
	json_bool(j, "merged", ex->flags & EXCHANGE_MERGED);
	json_bool(j, "no_wait", ex->flags & EXCHANGE_NO_WAIT);
	put_kind(j, ex->kind ? ex->kind : KIND_REQUEST, ex->protocol);
	json_known(j, "upstream_ns", ex->aside.upstream_ns, ex->aside.upstream_ns);
	json_bool(j, "estimated", ex->flags & EXCHANGE_ESTIMATED);
}

void render_slow_json(FILE *out, const struct exchange_info *x, int64_t offset_ns)
{
	struct json j;

	json_start(&j, out, 0);
	json_object(&j, NULL);
	json_string(&j, "schema", SCHEMA_SLOW);
	json_exchange(&j, x, offset_ns);
	json_object_end(&j);
	json_finish(&j);
}

void render_conn_json(FILE *out, const struct ev_conn_close *c, int64_t offset_ns)
{
	struct json j;

	json_start(&j, out, 0);
	json_object(&j, NULL);
	json_string(&j, "schema", SCHEMA_CONN);
	json_string(&j, "time", format_time(c->head.time_ns + (uint64_t)offset_ns, 6).s);
	json_u64(&j, "pid", c->pid);
	json_bytes(&j, "comm", c->comm, sizeof(c->comm));
	put_cookie(&j, c->conn);
	json_string(&j, "role", role_name(c->flow.role));
	json_string(&j, "local", format_addr(&c->flow, END_LOCAL).s);
	json_u64(&j, "local_port", c->flow.local_port);
	json_string(&j, "remote", format_addr(&c->flow, END_REMOTE).s);
	json_u64(&j, "remote_port", c->flow.remote_port);
	json_bool(&j, "preexisting", c->preexisting);
	json_u64(&j, "duration_ns", c->duration_ns);
	json_object(&j, "states");
	for (unsigned i = 1; i < TCP_STATES; i++)
		if (c->state_ns[i])
			json_u64(&j, tcp_state_name(i), c->state_ns[i]);
	json_object_end(&j);
	json_known(&j, "accept_wait_ns", c->accept_wait_ns != UINT64_MAX, c->accept_wait_ns);
	json_u64(&j, "bytes_in", c->bytes_in);
	json_u64(&j, "bytes_out", c->bytes_out);
	json_u64(&j, "exchanges", c->exchanges);
	json_u64(&j, "max_latency_ns", c->max_latency_ns);
	json_u64(&j, "srtt_ns", c->srtt_ns);
	json_u64(&j, "retransmits", c->retransmits);
	json_string(&j, "closed_by", close_side_name(c->closed_by));
	json_string(&j, "reason", close_reason_name(c->reason));
	put_kind(&j, c->kind || !c->exchanges ? c->kind : KIND_REQUEST, c->protocol);
	json_object_end(&j);
	json_finish(&j);
}

/* ---- text ------------------------------------------------------------------------------ */

#define PEER_COLUMNS 21

/* An address that is too long keeps its end: the port tells connections apart. */
static void put_peer(FILE *out, const struct flow *flow)
{
	struct fmt end = format_end(flow, END_REMOTE);
	size_t len = strlen(end.s);

	if (len > PEER_COLUMNS)
		fprintf(out, "~%s", end.s + len - (PEER_COLUMNS - 1));
	else
		fprintf(out, "%-*s", PEER_COLUMNS, end.s);
}

/* The stages that dominate, largest first, as far as they fit. */
static void put_dominant(FILE *out, const struct ev_exchange *ex, unsigned columns)
{
	bool shown[STAGE_COUNT] = { false };
	unsigned used = 0;

	for (unsigned n = 0; n < 3; n++) {
		unsigned top = STAGE_COUNT;
		char text[64];
		double share;

		for (unsigned i = 0; i < STAGE_COUNT; i++)
			if (!shown[i] && ex->stage_ns[i] &&
			    (top == STAGE_COUNT || ex->stage_ns[i] > ex->stage_ns[top]))
				top = i;
		if (top == STAGE_COUNT)
			return;
		shown[top] = true;
		share = ex->latency_ns ? (double)ex->stage_ns[top] / (double)ex->latency_ns : 0;
		if (n && share < 0.05)
			return;
		snprintf(text, sizeof(text), "%s%s %.10s", n ? ", " : "", stage_name(top),
			 format_share(share).s);
		if (used + strlen(text) > columns)
			return;
		fputs(text, out);
		used += (unsigned)strlen(text);
	}
}

void render_slow_header(FILE *out, const char *first, const struct style *style)
{
	fprintf(out, "%s%-15s %8s  %-15s %7s  %-*s  %s%s\n", ink_on(style, INK_BOLD), first,
		"LATENCY", "COMM", "TID", PEER_COLUMNS, "REMOTE", "WHERE IT WENT", ink_off(style));
}

void render_slow_text(FILE *out, const struct exchange_info *x, int64_t offset_ns,
		      const struct style *style)
{
	const struct ev_exchange *ex = &x->ex;
	char tid[12];

	fprintf(out, "%-15s %s", format_clock(ex->head.time_ns + (uint64_t)offset_ns, 6).s,
		ink_on(style, INK_BOLD));
	put_cell(out, format_ns(ex->latency_ns).s, 8);
	fprintf(out, "%s  ", ink_off(style));
	put_cell(out, format_comm(ex->comm, sizeof(ex->comm), 15).s, -15);
	snprintf(tid, sizeof(tid), "%u", ex->tid);
	fputc(' ', out);
	put_cell(out, tid, 7);
	fputs("  ", out);
	put_peer(out, &ex->flow);
	fputs("  ", out);
	put_dominant(out, ex, 26);
	fputc('\n', out);
}

/* Who closed and how, in 8 columns. */
static const char *closing_text(const struct ev_conn_close *c)
{
	switch (c->reason) {
	case CLOSE_FIN:
		return c->closed_by == SIDE_LOCAL    ? "fin us"
		       : c->closed_by == SIDE_REMOTE ? "fin peer"
						     : "fin";
	case CLOSE_RESET_SENT:
		return "rst us";
	case CLOSE_RESET_RECEIVED:
		return "rst peer";
	default:
		return close_reason_name(c->reason);
	}
}

/* A client's own port comes first and the arrow turns: who connected is seen at a glance. */
static const char *arrow(unsigned role)
{
	return role == ROLE_SERVER ? "<-" : role == ROLE_CLIENT ? "->" : "--";
}

void render_conn_header(FILE *out, const struct style *style)
{
	fprintf(out, "%s%-12s %-12s %7s %5s  %-*s %8s %5s %5s %6s %s%s\n",
		ink_on(style, INK_BOLD), "TIME (UTC)", "COMM", "PID", "PORT", PEER_COLUMNS,
		"REMOTE", "DURATION", "IN", "OUT", "XCHGS", "CLOSED", ink_off(style));
}

void render_conn_text(FILE *out, const struct ev_conn_close *c, int64_t offset_ns,
		      const struct style *style)
{
	char pid[12], duration[16];

	snprintf(pid, sizeof(pid), "%u", c->pid);
	/* The age at the attach is not known: it lived at least that long. */
	snprintf(duration, sizeof(duration), "%s%.12s", c->preexisting ? ">" : "",
		 format_ns(c->duration_ns).s);
	fprintf(out, "%s ", format_clock(c->head.time_ns + (uint64_t)offset_ns, 3).s);
	put_cell(out, format_comm(c->comm, sizeof(c->comm), 12).s, -12);
	fputc(' ', out);
	put_cell(out, pid, 7);
	fprintf(out, " %5u%s", c->flow.local_port, arrow(c->flow.role));
	put_peer(out, &c->flow);
	fputs(ink_on(style, INK_BOLD), out);
	put_cell(out, duration, 9);
	fprintf(out, "%s %5s %5s %6s %s\n", ink_off(style), format_short(c->bytes_in).s,
		format_short(c->bytes_out).s, format_fit(c->exchanges, 6).s, closing_text(c));
}
