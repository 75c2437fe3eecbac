/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* json_check.h - a JSON syntax check for tests, enough to catch a writer's mistakes. */
#ifndef TESTS_JSON_CHECK_H
#define TESTS_JSON_CHECK_H

/* What follows the first value of a text, NULL: that is not JSON. */
const char *json_end(const char *text);

#endif
