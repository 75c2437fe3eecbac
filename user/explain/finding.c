/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding.c - asks every rule, and puts what fired in order; the rules' thresholds and words. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "bpf/syscalls.h"
#include "explain/finding.h"

#define ROW(function, code, needs, severity, cause, least) \
	{ code, rule_##function, needs, severity, cause, least },
static const struct rule {
	const char *code;
	const char *(*ask)(const struct finding_input *in, struct finding *f);
	unsigned needs, severity, cause, least;
} rules[] = { RULES(ROW) };
#undef ROW

void evidence_add(struct finding *f, const struct figure *list, size_t n)
{
	for (size_t i = 0; i < n && f->n_evidence < EVIDENCE_MAX; i++)
		f->evidence[f->n_evidence++] =
			(struct evidence){ .name = list[i].name, .value = list[i].value };
}

void evidence_name(struct finding *f, const char *name, const char *comm)
{
	struct evidence *e = &f->evidence[f->n_evidence];

	if (f->n_evidence == EVIDENCE_MAX)
		return;
	EVIDENCE(f, { name, 0 });
	escape_text(e->text, sizeof(e->text), comm, strlen(comm));
}

void finding_say(struct finding *f, const char *format, ...)
{
	size_t used = strlen(f->summary);
	va_list args;

	va_start(args, format);
	vsnprintf(f->summary + used, sizeof(f->summary) - used, format, args);
	va_end(args);
}

enum severity severity_of(double share)
{
	return share >= 0.5 ? SEVERITY_SEVERE : SEVERITY_WARNING;
}

double cause_share(const struct finding_input *in, enum cause cause)
{
	return ratio(in->b->cause_ns[cause], in->b->latency_ns);
}

const char *severity_name(unsigned severity)
{
	return severity == SEVERITY_SEVERE ? "severe" :
	       severity == SEVERITY_WARNING ? "warning" : "info";
}

/* Severe before warning, then by share. */
static int by_strength(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity < y->severity ? 1 : -1;
	return x->share < y->share ? 1 : x->share > y->share ? -1 : 0;
}

static bool other_traffic(const struct report *r)
{
	return r->traffic[KIND_OVERLAPPING - 1].connections || r->traffic[KIND_ONE_WAY - 1].connections;
}

/* Why the tail can't be explained, as a finding of its own. Returns its advice; NULL if it can. */
static const char *withheld(const struct finding_input *in, struct finding *f)
{
	const struct report *r = in->r;
	const struct shed_info *shed = &r->budget.shed[SHED_RECORDS];
	double lost = ratio(r->loss.ring, r->events + r->loss.ring);

	*f = (struct finding){ .code = "insufficient-data", .share = -1 };
	if ((double)r->latency.count < LIMIT(EXCHANGES)) {
		finding_say(f, "%s exchanges are too few to say what makes some of them slow.",
			    format_count(r->latency.count).s);
		EVIDENCE(f, { "exchanges", r->latency.count });
		return r->latency.count || !other_traffic(r) ? "Watch for longer." :
		       "Its connections carry several requests at once, or no requests and answers, which "
		       "this diagnosis does not judge.";
	}
	if (finding_lacks(r, LIMIT(LOST)) & NEEDS_TAIL) {
		finding_say(f, "Single exchanges were left out for %s, to keep to --budget: too "
			    "long to name a cause.", format_ns(shed->ns).s);
		EVIDENCE(f, { "shed_ns", shed->ns }, { "shed_exchanges", shed->exchanges });
		return "Raise --budget.";
	}
	if (lost <= LIMIT(LOST))
		return NULL;
	finding_say(f, "%s of the events were lost: too many to name a cause.",
		    format_share(lost).s);
	EVIDENCE(f, { "lost_share", lost });
	return "Raise --ring-size.";
}

static bool is_listed(const char *const *codes, size_t n, const char *code)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(codes[i], code))
			return true;
	return false;
}

static bool shed_too_long(const struct report *r, enum shed_step step, double lost)
{
	const struct shed_info *s = &r->budget.shed[step];

	return shed_share(s, r->window_ns, r->latency.count) > lost;
}

unsigned finding_lacks(const struct report *r, double lost)
{
	return (shed_too_long(r, SHED_RECORDS, lost) ? NEEDS_TAIL : 0) |
	       (shed_too_long(r, SHED_WINDOWS, lost) ? NEEDS_CALLS : 0);
}

size_t finding_codes(unsigned lacks, const char **codes, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && n < room; i++)
		if (!(rules[i].needs & lacks) && !is_listed(codes, n, rules[i].code))
			codes[n++] = rules[i].code;
	return n;
}

static bool has_fired(const struct finding *list, size_t n, const char *code)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].code, code))
			return true;
	return false;
}

/* Whether there is what the rule rests on. Begins its finding. */
static bool may_fire(const struct rule *rule, const struct finding_input *in, bool tail,
		     struct finding *f)
{
	if ((rule->needs & NEEDS_TAIL) && (!tail || !in->b->count))
		return false;
	if ((rule->needs & NEEDS_CALLS) &&
	    (!in->r->n_syscalls || finding_lacks(in->r, LIMIT(LOST)) & NEEDS_CALLS))
		return false;
	*f = (struct finding){ .code = rule->code, .severity = rule->severity, .share = -1 };
	if (rule->severity != BY_SHARE)
		return true;
	f->share = cause_share(in, rule->cause);
	f->severity = severity_of(f->share);
	return f->share >= in->threshold[rule->least];
}

size_t diagnose(const struct finding_input *in, struct finding out[FINDINGS_MAX])
{
	size_t n = 0;
	bool tail;

	out[0].advice = withheld(in, &out[0]);
	if (out[0].advice)
		n = 1;
	tail = !n && (double)report_tail_at_ns(in->r) >= LIMIT(TAIL);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (has_fired(out, n, rules[i].code) || !may_fire(&rules[i], in, tail, &out[n]))
			continue;
		out[n].advice = rules[i].ask(in, &out[n]);
		if (out[n].advice)
			n++;
	}
	qsort(out, n, sizeof(*out), by_strength);
	return n;
}

int report_build(struct report *r, const struct aggregate *a, const struct facts *facts,
		 struct history *h, const double *threshold)
{
	struct blame_sums sums;
	struct finding_input in = { .r = r, .b = &sums, .facts = facts, .threshold = threshold };

	r->findings = calloc(FINDINGS_MAX, sizeof(*r->findings));
	if (!r->findings || aggregate_report(a, r) ||
	    holds_fill(&r->holds, a, history_holds(h)->hold, history_holds(h)->n, r->window_ns) ||
	    blame_join(h, report_tail_ns(r), &sums))
		return -ENOMEM;
	r->n_findings = diagnose(&in, r->findings);
	diagnosis_gates(r, threshold, r->gates, sizeof(r->gates));
	return 0;
}

/* --- thresholds --- */

struct limit {
	const char *name;
	double value;
	enum threshold_unit unit;
	const char *help;
};

#define ROW(id, name, value, unit, help) { name, value, UNIT_##unit, help },
static const struct limit limits[THRESHOLD_COUNT] = { THRESHOLDS(ROW) };
#undef ROW

void thresholds_default(double *t)
{
	for (unsigned i = 0; i < THRESHOLD_COUNT; i++)
		t[i] = limits[i].value;
}

static int parse(const struct limit *limit, const char *text, double *value)
{
	uint64_t ns;
	char *end;

	if (limit->unit == UNIT_NS) {
		if (quantity_duration(text, false, &ns))
			return -EINVAL;
		*value = (double)ns;
		return 0;
	}
	*value = strtod(text, &end);
	if (limit->unit == UNIT_SHARE && !strcmp(end, "%")) {
		*value /= 100;
		end++;
	}
	return end == text || *end || !isfinite(*value) || *value < 0 ? -EINVAL : 0;
}

const char *threshold_set(double *t, const char *text)
{
	const char *equal = strchr(text, '=');
	size_t len = equal ? (size_t)(equal - text) : 0;

	for (unsigned i = 0; i < THRESHOLD_COUNT; i++) {
		if (!len || strlen(limits[i].name) != len || strncmp(limits[i].name, text, len))
			continue;
		if (!parse(&limits[i], equal + 1, &t[i]))
			return NULL;
		return limits[i].unit == UNIT_NS ? "a time is wanted, as 5ms" :
		       limits[i].unit == UNIT_SHARE ? "a share is wanted, as 20%" :
		       "a number is wanted";
	}
	return "it is NAME=VALUE, with a name that `epollscope report --help` lists";
}

void thresholds_help(FILE *out)
{
	struct fmt value;

	for (unsigned i = 0; i < THRESHOLD_COUNT; i++) {
		const struct limit *limit = &limits[i];

		if (limit->unit == UNIT_NS)
			value = format_ns((uint64_t)limit->value);
		else if (limit->unit == UNIT_SHARE)
			snprintf(value.s, sizeof(value.s), "%g %%", limit->value * 100);
		else
			snprintf(value.s, sizeof(value.s), "%g", limit->value);
		fprintf(out, "  %-16s%10s  %s\n", limit->name, value.s, limit->help);
	}
}

/* --- names of the system calls that a thread may block in --- */

#if defined(__x86_64__)
#define NUMBER(x86, arm) (x86)
#else
#define NUMBER(x86, arm) (arm)
#endif

#define WORD(id, name, x86, arm) { NUMBER(x86, arm), name },

static const struct {
	int nr;
	const char *name;
} words[] = {
	SYSCALLS(WORD)
	{ NUMBER(35, 101), "nanosleep" },
	{ NUMBER(230, 115), "clock_nanosleep" },
	{ NUMBER(34, -1), "pause" },
	{ NUMBER(74, 82), "fsync" },
	{ NUMBER(75, 83), "fdatasync" },
	{ NUMBER(26, 227), "msync" },
	{ NUMBER(162, 81), "sync" },
	{ NUMBER(277, 84), "sync_file_range" },
	{ NUMBER(306, 267), "syncfs" },
	{ NUMBER(17, 67), "pread64" },
	{ NUMBER(18, 68), "pwrite64" },
	{ NUMBER(257, 56), "openat" },
	{ NUMBER(2, -1), "open" },
	{ NUMBER(262, 79), "newfstatat" },
	{ NUMBER(217, 61), "getdents64" },
	{ NUMBER(87, -1), "unlink" },
	{ NUMBER(263, 35), "unlinkat" },
	{ NUMBER(82, -1), "rename" },
	{ NUMBER(61, 260), "wait4" },
	{ NUMBER(247, 95), "waitid" },
	{ NUMBER(9, 222), "mmap" },
	{ NUMBER(11, 215), "munmap" },
	{ NUMBER(73, 32), "flock" },
	{ NUMBER(72, 25), "fcntl" },
	{ NUMBER(426, 426), "io_uring_enter" },
};

struct fmt syscall_word(uint32_t nr)
{
	struct fmt word;

	if (nr == SYSCALL_NONE)
		snprintf(word.s, sizeof(word.s), "page fault");
	else
		snprintf(word.s, sizeof(word.s), "call %u", nr);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].nr >= 0 && (uint32_t)words[i].nr == nr)
			snprintf(word.s, sizeof(word.s), "%s", words[i].name);
	return word;
}

bool syscall_is_futex(uint32_t nr)
{
	return !strcmp(syscall_word(nr).s, "futex");
}

struct fmt sleep_word(uint32_t nr, uint32_t kind)
{
	struct fmt word;

	if (kind == OFFCPU_SLEEP && syscall_is_futex(nr))
		snprintf(word.s, sizeof(word.s), "a timed wait (futex) that expired");
	else
		snprintf(word.s, sizeof(word.s), "%s%.40s (%s)", nr == SYSCALL_NONE ? "a " : "",
			 syscall_word(nr).s, offcpu_name(kind));
	return word;
}
