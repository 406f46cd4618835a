// SPDX-License-Identifier: Apache-2.0
/* Sharing one address among Services by key (A06, K36), and parting again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_scene.h"

static const struct string_pair app_a = {"app", "a"}, app_b = {"app", "b"};
static const struct string_map selects_a = {&app_a, 1}, selects_b = {&app_b, 1};

struct sharer {
	const char *namespace, *key;
	uint16_t port;
	uint8_t protocol;
	bool local;
	const struct string_map *selector;
};

static void dress(struct subject *subject, const struct sharer *sharer, const char *name)
{
	subject_init(subject, sharer->namespace, name);
	subject_annotate(subject, ANNOTATION_SHARE, sharer->key);
	subject->ports[0] =
		(struct service_port){.port = sharer->port, .protocol = sharer->protocol};
	subject->service.traffic_local = sharer->local;
	if (sharer->selector)
		subject->service.selector = *sharer->selector;
}

/* A06, K36: the second asker with the same key gets the same address where it can. */
static void who_may_share(void **state)
{
	static const struct {
		const char *what;
		bool across;
		struct sharer first, second;
		enum alloc_reason expected;
	} cases[] = {
		{"other port", false, {"x", "k", 80, PROTOCOL_TCP, false, NULL},
			{"x", "k", 81, PROTOCOL_TCP, false, NULL}, ALLOC_OK},
		{"same port, other protocol", false, {"x", "k", 53, PROTOCOL_TCP, false, NULL},
			{"x", "k", 53, PROTOCOL_UDP, false, NULL}, ALLOC_OK},
		{"same port over SCTP", false, {"x", "k", 53, PROTOCOL_UDP, false, NULL},
			{"x", "k", 53, PROTOCOL_SCTP, false, NULL}, ALLOC_OK},
		{"same port", false, {"x", "k", 80, PROTOCOL_TCP, false, NULL},
			{"x", "k", 80, PROTOCOL_TCP, false, NULL}, ALLOC_SHARED_PORT},
		{"other key", false, {"x", "k", 80, PROTOCOL_TCP, false, NULL},
			{"x", "l", 81, PROTOCOL_TCP, false, NULL}, ALLOC_IN_USE},
		{"no key", false, {"x", "k", 80, PROTOCOL_TCP, false, NULL},
			{"x", NULL, 81, PROTOCOL_TCP, false, NULL}, ALLOC_IN_USE},
		{"neither has a key", false, {"x", NULL, 80, PROTOCOL_TCP, false, NULL},
			{"x", NULL, 81, PROTOCOL_TCP, false, NULL}, ALLOC_IN_USE},
		{"empty keys", false, {"x", "", 80, PROTOCOL_TCP, false, NULL},
			{"x", "", 81, PROTOCOL_TCP, false, NULL}, ALLOC_IN_USE},
		{"Local and Cluster", false, {"x", "k", 80, PROTOCOL_TCP, true, &selects_a},
			{"x", "k", 81, PROTOCOL_TCP, false, &selects_a}, ALLOC_SHARED_POLICY},
		{"Local, same selector", false, {"x", "k", 80, PROTOCOL_TCP, true, &selects_a},
			{"x", "k", 81, PROTOCOL_TCP, true, &selects_a}, ALLOC_OK},
		{"Local, other selector", false, {"x", "k", 80, PROTOCOL_TCP, true, &selects_a},
			{"x", "k", 81, PROTOCOL_TCP, true, &selects_b}, ALLOC_SHARED_POLICY},
		{"Cluster, other selector", false, {"x", "k", 80, PROTOCOL_TCP, false, &selects_a},
			{"x", "k", 81, PROTOCOL_TCP, false, &selects_b}, ALLOC_OK},
		{"other namespace", false, {"x", "k", 80, PROTOCOL_TCP, false, NULL},
			{"y", "k", 81, PROTOCOL_TCP, false, NULL}, ALLOC_SHARED_NAMESPACE},
		{"other namespace, allowed", true, {"x", "k", 80, PROTOCOL_TCP, false, NULL},
			{"y", "k", 81, PROTOCOL_TCP, false, NULL}, ALLOC_OK},
		{"other namespace, allowed, same port", true,
			{"x", "k", 80, PROTOCOL_TCP, false, NULL},
			{"y", "k", 80, PROTOCOL_TCP, false, NULL}, ALLOC_SHARED_PORT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene =
			scene_new(cases[i].across ? "pools: [{name: a, addresses: [10.0.0.0/24], "
						    "shareAcrossNamespaces: true}]"
						  : "pools: [{name: a, addresses: [10.0.0.0/24]}]");
		struct subject first, second;
		const struct assign_decision *decision;

		dress(&first, &cases[i].first, "first");
		dress(&second, &cases[i].second, "second");
		subject_settle(scene, &first);
		decision = subject_settle(scene, &second);
		assert_int_equal(decision->state, ASSIGN_ASSIGNED);
		if (ip_equal(&decision->addresses[0], &first.decision.addresses[0]) !=
			(cases[i].expected == ALLOC_OK))
			fail_msg("%s: %s", cases[i].what, subject_shown(&second));
		/* The same, asked for by address, says why. */
		subject_ask(&second, subject_shown(&first));
		decision = subject_settle(scene, &second);
		if (decision->failure != cases[i].expected)
			fail_msg("%s, asked: %s", cases[i].what, decision->condition_message);
		subject_done(scene, &first);
		subject_done(scene, &second);
		scene_free(scene);
	}
}

/* A06: a change of one sharer never disturbs the others; undone, it comes back. */
static void the_one_that_changes_leaves(void **state)
{
	static const struct {
		const char *what, *key;
		uint16_t port;
		bool local, stays;
	} cases[] = {
		{"other key", "l", 81, false, false},
		{"no key", NULL, 81, false, false},
		{"port of the other", "k", 80, false, false},
		{"third port", "k", 82, false, true},
		{"policy", "k", 81, true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.0/24]}]");
		struct sharer one = {"x", "k", 80, PROTOCOL_TCP, false, NULL};
		struct sharer two = {"x", "k", 81, PROTOCOL_TCP, false, NULL};
		const struct assign_decision *decision;
		struct subject first, second;

		dress(&first, &one, "first");
		dress(&second, &two, "second");
		subject_settle(scene, &first);
		subject_settle(scene, &second);
		assert_string_equal(subject_shown(&second), "10.0.0.0");
		subject_annotate(&second, ANNOTATION_SHARE, cases[i].key);
		second.ports[0].port = cases[i].port;
		second.service.traffic_local = cases[i].local;
		/* The other is asked first: it must not be the one to go. */
		assert_false(subject_decide(scene, &first)->write);
		decision = subject_settle(scene, &second);
		if ((strcmp(subject_shown(&second), "10.0.0.0") == 0) != cases[i].stays)
			fail_msg("%s: %s", cases[i].what, subject_shown(&second));
		assert_int_equal(decision->state, ASSIGN_ASSIGNED);
		assert_int_equal(decision->event_count, cases[i].stays ? 0 : 1);
		assert_false(subject_decide(scene, &first)->write);
		assert_string_equal(subject_shown(&first), "10.0.0.0");
		subject_done(scene, &first);
		subject_done(scene, &second);
		scene_free(scene);
	}
}

/* Without another address, or where only this one would do, the changer has none. */
static void the_changer_waits_rather_than_collide(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.1]}]");
	struct sharer one = {"x", "k", 80, PROTOCOL_TCP, false, NULL};
	struct sharer two = {"x", "k", 81, PROTOCOL_TCP, false, NULL};
	const struct assign_decision *decision;
	struct subject first, second;

	(void)state;
	dress(&first, &one, "first");
	dress(&second, &two, "second");
	subject_settle(scene, &first);
	subject_settle(scene, &second);
	second.ports[0].port = 80;
	/* Not even while another part of its wish can't be read. */
	subject_ask(&second, "nonsense");
	decision = subject_settle(scene, &second);
	assert_int_equal(decision->state, ASSIGN_PENDING);
	assert_string_equal(decision->condition_reason, "InvalidRequest");
	assert_string_equal(subject_shown(&second), "");
	subject_ask(&second, "");
	assert_int_equal(subject_settle(scene, &second)->failure, ALLOC_FULL);
	/* The first goes, and what is free is free for the one that waits. */
	subject_done(scene, &first);
	subject_settle(scene, &second);
	assert_string_equal(subject_shown(&second), "10.0.0.1");
	subject_done(scene, &second);
	scene_free(scene);
}

/* A change that lets others in is told by the generation, else they would wait on (A09). */
static void changes_of_sharers_are_noticed(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.1]}]");
	struct sharer one = {"x", NULL, 80, PROTOCOL_TCP, false, NULL};
	struct sharer two = {"x", "k", 80, PROTOCOL_TCP, false, NULL};
	struct subject first, second;
	uint64_t before;

	(void)state;
	dress(&first, &one, "first");
	dress(&second, &two, "second");
	subject_settle(scene, &first);
	assert_int_equal(subject_settle(scene, &second)->state, ASSIGN_PENDING);
	before = alloc_generation(scene->alloc);
	subject_annotate(&first, ANNOTATION_SHARE, "k");
	subject_settle(scene, &first);
	assert_true(alloc_generation(scene->alloc) > before);
	assert_int_equal(subject_settle(scene, &second)->state, ASSIGN_PENDING);
	before = alloc_generation(scene->alloc);
	subject_settle(scene, &first);
	assert_int_equal(alloc_generation(scene->alloc), before);
	first.ports[0].port = 8080;
	subject_settle(scene, &first);
	assert_true(alloc_generation(scene->alloc) > before);
	assert_int_equal(subject_settle(scene, &second)->state, ASSIGN_ASSIGNED);
	assert_string_equal(subject_shown(&second), "10.0.0.1");
	subject_done(scene, &first);
	subject_done(scene, &second);
	scene_free(scene);
}

/* A08, A10: those who share across namespaces still do when the config stops allowing it. */
static void sharers_outlive_the_permission(void **state)
{
	static const struct {
		const char *what, *pools;
	} cases[] = {
		{"no longer allowed", "pools: [{name: a, addresses: [10.0.0.0/24]}]"},
		{"pool removed", "pools: [{name: b, addresses: [10.0.1.0/24]}]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.0/24], "
						"shareAcrossNamespaces: true}]");
		struct sharer one = {"x", "k", 80, PROTOCOL_TCP, false, NULL};
		struct sharer two = {"y", "k", 81, PROTOCOL_TCP, false, NULL};
		struct subject first, second;
		struct assign_input input;

		dress(&first, &one, "first");
		dress(&second, &two, "second");
		subject_settle(scene, &first);
		subject_settle(scene, &second);
		scene_configure(scene, cases[i].pools);
		for (size_t start = 0; start < 2; start++) {
			assert_int_equal(subject_settle(scene, &first)->address_count, 1);
			assert_int_equal(subject_settle(scene, &second)->state, ASSIGN_KEPT);
			assert_true(subject_decide(scene, &second)->condition_true);
			assert_string_equal(subject_shown(&second), "10.0.0.0");
			/* Nor does a new start part them. */
			subject_done(scene, &first);
			subject_done(scene, &second);
			scene_restart(scene);
			input = subject_input(&first);
			assert_true(assign_adopt_status(scene->alloc, &input));
			input = subject_input(&second);
			assert_true(assign_adopt_status(scene->alloc, &input));
		}
		subject_done(scene, &first);
		subject_done(scene, &second);
		scene_free(scene);
	}
}

/* One address, a thousand Services: found without trying each of them (cost, not a rule). */
static void crowds_share_too(void **state)
{
	enum { CROWD = 1000 };
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.0/24]}]");
	struct subject *crowd = calloc(CROWD, sizeof(*crowd));
	struct sharer sharer = {"x", "k", 80, PROTOCOL_TCP, false, NULL};

	(void)state;
	for (uint16_t i = 0; i < CROWD; i++) {
		char name[16];

		sharer.port = (uint16_t)(1000 + i % (CROWD / 2));
		snprintf(name, sizeof(name), "s%u", i);
		dress(&crowd[i], &sharer, name);
		subject_settle(scene, &crowd[i]);
		assert_string_equal(
			subject_shown(&crowd[i]), i < CROWD / 2 ? "10.0.0.0" : "10.0.0.1");
	}
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[0], 2);
	for (size_t i = 0; i < CROWD; i++)
		subject_done(scene, &crowd[i]);
	free(crowd);
	scene_free(scene);
}

/* A06, A09: back on an address that it was leaving, it may be joined again, and says so. */
static void coming_back_wakes_up_the_others(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.0]}]");
	static const struct sharer sharers[] = {{"x", "k", 80, PROTOCOL_TCP, false, NULL},
		{"x", "k", 81, PROTOCOL_TCP, false, NULL}};
	struct subject first, second;
	uint64_t generation;

	(void)state;
	dress(&first, &sharers[0], "first");
	dress(&second, &sharers[1], "second");
	subject_settle(scene, &first);
	first.service.type = SERVICE_CLUSTER_IP;
	first.ours = false;
	subject_decide(scene, &first);
	assert_int_equal(subject_decide(scene, &second)->state, ASSIGN_PENDING);
	first.service.type = SERVICE_LOAD_BALANCER;
	first.ours = true;
	generation = alloc_generation(scene->alloc);
	subject_decide(scene, &first);
	assert_true(alloc_generation(scene->alloc) > generation);
	subject_settle(scene, &second);
	assert_string_equal(subject_shown(&second), "10.0.0.0");
	/* Where nothing changes, nobody is woken up. */
	generation = alloc_generation(scene->alloc);
	subject_decide(scene, &first);
	assert_true(alloc_generation(scene->alloc) == generation);
	subject_done(scene, &first);
	subject_done(scene, &second);
	scene_free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_share),
		cmocka_unit_test(the_one_that_changes_leaves),
		cmocka_unit_test(the_changer_waits_rather_than_collide),
		cmocka_unit_test(changes_of_sharers_are_noticed),
		cmocka_unit_test(sharers_outlive_the_permission),
		cmocka_unit_test(coming_back_wakes_up_the_others),
		cmocka_unit_test(crowds_share_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
