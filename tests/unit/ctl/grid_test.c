// SPDX-License-Identifier: Apache-2.0
/* Tables as kubectl prints them: widths, what is shown, and what is news. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "grid.h"

static const struct grid_column columns[] = {{.title = "NAMESPACE"}, {.title = "NAME"},
	{.title = "STATE"}, {.title = "WHY", .wide = true}};

static void add_row(struct grid *grid, const char *const cells[4])
{
	for (size_t i = 0; i < 4; i++)
		grid_add(grid, cells[i]);
}

static void init(struct grid *grid, const char *const rows[][4], size_t count)
{
	grid_init(grid, columns, 4, 2);
	for (size_t i = 0; i < count; i++)
		add_row(grid, rows[i]);
}

static char *printed(const struct grid *grid, bool wide, const struct grid *before)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (before)
		grid_print_news(grid, out, wide, before);
	else
		grid_print(grid, out, wide);
	fclose(out);
	return text;
}

static void check(const struct grid *grid, bool wide, const struct grid *before, const char *expect)
{
	char *text = printed(grid, wide, before);

	assert_string_equal(text, expect);
	free(text);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	static const char *const rows[][4] = {
		{"default", "web", "Announced", ""}, {"a", "a-long-name", "Pending", "because"}};
	struct grid grid;

	(void)state;
	init(&grid, rows, 2);
	check(&grid, false, NULL,
		"NAMESPACE   NAME          STATE\n"
		"default     web           Announced\n"
		"a           a-long-name   Pending\n");
	check(&grid, true, NULL,
		"NAMESPACE   NAME          STATE       WHY\n"
		"default     web           Announced   <none>\n"
		"a           a-long-name   Pending     because\n");
	grid.columns[0].hidden = true;
	check(&grid, false, NULL,
		"NAME          STATE\n"
		"web           Announced\n"
		"a-long-name   Pending\n");
	grid_done(&grid);
}

static void text_from_elsewhere_is_cleaned_and_counted_in_characters(void **state)
{
	static const char *const rows[][4] = {
		{"\xc3\xbc\xc3\xbc", "a\x1b[2J\nb", "\xff", "-"}, {"abcdefghijk", "b", "c", "-"}};
	struct grid grid;

	(void)state;
	init(&grid, rows, 2);
	check(&grid, false, NULL,
		"NAMESPACE     NAME      STATE\n"
		"\xc3\xbc\xc3\xbc            a?[2J?b   ?\n"
		"abcdefghijk   b         c\n");
	grid_done(&grid);
}

static void only_rows_that_changed_are_news(void **state)
{
	static const char *const old[][4] = {
		{"n", "a", "1", ""}, {"n", "b", "1", ""}, {"n", "gone", "1", ""}};
	static const char *const new[][4] = {
		{"n", "a", "1", ""}, {"n", "added", "1", ""}, {"n", "b", "2", ""}};
	struct grid before, after;

	(void)state;
	init(&before, old, 3);
	init(&after, new, 3);
	check(&after, false, &before,
		"n           added   1\n"
		"n           b       2\n");
	check(&before, false, &before, "");
	grid_done(&before);
	grid_init(&before, columns, 4, 2);
	check(&after, false, &before,
		"n           a       1\n"
		"n           added   1\n"
		"n           b       2\n");
	grid_done(&before);
	grid_done(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(text_from_elsewhere_is_cleaned_and_counted_in_characters),
		cmocka_unit_test(only_rows_that_changed_are_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
