/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd_doctor.c - what this kernel, these privileges and this target allow, found by trying: the
 * programs are loaded and attached as for a report, with nobody to watch, and taken off again.
 */
#include <cap-ng.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "base/term.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "kernel/session.h"
#include "target/proc.h"
#include "watch/live.h"

#define COST_WATCH_NS 1200000000ULL	/* some of it passes before there is a P99 */
#define COST_STACK_HZ 99

/* Where each stage's boundaries come from. */
static const struct {
	const char *stage;
	enum feature feature;
} stage_sources[] = {
	{ "accept", FEATURE_SYSCALLS },
	{ "receive", FEATURE_SOCKET },
	{ "wakeup", FEATURE_SCHED },
	{ "runqueue", FEATURE_SCHED },
	{ "busy", FEATURE_SYSCALLS },
	{ "return", FEATURE_SCHED },
	{ "dispatch", FEATURE_SOCKET },
	{ "service", FEATURE_SOCKET },
};

#define STAGE_SOURCES (sizeof(stage_sources) / sizeof(stage_sources[0]))

/* What is watched to learn what it costs. */
static const struct {
	const char *with;	/* in JSON */
	const char *words;
	bool blame;
	uint32_t stack_hz;
} ways[] = {
	{ "exchanges", "report without turns and off-CPU intervals", false, 0 },
	{ "turns", "report, with turns and off-CPU intervals", true, 0 },
	{ "stacks", "the same with stacks, at 99 Hz", true, COST_STACK_HZ },
};

#define COST_WAYS (sizeof(ways) / sizeof(ways[0]))

/*
 * The kernel's own count of our programs' run time, anybody's firings included, over the exchanges
 * of the target in the same time.
 */
struct cost {
	uint64_t bpf_ns;
	uint64_t firings;
	uint64_t exchanges;	/* 0: the target was idle, nothing is known */
};

struct diagnosis {
	struct utsname uts;
	struct feature_set features;
	bool bpf, perfmon;		/* capabilities; CAP_SYS_ADMIN gives both */
	char lockdown[32];
	int err;			/* of loading and attaching */
	char why[512];
	struct targets targets;
	struct cost costs[COST_WAYS];
	bool measured;			/* `costs` */
	const struct options *o;
};

static bool has_capability(unsigned cap)
{
	return capng_have_capability(CAPNG_EFFECTIVE, cap) ||
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
}

static void read_lockdown(char *mode, size_t len)
{
	char line[128], *open;
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	snprintf(mode, len, "none");
	if (!f)
		return;
	open = fgets(line, sizeof(line), f) ? strchr(line, '[') : NULL;
	if (open)
		snprintf(mode, len, "%.*s", (int)strcspn(open + 1, "]"), open + 1);
	fclose(f);
}

/* Loads and attaches for real, watching nobody. */
static void try_session(struct diagnosis *d)
{
	struct session_config config = {
		.ring_kib = 64, .syscalls = SYSCALLS_SAMPLE, .conn_events = true, .tail_ns = UINT64_MAX,
		.verbose = d->o->verbose,
	};
	struct session *s;

	d->err = session_probe(&d->features, d->why, sizeof(d->why));
	d->err = d->err ? d->err : session_open(&s, &config, d->why, sizeof(d->why));
	if (d->err)
		return;
	d->err = session_attach(s, d->why, sizeof(d->why));
	session_close(s);
}

static void tick_until(struct live *live, uint64_t end)
{
	for (uint64_t now = monotonic_ns(); now < end && live_alive(live);) {
		poll(NULL, 0, live_wait_ms(live, now));
		now = monotonic_ns();
		live_tick(live, now);
	}
}

static int measure_way(const struct options *o, size_t way, struct cost *cost)
{
	const struct sink nobody = {
		.needs = { .syscalls = true, .intervals = ways[way].blame,
			   .stack_hz = ways[way].stack_hz },
	};
	const struct sinks sinks = { .list = { &nobody }, .n = 1 };
	struct live_config config = {
		.spec = &o->target, .ring_kib = o->ring_kib,
		.close_wait_ns = UINT64_MAX, .measure_all = true,
		.syscalls = SYSCALLS_SAMPLE,
	};
	struct watch_result r = { 0 };
	struct live *live = NULL;
	char why[512] = "";
	int status, err = targets_resolve(&o->target, &r.targets, why, sizeof(why));

	if (err) {
		fail_line("%s", why);
		watch_result_free(&r);
		return exit_status_of(err);
	}
	status = live_open(&live, &config, &sinks, &r);
	if (!status) {
		tick_until(live, monotonic_ns() + COST_WATCH_NS);
		status = live_end(live);
	}
	if (!status)
		*cost = (struct cost){ r.aggregate->cost_ns, r.aggregate->cost_runs,
				       r.aggregate->cost_exchanges };
	live_close(live);
	watch_result_free(&r);
	return status;
}

/* Attaches to the target once for each way. EXIT_OK, or a status whose line is already printed. */
static int measure(struct diagnosis *d)
{
	int status = EXIT_OK;

	for (size_t way = 0; way < COST_WAYS && !status; way++)
		status = measure_way(d->o, way, &d->costs[way]);
	return status;
}

static int count_io_uring(void *n, const char *fd, const char *link)
{
	(void)fd;
	*(unsigned *)n += !strcmp(link, "anon_inode:[io_uring]");
	return 0;
}

/* The process's io_uring instances: I/O through them shows in no system call. */
static unsigned io_urings(uint32_t pid)
{
	unsigned n = 0;

	proc_descriptors(pid, count_io_uring, &n);
	return n;
}

static double per_exchange(uint64_t n, const struct cost *cost)
{
	return cost->exchanges ? (double)n / (double)cost->exchanges : NAN;
}

static void print_costs(const struct cost *costs)
{
	printf("\n%-34s %15s %17s %10s\n", "COST (a second of each)", "BPF NS/EXCHANGE",
		"FIRINGS/EXCHANGE", "EXCHANGES");
	for (size_t way = 0; way < COST_WAYS; way++) {
		const struct cost *c = &costs[way];

		if (c->exchanges)
			printf("%-34s %15.0f %17.1f %10" PRIu64 "\n", ways[way].words,
				per_exchange(c->bpf_ns, c), per_exchange(c->firings, c),
				c->exchanges);
		else
			printf("%-34s %15s %17s %10s\n", ways[way].words, "-", "-", "idle");
	}
}

/* How a stage's boundaries are known: "exact" or "substitute"; NULL if they are not. */
static const char *stage_source(const struct diagnosis *d, size_t i)
{
	int f = stage_sources[i].feature, sub = feature_table[f].substitute;

	if (d->features.used[f])
		return "exact";
	return sub >= 0 && d->features.used[sub] ? "substitute" : NULL;
}

static const char *feature_state(const struct diagnosis *d, int f)
{
	if (d->features.used[f])
		return d->err == -EPERM ? "not tried" : "used";
	return d->features.available[f] ? "not needed" : "missing";
}

static void print_text(const struct diagnosis *d)
{
	printf("kernel      %s %s\n", d->uts.release, d->uts.machine);
	printf("privileges  %s; CAP_BPF %s, CAP_PERFMON %s; lockdown %s\n",
	       geteuid() ? "not root" : "root", d->bpf ? "yes" : "no", d->perfmon ? "yes" : "no",
	       d->lockdown);
	printf("\n%-18s %-11s %s\n", "FEATURE", "STATE", "GIVES");
	for (int f = 0; f < FEATURE_COUNT; f++) {
		printf("%-18s %-11s %s\n", feature_table[f].name, feature_state(d, f),
		       feature_table[f].gives);
		if (!d->features.used[f] && d->features.missing[f] && f != FEATURE_SOCKET_OLD)
			printf("%-18s %-11s without: %s\n", "", "", feature_table[f].without);
	}
	if (d->features.used[FEATURE_SOCKET_OLD])
		printf("\nnote        %s\n", feature_table[FEATURE_SOCKET_OLD].without);
	printf("\nstages      ");
	for (size_t i = 0; i < STAGE_SOURCES; i++) {
		const char *source = stage_source(d, i);

		printf("%s%s%s", i ? ", " : "", stage_sources[i].stage, !source ? " (missing)" :
		       strcmp(source, "exact") ? " (by substitute)" : "");
	}
	printf("\n");
	for (size_t i = 0; i < d->targets.n; i++) {
		const struct target *t = &d->targets.list[i];
		unsigned rings = io_urings(t->pid);
		char comm[64];

		escape_text(comm, sizeof(comm), t->comm, strnlen(t->comm, sizeof(t->comm)));
		printf("%s      %s (pid %u)%s\n", i ? "      " : "target", comm, t->pid,
		       rings ? ": holds io_uring instances; what they do without system calls "
			       "shows only at the socket" : "");
	}
	if (d->measured)
		print_costs(d->costs);
	printf("\nverdict     %s\n", d->err ? d->why : "all used features attached");
}

static void json_features(struct json *j, const struct diagnosis *d)
{
	json_array(j, "features");
	for (int f = 0; f < FEATURE_COUNT; f++) {
		json_object(j, NULL);
		json_string(j, "name", feature_table[f].name);
		json_bool(j, "available", d->features.available[f]);
		json_bool(j, "used", d->features.used[f]);
		json_string(j, "missing", d->features.missing[f]);
		json_string(j, "gives", feature_table[f].gives);
		json_string(j, "without", feature_table[f].without);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_stages(struct json *j, const struct diagnosis *d)
{
	json_array(j, "stages");
	for (size_t i = 0; i < STAGE_SOURCES; i++) {
		json_object(j, NULL);
		json_string(j, "stage", stage_sources[i].stage);
		json_string(j, "source", stage_source(d, i));
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_targets(struct json *j, const struct diagnosis *d)
{
	json_array(j, "targets");
	for (size_t i = 0; i < d->targets.n; i++) {
		const struct target *t = &d->targets.list[i];

		json_object(j, NULL);
		json_u64(j, "pid", t->pid);
		json_bytes(j, "comm", t->comm, sizeof(t->comm));
		json_string(j, "exe", t->exe);
		json_u64(j, "io_urings", io_urings(t->pid));
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_costs(struct json *j, const struct diagnosis *d)
{
	if (!d->measured) {
		json_null(j, "cost");
		return;
	}
	json_array(j, "cost");
	for (size_t way = 0; way < COST_WAYS; way++) {
		const struct cost *c = &d->costs[way];

		json_object(j, NULL);
		json_string(j, "with", ways[way].with);
		json_double(j, "bpf_ns_per_exchange", per_exchange(c->bpf_ns, c));
		json_double(j, "firings_per_exchange", per_exchange(c->firings, c));
		json_u64(j, "exchanges", c->exchanges);
		json_object_end(j);
	}
	json_array_end(j);
}

static void print_json(const struct diagnosis *d)
{
	struct json j;

	json_start(&j, stdout, 2);
	json_object(&j, NULL);
	json_string(&j, "schema", "epollscope.doctor/1");
	json_string(&j, "version", EPOLLSCOPE_VERSION);
	json_string(&j, "kernel", d->uts.release);
	json_string(&j, "machine", d->uts.machine);
	json_object(&j, "privileges");
	json_bool(&j, "root", geteuid() == 0);
	json_bool(&j, "cap_bpf", d->bpf);
	json_bool(&j, "cap_perfmon", d->perfmon);
	json_string(&j, "lockdown", d->lockdown);
	json_object_end(&j);
	json_features(&j, d);
	json_stages(&j, d);
	json_targets(&j, d);
	json_costs(&j, d);
	json_bool(&j, "works", !d->err);
	json_string(&j, "why", d->err ? d->why : NULL);
	json_object_end(&j);
	json_finish(&j);
}

int cmd_doctor(const struct options *o)
{
	struct diagnosis d = { .o = o };
	int err, status = EXIT_OK;
	char why[512] = "";

	if (target_spec_given(&o->target)) {
		err = targets_resolve(&o->target, &d.targets, why, sizeof(why));
		if (err) {
			fail_line("%s", why);
			targets_free(&d.targets);
			return exit_status_of(err);
		}
	}
	uname(&d.uts);
	d.bpf = has_capability(CAP_BPF);
	d.perfmon = has_capability(CAP_PERFMON);
	read_lockdown(d.lockdown, sizeof(d.lockdown));
	try_session(&d);
	if (o->cost && !d.err) {
		status = measure(&d);
		d.measured = !status;
	}
	if (o->json)
		print_json(&d);
	else
		print_text(&d);
	targets_free(&d.targets);
	return d.err == -EPERM ? EXIT_NOPERM_ERROR : d.err == -ENOSYS ? EXIT_NOKERNEL :
	       d.err ? EXIT_FAULT : status;
}
