// SPDX-License-Identifier: Apache-2.0
/* Conflicts as text, from and to Leases; text of other nodes is untrusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/conflicts.h"

/* Parsed, and written again. */
static void expect(const char *text, const char *again)
{
	struct conflict_list list;
	char *written;

	conflicts_parse(text, NULL, &list);
	written = conflicts_text(&list);
	if (again)
		assert_string_equal(written, again);
	else
		assert_null(written);
	free(written);
	conflict_list_done(&list);
}

static void text_to_list_and_back(void **state)
{
	(void)state;
	expect(NULL, NULL);
	expect("", NULL);
	expect("192.0.2.7=02:00:00:aa:bb:cc", "192.0.2.7=02:00:00:aa:bb:cc");
	expect("2001:db8::7=02:00:00:AA:BB:CC 192.0.2.7=02:00:00:aa:bb:cc",
		"192.0.2.7=02:00:00:aa:bb:cc 2001:db8::7=02:00:00:aa:bb:cc");
	expect("192.0.2.7=02:00:00:00:00:01 192.0.2.7=02:00:00:00:00:02",
		"192.0.2.7=02:00:00:00:00:01");
}

static void what_is_malformed_is_left_out(void **state)
{
	static const char *const bad[] = {"x", "=", "192.0.2.7", "192.0.2.7=", "=02:00:00:aa:bb:cc",
		"192.0.2.7=02:00:00:aa:bb", "192.0.2.7=02:00:00:aa:bb:cc:dd",
		"192.0.2.7=02-00-00-aa-bb-cc", "192.0.2.7=02:00:00:aa:bb:cg",
		"192.0.2.7=ff:ff:ff:ff:ff:ff", "192.0.2.7=00:00:00:00:00:00",
		"192.0.2.300=02:00:00:aa:bb:cc", "192.0.2.7==02:00:00:aa:bb:cc", "   "};
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		expect(bad[i], NULL);
		snprintf(text, sizeof(text), "%s 192.0.2.8=02:00:00:00:00:01 %s", bad[i], bad[i]);
		expect(text, "192.0.2.8=02:00:00:00:00:01");
	}
	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	expect(text, NULL);
}

static void what_exceeds_the_bound_is_left_out(void **state)
{
	char text[CONFLICTS_MAX * 64] = "";
	struct conflict_list list;

	(void)state;
	for (unsigned i = 0; i < CONFLICTS_MAX + 8; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"10.0.0.%u=02:00:00:00:00:01 ", i);
	conflicts_parse(text, NULL, &list);
	assert_int_equal(list.count, CONFLICTS_MAX);
	conflict_list_done(&list);
}

static void put(struct members *members, const char *name, const char *holder, const char *text)
{
	static unsigned version;
	struct string_pair pair = {MEMBER_CONFLICTS_ANNOTATION, text};
	char number[16];
	struct lease lease = {.meta = {.name = name, .resource_version = number},
		.holder = holder,
		.renew_time = number,
		.duration_s = 3,
		.annotations = {&pair, 1}};

	snprintf(number, sizeof(number), "%u", ++version);
	members_put(members, &lease, (struct monotime){1});
}

static void collected_from_those_alive(void **state)
{
	struct members *members = members_new();
	struct conflict_list list;
	const struct conflict *found;
	struct ip ip;

	(void)state;
	put(members, "herald-speaker.a", "a", "192.0.2.7=02:00:00:00:00:0a");
	put(members, "herald-speaker.b", "b",
		"192.0.2.7=02:00:00:00:00:0b 192.0.2.8=02:00:00:00:00:0b");
	put(members, "herald-speaker.c", "", "192.0.2.9=02:00:00:00:00:0c"); /* has left */
	conflicts_collect(members, NULL, &list);
	assert_int_equal(list.count, 2);
	assert_true(ip_parse("192.0.2.7", &ip));
	found = conflict_find(&list, &ip);
	assert_non_null(found);
	assert_string_equal(found->node, "a");
	assert_int_equal(found->mac[5], 0x0a);
	conflict_list_done(&list);
	conflicts_collect(members, "b", &list);
	assert_int_equal(list.count, 1);
	conflict_list_done(&list);
	members_free(members);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_to_list_and_back),
		cmocka_unit_test(what_is_malformed_is_left_out),
		cmocka_unit_test(what_exceeds_the_bound_is_left_out),
		cmocka_unit_test(collected_from_those_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
