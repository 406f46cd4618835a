// SPDX-License-Identifier: Apache-2.0
/*
 * Log lines as a reader sees them: both formats, what hostile values turn into, levels,
 * areas and the limiter. JSON lines are read back with jansson.
 */
#include "herald/base/log.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static char *written;
static size_t written_length;
static FILE *sink;

static int open_sink(void **state)
{
	(void)state;
	sink = open_memstream(&written, &written_length);
	/* A flush makes the buffer's address and length known. */
	return sink && fflush(sink) == 0 ? 0 : -1;
}

static int close_sink(void **state)
{
	(void)state;
	fclose(sink);
	free(written);
	return 0;
}

/* The line without its time, which is checked for its form. */
static const char *after_time(const char *line)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";

	assert_memory_equal(line, "time=", 5);
	line += 5;
	for (size_t i = 0; i + 1 < sizeof(form); i++) {
		if (form[i] == 'd' ? line[i] < '0' || line[i] > '9' : line[i] != form[i])
			fail_msg("not an RFC 3339 time: %s", line);
	}
	return line + sizeof(form) - 1;
}

static void logfmt_quotes_only_where_needed(void **state)
{
	struct log *log = log_new(sink, LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, "herald-test");

	(void)state;
	log_info(log, "assigned", "service", "a/b", "address", "2001:db8::1", "why", "first free",
		"none", NULL, NULL);
	assert_string_equal(after_time(written),
		" level=info area=herald-test msg=assigned service=a/b address=2001:db8::1 "
		"why=\"first free\" none=\"\"\n");
	log_free(log);
}

static const struct {
	const char *what, *value, *escaped;
} hostile[] = {
	{"a forged line", "x\nlevel=error msg=forged", "\"x\\nlevel=error msg=forged\""},
	{"a carriage return", "a\rb", "\"a\\u000db\""},
	{"a quote", "a\" b=\"c", "\"a\\\" b=\\\"c\""},
	{"a backslash", "a\\nb", "\"a\\\\nb\""},
	{"a tab", "a\tb", "\"a\\tb\""},
	{"a terminal's escape", "\x1b[2J", "\"\\u001b[2J\""},
	{"DEL", "\x7f", "\"\\u007f\""},
	{"C1 control",
		"\xc2\x9b"
		"31m",
		"\"\\u009b31m\""},
	{"a bidirectional override",
		"\xe2\x80\xae"
		"txt",
		"\"\\u202etxt\""},
	{"a line separator", "\xe2\x80\xa8", "\"\\u2028\""},
	{"not UTF-8",
		"a\xff"
		"b",
		"\"a\\ufffdb\""},
	{"cut off UTF-8", "a\xe2\x82", "\"a\\ufffd\\ufffd\""},
	{"UTF-8", "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
	{"an equals sign", "a=b", "\"a=b\""},
	{"empty", "", "\"\""},
};

static void logfmt_escapes_hostile_values(void **state)
{
	struct log *log = log_new(sink, LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, "t");

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		AUTO_FREE char *expected =
			xasprintf(" level=warn area=t msg=seen value=%s\n", hostile[i].escaped);
		size_t before = written_length;

		log_warn(log, "seen", "value", hostile[i].value, NULL);
		if (strcmp(after_time(written + before), expected) != 0)
			fail_msg("%s: %s", hostile[i].what, written + before);
	}
	log_free(log);
}

static void json_is_one_object_a_line(void **state)
{
	struct log *log = log_new(sink, LOG_FORMAT_JSON, LOG_LEVEL_INFO, "t");

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		size_t before = written_length;
		json_t *object;

		log_error(log, "seen", "value", hostile[i].value, "none", NULL, NULL);
		assert_ptr_equal(strchr(written + before, '\n'), written + written_length - 1);
		object = json_loads(written + before, JSON_REJECT_DUPLICATES, NULL);
		if (!object)
			fail_msg("%s: not JSON: %s", hostile[i].what, written + before);
		assert_string_equal(json_string_value(json_object_get(object, "level")), "error");
		assert_string_equal(json_string_value(json_object_get(object, "area")), "t");
		assert_string_equal(json_string_value(json_object_get(object, "msg")), "seen");
		assert_string_equal(json_string_value(json_object_get(object, "none")), "");
		assert_non_null(json_object_get(object, "time"));
		if (!strstr(hostile[i].what, "not UTF-8") && !strstr(hostile[i].what, "cut off"))
			assert_string_equal(json_string_value(json_object_get(object, "value")),
				hostile[i].value);
		json_decref(object);
	}
	log_free(log);
}

static void long_values_are_cut_and_say_so(void **state)
{
	struct log *log = log_new(sink, LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, "t");
	char *value = xcalloc(1, 1 << 20);

	(void)state;
	memset(value, 'a', (1 << 20) - 1);
	log_info(log, "seen", "value", value, NULL);
	assert_true(written_length < 5000);
	assert_string_equal(written + written_length - 6, "a...\"\n");
	free(value);
	log_free(log);
}

static void levels_below_the_chosen_one_are_silent(void **state)
{
	struct log *log = log_new(sink, LOG_FORMAT_LOGFMT, LOG_LEVEL_WARN, "t");

	(void)state;
	log_debug(log, "no", NULL);
	log_info(log, "no", NULL);
	fflush(sink);
	assert_int_equal(written_length, 0);
	log_warn(log, "yes", NULL);
	log_error(log, "yes", NULL);
	assert_non_null(strstr(written, "level=warn"));
	assert_non_null(strstr(written, "level=error"));
	log_free(log);
}

static void an_area_outlives_the_logger_it_came_from(void **state)
{
	struct log *root = log_new(sink, LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO, "root");
	struct log *area = log_area(root, "l2");

	(void)state;
	log_free(root);
	log_debug(area, "no", NULL);
	log_info(area, "yes", NULL);
	assert_string_equal(after_time(written), " level=info area=l2 msg=yes\n");
	log_free(area);
}

static void names_of_levels_and_formats_are_exact(void **state)
{
	enum log_level level = LOG_LEVEL_INFO;
	enum log_format format = LOG_FORMAT_LOGFMT;

	(void)state;
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_true(log_level_parse("error", &level));
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_false(log_level_parse("Error", &level));
	assert_false(log_level_parse("", &level));
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_true(log_format_parse("json", &format));
	assert_int_equal(format, LOG_FORMAT_JSON);
	assert_false(log_format_parse("xml", &format));
}

static void the_limiter_counts_what_it_keeps_back(void **state)
{
	const uint64_t ms = 1000000, start = 5000 * ms;
	struct log_limit limit = {.burst = 2, .interval_ms = 1000};
	uint64_t suppressed = 99;

	(void)state;
	assert_true(log_limit_pass(&limit, start, &suppressed));
	assert_int_equal(suppressed, 0);
	assert_true(log_limit_pass(&limit, start + 1, &suppressed));
	for (int i = 0; i < 3; i++)
		assert_false(log_limit_pass(&limit, start + 999 * ms, &suppressed));
	assert_true(log_limit_pass(&limit, start + 1000 * ms, &suppressed));
	assert_int_equal(suppressed, 3);
	assert_true(log_limit_pass(&limit, start + 1000 * ms, &suppressed));
	assert_int_equal(suppressed, 0);
	assert_false(log_limit_pass(&limit, start + 1999 * ms, &suppressed));
	assert_true(log_limit_pass(&limit, start + 9000 * ms, &suppressed));
	assert_int_equal(suppressed, 1);
}

#define WITH_SINK(test) cmocka_unit_test_setup_teardown(test, open_sink, close_sink)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SINK(logfmt_quotes_only_where_needed),
		WITH_SINK(logfmt_escapes_hostile_values),
		WITH_SINK(json_is_one_object_a_line),
		WITH_SINK(long_values_are_cut_and_say_so),
		WITH_SINK(levels_below_the_chosen_one_are_silent),
		WITH_SINK(an_area_outlives_the_logger_it_came_from),
		cmocka_unit_test(names_of_levels_and_formats_are_exact),
		cmocka_unit_test(the_limiter_counts_what_it_keeps_back),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
