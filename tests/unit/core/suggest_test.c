// SPDX-License-Identifier: Apache-2.0
/* "Did you mean" (A02): slips of the pen find their word, other words find none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/suggest.h"

static const char *best_of(const char *word, const char *const *candidates)
{
	struct suggestion s = {.word = word};

	for (size_t i = 0; candidates[i]; i++)
		suggest_offer(&s, candidates[i]);
	return s.best;
}

static void A02_words(void **state)
{
	static const char *const fields[] = {"pools", "layer2", "announce", "membership", "nodes",
		"bgp", "asn", "vrf", "peerASN", "peerAddress", "a", NULL};
	static const struct {
		const char *what, *word, *best;
	} cases[] = {
		{"the word itself", "pools", "pools"},
		{"a letter left out", "pols", "pools"},
		{"a letter too many", "poools", "pools"},
		{"another letter", "podls", "pools"},
		{"two letters swapped", "bpg", "bgp"},
		{"swapped and one more", "anounec", "announce"},
		{"another case", "PEERasn", "peerASN"},
		{"all in capitals", "BGP", "bgp"},
		{"the plural left out", "node", "nodes"},
		{"two slips in six letters", "lyer3", "layer2"},
		{"three slips in a long word", "pearAdres", "peerAddress"},
		{"a third of the letters is too much", "pexxAdxxess", NULL},
		{"three letters with two wrong", "axx", NULL},
		{"two letters with one wrong", "ax", "a"},
		{"one letter", "b", NULL},
		{"nothing", "", NULL},
		{"another word", "services", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *best = best_of(cases[i].word, fields);

		if (strcmp(best ? best : "", cases[i].best ? cases[i].best : "") != 0)
			fail_msg("%s: for \"%s\" the answer was \"%s\"", cases[i].what,
				cases[i].word, best ? best : "none");
	}
}

static void the_first_of_equals_and_the_nearest_wins(void **state)
{
	static const char *const equals[] = {"cart", "card", NULL};
	static const char *const order[] = {"abcdxx", "abcdex", "abcdef", "abcdey", NULL};

	(void)state;
	assert_string_equal(best_of("care", equals), "cart");
	assert_string_equal(best_of("abcdef", order), "abcdef");
}

/* Words that are no one's slip are not compared, however long they are. */
static void long_words(void **state)
{
	char longest[65], longer[66], endless[100000];
	const char *const same[] = {longest, NULL};
	const char *const other[] = {longer, NULL};

	(void)state;
	memset(longest, 'a', sizeof(longest));
	memset(longer, 'a', sizeof(longer));
	memset(endless, 'a', sizeof(endless));
	longest[64] = longer[65] = endless[sizeof(endless) - 1] = '\0';
	assert_ptr_equal(best_of(longest, same), longest);
	assert_null(best_of(longest, other));
	assert_null(best_of(longer, same));
	assert_null(best_of(endless, same));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A02_words),
		cmocka_unit_test(the_first_of_equals_and_the_nearest_wins),
		cmocka_unit_test(long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
