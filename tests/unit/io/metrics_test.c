// SPDX-License-Identifier: Apache-2.0
/*
 * The exposition as Prometheus reads it, compared as a whole; identity of series; the cap
 * that bounds them (O02); and the process' own metrics.
 */
#include "herald/io/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/io/process_metrics.h"

static void assert_exposition(const struct metrics *m, const char *expected)
{
	size_t length;
	char *text = metrics_render(m, &length);

	assert_int_equal(length, strlen(text));
	assert_string_equal(text, expected);
	free(text);
}

static void nothing_renders_as_nothing(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	assert_exposition(m, "");
	metrics_free(m);
	metrics_free(NULL);
}

static void writes_counters_and_gauges(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	metric_add(metric_counter(m, "herald_requests_total", "Requests.", "code", "200", "verb",
			   "get", NULL),
		3);
	metric_set(metric_gauge(m, "herald_ready", "Whether\nit \\ is \"ready\".", NULL), 1);
	metric_add(metric_counter(m, "herald_requests_total", "Requests.", "code", "500", "verb",
			   "get", NULL),
		0.25);
	assert_exposition(m, "# HELP herald_requests_total Requests.\n"
			     "# TYPE herald_requests_total counter\n"
			     "herald_requests_total{code=\"200\",verb=\"get\"} 3\n"
			     "herald_requests_total{code=\"500\",verb=\"get\"} 0.25\n"
			     "# HELP herald_ready Whether\\nit \\\\ is \"ready\".\n"
			     "# TYPE herald_ready gauge\n"
			     "herald_ready 1\n");
	metrics_free(m);
}

static void escapes_label_values(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	metric_set(metric_gauge(m, "g", "G.", "l",
			   "a\"b\\c\nd\xff"
			   "e\xc3\xbc",
			   NULL),
		1);
	assert_exposition(m, "# HELP g G.\n# TYPE g gauge\n"
			     "g{l=\"a\\\"b\\\\c\\nd\xef\xbf\xbd"
			     "e\xc3\xbc\"} 1\n");
	metrics_free(m);
}

static void writes_numbers_that_read_back_the_same(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0, "0"},
		{-1, "-1"},
		{0.1, "0.1"},
		{1e15, "1e+15"},
		{123456789012345, "123456789012345"},
		{1732478400.123, "1732478400.123"},
		{0.1 + 0.2, "0.30000000000000004"},
		{NAN, "NaN"},
		{HUGE_VAL, "+Inf"},
		{-HUGE_VAL, "-Inf"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct metrics *m = metrics_new();
		AUTO_FREE char *expected =
			xasprintf("# HELP g G.\n# TYPE g gauge\ng %s\n", cases[i].text);

		metric_set(metric_gauge(m, "g", "G.", NULL), cases[i].value);
		assert_exposition(m, expected);
		metrics_free(m);
	}
}

static void a_histogram_is_cumulative(void **state)
{
	static const double bounds[] = {0.125, 0.25, 1};
	struct metrics *m = metrics_new();
	struct metric *h = metric_histogram(m, "herald_wait_seconds", "Wait.", bounds, 3);

	(void)state;
	metric_observe(h, 0.125); /* a bound belongs to its bucket */
	metric_observe(h, 0.5);
	metric_observe(h, 0.5);
	metric_observe(h, 7);
	assert_ptr_equal(metric_histogram(m, "herald_wait_seconds", "Wait.", bounds, 3), h);
	assert_exposition(m, "# HELP herald_wait_seconds Wait.\n"
			     "# TYPE herald_wait_seconds histogram\n"
			     "herald_wait_seconds_bucket{le=\"0.125\"} 1\n"
			     "herald_wait_seconds_bucket{le=\"0.25\"} 1\n"
			     "herald_wait_seconds_bucket{le=\"1\"} 3\n"
			     "herald_wait_seconds_bucket{le=\"+Inf\"} 4\n"
			     "herald_wait_seconds_sum 8.125\n"
			     "herald_wait_seconds_count 4\n");
	metrics_free(m);
}

static void same_labels_are_the_same_series(void **state)
{
	struct metrics *m = metrics_new();
	struct metric *a = metric_counter(m, "c", "C.", "l", "a", NULL);
	struct metric *b = metric_counter(m, "c", "C.", "l", "b", NULL);

	(void)state;
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(metric_counter(m, "c", "C.", "l", "a", NULL), a);
	metric_add(a, 2);
	metric_add(a, 3);
	assert_true(metric_value(a) > 4.9 && metric_value(a) < 5.1);
	metrics_free(m);
}

static void o02_series_above_the_cap_are_folded_into_other(void **state)
{
	struct metrics *m = metrics_new();
	struct metric *other = NULL;
	char value[32];

	(void)state;
	for (int i = 0; i < METRICS_SERIES_MAX + 50; i++) {
		snprintf(value, sizeof(value), "%d", i);
		other = metric_counter(m, "c", "C.", "l", value, "k", value, NULL);
		metric_add(other, 1);
	}
	assert_ptr_equal(metric_counter(m, "c", "C.", "l", "other", "k", "other", NULL), other);
	assert_true(metric_value(other) > 49.9 && metric_value(other) < 50.1);
	metrics_free(m);
}

static void process_metrics_are_read_when_asked(void **state)
{
	static const char *const names[] = {"\nprocess_cpu_seconds_total ",
		"\nprocess_resident_memory_bytes ", "\nprocess_open_fds ", "\nprocess_max_fds ",
		"\nprocess_start_time_seconds "};
	struct metrics *m = metrics_new();
	struct process_metrics *process = process_metrics_new(m);
	size_t length;
	char *text = metrics_render(m, &length);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *found = strstr(text, names[i]);

		assert_non_null(found);
		assert_true(strtod(found + strlen(names[i]), NULL) > 0);
	}
	free(text);
	process_metrics_free(process);
	metrics_free(m);
}

static void what_is_forgotten_can_come_again(void **state)
{
	struct metrics *m = metrics_new();
	size_t length;
	char *text;

	(void)state;
	metric_set(metric_gauge(m, "pool", "Help.", "name", "a", NULL), 1);
	metric_set(metric_gauge(m, "kept", "Help.", NULL), 2);
	metrics_forget(m, "pool");
	metrics_forget(m, "never seen");
	metric_set(metric_gauge(m, "pool", "Help.", "name", "b", NULL), 3);
	text = metrics_render(m, &length);
	assert_string_equal(text, "# HELP pool Help.\n# TYPE pool gauge\npool{name=\"b\"} 3\n"
				  "# HELP kept Help.\n# TYPE kept gauge\nkept 2\n");
	free(text);
	metrics_free(m);
}

static void gives_other_names_too(void **state)
{
	static const struct metrics_alias aliases[] = {
		{.name = "their_pools", .of = "herald_pools", .by_first_label = true},
		{.name = "their_frames", .of = "herald_arp_total", .and_of = "herald_ndp_total"},
		{.name = "their_stale", .of = "herald_valid", .negated = true},
		{.name = "their_nothing", .of = "herald_nothing"},
	};
	struct metrics *m = metrics_new();
	char *text;
	size_t length;

	(void)state;
	metrics_set_aliases(m, aliases, sizeof(aliases) / sizeof(aliases[0]));
	metric_set(metric_gauge(m, "herald_pools", "P.", "pool", "a", "family", "4", NULL), 1);
	metric_set(metric_gauge(m, "herald_pools", "P.", "pool", "a\"\\", "family", "4", NULL), 4);
	metric_set(metric_gauge(m, "herald_pools", "P.", "pool", "a", "family", "6", NULL), 2);
	metric_add(metric_counter(m, "herald_arp_total", "A.", "interface", "x", NULL), 8);
	metric_add(metric_counter(m, "herald_arp_total", "A.", "interface", "y", NULL), 16);
	metric_add(metric_counter(m, "herald_ndp_total", "N.", NULL), 32);
	metric_set(metric_gauge(m, "herald_valid", "V.", NULL), 1);
	text = metrics_render(m, &length);
	assert_string_equal(strstr(text, "# HELP their_pools"),
		"# HELP their_pools The same as herald_pools.\n"
		"# TYPE their_pools gauge\n"
		"their_pools{pool=\"a\"} 3\n"
		"their_pools{pool=\"a\\\"\\\\\"} 4\n"
		"# HELP their_frames The same as herald_arp_total and herald_ndp_total.\n"
		"# TYPE their_frames counter\n"
		"their_frames 56\n"
		"# HELP their_stale The same as 1 less herald_valid.\n"
		"# TYPE their_stale gauge\n"
		"their_stale 0\n");
	free(text);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_renders_as_nothing),
		cmocka_unit_test(writes_counters_and_gauges),
		cmocka_unit_test(escapes_label_values),
		cmocka_unit_test(writes_numbers_that_read_back_the_same),
		cmocka_unit_test(a_histogram_is_cumulative),
		cmocka_unit_test(same_labels_are_the_same_series),
		cmocka_unit_test(o02_series_above_the_cap_are_folded_into_other),
		cmocka_unit_test(what_is_forgotten_can_come_again),
		cmocka_unit_test(process_metrics_are_read_when_asked),
		cmocka_unit_test(gives_other_names_too),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
