// SPDX-License-Identifier: Apache-2.0
/* A new process takes over what is there (A12, K18), and what it learns of later (K59). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_scene.h"

#define POOLS "pools: [{name: a, addresses: [10.0.0.0/29, fd00::/64]}]"

static bool adopt_status(struct scene *scene, struct subject *subject)
{
	struct assign_input input = subject_input(subject);

	return assign_adopt_status(scene->alloc, &input);
}

static bool adopt_annotation(struct scene *scene, struct subject *subject)
{
	struct assign_input input = subject_input(subject);

	return assign_adopt_annotation(scene->alloc, &input);
}

/* Status as it was written by the process before. */
static void was_assigned(struct subject *subject, const char *name, const char *ip)
{
	subject_init(subject, "x", name);
	subject_status(subject, ip, NULL);
	subject_annotate(subject, ANNOTATION_ASSIGNED, ip);
	subject->service.has_finalizer = true;
}

/* A12: with everything in place nothing is written; also outside every pool (K19). */
static void a_restart_writes_nothing(void **state)
{
	static const char *const configs[] = {POOLS, "pools: [{name: b, addresses: [10.0.1.0/24]}]",
		"pools: [{name: a, addresses: [10.0.0.0/29], disabled: true}]"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct scene *scene = scene_new(configs[i]);
		struct subject subject;

		was_assigned(&subject, "web", "10.0.0.5");
		assert_true(adopt_status(scene, &subject));
		subject_settle(scene, &subject);
		subject_done(scene, &subject);
		scene_restart(scene);
		assert_true(adopt_status(scene, &subject));
		assert_false(subject_decide(scene, &subject)->write);
		assert_int_equal(subject.decision.event_count, 0);
		assert_string_equal(subject_shown(&subject), "10.0.0.5");
		subject_done(scene, &subject);
		scene_free(scene);
	}
}

/* A12: of two with one address the one that comes first keeps it, the other is told. */
static void two_holders_of_one_address_are_parted(void **state)
{
	static const struct {
		const char *what, *pools, *asked, *shown;
		enum assign_state state;
	} cases[] = {
		{"another is free", POOLS, "", "10.0.0.0", ASSIGN_ASSIGNED},
		{"nothing else is free", "pools: [{name: a, addresses: [10.0.0.5]}]", "", "",
			ASSIGN_PENDING},
		{"it asks for that one", POOLS, "10.0.0.5", "", ASSIGN_PENDING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new(cases[i].pools);
		const struct assign_decision *decision;
		struct subject older, younger;

		was_assigned(&older, "older", "10.0.0.5");
		was_assigned(&younger, "younger", "10.0.0.5");
		subject_ask(&younger, cases[i].asked);
		assert_true(adopt_status(scene, &older));
		assert_false(adopt_status(scene, &younger));
		subject_decide(scene, &younger);
		/* Made again, since a write failed, the decision says the same again. */
		decision = subject_settle(scene, &younger);
		if (!decision->conflict || decision->state != cases[i].state ||
			strcmp(subject_shown(&younger), cases[i].shown) != 0)
			fail_msg("%s: %s", cases[i].what, subject_shown(&younger));
		assert_string_equal(decision->events[0].reason, "AddressConflict");
		assert_string_equal(decision->events[0].message,
			"10.0.0.5 in status belongs to `x/older`, which had it first");
		assert_string_equal(decision->events[1].reason, "UpdatedLoadBalancer");
		subject_settle(scene, &older);
		assert_string_equal(subject_shown(&older), "10.0.0.5");
		subject_done(scene, &older);
		subject_done(scene, &younger);
		scene_free(scene);
	}
}

static void sharers_are_adopted_together(void **state)
{
	struct scene *scene = scene_new(POOLS);
	struct subject first, second;

	(void)state;
	was_assigned(&first, "first", "10.0.0.5");
	was_assigned(&second, "second", "10.0.0.5");
	subject_annotate(&first, ANNOTATION_SHARE, "k");
	subject_annotate(&second, ANNOTATION_SHARE, "k");
	second.ports[0].port = 81;
	assert_true(adopt_status(scene, &first));
	assert_true(adopt_status(scene, &second));
	assert_false(subject_decide(scene, &second)->ingress);
	subject_done(scene, &first);
	subject_done(scene, &second);
	scene_free(scene);
}

/* K18: without status, with our annotation: at a start, and while the controller runs. */
static void a_restored_service_has_its_address_again(void **state)
{
	static const struct {
		const char *what, *pools, *asked, *shown;
		bool taken, running;
	} cases[] = {
		{"free, at start", POOLS, "", "10.0.0.5", false, false},
		{"free, while running", POOLS, "", "10.0.0.5", false, true},
		{"taken, at start", POOLS, "", "10.0.0.0", true, false},
		{"taken, while running", POOLS, "", "10.0.0.0", true, true},
		{"asks for another", POOLS, "10.0.0.3", "10.0.0.3", false, true},
		{"in no pool any more", "pools: [{name: a, addresses: [10.0.1.0/29]}]", "",
			"10.0.1.0", false, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new(cases[i].pools);
		struct subject subject, other;

		was_assigned(&other, "other", "10.0.0.5");
		if (cases[i].taken)
			adopt_status(scene, &other);
		was_assigned(&subject, "web", "10.0.0.5");
		subject.service.ingress_count = 0;
		subject.service.has_finalizer = false;
		subject_ask(&subject, cases[i].asked);
		if (!cases[i].running) {
			assert_false(adopt_status(scene, &subject));
			adopt_annotation(scene, &subject);
		}
		subject_settle(scene, &subject);
		if (strcmp(subject_shown(&subject), cases[i].shown) != 0)
			fail_msg("%s: %s", cases[i].what, subject_shown(&subject));
		assert_true(subject.service.has_finalizer);
		subject_done(scene, &subject);
		subject_done(scene, &other);
		scene_free(scene);
	}
}

/* K57, K59: decided on an old reading; then the leader before us turns out to have written. */
static void what_the_leader_before_wrote_is_kept(void **state)
{
	struct scene *scene = scene_new(POOLS);
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_decide(scene, &subject);
	assert_string_equal(subject.decision.annotation_text, "10.0.0.0");
	/* The write is refused (409), and the Service read again shows this. */
	subject_status(&subject, "10.0.0.5", NULL);
	subject_annotate(&subject, ANNOTATION_ASSIGNED, "10.0.0.5");
	subject_settle(scene, &subject);
	assert_string_equal(subject_shown(&subject), "10.0.0.5");
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[0], 1);
	subject_done(scene, &subject);
	scene_free(scene);
}

/* But not for what somebody else has by now, nor against what is known to be written. */
static void late_words_change_nothing_that_is_settled(void **state)
{
	struct scene *scene = scene_new(POOLS);
	struct subject subject, other;

	(void)state;
	was_assigned(&other, "other", "10.0.0.5");
	adopt_status(scene, &other);
	subject_init(&subject, "x", "web");
	subject_decide(scene, &subject);
	subject_status(&subject, "10.0.0.5", NULL);
	subject_annotate(&subject, ANNOTATION_ASSIGNED, "10.0.0.5");
	assert_true(subject_settle(scene, &subject)->conflict);
	assert_string_equal(subject_shown(&subject), "10.0.0.0");
	/* An older reading of a Service whose newer state is settled. */
	subject_status(&subject, "10.0.0.6", NULL);
	subject_annotate(&subject, ANNOTATION_ASSIGNED, "10.0.0.6");
	subject_settle(scene, &subject);
	assert_string_equal(subject_shown(&subject), "10.0.0.0");
	subject_done(scene, &subject);
	subject_done(scene, &other);
	scene_free(scene);
}

/* K02: status of a Service that is not ours is not taken over. */
static void only_ours_are_adopted(void **state)
{
	struct scene *scene = scene_new(POOLS);
	struct subject subject;

	(void)state;
	was_assigned(&subject, "web", "10.0.0.5");
	subject.ours = false;
	assert_false(adopt_status(scene, &subject));
	assert_false(adopt_annotation(scene, &subject));
	assert_false(alloc_holds_any(&subject.holder));
	scene_free(scene);
}

/* A family was removed while nobody looked: its address is free once status lacks it. */
static void what_status_shows_is_taken(void **state)
{
	struct scene *scene = scene_new(POOLS);
	struct ip ip = scene_ip("10.0.0.5");
	struct subject subject;

	(void)state;
	was_assigned(&subject, "web", "10.0.0.5");
	subject_families(&subject, IP_V6, IP_NONE, FAMILY_SINGLE);
	adopt_status(scene, &subject);
	assert_true(alloc_holds(&subject.holder, &ip));
	subject_decide(scene, &subject);
	assert_true(alloc_holds(&subject.holder, &ip));
	subject_settle(scene, &subject);
	assert_false(alloc_holds(&subject.holder, &ip));
	assert_string_equal(subject_shown(&subject), "fd00::");
	subject_done(scene, &subject);
	scene_free(scene);
}

/* A06: of two that shared, the one that was changed while nobody looked has to go. */
static void the_sharer_that_was_changed_is_told_apart(void **state)
{
	struct scene *scene = scene_new(POOLS);
	struct subject kept, changed;
	struct assign_input input;

	(void)state;
	subject_init(&kept, "x", "kept");
	subject_init(&changed, "x", "changed");
	changed.ports[0].port = 81;
	subject_annotate(&kept, ANNOTATION_SHARE, "k");
	subject_annotate(&changed, ANNOTATION_SHARE, "k");
	subject_settle(scene, &kept);
	subject_settle(scene, &changed);
	assert_string_equal(subject_shown(&kept), subject_shown(&changed));
	input = subject_input(&changed);
	assert_int_equal(assign_pass_of(scene->alloc, &input), 0);
	changed.ports[0].node_port = 31000; /* of no importance */
	assert_int_equal(assign_pass_of(scene->alloc, &input), 0);
	changed.ports[0].protocol = PROTOCOL_UDP;
	assert_int_equal(assign_pass_of(scene->alloc, &input), 2);
	changed.ports[0].protocol = PROTOCOL_TCP;
	changed.service.traffic_local = true;
	assert_int_equal(assign_pass_of(scene->alloc, &input), 2);
	changed.service.traffic_local = false;
	subject_annotate(&changed, ANNOTATION_SHARE, NULL);
	assert_int_equal(assign_pass_of(scene->alloc, &input), 2);
	/* One that shares no more has no such annotation. */
	subject_settle(scene, &changed);
	assert_null(subject_annotation(&changed, ANNOTATION_SHARED_AS));
	assert_int_equal(assign_pass_of(scene->alloc, &input), 1);
	assert_non_null(subject_annotation(&kept, ANNOTATION_SHARED_AS));
	/* One that goes anyway does not stand in another's way. */
	changed.service.meta.deleting = true;
	assert_int_equal(assign_pass_of(scene->alloc, &input), 2);
	/* Nor has one that is ours no longer. */
	kept.service.type = SERVICE_CLUSTER_IP;
	kept.ours = false;
	subject_decide(scene, &kept);
	subject_apply(&kept);
	assert_null(subject_annotation(&kept, ANNOTATION_SHARED_AS));
	subject_done(scene, &kept);
	subject_done(scene, &changed);
	scene_free(scene);
}

/*
 * K23: what no pool has was written by a stranger where the annotation tells of an address that
 * can be had, and by Herald where it tells of the same, or of one that can't.
 */
static void a_strangers_word_is_not_adopted(void **state)
{
	static const struct {
		const char *remembered, *shown, *in_the_end;
	} cases[] = {
		{"10.0.0.5", "192.0.2.9", "10.0.0.5"},
		{"10.0.0.5,fd00::1", "192.0.2.9", "10.0.0.5"},
		{"192.0.2.9", "192.0.2.9", "192.0.2.9"},
		{"192.0.2.8", "192.0.2.9", "192.0.2.9"},
		{"fd00::1", "192.0.2.9", "192.0.2.9"},
		{"10.0.0.5", "10.0.0.6", "10.0.0.6"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new(POOLS);
		struct subject subject;

		was_assigned(&subject, "web", cases[i].shown);
		subject_annotate(&subject, ANNOTATION_ASSIGNED, cases[i].remembered);
		adopt_status(scene, &subject);
		subject_settle(scene, &subject);
		if (strcmp(subject_shown(&subject), cases[i].in_the_end) != 0)
			fail_msg("remembers %s, shows %s: has %s in the end", cases[i].remembered,
				cases[i].shown, subject_shown(&subject));
		assert_false(subject.decision.conflict);
		subject_done(scene, &subject);
		scene_free(scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restart_writes_nothing),
		cmocka_unit_test(two_holders_of_one_address_are_parted),
		cmocka_unit_test(sharers_are_adopted_together),
		cmocka_unit_test(a_restored_service_has_its_address_again),
		cmocka_unit_test(what_the_leader_before_wrote_is_kept),
		cmocka_unit_test(late_words_change_nothing_that_is_settled),
		cmocka_unit_test(only_ours_are_adopted),
		cmocka_unit_test(the_sharer_that_was_changed_is_told_apart),
		cmocka_unit_test(what_status_shows_is_taken),
		cmocka_unit_test(a_strangers_word_is_not_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
