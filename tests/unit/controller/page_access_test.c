// SPDX-License-Identifier: Apache-2.0
/*
 * Who may see the status page: tokens as programs and browsers give them, and host names by
 * which a foreign site could have a browser read it.
 */
#include "page_access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void takes_the_token_and_nothing_like_it(void **state)
{
	static const struct {
		const char *authorization;
		bool expected;
	} cases[] = {
		{NULL, false},
		{"", false},
		{"Bearer", false},
		{"Bearer ", false},
		{"Bearer secret", true},
		{"bearer   secret", true},
		{"Bearer secret ", false},
		{"Bearer secre", false},
		{"Bearer secrets", false},
		{"Bearer Secret", false},
		{"Bearersecret", false},
		{"secret", false},
		{"Basic OnNlY3JldA==", true},	   /* ":secret" */
		{"BASIC YTpzZWNyZXQ=", true},	   /* "a:secret" */
		{"Basic YTpiOnNlY3JldA==", false}, /* "a:b:secret": the password is "b:secret" */
		{"Basic c2VjcmV0", false},	   /* "secret" */
		{"Basic YTo=", false},		   /* "a:" */
		{"Basic secret", false},
		{"Basic ????", false},
		{"Digest secret", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (page_access_has_token(cases[i].authorization, "secret") != cases[i].expected)
			fail_msg("wrong answer to \"%s\"", cases[i].authorization);
	}
	/* An empty file is no token that nobody has to know. */
	assert_false(page_access_has_token("Bearer ", ""));
	assert_false(page_access_has_token("Basic Og==", ""));
}

static void knows_a_plain_host(void **state)
{
	static const char *const plain[] = {NULL, "localhost", "localhost:8080", "LocalHost",
		"127.0.0.1", "127.0.0.1:7474", "192.0.2.7:80", "[::1]", "[2001:db8::7]:7474"};
	static const char *const others[] = {"", ":7474", "attacker.example", "localhost.example",
		"127.0.0.1.attacker.example", "127.0.0.1.attacker.example:7474", "[::1",
		"[::1]attacker.example", "[attacker.example]:80", "2130706433", "0x7f.1", "127.1",
		"localhost@attacker.example",
		"a-name-that-is-longer-than-any-address-may-be-in-whatever-family-it-is"};

	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (!page_access_is_plain_host(plain[i]))
			fail_msg("\"%s\" was refused", plain[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (page_access_is_plain_host(others[i]))
			fail_msg("\"%s\" was taken", others[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_token_and_nothing_like_it),
		cmocka_unit_test(knows_a_plain_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
