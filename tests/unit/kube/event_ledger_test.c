// SPDX-License-Identifier: Apache-2.0
/*
 * The ledger of Events: repeats become a count (K50), writes of an object are bounded
 * (C24), memory is bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event_ledger.h"

static struct monotime at(uint64_t ms)
{
	return monotime_add_ms((struct monotime){0}, 1000000 + ms);
}

static bool say_of(
	struct event_ledger *ledger, const char *object, const char *message, uint64_t ms)
{
	struct kube_object_ref about = {"v1", "Service", "shop", object, "uid"};
	struct event_note note = {&about, KUBE_EVENT_NORMAL, "Reason", message, (int64_t)ms};

	return event_ledger_record(ledger, &note, at(ms));
}

static bool say(struct event_ledger *ledger, const char *message, uint64_t ms)
{
	return say_of(ledger, "web", message, ms);
}

static bool write_next(struct event_ledger *ledger, uint64_t ms)
{
	struct monotime wake;
	struct event_entry *entry = event_ledger_next(ledger, at(ms), &wake);

	if (entry)
		event_ledger_written(ledger, entry,
			event_ledger_view(entry).name ? EVENT_PATCHED : EVENT_CREATED, "name");
	return entry != NULL;
}

static void test_k50_repeats_are_folded_into_a_count(void **state)
{
	struct event_ledger *ledger = event_ledger_new();
	struct event_entry *entry;
	struct monotime wake;

	(void)state;
	assert_true(say(ledger, "m", 0));
	entry = event_ledger_next(ledger, at(0), &wake);
	assert_non_null(entry);
	assert_null(event_ledger_view(entry).name);
	assert_int_equal(event_ledger_view(entry).count, 1);
	assert_true(say(ledger, "m", 5)); /* while it is being written */
	assert_null(event_ledger_next(ledger, at(2000), &wake));
	event_ledger_written(ledger, entry, EVENT_CREATED, "web.1");
	assert_true(say(ledger, "m", 10));
	assert_null(event_ledger_next(ledger, at(10), &wake));
	assert_int_equal(wake.ns, at(1000).ns); /* one write a second */
	entry = event_ledger_next(ledger, at(1000), &wake);
	assert_non_null(entry);
	assert_string_equal(event_ledger_view(entry).name, "web.1");
	assert_int_equal(event_ledger_view(entry).count, 3);
	assert_int_equal(event_ledger_view(entry).first_unix, 0);
	assert_int_equal(event_ledger_view(entry).last_unix, 10);
	event_ledger_written(ledger, entry, EVENT_PATCHED, NULL);
	assert_null(event_ledger_next(ledger, at(9000), &wake));
	assert_int_equal(wake.ns, 0);
	event_ledger_free(ledger);
}

static void test_c24_writes_of_an_object_are_bounded(void **state)
{
	struct event_ledger *ledger = event_ledger_new();
	struct monotime wake;
	int written = 0, recorded = 0;
	char message[32];

	(void)state;
	for (int i = 0; i < 1000; i++) { /* ever new messages */
		snprintf(message, sizeof(message), "m%d", i);
		recorded += say(ledger, message, 0);
		written += write_next(ledger, 0);
	}
	assert_int_equal(written, EVENT_BURST);
	assert_int_equal(recorded, EVENT_BURST);
	for (uint64_t ms = 1; ms < 3600000; ms += 1000) { /* one message for an hour */
		assert_true(say(ledger, "m0", ms));
		written += write_next(ledger, ms);
	}
	assert_int_equal(written, EVENT_BURST + 3600 / EVENT_REFILL_S - 1);
	say(ledger, "m0", 3600001);
	assert_null(event_ledger_next(ledger, at(3599999), &wake));
	assert_int_equal(wake.ns, at(3600000).ns);
	assert_true(say_of(ledger, "another", "m0", 0)); /* has its own bucket */
	assert_true(write_next(ledger, 0));
	event_ledger_free(ledger);
}

static void test_a_vanished_event_is_created_anew(void **state)
{
	struct event_ledger *ledger = event_ledger_new();
	struct event_entry *entry;
	struct monotime wake;

	(void)state;
	say(ledger, "m", 0);
	assert_true(write_next(ledger, 0));
	say(ledger, "m", 2000);
	entry = event_ledger_next(ledger, at(2000), &wake);
	event_ledger_written(ledger, entry, EVENT_VANISHED, NULL);
	entry = event_ledger_next(ledger, at(3000), &wake);
	assert_non_null(entry);
	assert_null(event_ledger_view(entry).name);
	event_ledger_written(ledger, entry, EVENT_FAILED, NULL);
	assert_null(event_ledger_next(ledger, at(9000), &wake));
	assert_true(say(ledger, "m", 9000));
	assert_true(write_next(ledger, 9000));
	event_ledger_free(ledger);
}

static void test_messages_are_cut_between_characters(void **state)
{
	struct event_ledger *ledger = event_ledger_new();
	struct event_entry *entry;
	struct monotime wake;
	char message[3001];

	(void)state;
	for (size_t i = 0; i < 1000; i++) /* three bytes each; 1024 is inside one */
		memcpy(message + 3 * i, "\xe2\x82\xac", 3);
	message[3000] = '\0';
	say(ledger, message, 0);
	entry = event_ledger_next(ledger, at(0), &wake);
	assert_int_equal(strlen(event_ledger_view(entry).message), 1023);
	event_ledger_free(ledger);
}

static void test_the_least_recently_used_is_forgotten(void **state)
{
	struct event_ledger *ledger = event_ledger_new();
	char object[32];
	struct event_entry *entry;
	struct monotime wake;

	(void)state;
	say_of(ledger, "kept", "m", 0);
	say_of(ledger, "forgotten", "m", 0);
	while (write_next(ledger, 0))
		;
	for (int i = 0; i < EVENT_LEDGER_MAX - 1; i++) {
		snprintf(object, sizeof(object), "o%d", i);
		say_of(ledger, object, "m", 1);
		assert_true(write_next(ledger, 1));
		say_of(ledger, "kept", "m", 1);
	}
	say_of(ledger, "forgotten", "m", 5000);
	while ((entry = event_ledger_next(ledger, at(5000), &wake))) {
		struct event_view view = event_ledger_view(entry);

		if (!strcmp(view.object, "kept"))
			assert_int_equal(view.count, EVENT_LEDGER_MAX);
		if (!strcmp(view.object, "forgotten"))
			assert_int_equal(view.count, 1);
		event_ledger_written(ledger, entry, EVENT_PATCHED, NULL);
	}
	event_ledger_free(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k50_repeats_are_folded_into_a_count),
		cmocka_unit_test(test_c24_writes_of_an_object_are_bounded),
		cmocka_unit_test(test_a_vanished_event_is_created_anew),
		cmocka_unit_test(test_messages_are_cut_between_characters),
		cmocka_unit_test(test_the_least_recently_used_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
