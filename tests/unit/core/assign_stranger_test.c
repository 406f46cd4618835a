// SPDX-License-Identifier: Apache-2.0
/* Addresses that another machine turns out to have (L09, A07): who moves, who stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_scene.h"

#define POOL "pools: [{name: a, addresses: [10.0.0.1-10.0.0.3]}]\n"
#define SMALL "pools: [{name: a, addresses: [10.0.0.1]}]\n"
#define FIRST "10.0.0.1"
#define SECOND "10.0.0.2"

static int set_up(void **state)
{
	*state = scene_new(POOL);
	return 0;
}

static int tear_down(void **state)
{
	scene_free(*state);
	return 0;
}

/* What strangers have now: one address, or with NULL none. */
static bool strangers_have(struct scene *scene, const char *ip)
{
	struct conflict item = {.mac = {2, 0, 0, 0, 0, 9}, .node = "node1"};
	struct conflict_list list = {.items = &item, .count = ip != NULL};

	if (ip)
		item.ip = scene_ip(ip);
	return alloc_set_strangers(scene->alloc, &list);
}

static void expect_event(
	const struct assign_decision *decision, const char *reason, const char *words)
{
	for (size_t i = 0; i < decision->event_count; i++) {
		if (strcmp(decision->events[i].reason, reason) == 0 &&
			strstr(decision->events[i].message, words))
			return;
	}
	fail_msg("no Event %s with \"%s\"", reason, words);
}

static void L09_one_that_asked_for_none_moves(void **state)
{
	struct scene *scene = *state;
	struct subject web;

	subject_init(&web, "default", "web");
	subject_settle(scene, &web);
	assert_string_equal(subject_shown(&web), FIRST);
	assert_true(strangers_have(scene, FIRST));
	expect_event(subject_decide(scene, &web), "UpdatedLoadBalancer", "another machine");
	subject_settle(scene, &web);
	assert_string_equal(subject_shown(&web), SECOND);
	/* It is free again; nothing moves back. */
	assert_false(strangers_have(scene, NULL));
	assert_false(subject_decide(scene, &web)->write);
	assert_string_equal(subject_shown(&web), SECOND);
	subject_done(scene, &web);
}

static void L09_nobody_is_given_it(void **state)
{
	struct scene *scene = *state;
	struct subject web, other;

	subject_init(&web, "default", "web");
	subject_init(&other, "default", "other");
	assert_false(strangers_have(scene, FIRST));
	subject_settle(scene, &web);
	assert_string_equal(subject_shown(&web), SECOND);
	/* Told again and again, it comes back when it is told no more. */
	assert_false(strangers_have(scene, FIRST));
	strangers_have(scene, NULL);
	subject_annotate(&other, ANNOTATION_IPS, FIRST);
	subject_settle(scene, &other);
	assert_string_equal(subject_shown(&other), FIRST);
	subject_done(scene, &web);
	subject_done(scene, &other);
}

static void A07_asked_for_while_a_stranger_has_it(void **state)
{
	struct scene *scene = *state;
	const struct assign_decision *decision;
	uint64_t generation;
	struct subject web;

	subject_init(&web, "default", "web");
	subject_annotate(&web, ANNOTATION_IPS, FIRST);
	strangers_have(scene, FIRST);
	decision = subject_settle(scene, &web);
	assert_int_equal(decision->state, ASSIGN_PENDING);
	assert_string_equal(decision->condition_reason, "AddressOfStranger");
	assert_non_null(strstr(decision->condition_message, "02:00:00:00:00:09"));
	assert_non_null(strstr(decision->condition_message, "node1"));
	generation = alloc_generation(scene->alloc);
	strangers_have(scene, NULL);
	assert_true(alloc_generation(scene->alloc) > generation); /* those who wait are tried */
	subject_settle(scene, &web);
	assert_string_equal(subject_shown(&web), FIRST);
	subject_done(scene, &web);
}

static void L09_one_that_asked_for_it_keeps_it_and_is_told(void **state)
{
	struct scene *scene = *state;
	const struct assign_decision *decision;
	struct subject web;

	subject_init(&web, "default", "web");
	subject_annotate(&web, ANNOTATION_IPS, FIRST);
	subject_settle(scene, &web);
	assert_true(strangers_have(scene, FIRST));
	decision = subject_decide(scene, &web);
	assert_int_equal(decision->state, ASSIGN_KEPT);
	assert_string_equal(decision->condition_reason, "AddressOfStranger");
	expect_event(decision, "AddressKept", "asks for just this one");
	subject_settle(scene, &web);
	assert_string_equal(subject_shown(&web), FIRST);
	/* A new start comes to the same. */
	strangers_have(scene, NULL);
	decision = subject_settle(scene, &web);
	assert_string_equal(decision->condition_reason, "Assigned");
	subject_done(scene, &web);
}

static void L09_without_another_it_stays_until_there_is_one(void **state)
{
	struct scene *scene = *state;
	const struct assign_decision *decision;
	struct subject web;

	scene_configure(scene, SMALL);
	subject_init(&web, "default", "web");
	subject_settle(scene, &web);
	strangers_have(scene, FIRST);
	decision = subject_settle(scene, &web);
	assert_string_equal(subject_shown(&web), FIRST);
	assert_string_equal(web.condition.reason, "AddressOfStranger");
	assert_int_equal(decision->state, ASSIGN_KEPT);
	scene_configure(scene, POOL);
	subject_settle(scene, &web);
	assert_string_equal(subject_shown(&web), SECOND);
	subject_done(scene, &web);
}

static void L09_one_family_moves_the_other_stays(void **state)
{
	struct scene *scene = *state;
	struct subject web;

	scene_configure(
		scene, "pools: [{name: a, addresses: [10.0.0.1-10.0.0.3, \"fd00::1-fd00::3\"]}]\n");
	subject_init(&web, "default", "web");
	subject_families(&web, IP_V4, IP_V6, FAMILY_REQUIRE_DUAL);
	subject_settle(scene, &web);
	assert_string_equal(subject_shown(&web), "10.0.0.1,fd00::1");
	strangers_have(scene, "fd00::1");
	subject_settle(scene, &web);
	assert_string_equal(subject_shown(&web), "10.0.0.1,fd00::2");
	subject_done(scene, &web);
}

/* A node may have it as well, and go on having it. */
static void K35_a_nodes_block_is_its_own(void **state)
{
	struct scene *scene = *state;
	struct ip first = scene_ip(FIRST);
	struct subject web;

	alloc_block(scene->alloc, &first);
	strangers_have(scene, FIRST);
	strangers_have(scene, NULL);
	subject_init(&web, "default", "web");
	subject_settle(scene, &web);
	assert_string_equal(subject_shown(&web), SECOND);
	alloc_unblock(scene->alloc, &first);
	subject_done(scene, &web);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(L09_one_that_asked_for_none_moves),
		TEST(L09_nobody_is_given_it),
		TEST(A07_asked_for_while_a_stranger_has_it),
		TEST(L09_one_that_asked_for_it_keeps_it_and_is_told),
		TEST(L09_without_another_it_stays_until_there_is_one),
		TEST(L09_one_family_moves_the_other_stays),
		TEST(K35_a_nodes_block_is_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
