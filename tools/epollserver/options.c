/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define USAGE 64
#define HELP_COLUMN 32

enum type { TEXT, NUMBER, CHOICE, ACTION };

static const struct choice {
	const char *name;
	enum type type;
	size_t at;		/* in struct config: const char *, uint64_t, or int for a choice */
	const char *arg;	/* for help; of a choice, its words in the order of the enum */
	const char *standard;
	uint64_t most;
	const char *help;
} options[] = {
#define AT(member) offsetof(struct config, member)
	{ "protocol", CHOICE, AT(protocol), "echo|http|push", "echo", 0, "what clients speak" },
	{ "address", TEXT, AT(address), "ADDRESS", "127.0.0.1", 0, "to listen on, IPv4 or IPv6" },
	{ "port", NUMBER, AT(port), "N", "0", 65535, "0: any; \"port N\" is printed" },
	{ "loops", NUMBER, AT(loops), "N", "1", MAX_LOOPS, "event loops, a worker each" },
	{ "workers", CHOICE, AT(workers), "threads|processes", "threads", 0, "what runs a loop" },
	{ "trigger", CHOICE, AT(trigger), "level|edge|oneshot", "level", 0, "of connections" },
	{ "listen", CHOICE, AT(share), "reuseport|shared|exclusive|handoff", "reuseport", 0,
		"a listener each, one for all loops, or an acceptor" },
	{ "handoff", CHOICE, AT(spread), "rr|least|weighted", "rr", 0,
		"to whom: in turn, fewest connections, fewest for its load" },
	{ "backend", CHOICE, AT(backend), "epoll|poll|select", "epoll", 0, "for comparison" },
	{ "backlog", NUMBER, AT(backlog), "N", "4096", 1 << 20, "connections not yet accepted" },
	{ "max-events", NUMBER, AT(maxevents), "N", "256", 4096, "taken by one wait" },
	{ "size", NUMBER, AT(message_bytes), "BYTES", "0", 65536, "of an echo; 0: as it comes" },
	{ "answer", NUMBER, AT(answer_bytes), "BYTES", "3", 1 << 24, "of an HTTP answer" },
	{ "file", TEXT, AT(file), "FILE", NULL, 0, "what GET /file sends, by sendfile" },
	{ "keepalive", NUMBER, AT(keepalive_s), "SECONDS", "60", 32767, "TCP keep-alive; 0: off" },
	{ "idle", NUMBER, AT(idle_ms), "MS", "0", 1 << 30, "close after so long; 0: never" },
	{ "heartbeat", NUMBER, AT(heartbeat_ms), "MS", "5000", 1 << 30, "push: interval; 0: none" },
	{ "window", NUMBER, AT(window), "N", "1024", 1 << 20, "push: unacknowledged data frames" },
	{ "push-queue", NUMBER, AT(push_queue), "N", "1024", 1 << 20,
		"push: messages kept for a shut window; more are dropped" },
	{ "batch", NUMBER, AT(batch), "N", "16", 1 << 20, "push: messages sent together ..." },
	{ "batch-us", NUMBER, AT(batch_us), "US", "50", 1 << 20, "... or after so long" },
	{ "max-connections", NUMBER, AT(max_connections), "N", "0", 1 << 30, "0: no limit" },
	{ "rate", NUMBER, AT(rate), "N", "0", 1 << 30, "requests/s to bear; 0: no limit" },
	{ "burst", NUMBER, AT(burst), "N", "64", 1 << 30, "requests borne at once, with --rate" },
	{ "queue", NUMBER, AT(queue), "N", "128", 1 << 20, "requests that may wait for --rate" },
	{ "drain", NUMBER, AT(drain_ms), "MS", "5000", 1 << 30, "for what is under way" },
	{ "truth", TEXT, AT(truth), "FILE", NULL, 0, "what we saw of each exchange: see truth.h" },
	{ "truth-records", NUMBER, AT(truth_records), "N", "262144", 1 << 26,
		"kept by a thread before it writes them" },
	{ "seed", NUMBER, AT(seed), "N", "1", 1 << 30, "of faults by probability" },
	{ "fault", ACTION, 0, "NAME[=AMOUNT][,...]", NULL, 0, "inject one, repeatable" },
	{ "list-faults", ACTION, 0, NULL, NULL, 0, "explain them" },
	{ "help", ACTION, 0, NULL, NULL, 0, "this" },
#undef AT
};
#define COUNT (sizeof(options) / sizeof(options[0]))

static void wrong(const char *what, const char *value)
{
	fprintf(stderr, "epollserver: --%s: '%s' is not possible; see --help\n", what, value);
	exit(USAGE);
}

static void help(void)
{
	printf("usage: epollserver [OPTIONS]\n"
		"A reference epoll server. SIGUSR1: statistics; SIGINT, SIGTERM: ordered end.\n\n");
	for (size_t i = 0; i < COUNT; i++) {
		const struct choice *o = &options[i];
		int n = printf("  --%s %s", o->name, o->arg ? o->arg : "");

		if (n >= HELP_COLUMN)
			n = printf("\n") - 1;
		printf("%*s%s", HELP_COLUMN - n, "", o->help);
		printf(o->standard ? " [%s]\n" : "\n", o->standard);
	}
	exit(0);
}

static int word_of(const char *words, const char *word)
{
	size_t len = strlen(word);
	int i = 0;

	for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL, i++)
		if (!strncmp(w, word, len) && (w[len] == '|' || !w[len]))
			return i;
	return -1;
}

static void set(struct config *cfg, const struct choice *o, const char *value)
{
	void *at = (char *)cfg + o->at;
	unsigned long long v;
	char *end;

	switch (o->type) {
	case TEXT:
		*(const char **)at = value;
		break;
	case NUMBER:
		v = strtoull(value, &end, 10);
		if (*value < '0' || *value > '9' || *end || v > o->most)
			wrong(o->name, value);
		*(uint64_t *)at = v;
		break;
	case CHOICE:
		*(int *)at = word_of(o->arg, value);
		if (*(int *)at < 0)
			wrong(o->name, value);
		break;
	case ACTION:
		if (!strcmp(o->name, "help"))
			help();
		if (!strcmp(o->name, "list-faults")) {
			fault_list(stdout);
			exit(0);
		}
		if (!fault_parse(value, cfg->faults))
			wrong(o->name, value);
		break;
	}
}

/* What does not go together, and what a fault implies. */
static void check(struct config *cfg)
{
	if (cfg->faults[FAULT_HERD].on)
		cfg->share = SHARE_SHARED;
	if (cfg->faults[FAULT_UNBALANCED].on)
		cfg->share = SHARE_HANDOFF;
	if (!cfg->loops || !cfg->maxevents || !cfg->batch || !cfg->window || !cfg->truth_records)
		wrong("loops, --max-events, --batch, --window, --truth-records", "0");
	if (cfg->share == SHARE_HANDOFF && cfg->workers == WORKERS_PROCESSES)
		wrong("listen", "handoff (between processes)");
	if (cfg->backend != BACKEND_EPOLL && cfg->trigger != TRIGGER_LEVEL)
		wrong("backend", "poll or select (which are level triggered)");
	if (cfg->backend != BACKEND_EPOLL && cfg->share == SHARE_EXCLUSIVE)
		wrong("backend", "poll or select (which know no EPOLLEXCLUSIVE)");
	if (cfg->faults[FAULT_UNDRAINED].on && cfg->trigger != TRIGGER_EDGE)
		wrong("fault", "undrained (without --trigger edge)");
	if (cfg->faults[FAULT_CTL_MOD].on && cfg->backend != BACKEND_EPOLL)
		wrong("fault", "ctl-mod (without epoll)");
	if (cfg->faults[FAULT_MAXEVENTS].amount > cfg->maxevents)
		wrong("fault", "maxevents (more than --max-events)");
	if (cfg->protocol != PROTO_PUSH)
		cfg->heartbeat_ms = 0;
}

void options_parse(int argc, char **argv, struct config *cfg)
{
	struct option longs[COUNT + 1] = { 0 };
	int o;

	*cfg = (struct config){ 0 };
	for (size_t i = 0; i < COUNT; i++) {
		longs[i] = (struct option){ options[i].name, options[i].arg != NULL, NULL, (int)i };
		if (options[i].standard)
			set(cfg, &options[i], options[i].standard);
	}
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (o == '?')
			exit(USAGE);
		set(cfg, &options[o], optarg);
	}
	if (optind < argc)
		wrong("", argv[optind]);
	check(cfg);
}
