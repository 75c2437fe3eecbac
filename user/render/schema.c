/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * schema.c - JSON Schema of every JSON output. Every member named here is always present; more
 * may be added, so unknown members are allowed.
 */
#include <string.h>

#include "render/render.h"

#define DRAFT "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\""
#define STR "{\"type\":\"string\"}"
#define BOOL "{\"type\":\"boolean\"}"
#define COUNT "{\"type\":\"integer\",\"minimum\":0}"
#define MAYBE "{\"type\":[\"integer\",\"null\"],\"minimum\":0}"
#define SHARE "{\"type\":\"number\",\"minimum\":0,\"maximum\":1}"
#define SECONDS "{\"type\":\"number\",\"minimum\":0}"
#define MAYBE_SECONDS "{\"type\":[\"number\",\"null\"],\"minimum\":0}"
#define PORT "{\"type\":\"integer\",\"minimum\":0,\"maximum\":65535}"
#define TIME_OF(type)                                                                             \
	"{\"type\":" type ",\"pattern\":"                                                         \
	"\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z$\"}"
#define TIME TIME_OF("\"string\"")
#define ROLE "{\"enum\":[\"server\",\"client\",\"unknown\"]}"
#define STAGES                                                                                    \
	"{\"enum\":[\"accept\",\"receive\",\"wakeup\",\"runqueue\",\"busy\",\"return\","          \
	"\"dispatch\",\"service\"]}"
#define REASONS "[\"fin\",\"reset_sent\",\"reset_received\",\"timeout\",\"error\"]"
#define REF(name) "{\"$ref\":\"#/$defs/" name "\"}"
#define P(name, schema) "\"" name "\":" schema
#define OBJECT(required, properties)                                                              \
	"{\"type\":\"object\",\"required\":[" required "],\"properties\":{" properties "}}"
#define LIST(items) "{\"type\":\"array\",\"items\":" items "}"
#define OR_NULL(schema) "{\"anyOf\":[{\"type\":\"null\"}," schema "]}"
#define LIST_OF(n, items)                                                                         \
	"{\"type\":\"array\",\"minItems\":" n ",\"maxItems\":" n ",\"items\":" items "}"

/* ---- slow/1, whose exchange also stands in the report's list of the worst ---------------- */

#define EXCHANGE_STAGE                                                                            \
	OBJECT("\"stage\",\"ns\",\"oncpu_ns\",\"runnable_ns\",\"blocked_ns\"",                    \
	       P("stage", STAGES) "," P("ns", COUNT) "," P("oncpu_ns", MAYBE) ","                 \
	       P("runnable_ns", MAYBE) "," P("blocked_ns", MAYBE))

#define EXCHANGE_REQUIRED                                                                         \
	"\"time\",\"pid\",\"tid\",\"comm\",\"conn\",\"number\",\"local\",\"remote\",\"role\","     \
	"\"latency_ns\",\"stages\",\"send_ns\",\"deliver_ns\",\"bytes_in\",\"bytes_out\","        \
	"\"turn\",\"async\",\"handoff\",\"clamped\",\"merged\",\"no_wait\""

#define EXCHANGE_PROPERTIES                                                                       \
	P("pid", COUNT) "," P("tid", COUNT) "," P("comm", STR) ","                                \
	P("conn", "{\"type\":\"string\",\"pattern\":\"^[0-9a-f]+$\"}") "," P("number", COUNT) "," \
	P("local", STR) "," P("remote", STR) "," P("role", ROLE) "," P("latency_ns", COUNT) ","   \
	P("stages", LIST_OF("8", EXCHANGE_STAGE)) "," P("send_ns", MAYBE) ","                     \
	P("deliver_ns", MAYBE) "," P("bytes_in", COUNT) "," P("bytes_out", MAYBE) ","             \
	P("turn", COUNT) "," P("async", BOOL) "," P("handoff", BOOL) "," P("clamped", BOOL) ","   \
	P("merged", BOOL) "," P("no_wait", BOOL)

static const char slow_schema[] =
	"{" DRAFT ",\"title\":\"epollscope slow --json, each line\",\"type\":\"object\","
	"\"required\":[\"schema\"," EXCHANGE_REQUIRED "],\"properties\":{"
	P("schema", "{\"const\":\"" SCHEMA_SLOW "\"}") "," P("time", TIME) "," EXCHANGE_PROPERTIES
	"}}\n";

/* ---- conn/1 ----------------------------------------------------------------------------- */

static const char conn_schema[] =
	"{" DRAFT ",\"title\":\"epollscope conns --json, each line\",\"type\":\"object\","
	"\"required\":[\"schema\",\"time\",\"pid\",\"comm\",\"conn\",\"role\",\"local\","
	"\"local_port\",\"remote\",\"remote_port\",\"preexisting\",\"duration_ns\",\"states\","
	"\"accept_wait_ns\",\"bytes_in\",\"bytes_out\",\"exchanges\",\"max_latency_ns\","
	"\"srtt_ns\",\"retransmits\",\"closed_by\",\"reason\"],\"properties\":{"
	P("schema", "{\"const\":\"" SCHEMA_CONN "\"}") "," P("time", TIME) "," P("pid", COUNT) ","
	P("comm", STR) "," P("conn", "{\"type\":\"string\",\"pattern\":\"^[0-9a-f]+$\"}") ","
	P("role", ROLE) "," P("local", STR) "," P("local_port", PORT) "," P("remote", STR) ","
	P("remote_port", PORT) "," P("preexisting", BOOL) "," P("duration_ns", COUNT) ","
	P("states", "{\"type\":\"object\",\"additionalProperties\":" COUNT "}") ","
	P("accept_wait_ns", MAYBE) "," P("bytes_in", COUNT) "," P("bytes_out", COUNT) ","
	P("exchanges", COUNT) "," P("max_latency_ns", COUNT) "," P("srtt_ns", COUNT) ","
	P("retransmits", COUNT) "," P("closed_by", "{\"enum\":[\"none\",\"local\",\"remote\"]}") ","
	P("reason", "{\"enum\":" REASONS "}")
	"}}\n";

/* ---- report/1 --------------------------------------------------------------------------- */

#define DIST                                                                                      \
	OBJECT("\"count\",\"sum_ns\",\"mean\",\"p50\",\"p90\",\"p99\",\"p999\",\"max\"",          \
	       P("count", COUNT) "," P("sum_ns", COUNT) "," P("mean", MAYBE) "," P("p50", MAYBE)  \
	       "," P("p90", MAYBE) "," P("p99", MAYBE) "," P("p999", MAYBE) "," P("max", MAYBE))

#define STAGE_NUMBERS                                                                             \
	P("count", COUNT) "," P("sum_ns", COUNT) "," P("p50_ns", MAYBE) "," P("p99_ns", MAYBE)    \
	"," P("max_ns", MAYBE)

#define REPORT_STAGE                                                                              \
	OBJECT("\"stage\",\"count\",\"sum_ns\",\"p50_ns\",\"p99_ns\",\"max_ns\",\"tail_share\","  \
	       "\"split\"",                                                                       \
	       P("stage", STAGES) "," STAGE_NUMBERS "," P("tail_share", SHARE) ","                \
	       P("split", "{\"anyOf\":[{\"type\":\"null\"}," REF("split") "]}"))

#define REPORT_AFTER                                                                              \
	OBJECT("\"stage\",\"count\",\"sum_ns\",\"p50_ns\",\"p99_ns\",\"max_ns\"",                 \
	       P("stage", "{\"enum\":[\"send\",\"deliver\"]}") "," STAGE_NUMBERS)

#define SPLIT                                                                                     \
	OBJECT("\"ns\",\"oncpu_ns\",\"runnable_ns\",\"blocked_ns\"",                              \
	       P("ns", COUNT) "," P("oncpu_ns", COUNT) "," P("runnable_ns", COUNT) ","            \
	       P("blocked_ns", COUNT))

#define EXCHANGES                                                                                 \
	OBJECT("\"count\",\"latency_ns\",\"stages\",\"after\",\"tail\",\"clamped\",\"async\","    \
	       "\"handoff\",\"merged\",\"no_wait\"",                                              \
	       P("count", COUNT) "," P("latency_ns", REF("dist")) ","                             \
	       P("stages", LIST_OF("8", REPORT_STAGE)) ","                                        \
	       P("after", LIST_OF("2", REPORT_AFTER)) ","                                         \
	       P("tail", OBJECT("\"count\",\"ns\"", P("count", COUNT) "," P("ns", COUNT))) ","    \
	       P("clamped", COUNT) "," P("async", COUNT) "," P("handoff", COUNT) ","              \
	       P("merged", COUNT) "," P("no_wait", COUNT))

#define CLIENT                                                                                    \
	OBJECT("\"count\",\"latency_ns\"", P("count", COUNT) "," P("latency_ns", REF("dist")))

#define WORST                                                                                     \
	OBJECT(EXCHANGE_REQUIRED,                                                                 \
	       P("time", TIME_OF("[\"string\",\"null\"]")) "," EXCHANGE_PROPERTIES)

#define SYSCALL                                                                                   \
	OBJECT("\"name\",\"count\",\"errors\",\"eagain\",\"p50_ns\",\"p90_ns\",\"p99_ns\","       \
	       "\"max_ns\",\"sum_ns\"",                                                           \
	       P("name", STR) "," P("count", COUNT) "," P("errors", COUNT) ","                    \
	       P("eagain", COUNT) "," P("p50_ns", MAYBE) "," P("p90_ns", MAYBE) ","               \
	       P("p99_ns", MAYBE) "," P("max_ns", MAYBE) "," P("sum_ns", COUNT))

#define SCHED                                                                                     \
	OBJECT("\"wakeups\",\"runqueue_ns\",\"preemptions\",\"offcpu\",\"wakers\"",               \
	       P("wakeups", COUNT) "," P("runqueue_ns", REF("dist")) "," P("preemptions", COUNT)  \
	       "," P("offcpu", LIST(OBJECT("\"kind\",\"count\",\"sum_ns\"",                       \
			P("kind", STR) "," P("count", COUNT) "," P("sum_ns", COUNT)))) ","        \
	       P("wakers", LIST(OBJECT("\"comm\",\"count\"",                                      \
			P("comm", STR) "," P("count", COUNT)))))

#define EVENTPOLL                                                                                 \
	OBJECT("\"id\",\"pid\",\"returns\",\"events\",\"wait_ns\",\"shared\"",                      \
	       P("id", STR) "," P("pid", COUNT) "," P("returns", COUNT) "," P("events", COUNT) "," \
	       P("wait_ns", COUNT) "," P("shared", BOOL))

#define LOOP                                                                                      \
	OBJECT("\"pid\",\"tid\",\"comm\",\"turns\",\"events\",\"wakeups\",\"exchanges\","         \
	       "\"accepts\",\"busy_share\",\"turn_ns\",\"wait_ns\"",                              \
	       P("pid", COUNT) "," P("tid", COUNT) "," P("comm", STR) "," P("turns", COUNT) ","   \
	       P("events", COUNT) "," P("wakeups", COUNT) "," P("exchanges", COUNT) ","           \
	       P("accepts", COUNT) "," P("busy_share", SHARE) "," P("turn_ns", REF("dist")) ","   \
	       P("wait_ns", REF("dist")))

#define CONNECTIONS                                                                               \
	OBJECT("\"opened\",\"closed\",\"active\",\"preexisting\",\"unknown\",\"by_state\","       \
	       "\"by_reason\",\"retransmits\",\"resets\",\"accept_wait_ns\",\"listen_overflows\"",\
	       P("opened", COUNT) "," P("closed", COUNT) "," P("active", COUNT) ","               \
	       P("preexisting", COUNT) "," P("unknown", COUNT) ","                                \
	       P("by_state", "{\"type\":\"object\",\"required\":[\"ESTABLISHED\"],"               \
			     "\"additionalProperties\":" COUNT "}") ","                           \
	       P("by_reason", "{\"type\":\"object\",\"required\":" REASONS ","                    \
			      "\"additionalProperties\":" COUNT "}") ","                          \
	       P("retransmits", COUNT) "," P("resets", COUNT) ","                                 \
	       P("accept_wait_ns", REF("dist")) "," P("listen_overflows", COUNT))

#define LISTENER                                                                                  \
	OBJECT("\"port\",\"backlog\",\"backlog_max\",\"limit\",\"queued\",\"accepted\"",          \
	       P("port", PORT) "," P("backlog", COUNT) "," P("backlog_max", COUNT) ","            \
	       P("limit", COUNT) "," P("queued", COUNT) "," P("accepted", COUNT))

#define FINDING                                                                                   \
	OBJECT("\"code\",\"severity\",\"share\",\"summary\",\"evidence\",\"advice\"",             \
	       P("code", STR) ","                                                                 \
	       P("severity", "{\"enum\":[\"info\",\"warning\",\"severe\"]}") ","                    \
	       P("share", "{\"type\":[\"number\",\"null\"]}") "," P("summary", STR) ","              \
	       P("evidence", "{\"type\":\"object\"}") "," P("advice", STR))

#define LOSS                                                                                      \
	OBJECT("\"ring\",\"map_full\",\"missed\",\"unmatched\",\"clock\",\"stacks\"",             \
	       P("ring", COUNT) "," P("map_full", COUNT) "," P("missed", COUNT) ","               \
	       P("unmatched", COUNT) "," P("clock", COUNT) "," P("stacks", COUNT))

#define OVERHEAD                                                                                  \
	OBJECT("\"bpf_ns_per_exchange\",\"bpf_cpu_seconds\",\"collector_cpu_seconds\"",           \
	       P("bpf_ns_per_exchange", MAYBE_SECONDS) "," P("bpf_cpu_seconds", MAYBE_SECONDS)    \
	       "," P("collector_cpu_seconds", MAYBE_SECONDS))

static const char report_schema[] =
	"{" DRAFT ",\"title\":\"epollscope report --json\",\"type\":\"object\","
	"\"required\":[\"schema\",\"version\",\"kernel\",\"host\",\"window\",\"targets\","
	"\"exchanges\",\"client\",\"worst\",\"syscalls\",\"sched\",\"loops\",\"loops_merged\","
	"\"eventpolls\","
	"\"connections\",\"listeners\",\"diagnosis\",\"loss\",\"events\",\"overhead\",\"notes\"],"
	"\"properties\":{"
	P("schema", "{\"const\":\"" SCHEMA_REPORT "\"}") "," P("version", STR) ","
	P("kernel", STR) "," P("host", STR) ","
	P("window", OBJECT("\"start\",\"seconds\"", P("start", TIME) "," P("seconds", SECONDS))) ","
	P("targets", LIST(OBJECT("\"pid\",\"comm\",\"exe\"",
				 P("pid", COUNT) "," P("comm", STR) "," P("exe", STR)))) ","
	P("exchanges", EXCHANGES) "," P("client", OR_NULL(CLIENT)) "," P("worst", LIST(WORST)) ","
	P("syscalls", OR_NULL(LIST(SYSCALL))) "," P("sched", OR_NULL(SCHED)) ","
	P("loops", OR_NULL(LIST(LOOP))) "," P("loops_merged", MAYBE) ","
	P("eventpolls", OR_NULL(LIST(EVENTPOLL))) ","
	P("connections", OR_NULL(CONNECTIONS)) "," P("listeners", OR_NULL(LIST(LISTENER))) ","
	P("diagnosis", LIST(FINDING)) "," P("loss", OR_NULL(LOSS)) ","
	P("events", COUNT) "," P("overhead", OVERHEAD) "," P("notes", LIST(STR))
	"},\"$defs\":{" P("dist", DIST) "," P("split", SPLIT) "}}\n";

const char *schema_text(const char *name)
{
	static const struct {
		const char *schema, *command, *text;
	} known[] = {
		{ SCHEMA_REPORT, "report", report_schema },
		{ SCHEMA_SLOW, "slow", slow_schema },
		{ SCHEMA_CONN, "conns", conn_schema },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i].schema) || !strcmp(name, known[i].command))
			return known[i].text;
	return NULL;
}
