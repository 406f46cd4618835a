// SPDX-License-Identifier: Apache-2.0
/* The store of decoded objects: sorted, and swept by a list (K52). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/base/err.h"
#include "herald/kube/store.h"

struct thing {
	struct object_meta meta;
	char name[16];
};

static void put(struct store *store, unsigned number)
{
	struct thing *thing = xcalloc(1, sizeof(*thing));

	snprintf(thing->name, sizeof(thing->name), "%05u", number);
	thing->meta = (struct object_meta){.namespace = "ns", .name = thing->name};
	store_put_take(store, thing);
}

static void sorted_and_unique(void **state)
{
	struct store store = {0};

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		put(&store, i * 7919 % 251);
	assert_int_equal(store.count, 251);
	for (size_t i = 0; i < store.count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%05zu", i);
		assert_string_equal(((struct thing *)store.items[i])->name, name);
		assert_ptr_equal(store_find(&store, "ns", name), store.items[i]);
	}
	assert_null(store_find(&store, "other", "00001"));
	store_done(&store);
}

static void K52_list_sweeps_what_it_does_not_show(void **state)
{
	struct store store = {0};

	(void)state;
	store_list_begin(&store);
	for (unsigned i = 0; i < 10; i++)
		put(&store, i);
	store_list_end(&store);
	assert_int_equal(store.count, 10);
	store_list_begin(&store); /* broken off, begun again */
	put(&store, 1);
	store_list_begin(&store);
	put(&store, 3);
	put(&store, 77);
	store_list_end(&store);
	assert_int_equal(store.count, 2);
	assert_true(store_remove(&store, "ns", "00003"));
	assert_false(store_remove(&store, "ns", "00003"));
	store_done(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted_and_unique),
		cmocka_unit_test(K52_list_sweeps_what_it_does_not_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
