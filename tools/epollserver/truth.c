/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "truth.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS 13
#define LINE_BYTES (WORDS * 21)
#define TEXT_BYTES (256 * 1024)

/* Memory that is not touched costs nothing: a long buffer may stay short. */
struct truth {
	int fd;
	size_t count, room;
	struct record records[];
};

struct truth *truth_open(int fd, size_t records)
{
	struct truth *t = mmap(NULL, sizeof(*t) + records * sizeof(t->records[0]),
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (t == MAP_FAILED)
		return NULL;
	t->fd = fd;
	t->room = records;
	return t;
}

/* printf takes ten times as long. */
static char *put_word(char *to, uint64_t v, char end)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n)
		*to++ = digits[--n];
	*to++ = end;
	return to;
}

static char *put_line(char *to, const struct record *r)
{
	const uint64_t words[WORDS] = {
		r->port, r->number, r->accept_ns, r->return_ns, r->read_ns, r->got_ns, r->send_ns,
		r->answered_ns, r->tid, r->fault, r->loop, r->messages, r->bytes,
	};

	for (size_t i = 0; i < WORDS; i++)
		to = put_word(to, words[i], i + 1 < WORDS ? ' ' : '\n');
	return to;
}

/* Whole lines in one write: O_APPEND keeps writers apart. A full disk loses them. */
static void write_all(struct truth *t)
{
	char *text = malloc(TEXT_BYTES), *to = text;

	for (size_t i = 0; text && i < t->count; i++) {
		to = put_line(to, &t->records[i]);
		if (i + 1 < t->count && to + LINE_BYTES <= text + TEXT_BYTES)
			continue;
		if (write(t->fd, text, (size_t)(to - text)) < 0)
			break;
		to = text;
	}
	free(text);
	t->count = 0;
}

void truth_add(struct truth *t, const struct record *r)
{
	if (t->count == t->room)
		write_all(t);
	t->records[t->count++] = *r;
}

void truth_close(struct truth *t)
{
	if (t)
		write_all(t);
}
