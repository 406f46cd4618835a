// SPDX-License-Identifier: Apache-2.0
/* Small files: whole, readable for all, and left as they were where that fails. */
#include "herald/io/small_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/small-file-XXXXXX";
static char path[64];

static void assert_reads(const char *expected)
{
	AUTO_FREE char *text = NULL;
	struct err e;

	assert_int_equal(small_file_read(path, &text, &e), 0);
	assert_string_equal(text, expected);
}

static void written_and_read_back(void **state)
{
	AUTO_FREE char *large = xcalloc(100001, 1);
	struct stat seen;
	struct err e;

	(void)state;
	memset(large, 'x', 100000);
	assert_int_equal(small_file_write(path, "one\n", 0640, &e), 0);
	assert_reads("one\n");
	assert_int_equal(small_file_write(path, large, 0640, &e), 0);
	assert_reads(large);
	assert_int_equal(small_file_write(path, "", 0640, &e), 0);
	assert_reads("");
	assert_int_equal(stat(path, &seen), 0);
	assert_int_equal(seen.st_mode & 0777, 0640);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0); /* nothing is left beside it */
}

static void failures_say_what_and_why(void **state)
{
	AUTO_FREE char *text = NULL;
	struct err e;

	(void)state;
	assert_int_equal(small_file_read("/nonexistent/x", &text, &e), -ENOENT);
	assert_non_null(strstr(e.text, "\"/nonexistent/x\""));
	assert_int_equal(small_file_read("/", &text, &e), -EIO);
	assert_null(text);
	assert_int_equal(small_file_write("/nonexistent/x", "", 0640, &e), -ENOENT);
	assert_non_null(strstr(e.text, "\"/nonexistent/x\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_and_read_back),
		cmocka_unit_test(failures_say_what_and_why),
	};

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
