/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* make_capture.c - make_capture FILE EXCHANGES: a complete capture out of synthetic records. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/capture_sample.h"

int main(int argc, char **argv)
{
	struct capture_sample s;
	int fd, err;

	if (argc != 3)
		return 64;
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	err = capture_sample_init(&s, (uint32_t)strtoul(argv[2], NULL, 10));
	if (!err)
		err = capture_sample_write(&s, fd);
	capture_sample_free(&s);
	if (err)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-err));
	return err != 0;
}
