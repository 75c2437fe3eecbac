/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_capture_file.c - a capture as a file: its limit, a full disk, who may read it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/read.h"
#include "capture/write.h"

static int memory_file(void)
{
	int fd = memfd_create("capture", 0);

	assert_true(fd >= 0);
	return fd;
}

static void test_limits(void **state)
{
	struct capture_writer w;
	struct bytes b = { 0 };

	(void)state;
	capture_on_fd(&w, memory_file());
	w.max_bytes = 100;
	assert_int_equal(capture_put_head(&w, &b, 0), 0);
	assert_int_equal(capture_put_chunk(&w, CHUNK_MAPS, "12345678", 8), 0);
	assert_int_equal(capture_put_chunk(&w, CHUNK_MAPS, "12345678", 8), -ENOBUFS);
	assert_int_equal(lseek(w.fd, 0, SEEK_END), 72);
	capture_close(&w);
	assert_int_equal(capture_create(&w, "/nonexistent/x"), -ENOENT);
}

/* A disk that was full for one chunk, and then was not: no hole stays. */
static void test_full_disk(void **state)
{
	struct rlimit limit = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY }, low;
	uint8_t filler[4096] = "name", block[64 << 10];
	struct bytes items = { 0 };
	struct capture_writer w;
	struct capture_chunk chunk;
	struct capture_reader r;
	char why[160];
	int fd = memory_file(), found = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(i * i >> 7);
	item_text(&items, META_HOST, "a host");
	capture_on_fd(&w, dup(fd));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(capture_put_head(&w, &items, 0), 0);
	bytes_free(&items);
	low = limit;
	low.rlim_cur = w.bytes + 5000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	assert_int_equal(capture_put_chunk(&w, CHUNK_SYMBOLS, block, sizeof(block)), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(capture_put_chunk(&w, CHUNK_SYMBOLS, filler, sizeof(filler)), 0);
	assert_int_equal(capture_end(&w), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), w.bytes);
	capture_close(&w);

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(capture_begin(&r, fd, why, sizeof(why)), 0);
	while (capture_next(&r, &chunk) > 0)
		found++;
	assert_int_equal(found, 1);
	assert_string_equal(r.damage, "");
	capture_shut(&r);
}

/* A file that was there, readable by all, is so no more. */
static void test_private(void **state)
{
	struct capture_writer w;
	struct bytes items = { 0 };
	struct stat st;
	int fd = memory_file();

	(void)state;
	assert_int_equal(fchmod(fd, 0644), 0);
	capture_on_fd(&w, fd);
	assert_int_equal(capture_put_head(&w, &items, 0), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	capture_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits), cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
