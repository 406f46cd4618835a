// SPDX-License-Identifier: Apache-2.0
/* What the tests of the configuration's parser share: the whole answer is compared. */
#include "config_expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

static struct config *parse(const char *before, const char *text, struct config_problems *problems)
{
	AUTO_FREE char *whole = xasprintf("%s%s", before, text);
	size_t length = strlen(whole);
	/* Exactly as long as the text: a sanitizer sees the first byte beyond. */
	AUTO_FREE char *exact = xcalloc(length + 1, 1);

	memcpy(exact, whole, length);
	exact = xrealloc(exact, length ? length : 1, 1);
	return config_parse(exact, length, problems);
}

static char *show(const struct config_problems *problems)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < problems->count; i++) {
		const struct config_problem *problem = &problems->items[i];
		char *longer = xasprintf("%s%u:%u %s: %s\n", text, problem->line, problem->column,
			problem->field, problem->text);

		free(text);
		text = longer;
	}
	return text;
}

void config_expect(const char *before, const struct config_case *cases, size_t count)
{
	unsigned failed = 0;

	for (size_t i = 0; i < count; i++) {
		struct config_problems problems = {0};
		struct config *config = parse(before, cases[i].text, &problems);
		AUTO_FREE char *told = show(&problems);

		if (strcmp(told, cases[i].problems) != 0 || !config == !*told) {
			print_error("%s: for\n%s\nexpected\n%s\nbut was told\n%s\n", cases[i].what,
				cases[i].text, cases[i].problems, told);
			failed++;
		}
		config_free(config);
		config_problems_done(&problems);
	}
	assert_int_equal(failed, 0);
}

struct config *config_of(const char *before, const char *text)
{
	struct config_problems problems = {0};
	struct config *config = parse(before, text, &problems);
	AUTO_FREE char *told = show(&problems);

	assert_string_equal(told, "");
	assert_non_null(config);
	config_problems_done(&problems);
	return config;
}
