// SPDX-License-Identifier: Apache-2.0
/* Dual stack: the three policies, and changes among them in place (K26, A11). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_scene.h"

#define V4 "pools: [{name: a, addresses: [10.0.0.0/29]}]"
#define V6 "pools: [{name: b, addresses: [fd00::/64]}]"
#define BOTH "pools: [{name: a, addresses: [10.0.0.0/29, fd00::/64]}]"
#define TWO "pools: [{name: a, addresses: [10.0.0.0/29]}, {name: b, addresses: [fd00::/64]}]"

struct stage {
	const char *pools; /* NULL: as before */
	uint8_t first, second;
	enum family_policy policy;
	const char *asked, *shown;
	enum assign_state state;
};

/* A Service through two or three stages of config and spec. */
static void policies_and_their_changes(void **state)
{
	static const struct {
		const char *what;
		struct stage stages[3];
	} cases[] = {
		{"single, IPv6", {{BOTH, IP_V6, 0, FAMILY_SINGLE, "", "fd00::", ASSIGN_ASSIGNED}}},
		{"the Service's order", {{BOTH, IP_V6, IP_V4, FAMILY_REQUIRE_DUAL, "",
						 "fd00::,10.0.0.0", ASSIGN_ASSIGNED},
						{NULL, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "",
							"10.0.0.0,fd00::", ASSIGN_ASSIGNED}}},
		{"A11: two pools", {{TWO, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "",
					   "10.0.0.0,fd00::", ASSIGN_ASSIGNED}}},
		{"required: both or none",
			{{V4, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "", "", ASSIGN_PENDING},
				{TWO, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "",
					"10.0.0.0,fd00::", ASSIGN_ASSIGNED}}},
		{"required, the first family missing",
			{{V6, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "", "", ASSIGN_PENDING}}},
		{"required later: the one is kept",
			{{V4, IP_V4, 0, FAMILY_SINGLE, "", "10.0.0.0", ASSIGN_ASSIGNED},
				{NULL, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "", "10.0.0.0",
					ASSIGN_KEPT},
				{TWO, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "",
					"10.0.0.0,fd00::", ASSIGN_ASSIGNED}}},
		{"preferred: the second follows",
			{{V4, IP_V4, IP_V6, FAMILY_PREFER_DUAL, "", "10.0.0.0", ASSIGN_ASSIGNED},
				{TWO, IP_V4, IP_V6, FAMILY_PREFER_DUAL, "",
					"10.0.0.0,fd00::", ASSIGN_ASSIGNED}}},
		{"preferred: the first follows",
			{{V6, IP_V4, IP_V6, FAMILY_PREFER_DUAL, "", "fd00::", ASSIGN_ASSIGNED},
				{TWO, IP_V4, IP_V6, FAMILY_PREFER_DUAL, "",
					"10.0.0.0,fd00::", ASSIGN_ASSIGNED}}},
		{"preferred: neither",
			{{"pools: []", IP_V4, IP_V6, FAMILY_PREFER_DUAL, "", "", ASSIGN_PENDING}}},
		{"preferred: the one asked for is missed",
			{{V4, IP_V4, IP_V6, FAMILY_PREFER_DUAL, "fd00::9", "10.0.0.0",
				ASSIGN_KEPT}}},
		{"second added, then removed",
			{{BOTH, IP_V4, 0, FAMILY_SINGLE, "", "10.0.0.0", ASSIGN_ASSIGNED},
				{NULL, IP_V4, IP_V6, FAMILY_PREFER_DUAL, "",
					"10.0.0.0,fd00::", ASSIGN_ASSIGNED},
				{NULL, IP_V4, 0, FAMILY_SINGLE, "", "10.0.0.0", ASSIGN_ASSIGNED}}},
		{"one a family asked for",
			{{BOTH, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "10.0.0.3,fd00::3",
				"10.0.0.3,fd00::3", ASSIGN_ASSIGNED}}},
		{"one asked for, one not to be had",
			{{BOTH, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "10.0.0.3,fd01::3", "",
				 ASSIGN_PENDING},
				{NULL, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "10.0.0.3",
					"10.0.0.3,fd00::", ASSIGN_ASSIGNED},
				{NULL, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL, "fd01::3",
					"10.0.0.3,fd00::", ASSIGN_KEPT}}},
		{"A08: a pool of one family goes, and that is reported",
			{{TWO, IP_V4, IP_V6, FAMILY_PREFER_DUAL, "",
				 "10.0.0.0,fd00::", ASSIGN_ASSIGNED},
				{V4, IP_V4, IP_V6, FAMILY_PREFER_DUAL, "",
					"10.0.0.0,fd00::", ASSIGN_KEPT}}},
		{"A08: kept in one family, the other not to be had",
			{{V4, IP_V4, IP_V6, FAMILY_PREFER_DUAL, "", "10.0.0.0", ASSIGN_ASSIGNED},
				{"pools: []", IP_V4, IP_V6, FAMILY_PREFER_DUAL, "", "10.0.0.0",
					ASSIGN_KEPT}}},
		{"a family goes while a request of its is refused",
			{{BOTH, IP_V4, IP_V6, FAMILY_PREFER_DUAL, "fd00::3", "10.0.0.0,fd00::3",
				 ASSIGN_ASSIGNED},
				{NULL, IP_V4, 0, FAMILY_SINGLE, "fd00::3", "10.0.0.0",
					ASSIGN_KEPT}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new("pools: []");
		struct subject subject;

		subject_init(&subject, "x", "web");
		for (size_t j = 0; j < 3 && cases[i].stages[j].first; j++) {
			const struct stage *stage = &cases[i].stages[j];

			if (stage->pools)
				scene_configure(scene, stage->pools);
			subject_families(&subject, stage->first, stage->second, stage->policy);
			subject_annotate(&subject, ANNOTATION_IPS, stage->asked);
			subject_settle(scene, &subject);
			if (strcmp(subject_shown(&subject), stage->shown) != 0 ||
				subject.decision.state != stage->state)
				fail_msg("%s, stage %zu: %s, state %d: %s", cases[i].what, j,
					subject_shown(&subject), (int)subject.decision.state,
					subject.decision.condition_message);
		}
		subject_done(scene, &subject);
		scene_free(scene);
	}
}

/* The address of a family that was removed is free for others once that is written. */
static void a_removed_family_is_free(void **state)
{
	struct scene *scene = scene_new(BOTH);
	struct subject subject;
	struct ip ip = scene_ip("fd00::");

	(void)state;
	subject_init(&subject, "x", "web");
	subject_families(&subject, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL);
	subject_settle(scene, &subject);
	subject_families(&subject, IP_V4, IP_NONE, FAMILY_SINGLE);
	subject_decide(scene, &subject);
	assert_string_equal(subject.decision.events[0].reason, "UpdatedLoadBalancer");
	assert_string_equal(subject.decision.events[0].message,
		"address changed from 10.0.0.0,fd00:: to 10.0.0.0");
	assert_true(alloc_holds(&subject.holder, &ip));
	subject_settle(scene, &subject);
	assert_false(alloc_holds(&subject.holder, &ip));
	subject_done(scene, &subject);
	scene_free(scene);
}

/* Why not, for each family: in one condition, what is missing first. */
static void both_families_are_explained(void **state)
{
	struct scene *scene =
		scene_new("pools: [{name: a, addresses: [10.0.0.0/29], disabled: true}]");
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_families(&subject, IP_V4, IP_V6, FAMILY_PREFER_DUAL);
	subject_settle(scene, &subject);
	assert_string_equal(subject.condition.message,
		"no IPv4 address: pool `a`: disabled; no IPv6 address: "
		"pool `a`: disabled; enable a pool");
	subject_done(scene, &subject);
	scene_free(scene);
}

/*
 * K19, K26: it has one, requires both, and is to move within the family that there is: also
 * when that has to be decided again, since the write of it was lost, it keeps one.
 */
static void one_of_two_is_moved_and_not_lost(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.0/29]}, {name: b, "
					"addresses: [10.1.0.0/29]}]");
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_settle(scene, &subject);
	assert_string_equal(subject_shown(&subject), "10.0.0.0");
	subject_families(&subject, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL);
	subject_annotate(&subject, ANNOTATION_POOL, "b");
	for (size_t i = 0; i < 3; i++) {
		subject_decide(scene, &subject);
		assert_int_equal(subject.decision.state, ASSIGN_KEPT);
		assert_string_equal(subject.decision.annotation_text, "10.1.0.0");
	}
	subject_settle(scene, &subject);
	assert_string_equal(subject_shown(&subject), "10.1.0.0");
	subject_done(scene, &subject);
	scene_free(scene);
}

/*
 * K19, K26: the write of its first address has arrived, but before that is seen a new config
 * has it moved, and both families are required by then: it keeps one.
 */
static void one_of_two_that_was_never_settled_is_not_lost(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.0/29]}]");
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_decide(scene, &subject);
	subject_apply(&subject);
	assert_string_equal(subject_shown(&subject), "10.0.0.0");
	scene_configure(scene, "addresses: {whenRemoved: move}\n"
			       "pools: [{name: b, addresses: [10.1.0.0/29]}]");
	subject_decide(scene, &subject);
	assert_string_equal(subject.decision.annotation_text, "10.1.0.0");
	/* That write is lost. */
	subject_families(&subject, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL);
	subject_settle(scene, &subject);
	assert_string_equal(subject_shown(&subject), "10.1.0.0");
	subject_done(scene, &subject);
	scene_free(scene);
}

/*
 * K19, K26: one family is removed, and before that is written it is the only one, in no pool
 * by then, or with a request that can't be read: it keeps its address.
 */
static void a_family_that_is_back_in_time_has_its_address(void **state)
{
	static const char *const asked[] = {NULL, "fd00::1"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene *scene = scene_new(BOTH);
		struct subject subject;

		subject_init(&subject, "x", "web");
		subject_families(&subject, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL);
		subject_settle(scene, &subject);
		assert_string_equal(subject_shown(&subject), "10.0.0.0,fd00::");
		subject_families(&subject, IP_V6, IP_NONE, FAMILY_SINGLE);
		subject_decide(scene, &subject);
		assert_string_equal(subject.decision.annotation_text, "fd00::");
		/* That write is lost. */
		scene_configure(scene, "pools: [{name: b, addresses: [10.1.0.0/29]}]");
		subject_families(&subject, IP_V4, IP_NONE, FAMILY_SINGLE);
		subject_annotate(&subject, ANNOTATION_IPS, asked[i]);
		subject_settle(scene, &subject);
		assert_string_equal(subject_shown(&subject), "10.0.0.0");
		subject_done(scene, &subject);
		scene_free(scene);
	}
}

/* K18, K26: half of what is remembered can be had; required are both or none. */
static void half_a_memory_is_none(void **state)
{
	struct scene *scene = scene_new(V4);
	uint64_t generation;
	struct assign_input input;
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_families(&subject, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL);
	subject_annotate(&subject, ANNOTATION_ASSIGNED, "10.0.0.1,fd00::1");
	input = subject_input(&subject);
	assert_true(assign_adopt_annotation(scene->alloc, &input));
	subject_settle(scene, &subject);
	assert_string_equal(subject_shown(&subject), "");
	assert_false(alloc_holds_any(&subject.holder));
	/* Nor is it taken and given back each time, which would wake up the next who waits. */
	generation = alloc_generation(scene->alloc);
	subject_settle(scene, &subject);
	assert_true(alloc_generation(scene->alloc) == generation);
	subject_done(scene, &subject);
	scene_free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_and_their_changes),
		cmocka_unit_test(a_removed_family_is_free),
		cmocka_unit_test(both_families_are_explained),
		cmocka_unit_test(one_of_two_is_moved_and_not_lost),
		cmocka_unit_test(one_of_two_that_was_never_settled_is_not_lost),
		cmocka_unit_test(a_family_that_is_back_in_time_has_its_address),
		cmocka_unit_test(half_a_memory_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
