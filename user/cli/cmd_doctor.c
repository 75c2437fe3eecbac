/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd_doctor.c - what this kernel, these privileges and this target allow, found by trying: the
 * programs are loaded and attached as for a report, with nobody to watch, and taken off again.
 */
#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel/session.h"
#include "cli/commands.h"
#include "cli/doctor_cost.h"
#include "base/json.h"
#include "cli/options.h"
#include "target/proc.h"
#include "render/render.h"
#include "base/status.h"

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
	char line[128] = "", *open, *close;
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	snprintf(mode, len, "none");
	if (!f)
		return;
	if (fgets(line, sizeof(line), f)) {
		open = strchr(line, '[');
		close = strchr(line, ']');
		if (open && close > open)
			snprintf(mode, len, "%.*s", (int)(close - open - 1), open + 1);
	}
	fclose(f);
}

/* Loads and attaches for real, watching nobody. */
static void try_session(struct diagnosis *d)
{
	struct session_config config = {
		.ring_kib = 64, .syscalls = true, .conn_events = true, .tail_ns = UINT64_MAX,
		.verbose = d->o->verbose,
	};
	struct session *s;

	d->err = session_probe(&d->features, d->why, sizeof(d->why));
	if (d->err)
		return;
	d->err = session_open(&s, &config, d->why, sizeof(d->why));
	if (d->err)
		return;
	d->err = session_attach(s, d->why, sizeof(d->why));
	session_close(s);
}

static int count_io_uring(void *n, const char *fd, const char *link)
{
	(void)fd;
	*(unsigned *)n += !strcmp(link, "anon_inode:[io_uring]");
	return 0;
}

/* Descriptors of a process that are io_uring instances: what moves there, no system call shows. */
static unsigned io_urings(uint32_t pid)
{
	unsigned n = 0;

	proc_descriptors(pid, count_io_uring, &n);
	return n;
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
	for (size_t i = 0; i < sizeof(stage_sources) / sizeof(stage_sources[0]); i++) {
		int f = stage_sources[i].feature, sub = feature_table[f].substitute;
		bool exact = d->features.used[f];
		bool near = sub >= 0 && d->features.used[sub];

		printf("%s%s%s", i ? ", " : "", stage_sources[i].stage,
		       exact ? "" : near ? " (by substitute)" : " (missing)");
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
		costs_print(stdout, d->costs);
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
	for (size_t i = 0; i < sizeof(stage_sources) / sizeof(stage_sources[0]); i++) {
		int f = stage_sources[i].feature, sub = feature_table[f].substitute;

		json_object(j, NULL);
		json_string(j, "stage", stage_sources[i].stage);
		json_string(j, "source", d->features.used[f] ? "exact" :
			    sub >= 0 && d->features.used[sub] ? "substitute" : NULL);
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
	costs_json(&j, d->measured ? d->costs : NULL);
	json_bool(&j, "works", !d->err);
	json_string(&j, "why", d->err ? d->why : NULL);
	json_object_end(&j);
	json_finish(&j);
}

static bool wants_target(const struct target_spec *spec)
{
	return spec->n_pids || spec->n_comms || spec->n_ports || spec->cgroup;
}

int cmd_doctor(const struct options *o)
{
	struct diagnosis d = { .o = o };
	int err, status = EXIT_OK;
	char why[512] = "";

	if (wants_target(&o->target)) {
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
		status = costs_measure(o, d.costs);
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
