/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_capture.c - any bytes as a capture, given to each command that reads one. The first byte, of
 * the magic that is set right below, chooses the command.
 *
 * A libFuzzer target: clang -fsanitize=fuzzer,address,undefined. Check sums would keep nearly every
 * mutation out, so those of the head and of every chunk that can be made out are set right first.
 * With -DSEED it is a program instead: fuzz_capture FOLDER writes a corpus to begin with.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "capture/format.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "tests/unit/capture_sample.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARGUMENTS 5

static const struct {
	int (*run)(const struct options *o);
	char *arguments[ARGUMENTS];
} commands[] = {
	{ cmd_report, { "report" } },
	{ cmd_report, { "report", "--json" } },
	{ cmd_report, { "report", "--html", "/dev/null" } },
	{ cmd_conns, { "conns" } },
	{ cmd_conns, { "conns", "--json" } },
	{ cmd_slow, { "slow" } },
	{ cmd_slow, { "slow", "--json" } },
	{ cmd_slow, { "slow", "--over", "0ns", "--waterfall" } },
	{ cmd_flame, { "flame" } },
	{ cmd_flame, { "flame", "--svg", "/dev/null", "--against", "typical" } },
	{ cmd_flame, { "flame", "--mode", "offcpu", "--by", "stage" } },
	{ cmd_flame, { "flame", "--chrome-trace", "/dev/null" } },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Returns where the first chunk is. */
static size_t seal_head(uint8_t *bytes, size_t size)
{
	struct capture_head head, zeroed;

	if (size < sizeof(head))
		return size;
	memcpy(&head, bytes, sizeof(head));
	memcpy(head.magic, CAPTURE_MAGIC, sizeof(head.magic));
	head.major = CAPTURE_MAJOR;
	head.flags_check = ~head.flags;
	head.head_bytes = head.head_bytes / CAPTURE_ALIGN * CAPTURE_ALIGN;
	if (head.head_bytes < sizeof(head) || head.head_bytes > size)
		head.head_bytes = sizeof(head);
	if (head.items_bytes > head.head_bytes - sizeof(head))
		head.items_bytes = head.head_bytes - (uint32_t)sizeof(head);
	zeroed = head;
	zeroed.flags = zeroed.flags_check = zeroed.crc = 0;
	head.crc = (uint32_t)crc32(crc32(0, (void *)&zeroed, sizeof(zeroed)), bytes + sizeof(head),
				   head.items_bytes);
	memcpy(bytes, &head, sizeof(head));
	return head.head_bytes;
}

static void seal_chunks(uint8_t *bytes, size_t size, size_t at)
{
	while (at + sizeof(struct capture_chunk_head) <= size) {
		struct capture_chunk_head head;
		size_t left = size - at - sizeof(head);

		memcpy(&head, bytes + at, sizeof(head));
		if (head.magic == CAPTURE_CHUNK_MAGIC && head.stored_bytes <= left) {
			/* Memory is bounded by the format, but a fuzzer has little. */
			head.plain_bytes %= 1u << 20;
			head.crc = (uint32_t)crc32(0, bytes + at + sizeof(head), head.stored_bytes);
			head.head_crc = (uint32_t)crc32(0, (void *)&head,
							offsetof(struct capture_chunk_head, head_crc));
			memcpy(bytes + at, &head, sizeof(head));
			at += sizeof(head) + head.stored_bytes;
		}
		at = (at / CAPTURE_ALIGN + 1) * CAPTURE_ALIGN;
	}
}

static void run(unsigned choice, int fd)
{
	char path[64], program[] = "epollscope", input[] = "-i";
	char *argv[ARGUMENTS + 4] = { program };
	struct options o;
	int argc = 1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < ARGUMENTS && commands[choice].arguments[i]; i++)
		argv[argc++] = commands[choice].arguments[i];
	argv[argc++] = input;
	argv[argc++] = path;
	if (options_parse(&o, argc, argv)) {
		fprintf(stderr, "%s\n", o.error);
		abort();
	}
	/* Every file is damaged: what the command makes of it is not judged here. */
	commands[choice].run(&o);
	options_free(&o);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return freopen("/dev/null", "w", stdout) ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1);
	int fd = memfd_create("capture", 0);

	if (!bytes || fd < 0)
		abort();
	memcpy(bytes, data, size);
	seal_chunks(bytes, size, seal_head(bytes, size));
	if (write(fd, bytes, size) != (ssize_t)size)
		abort();
	run(size ? data[0] % COMMANDS : 0, fd);
	close(fd);
	free(bytes);
	return 0;
}

#ifdef SEED

static int seed(const char *folder, uint8_t choice, const char *name, uint32_t exchanges,
		uint32_t round, bool whole)
{
	struct capture_sample s;
	char path[512];
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s.%u", folder, name, choice);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return 1;
	err = capture_sample_init(&s, exchanges);
	s.round = round;
	s.no_end = !whole;
	s.stacks = exchanges < 100;
	err = err ? err : capture_sample_write(&s, fd);
	err = err || pwrite(fd, &choice, 1, 0) != 1;
	capture_sample_free(&s);
	close(fd);
	return err;
}

int main(int argc, char **argv)
{
	int err = argc != 2;

	for (uint8_t i = 0; i < COMMANDS && !err; i++)
		err = seed(argv[1], i, "empty", 0, 100, true) ||
		      seed(argv[1], i, "small", 3, 1, true) ||
		      seed(argv[1], i, "open", 20, 5, false) ||
		      seed(argv[1], i, "larger", 300, 100, true);
	return err;
}

#endif
