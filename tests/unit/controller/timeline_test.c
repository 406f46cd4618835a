// SPDX-License-Identifier: Apache-2.0
/*
 * The timeline keeps the last entries, by number, with texts of its own.
 */
#include "timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static void is_empty_at_first(void **state)
{
	struct timeline *timeline = timeline_new();

	(void)state;
	assert_int_equal(timeline_last(timeline), 0);
	assert_int_equal(timeline_first(timeline), 1);
	assert_null(timeline_at(timeline, 0));
	assert_null(timeline_at(timeline, 1));
	timeline_free(timeline);
	timeline_free(NULL);
}

static void keeps_the_last_with_texts_of_its_own(void **state)
{
	struct timeline *timeline = timeline_new();
	const struct timeline_entry *entry;
	char text[16];

	(void)state;
	for (unsigned i = 1; i <= 2 * TIMELINE_MAX + 5; i++) {
		snprintf(text, sizeof(text), "text %u", i);
		timeline_add(timeline, &(struct timeline_entry){.time_ms = i,
					       .kind = "moved",
					       .service = text,
					       .text = i % 2 ? text : NULL});
	}
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(timeline_last(timeline), 2 * TIMELINE_MAX + 5);
	assert_int_equal(timeline_first(timeline), TIMELINE_MAX + 6);
	assert_null(timeline_at(timeline, TIMELINE_MAX + 5));
	assert_null(timeline_at(timeline, 2 * TIMELINE_MAX + 6));
	for (unsigned i = TIMELINE_MAX + 6; i <= 2 * TIMELINE_MAX + 5; i++) {
		char expected[16];

		snprintf(expected, sizeof(expected), "text %u", i);
		entry = timeline_at(timeline, i);
		assert_int_equal(entry->number, i);
		assert_int_equal(entry->time_ms, i);
		assert_string_equal(entry->service, expected);
		assert_null(entry->address);
		if (i % 2)
			assert_string_equal(entry->text, expected);
		else
			assert_null(entry->text);
	}
	timeline_free(timeline);
}

/* What a speaker or an object says may be as long as it likes, and not in ASCII. */
static void cuts_texts_where_a_character_begins(void **state)
{
	struct timeline *timeline = timeline_new();
	char text[2 * TIMELINE_TEXT_MAX];
	const struct timeline_entry *entry;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memcpy(text + TIMELINE_TEXT_MAX - 1, "\xc3\xa4", 2);
	timeline_add(timeline,
		&(struct timeline_entry){
			.kind = "moved", .service = text + TIMELINE_TEXT_MAX + 1, .text = text});
	entry = timeline_at(timeline, 1);
	assert_int_equal(strlen(entry->service), TIMELINE_TEXT_MAX - 2);
	assert_int_equal(strlen(entry->text), TIMELINE_TEXT_MAX - 1);
	timeline_free(timeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_empty_at_first),
		cmocka_unit_test(keeps_the_last_with_texts_of_its_own),
		cmocka_unit_test(cuts_texts_where_a_character_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
