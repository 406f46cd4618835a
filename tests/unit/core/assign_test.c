// SPDX-License-Identifier: Apache-2.0
/* The life of one Service: assigned, changed, refused, released (K01-K26, A05, A07, A09). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_scene.h"

#define POOLS "pools: [{name: a, addresses: [10.0.0.0/29]}, {name: b, addresses: [10.1.0.0/29]}]"

/* K01, K02, K03: which Services are ours. */
static void classes_decide_whose_it_is(void **state)
{
	static const struct {
		const char *what, *rule;
		bool handle_unset;
		const char *class;
		enum service_type type;
		bool ours;
	} cases[] = {
		{"no class anywhere", NULL, false, NULL, SERVICE_LOAD_BALANCER, true},
		{"a class, we have none", NULL, false, "x.io/y", SERVICE_LOAD_BALANCER, false},
		{"our class", "x.io/y", false, "x.io/y", SERVICE_LOAD_BALANCER, true},
		{"exactly that string", "x.io/y", false, "X.io/y", SERVICE_LOAD_BALANCER, false},
		{"unset, we have one", "x.io/y", false, NULL, SERVICE_LOAD_BALANCER, false},
		{"unset, taken as well", "x.io/y", true, NULL, SERVICE_LOAD_BALANCER, true},
		{"K02: the conformance test's", "x.io/y", true, "example.com/internal-vip",
			SERVICE_LOAD_BALANCER, false},
		{"no LoadBalancer", NULL, false, NULL, SERVICE_CLUSTER_IP, false},
		{"no LoadBalancer, our class", "x.io/y", false, "x.io/y", SERVICE_NODE_PORT, false},
		{"ExternalName", NULL, false, NULL, SERVICE_EXTERNAL_NAME, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct assign_rules rules = {cases[i].rule, cases[i].handle_unset};
		struct service service = {
			.type = cases[i].type, .load_balancer_class = cases[i].class};

		if (assign_is_ours(&rules, &service) != cases[i].ours)
			fail_msg("%s", cases[i].what);
	}
}

/* K06, K14, K15: all in one write, then nothing; K05: no selector, no ports, no endpoints. */
static void one_write_says_it_all(void **state)
{
	struct scene *scene = scene_new(POOLS);
	const struct assign_decision *decision;
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject.service.port_count = 0;
	decision = subject_decide(scene, &subject);
	assert_int_equal(decision->state, ASSIGN_ASSIGNED);
	assert_true(decision->write && decision->ingress && decision->condition_true);
	assert_int_equal(decision->finalizer, ASSIGN_SET);
	assert_int_equal(decision->annotation, ASSIGN_SET);
	assert_int_equal(decision->condition, ASSIGN_SET);
	assert_string_equal(decision->annotation_text, "10.0.0.0");
	assert_string_equal(decision->condition_reason, "Assigned");
	assert_string_equal(decision->condition_message, "10.0.0.0 is assigned");
	assert_int_equal(decision->event_count, 1);
	assert_string_equal(decision->events[0].reason, "IPAllocated");
	/* Decided again before it is written: the same again, Event and all. */
	decision = subject_decide(scene, &subject);
	assert_true(decision->write);
	assert_int_equal(decision->event_count, 1);
	subject_settle(scene, &subject);
	/* K28, K30, K37: none of this is a reason to write. */
	subject.ports[0].port = 8080;
	subject.ports[0].node_port = 30000;
	subject.service.port_count = 1;
	subject.service.traffic_local = true;
	assert_false(subject_decide(scene, &subject)->write);
	assert_int_equal(subject.decision.event_count, 0);
	subject_done(scene, &subject);
	scene_free(scene);
}

/* Strangers' hands in status: put right, and said so (C25). */
static void edited_status_is_put_right(void **state)
{
	struct scene *scene = scene_new(POOLS);
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_settle(scene, &subject);
	for (unsigned i = 0; i < 6; i++) {
		switch (i) {
		case 0:
			subject_status(&subject, "10.0.0.5", NULL);
			break;
		case 1:
			subject_status(&subject, "10.0.0.0", "10.0.0.1");
			break;
		case 2:
			subject.ingress[0].canonical = false; /* K23 */
			break;
		case 3:
			subject.ingress[0].ip_mode_set = true; /* Proxy */
			break;
		case 4:
			subject.ingress[0].has_ports = true;
			break;
		default:
			subject_status(&subject, NULL, NULL);
			break;
		}
		assert_true(subject_decide(scene, &subject)->ingress);
		assert_int_equal(subject.decision.event_count, i < 2 || i == 5);
		if (i < 2)
			assert_string_equal(subject.decision.events[0].reason, "StatusRepaired");
		subject_settle(scene, &subject);
		assert_string_equal(subject_shown(&subject), "10.0.0.0");
	}
	subject.ingress[0].ip_mode_set = subject.ingress[0].ip_mode_vip = true; /* K20 */
	assert_false(subject_decide(scene, &subject)->write);
	subject_done(scene, &subject);
	scene_free(scene);
}

/* A05, A07, A09, K25: what can't be had is told; what it had is kept (and it was 10.0.0.0). */
static void refused_requests_cost_nothing(void **state)
{
	static const char pools[] =
		"pools: [{name: a, addresses: [10.0.0.0/29], reserved: [10.0.0.7]}, "
		"{name: b, addresses: [10.1.0.0/29], namespaces: [y]}, "
		"{name: c, addresses: [10.2.0.0], autoAssign: false}]";
	static const struct {
		const char *what, *ask, *pool, *reason, *message;
	} cases[] = {
		{"outside every pool", "10.9.0.1", NULL, "AddressOutsidePools",
			"10.9.0.1 can't be assigned: in no pool; ask for another address, or add "
			"it to a pool"},
		{"not selected", "10.1.0.1", NULL, "NamespaceNotSelected",
			"10.1.0.1 can't be assigned: pool `b`: does not select namespace `x`; ask "
			"for another address, or let the pool select this Service"},
		{"in use", "10.0.0.1", NULL, "AddressInUse",
			"10.0.0.1 can't be assigned: pool `a`: in use by `x/other` (give both the "
			"same herald.io/share key to share it); ask for another address"},
		{"reserved", "10.0.0.7", NULL, "AddressReserved",
			"10.0.0.7 can't be assigned: pool `a`: reserved; ask for another address"},
		{"wrong family", "fd00::1", NULL, "InvalidRequest",
			"address asked for: `fd00::1` is of a family that spec.ipFamilies does not "
			"have"},
		{"malformed", "10.0.0", NULL, "InvalidRequest",
			"spec.loadBalancerIP: `10.0.0` is not an IP address"},
		{"unknown pool", "", "z", "UnknownPool",
			"pool `z` does not exist; this Service may use: `a`, `c`"},
		{"pool that does not select it", "", "b", "NoAddressAvailable",
			"no IPv4 address: pool `b`: does not select namespace `x`; let a pool "
			"select this Service"},
		{"full pool", "", "c", "NoAddressAvailable",
			"no IPv4 address: pool `c`: full; enlarge a pool, or free an address: it "
			"goes to whoever has waited longest"},
		{"address in another pool than asked for", "10.0.0.5", "c", "AddressInOtherPool",
			"10.0.0.5 can't be assigned: pool `a`: is not the pool `c` that was asked "
			"for; ask for the address or the pool, not for both"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const char *expected = cases[i / 2].message;
		bool had = i % 2;
		struct scene *scene = scene_new(pools);
		const struct assign_decision *decision;
		struct subject subject, other, filler;

		subject_init(&subject, "x", "web");
		subject_init(&other, "x", "other");
		subject_init(&filler, "x", "filler");
		subject_annotate(&filler, ANNOTATION_POOL, "c");
		subject_settle(scene, &filler);
		subject_ask(&other, "10.0.0.1");
		subject_settle(scene, &other);
		if (had)
			subject_settle(scene, &subject);
		subject_ask(&subject, cases[i / 2].ask);
		subject_annotate(&subject, ANNOTATION_POOL, cases[i / 2].pool);
		decision = subject_settle(scene, &subject);
		if (decision->state != (had ? ASSIGN_KEPT : ASSIGN_PENDING) ||
			decision->condition_true ||
			strcmp(decision->condition_reason, cases[i / 2].reason) != 0 ||
			strcmp(decision->condition_message, expected) != 0 ||
			strcmp(subject_shown(&subject), had ? "10.0.0.0" : "") != 0)
			fail_msg("%s (%d): %s %s: %s", cases[i / 2].what, had,
				subject_shown(&subject), decision->condition_reason,
				decision->condition_message);
		assert_int_equal(decision->event_count, 1);
		assert_string_equal(decision->events[0].reason, "AllocationFailed");
		assert_string_equal(decision->events[0].message, expected);
		assert_int_equal(subject.service.has_finalizer, had);
		/* The request is taken back: as if it had never been. */
		subject_ask(&subject, "");
		subject_annotate(&subject, ANNOTATION_POOL, NULL);
		assert_int_equal(subject_settle(scene, &subject)->state, ASSIGN_ASSIGNED);
		assert_string_equal(subject_shown(&subject), "10.0.0.0");
		subject_done(scene, &subject);
		subject_done(scene, &other);
		subject_done(scene, &filler);
		scene_free(scene);
	}
}

/* K25, A05: a request that can be met moves it, and only then the old address is free. */
static void met_requests_move_it(void **state)
{
	static const struct {
		const char *what, *ask, *pool, *before, *after, *shown;
	} cases[] = {
		{"address", "10.0.0.6", NULL, POOLS, POOLS, "10.0.0.6"},
		{"address of another pool", "10.1.0.6", NULL, POOLS, POOLS, "10.1.0.6"},
		{"pool", "", "b", POOLS, POOLS, "10.1.0.0"},
		{"pool, when its own is gone", "", "b", POOLS,
			"pools: [{name: b, addresses: [10.1.0.0/29]}]", "10.1.0.0"},
		{"the pool it is in", "", "a", POOLS, POOLS, "10.0.0.0"},
		{"the address it has", "10.0.0.0", NULL, POOLS, POOLS, "10.0.0.0"},
		{"the address it has, in a pool closed meanwhile", "10.0.0.0", "a", POOLS,
			"pools: [{name: a, addresses: [10.0.0.0/29], disabled: true}]", "10.0.0.0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new(cases[i].before);
		bool moves = strcmp(cases[i].shown, "10.0.0.0") != 0;
		struct ip old = scene_ip("10.0.0.0");
		struct subject subject;

		subject_init(&subject, "x", "web");
		subject_settle(scene, &subject);
		scene_configure(scene, cases[i].after);
		subject_ask(&subject, cases[i].ask);
		subject_annotate(&subject, ANNOTATION_POOL, cases[i].pool);
		subject_decide(scene, &subject);
		assert_true(alloc_holds(&subject.holder, &old));
		assert_int_equal(subject_settle(scene, &subject)->state, ASSIGN_ASSIGNED);
		if (strcmp(subject_shown(&subject), cases[i].shown) != 0)
			fail_msg("%s: %s", cases[i].what, subject_shown(&subject));
		assert_int_equal(subject.decision.event_count, moves);
		assert_int_equal(alloc_holds(&subject.holder, &old), !moves);
		subject_done(scene, &subject);
		scene_free(scene);
	}
}

/* K03, K07, K08, K17: leaving, in every direction, and coming back. */
static void a_service_that_leaves_is_cleaned_up(void **state)
{
	static const struct {
		const char *what;
		enum service_type type;
		bool foreign, deleting, assigned, restarted;
	} cases[] = {
		{"K07: deleted", SERVICE_LOAD_BALANCER, false, true, true, false},
		{"K07: deleted, never assigned", SERVICE_LOAD_BALANCER, false, true, false, false},
		{"K07: deleted while away", SERVICE_LOAD_BALANCER, false, true, true, true},
		{"K08: ClusterIP", SERVICE_CLUSTER_IP, false, false, true, false},
		{"K08: NodePort", SERVICE_NODE_PORT, false, false, true, false},
		{"K08: ExternalName", SERVICE_EXTERNAL_NAME, false, false, true, false},
		{"K12: ClusterIP while away", SERVICE_CLUSTER_IP, false, false, true, true},
		{"K12: deleted as ClusterIP", SERVICE_CLUSTER_IP, false, true, true, true},
		{"K03: another class", SERVICE_LOAD_BALANCER, true, false, true, false},
		{"K03: another class, deleted while away", SERVICE_LOAD_BALANCER, true, true, true,
			true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new(POOLS);
		const struct assign_decision *decision;
		struct subject subject;

		subject_init(&subject, "x", "web");
		if (cases[i].assigned)
			subject_settle(scene, &subject);
		subject.service.has_finalizer = true;
		if (cases[i].restarted) {
			subject_done(scene, &subject);
			scene_restart(scene);
		}
		subject.service.type = cases[i].type;
		subject.ours = !cases[i].foreign;
		subject.service.meta.deleting = cases[i].deleting;
		if (cases[i].type != SERVICE_LOAD_BALANCER || cases[i].foreign)
			subject_status(&subject, NULL, NULL); /* K17: the API server does */
		decision = subject_decide(scene, &subject);
		if (decision->state != ASSIGN_RELEASING || decision->finalizer != ASSIGN_REMOVE ||
			decision->address_count != 0)
			fail_msg("%s: %d", cases[i].what, (int)decision->state);
		/* Nobody has it before that is written. */
		assert_int_equal(
			alloc_holds_any(&subject.holder), cases[i].assigned && !cases[i].restarted);
		subject_settle(scene, &subject);
		assert_false(subject.service.has_finalizer);
		assert_int_equal(subject.service.ingress_count, 0);
		assert_int_equal(subject.service.condition_count, 0);
		assert_null(subject_annotation(&subject, ANNOTATION_ASSIGNED));
		assert_false(alloc_holds_any(&subject.holder));
		scene_free(scene);
	}
}

/* LoadBalancer, ClusterIP and back faster than it is written: the address stays (K08, C26). */
static void a_quick_return_changes_nothing(void **state)
{
	struct scene *scene = scene_new(POOLS);
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_settle(scene, &subject);
	subject.service.type = SERVICE_CLUSTER_IP;
	subject_status(&subject, NULL, NULL);
	subject_decide(scene, &subject);
	subject.service.type = SERVICE_LOAD_BALANCER;
	subject_settle(scene, &subject);
	assert_string_equal(subject_shown(&subject), "10.0.0.0");
	assert_true(subject.service.has_finalizer);
	subject_done(scene, &subject);
	scene_free(scene);
}

/* K02, K09: what another controller does with its Services is its own affair. */
static void strangers_are_left_alone(void **state)
{
	static const struct {
		const char *what;
		bool ours_once, deleting, status;
		enum service_type type;
		bool untouched;
	} cases[] = {
		{"another class", false, false, true, SERVICE_LOAD_BALANCER, true},
		{"another class, going", false, true, true, SERVICE_LOAD_BALANCER, true},
		{"another class, nearly gone", false, true, false, SERVICE_LOAD_BALANCER, true},
		{"no LoadBalancer any more", false, false, false, SERVICE_CLUSTER_IP, true},
		{"with a copy of our annotation", true, false, true, SERVICE_LOAD_BALANCER, true},
		{"ours once, going, still in use by them", true, true, true, SERVICE_LOAD_BALANCER,
			false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new(POOLS);
		const struct assign_decision *decision;
		struct subject subject;

		subject_init(&subject, "x", "web");
		subject.ours = false;
		subject.service.type = cases[i].type;
		subject.service.has_finalizer = true;
		subject.service.meta.deleting = cases[i].deleting;
		if (cases[i].ours_once)
			subject_annotate(&subject, ANNOTATION_ASSIGNED, "10.0.0.1");
		if (cases[i].status)
			subject_status(&subject, "10.0.0.1", NULL);
		decision = subject_decide(scene, &subject);
		if (decision->write == cases[i].untouched)
			fail_msg("%s", cases[i].what);
		assert_int_equal(decision->finalizer, ASSIGN_KEEP);
		assert_false(decision->ingress);
		scene_free(scene);
	}
}

/* K19: no config, or none yet, takes nothing away and writes nothing about it. */
static void without_a_config_nothing_changes(void **state)
{
	struct scene *scene = scene_new(NULL);
	struct assign_input input;
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	assert_string_equal(subject_decide(scene, &subject)->condition_reason, "NoConfiguration");
	assert_int_equal(subject.decision.state, ASSIGN_PENDING);
	assert_false(subject.decision.ingress);
	subject_status(&subject, "10.0.0.1", NULL);
	subject.service.has_finalizer = true;
	input = subject_input(&subject);
	assert_true(assign_adopt_status(scene->alloc, &input));
	assert_false(subject_decide(scene, &subject)->write);
	subject_done(scene, &subject);
	scene_free(scene);
}

/* K27: an object without families keeps what it shows, and says what is the matter. */
static void unknown_families_take_nothing_away(void **state)
{
	struct scene *scene = scene_new(POOLS);
	struct assign_input input;
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_families(&subject, IP_NONE, IP_NONE, FAMILY_SINGLE);
	subject_status(&subject, "10.0.0.1", NULL);
	input = subject_input(&subject);
	assert_true(assign_adopt_status(scene->alloc, &input));
	subject_settle(scene, &subject);
	assert_string_equal(subject_shown(&subject), "10.0.0.1");
	assert_string_equal(subject.condition.reason, "NoIPFamily");
	subject_done(scene, &subject);
	scene_free(scene);
}

/* K35: an address that a node turns out to have is kept and reported, never given anew. */
static void an_address_that_becomes_a_nodes_is_reported(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.0/29], "
					"whenRemoved: move}]");
	struct ip ip = scene_ip("10.0.0.0");
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_settle(scene, &subject);
	assert_true(alloc_block(scene->alloc, &ip));
	assert_int_equal(subject_settle(scene, &subject)->state, ASSIGN_KEPT);
	assert_string_equal(subject.decision.events[0].reason, "AddressKept");
	assert_non_null(strstr(subject.decision.events[0].message, "externalIPs"));
	assert_string_equal(subject_shown(&subject), "10.0.0.0");
	alloc_unblock(scene->alloc, &ip);
	assert_int_equal(subject_settle(scene, &subject)->state, ASSIGN_ASSIGNED);
	subject_done(scene, &subject);
	scene_free(scene);
}

/* A08, K22: moved off an address that it goes on asking for, it is told so at once, and once. */
static void what_is_moved_off_what_it_asks_for_is_told(void **state)
{
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.0/29]}]");
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_annotate(&subject, ANNOTATION_IPS, "10.0.0.3");
	subject_settle(scene, &subject);
	scene_configure(scene, "addresses: {whenRemoved: move}\n"
			       "pools: [{name: b, addresses: [10.1.0.0/29]}]");
	subject_settle(scene, &subject);
	assert_string_equal(subject_shown(&subject), "10.1.0.0");
	assert_string_equal(subject.condition.reason, "AddressOutsidePools");
	subject_done(scene, &subject);
	scene_free(scene);
}

/* K25, A08: no pool has its address any more; it asks for another, and no longer does so before
   that was written, or for one that can't be had: it stays. */
static void a_wish_withdrawn_in_time_moves_nothing(void **state)
{
	static const char *const then[] = {NULL, "10.9.9.9", "malformed"};
	struct scene *scene = scene_new("pools: [{name: a, addresses: [10.0.0.0/29]}]");
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_settle(scene, &subject);
	scene_configure(scene, "pools: [{name: b, addresses: [10.1.0.0/29]}]");
	subject_settle(scene, &subject);
	for (size_t i = 0; i < sizeof(then) / sizeof(then[0]); i++) {
		subject_annotate(&subject, ANNOTATION_IPS, "10.1.0.3");
		subject_decide(scene, &subject);
		assert_string_equal(subject.decision.annotation_text, "10.1.0.3");
		subject_annotate(&subject, ANNOTATION_IPS, then[i]);
		subject_settle(scene, &subject);
		assert_string_equal(subject_shown(&subject), "10.0.0.0");
	}
	subject_done(scene, &subject);
	scene_free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_decide_whose_it_is),
		cmocka_unit_test(one_write_says_it_all),
		cmocka_unit_test(edited_status_is_put_right),
		cmocka_unit_test(refused_requests_cost_nothing),
		cmocka_unit_test(met_requests_move_it),
		cmocka_unit_test(a_service_that_leaves_is_cleaned_up),
		cmocka_unit_test(a_quick_return_changes_nothing),
		cmocka_unit_test(strangers_are_left_alone),
		cmocka_unit_test(without_a_config_nothing_changes),
		cmocka_unit_test(unknown_families_take_nothing_away),
		cmocka_unit_test(an_address_that_becomes_a_nodes_is_reported),
		cmocka_unit_test(what_is_moved_off_what_it_asks_for_is_told),
		cmocka_unit_test(a_wish_withdrawn_in_time_moves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
