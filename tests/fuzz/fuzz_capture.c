/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_capture.c - any bytes as a capture: replayed, reported as text and JSON.
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
#include "render/render.h"
#include "watch/replay.h"
#include "tests/unit/capture_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static int keep_last(void *ctx, const struct exchange_info *x)
{
	*(struct exchange_info *)ctx = *x;
	return 0;
}

/* Only for sanitizers: every byte is read. */
static void hear_stack(void *ctx, const struct named_stack *s)
{
	size_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		sum += strlen(s->frames[i]);
	if (!sum && s->n > STACK_DEPTH)
		abort();
	(void)ctx;
}

static void hear_module(void *ctx, const struct stack_module *m)
{
	(void)ctx;
	if (m->build_id_len > sizeof(m->build_id) || !m->name[0] || strlen(m->path) > 1 << 16)
		abort();
}

static int render_conn(void *ctx, const struct ev_conn_close *c)
{
	struct style style = { 0 };
	FILE *out = fopen("/dev/null", "w");

	(void)ctx;
	if (!out)
		abort();
	render_conn_text(out, c, 0, &style);
	render_conn_json(out, c, 0);
	fclose(out);
	return 0;
}

static void render(const struct watch_result *w, const struct exchange_info *x)
{
	struct report r = { .version = w->version, .start_realtime_ns = w->start_ns,
			    .exchanges_only = w->rebuilt, .loss_unknown = !w->loss_known };
	struct style style = { 0 };
	FILE *out = fopen("/dev/null", "w");

	if (!out || aggregate_report(w->aggregate, &r))
		abort();
	render_report_text(out, &r, &style);
	render_report_json(out, &r);
	render_slow_text(out, x, w->realtime_offset_ns, &style);
	render_slow_json(out, x, w->realtime_offset_ns);
	fclose(out);
	report_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exchange_info last = { 0 };
	struct watch_handlers h = {
		.exchange = keep_last, .conn_close = render_conn, .tail_only = size & 1, .ctx = &last,
		.stack = hear_stack, .module = hear_module, .debug_dir = "/nonexistent",
	};
	uint8_t *bytes = malloc(size ? size : 1);
	struct watch_result r;
	int fd = memfd_create("capture", 0);

	if (!bytes || fd < 0)
		abort();
	memcpy(bytes, data, size);
	seal_chunks(bytes, size, seal_head(bytes, size));
	if (write(fd, bytes, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		abort();
	if (!replay_fd(fd, "fuzz", &h, &r))
		render(&r, &last);
	watch_free(&r);
	free(bytes);
	return 0;
}

#ifdef SEED

static int seed(const char *folder, const char *name, uint32_t exchanges, uint32_t round, bool whole)
{
	struct capture_sample s;
	char path[512];
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return 1;
	err = capture_sample_init(&s, exchanges);
	s.round = round;
	s.no_end = !whole;
	s.stacks = exchanges < 100;
	err = err ? err : capture_sample_write(&s, fd);
	capture_sample_free(&s);
	close(fd);
	return err != 0;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 64;
	return seed(argv[1], "empty", 0, 100, true) || seed(argv[1], "small", 3, 1, true) ||
	       seed(argv[1], "open", 20, 5, false) || seed(argv[1], "larger", 300, 100, true);
}

#endif
