/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_base.c - arrays that grow, searching sorted ones, finding items by keys. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/map.h"

static void test_reserve(void **state)
{
	uint32_t *list = NULL, *first;
	size_t room = 0;

	(void)state;
	assert_int_equal(array_reserve(&list, &room, 1, sizeof(*list)), 0);
	assert_true(room >= 1);
	first = list;
	assert_int_equal(array_reserve(&list, &room, room, sizeof(*list)), 0);
	assert_ptr_equal(list, first);
	list[0] = 7;
	assert_int_equal(array_reserve(&list, &room, 1000, sizeof(*list)), 0);
	assert_true(room >= 1000 && room < 2000);
	assert_int_equal(list[0], 7);
	/* What cannot be had changes nothing. */
	first = list;
	assert_int_equal(array_reserve(&list, &room, SIZE_MAX / 4, sizeof(*list)), -ENOMEM);
	assert_int_equal(array_reserve(&list, &room, SIZE_MAX, 1), -ENOMEM);
	assert_ptr_equal(list, first);
	assert_true(room < 2000);
	assert_int_equal(list[0], 7);
	free(list);
}

static void test_more(void **state)
{
	uint64_t *list = NULL;

	(void)state;
	for (size_t n = 0; n < 1000; n++) {
		uint64_t *new = array_more(&list, n, sizeof(*list));

		assert_non_null(new);
		assert_ptr_equal(new, &list[n]);
		*new = n;
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(list[i], i);
	free(list);
}

static bool below(const void *item, const void *key)
{
	return *(const int *)item < *(const int *)key;
}

static void test_lower_bound(void **state)
{
	static const int list[] = { 2, 4, 4, 4, 9 };
	static const struct { int key; size_t at; } cases[] = {
		{ 1, 0 }, { 2, 0 }, { 3, 1 }, { 4, 1 }, { 5, 4 }, { 9, 4 }, { 10, 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(array_lower_bound(list, 5, sizeof(list[0]), below, &cases[i].key),
				 cases[i].at);
	assert_int_equal(array_lower_bound(NULL, 0, sizeof(int), below, &cases[0].key), 0);
}

static bool same_key(const void *items, uint32_t number, const void *key)
{
	return ((const uint64_t *)items)[number] == *(const uint64_t *)key;
}

static uint32_t find(const struct map *m, const uint64_t *keys, uint64_t key)
{
	return map_find(m, &key, sizeof(key), same_key, keys);
}

#define KEYS 20000

static void test_map(void **state)
{
	uint64_t *keys = calloc(KEYS, sizeof(*keys));
	struct map m = { 0 };

	(void)state;
	assert_int_equal(find(&m, keys, 0), MAP_NONE);
	for (uint32_t i = 0; i < KEYS; i++) {
		keys[i] = (uint64_t)i << 40;	/* all alike in their low bits */
		assert_int_equal(map_add(&m, &keys[i], sizeof(keys[i]), i), 0);
	}
	assert_int_equal(m.n, KEYS);
	for (uint32_t i = 0; i < KEYS; i++)
		assert_int_equal(find(&m, keys, keys[i]), i);
	assert_int_equal(find(&m, keys, 1), MAP_NONE);
	for (uint32_t i = 0; i < KEYS; i += 2)
		map_remove(&m, &keys[i], sizeof(keys[i]), i);
	for (uint32_t i = 0; i < KEYS; i++)
		assert_int_equal(find(&m, keys, keys[i]), i % 2 ? i : MAP_NONE);
	assert_int_equal(m.n, KEYS / 2);
	map_free(&m);
	assert_int_equal(find(&m, keys, keys[1]), MAP_NONE);
	free(keys);
}

/* Many come and go through little room: what was removed leaves no trace. */
static void test_map_churn(void **state)
{
	uint64_t keys[40];
	struct map m = { 0 };
	size_t room;

	(void)state;
	assert_int_equal(map_reserve(&m, 40), 0);
	room = m.room;
	for (uint64_t i = 0; i < 100000; i++) {
		uint32_t number = (uint32_t)(i % 40);

		if (i >= 40) {
			assert_int_equal(find(&m, keys, i - 40), number);
			map_remove(&m, &keys[number], sizeof(keys[0]), number);
			assert_int_equal(find(&m, keys, i - 40), MAP_NONE);
		}
		keys[number] = i;
		assert_int_equal(map_add(&m, &keys[number], sizeof(keys[0]), number), 0);
	}
	assert_int_equal(m.n, 40);
	assert_int_equal(m.room, room);
	assert_int_equal(map_reserve(&m, SIZE_MAX), -ENOMEM);
	assert_int_equal(m.n, 40);
	map_free(&m);
}

static bool same_text(const void *items, uint32_t number, const void *key)
{
	return !strcmp(((const char *const *)items)[number], key);
}

static void test_map_text(void **state)
{
	static const char *const texts[] = { "", "a", "seven b", "eight by", "nine byte",
					     "sixteen of bytes", "seventeen of byte" };
	struct map m = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 7; i++) {
		assert_int_equal(map_find(&m, texts[i], strlen(texts[i]), same_text, texts), MAP_NONE);
		assert_int_equal(map_add(&m, texts[i], strlen(texts[i]), i), 0);
	}
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(map_find(&m, texts[i], strlen(texts[i]), same_text, texts), i);
	map_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_more),
		cmocka_unit_test(test_lower_bound),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_map_churn),
		cmocka_unit_test(test_map_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
