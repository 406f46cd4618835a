// SPDX-License-Identifier: Apache-2.0
/* Label selectors (A04): the API server's meaning of each operator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "herald/core/selector.h"

static const struct string_pair pairs[] = {{"app", "web"}, {"empty", ""}, {"tier", "front"}};
static const struct string_map labels = {pairs, 3};
static const struct string_map none = {NULL, 0};

static const char *web[] = {"web"}, *several[] = {"api", "web", "db"}, *others[] = {"api", "db"};
static const char *nothing[] = {""};

static void A04_operators(void **state)
{
	static const struct {
		const char *what;
		struct selector_requirement requirement;
		bool holds, holds_without_labels;
	} cases[] = {
		{"In, one value", {"app", SELECTOR_IN, web, 1}, true, false},
		{"In, several", {"app", SELECTOR_IN, several, 3}, true, false},
		{"In, others", {"app", SELECTOR_IN, others, 2}, false, false},
		{"In, absent key", {"none", SELECTOR_IN, web, 1}, false, false},
		{"In, empty value", {"empty", SELECTOR_IN, nothing, 1}, true, false},
		{"In, empty value of an absent key", {"none", SELECTOR_IN, nothing, 1}, false,
			false},
		{"In, of nothing", {"app", SELECTOR_IN, NULL, 0}, false, false},
		{"NotIn, one value", {"app", SELECTOR_NOT_IN, web, 1}, false, true},
		{"NotIn, others", {"app", SELECTOR_NOT_IN, others, 2}, true, true},
		{"NotIn, absent key", {"none", SELECTOR_NOT_IN, web, 1}, true, true},
		{"NotIn, empty value", {"empty", SELECTOR_NOT_IN, nothing, 1}, false, true},
		{"Exists", {"app", SELECTOR_EXISTS, NULL, 0}, true, false},
		{"Exists, empty value", {"empty", SELECTOR_EXISTS, NULL, 0}, true, false},
		{"Exists, absent key", {"none", SELECTOR_EXISTS, NULL, 0}, false, false},
		{"DoesNotExist", {"app", SELECTOR_DOES_NOT_EXIST, NULL, 0}, false, true},
		{"DoesNotExist, absent key", {"none", SELECTOR_DOES_NOT_EXIST, NULL, 0}, true,
			true},
		{"keys are compared whole", {"ap", SELECTOR_EXISTS, NULL, 0}, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct selector_requirement requirement = cases[i].requirement;
		const struct selector selector = {&requirement, 1};

		if (selector_matches(&selector, &labels) != cases[i].holds ||
			selector_matches(&selector, &none) != cases[i].holds_without_labels)
			fail_msg("%s", cases[i].what);
	}
}

static void A04_all_requirements_must_hold(void **state)
{
	struct selector_requirement both[] = {
		{"app", SELECTOR_IN, web, 1}, {"tier", SELECTOR_EXISTS, NULL, 0}};
	struct selector_requirement one[] = {
		{"app", SELECTOR_IN, web, 1}, {"tier", SELECTOR_DOES_NOT_EXIST, NULL, 0}};
	struct selector_requirement contradiction[] = {
		{"app", SELECTOR_IN, web, 1}, {"app", SELECTOR_NOT_IN, web, 1}};

	(void)state;
	assert_true(selector_matches(&(struct selector){both, 2}, &labels));
	assert_false(selector_matches(&(struct selector){one, 2}, &labels));
	assert_false(selector_matches(&(struct selector){contradiction, 2}, &labels));
	assert_true(selector_matches(&(struct selector){NULL, 0}, &labels));
	assert_true(selector_matches(&(struct selector){NULL, 0}, &none));
}

static void A04_alternatives(void **state)
{
	struct selector_requirement wrong = {"app", SELECTOR_IN, others, 2};
	struct selector_requirement right = {"app", SELECTOR_IN, web, 1};
	struct selector items[] = {{&wrong, 1}, {&right, 1}};

	(void)state;
	assert_true(selector_list_matches(&(struct selector_list){NULL, 0}, &none));
	assert_true(selector_list_matches(&(struct selector_list){items, 2}, &labels));
	assert_false(selector_list_matches(&(struct selector_list){items, 1}, &labels));
	assert_false(selector_list_matches(&(struct selector_list){items, 2}, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A04_operators),
		cmocka_unit_test(A04_all_requirements_must_hold),
		cmocka_unit_test(A04_alternatives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
