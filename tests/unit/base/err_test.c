// SPDX-License-Identifier: Apache-2.0
/*
 * Errors as values: what a caller gets back, what is cut, and what wrapping adds.
 */
#include "herald/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void set_returns_the_code_and_keeps_the_text(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, -ENOENT, "cannot open \"%s\": %s", "x", "gone"), -ENOENT);
	assert_int_equal(e.code, -ENOENT);
	assert_string_equal(e.text, "cannot open \"x\": gone");
}

static void set_allows_no_receiver(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EINVAL, "nobody listens"), -EINVAL);
}

static void long_texts_are_cut_never_overflown(void **state)
{
	struct err e;
	char text[2000];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&e, -EINVAL, "%s", text);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_int_equal(err_wrap(&e, "%s", text), -EINVAL);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	err_set(&e, -EINVAL, "%s", text);
	err_wrap(&e, "pool");
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_memory_equal(e.text, "pool: aaa", 9);
}

static void wrap_says_more_in_front(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, -EACCES, "permission denied");
	assert_int_equal(err_wrap(&e, "reading \"%s\"", "token"), -EACCES);
	assert_string_equal(e.text, "reading \"token\": permission denied");
}

static char *steal_one(void)
{
	AUTO_FREE char *text = xstrdup("kept");

	return STEAL(text);
}

static void steal_outlives_the_cleanup(void **state)
{
	char *text = steal_one();

	(void)state;
	assert_string_equal(text, "kept");
	free(text);
}

static void allocations_of_nothing_give_a_pointer(void **state)
{
	void *p = xcalloc(0, 0);

	(void)state;
	assert_non_null(p);
	p = xrealloc(p, 0, 8);
	assert_non_null(p);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_returns_the_code_and_keeps_the_text),
		cmocka_unit_test(set_allows_no_receiver),
		cmocka_unit_test(long_texts_are_cut_never_overflown),
		cmocka_unit_test(wrap_says_more_in_front),
		cmocka_unit_test(steal_outlives_the_cleanup),
		cmocka_unit_test(allocations_of_nothing_give_a_pointer),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
