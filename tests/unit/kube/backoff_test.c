// SPDX-License-Identifier: Apache-2.0
/* The back-off: its bounds for any random number, and what the server asked for (K53). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "herald/kube/backoff.h"

static const uint32_t randoms[] = {0, 1, 49, 50, 51, 12345, UINT32_MAX - 1, UINT32_MAX};

struct row {
	uint32_t failures, asked_ms, least, most;
};

static const struct row rows[] = {
	{0, 0, 50, 100},
	{1, 0, 100, 200},
	{2, 0, 200, 400},
	{6, 0, 3200, 6400},
	{7, 0, 5000, 10000},
	{1000, 0, 5000, 10000},
	{UINT32_MAX, 0, 5000, 10000},
	{0, 2000, 2000, 2050},
	{7, 2000, 5000, 10000},
	{0, 3600000, BACKOFF_ASKED_MAX_MS, BACKOFF_ASKED_MAX_MS + 50},
};

static void delays_stay_in_bounds_k53(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t j = 0; j < sizeof(randoms) / sizeof(randoms[0]); j++) {
			struct backoff backoff = {
				.base_ms = 100, .max_ms = 10000, .failures = rows[i].failures};
			uint32_t ms = backoff_next_ms(&backoff, rows[i].asked_ms, randoms[j]);

			assert_in_range(ms, rows[i].least, rows[i].most);
			assert_true(backoff.failures >= rows[i].failures);
		}
	}
}

static void success_starts_over(void **state)
{
	struct backoff backoff = {.base_ms = 100, .max_ms = 10000};

	(void)state;
	for (int i = 0; i < 20; i++)
		backoff_next_ms(&backoff, 0, 7);
	assert_int_equal(backoff.failures, 20);
	backoff_reset(&backoff);
	assert_int_equal(backoff_next_ms(&backoff, 0, 0), 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_stay_in_bounds_k53),
		cmocka_unit_test(success_starts_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
