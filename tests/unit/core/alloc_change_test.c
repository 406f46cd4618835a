// SPDX-License-Identifier: Apache-2.0
/* The config changes while addresses are in use (A08): traffic first, then the new rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_scene.h"

#define FIRST "pools: [{name: a, addresses: [10.0.0.8/29]}]"

/* A Service has 10.0.0.8; then the config becomes another. */
static void what_is_in_use_stays_or_moves(void **state)
{
	static const struct {
		const char *what, *before, *after, *shown;
		enum assign_state state;
		const char *event; /* NULL: none */
	} cases[] = {
		{"the same", FIRST, FIRST, "10.0.0.8", ASSIGN_ASSIGNED, NULL},
		{"renamed", FIRST, "pools: [{name: b, addresses: [10.0.0.8/29]}]", "10.0.0.8",
			ASSIGN_ASSIGNED, NULL},
		{"grown", FIRST, "pools: [{name: a, addresses: [10.0.0.0/24]}]", "10.0.0.8",
			ASSIGN_ASSIGNED, NULL},
		{"split", FIRST,
			"pools: [{name: b, addresses: [10.0.0.12/30]}, {name: c, addresses: "
			"[10.0.0.8/30]}]",
			"10.0.0.8", ASSIGN_ASSIGNED, NULL},
		{"merged",
			"pools: [{name: a, addresses: [10.0.0.8/30]}, {name: b, addresses: "
			"[10.0.0.12/30]}]",
			FIRST, "10.0.0.8", ASSIGN_ASSIGNED, NULL},
		{"another pool is tried first now", FIRST,
			"pools: [{name: a, addresses: [10.0.0.8/29]}, {name: b, addresses: "
			"[10.1.0.0/24], priority: -1}]",
			"10.0.0.8", ASSIGN_ASSIGNED, NULL},
		{"closed for new use", FIRST,
			"pools: [{name: a, addresses: [10.0.0.8/29], disabled: true}]", "10.0.0.8",
			ASSIGN_ASSIGNED, NULL},
		{"by request only", FIRST,
			"pools: [{name: a, addresses: [10.0.0.8/29], autoAssign: false}]",
			"10.0.0.8", ASSIGN_ASSIGNED, NULL},
		{"closed, though it moves what is removed", FIRST,
			"pools: [{name: a, addresses: [10.0.0.8/29], disabled: true, whenRemoved: "
			"move}, {name: b, addresses: [10.1.0.0/24]}]",
			"10.0.0.8", ASSIGN_ASSIGNED, NULL},
		{"shrunk", FIRST, "pools: [{name: a, addresses: [10.0.0.12/30]}]", "10.0.0.8",
			ASSIGN_KEPT, "AddressKept"},
		{"removed", FIRST, "pools: [{name: b, addresses: [10.1.0.0/24]}]", "10.0.0.8",
			ASSIGN_KEPT, "AddressKept"},
		{"all removed", FIRST, "pools: []", "10.0.0.8", ASSIGN_KEPT, "AddressKept"},
		{"reserved", FIRST,
			"pools: [{name: a, addresses: [10.0.0.8/29], reserved: [10.0.0.8]}]",
			"10.0.0.8", ASSIGN_KEPT, "AddressKept"},
		{"selects it no longer", FIRST,
			"pools: [{name: a, addresses: [10.0.0.8/29], namespaces: [y]}]", "10.0.0.8",
			ASSIGN_KEPT, "AddressKept"},
		{"class not served any longer", FIRST,
			"pools: [{name: a, addresses: [10.0.0.8/29], classes: [x.io/y]}]",
			"10.0.0.8", ASSIGN_KEPT, "AddressKept"},
		{"reserved, to be moved", FIRST,
			"pools: [{name: a, addresses: [10.0.0.8/29], reserved: [10.0.0.8], "
			"whenRemoved: move}]",
			"10.0.0.9", ASSIGN_ASSIGNED, "UpdatedLoadBalancer"},
		{"selects it no longer, to be moved", FIRST,
			"pools: [{name: a, addresses: [10.0.0.8/29], namespaces: [y], whenRemoved: "
			"move}, {name: b, addresses: [10.1.0.0/24]}]",
			"10.1.0.0", ASSIGN_ASSIGNED, "UpdatedLoadBalancer"},
		{"removed, by the word of the pool that was",
			"pools: [{name: a, addresses: [10.0.0.8/29], whenRemoved: move}]",
			"pools: [{name: b, addresses: [10.1.0.0/24]}]", "10.1.0.0", ASSIGN_ASSIGNED,
			"UpdatedLoadBalancer"},
		{"removed, by the word of the config", FIRST,
			"addresses: {whenRemoved: move}\n"
			"pools: [{name: b, addresses: [10.1.0.0/24]}]",
			"10.1.0.0", ASSIGN_ASSIGNED, "UpdatedLoadBalancer"},
		{"the pool that was would keep it, the config moves it",
			"pools: [{name: a, addresses: [10.0.0.8/29], whenRemoved: keep}]",
			"addresses: {whenRemoved: move}\n"
			"pools: [{name: b, addresses: [10.1.0.0/24]}]",
			"10.1.0.0", ASSIGN_ASSIGNED, "UpdatedLoadBalancer"},
		{"to be moved, but nowhere to go", FIRST,
			"addresses: {whenRemoved: move}\n"
			"pools: [{name: b, addresses: [10.1.0.0/24], disabled: true}]",
			"10.0.0.8", ASSIGN_KEPT, "AllocationFailed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* The second time the controller starts anew with the new config. */
		for (unsigned restart = 0; restart < 2; restart++) {
			struct scene *scene = scene_new(cases[i].before);
			const struct assign_decision *decision;
			struct assign_input input;
			struct subject subject;

			subject_init(&subject, "x", "web");
			subject_settle(scene, &subject);
			input = subject_input(&subject);
			scene_configure(scene, cases[i].after);
			if (restart) {
				subject_done(scene, &subject);
				scene_restart(scene);
				assert_true(assign_adopt_status(scene->alloc, &input));
			}
			decision = subject_settle(scene, &subject);
			if (strcmp(subject_shown(&subject), cases[i].shown) != 0 ||
				decision->state != cases[i].state ||
				decision->event_count != (cases[i].event != NULL) ||
				(cases[i].event &&
					strcmp(decision->events[0].reason, cases[i].event) != 0))
				fail_msg("%s (%u): %s, state %d: %s", cases[i].what, restart,
					subject_shown(&subject), (int)decision->state,
					decision->condition_message);
			subject_done(scene, &subject);
			scene_free(scene);
		}
	}
}

/* The pools change while a Service is between two addresses. */
static void changes_meet_a_move_under_way(void **state)
{
	struct scene *scene = scene_new(FIRST);
	struct alloc_holder other = {0};
	struct alloc_request request = {.namespace = "x"};
	static const struct string_map no_labels = {0};
	struct subject subject;
	struct alloc_trace trace;
	struct ip ip;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_settle(scene, &subject);
	subject_ask(&subject, "10.0.0.10");
	subject_decide(scene, &subject);
	/* Both are taken until the move is written, whatever the pool is called. */
	scene_configure(scene, "pools: [{name: b, addresses: [10.0.0.8, 10.0.0.10]}]");
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[0], 2);
	request.labels = &no_labels;
	assert_false(alloc_find(scene->alloc, &other, &request, IP_V4, &ip, &trace));
	subject_apply(&subject);
	assert_false(subject_decide(scene, &subject)->write);
	alloc_settle(scene->alloc, &subject.holder);
	assert_true(alloc_find(scene->alloc, &other, &request, IP_V4, &ip, &trace));
	assert_string_equal(ip_text(&ip).s, "10.0.0.8");
	/* What it is leaving may also drop out of the pools meanwhile. */
	subject_ask(&subject, "10.0.0.8");
	subject_decide(scene, &subject);
	scene_configure(scene, "pools: [{name: b, addresses: [10.0.0.8]}]");
	subject_apply(&subject);
	assert_false(subject_decide(scene, &subject)->write);
	alloc_settle(scene->alloc, &subject.holder);
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[0], 1);
	subject_done(scene, &subject);
	scene_free(scene);
}

/* A08: a pool that is put back takes up what it had, and what waits there is served. */
static void pools_come_back(void **state)
{
	struct scene *scene = scene_new(FIRST);
	struct subject subject;

	(void)state;
	subject_init(&subject, "x", "web");
	subject_settle(scene, &subject);
	scene_configure(scene, "pools: []");
	assert_int_equal(subject_settle(scene, &subject)->state, ASSIGN_KEPT);
	scene_configure(scene, FIRST);
	assert_int_equal(subject_settle(scene, &subject)->state, ASSIGN_ASSIGNED);
	assert_int_equal(alloc_pool_usage(scene->alloc, 0).in_use[0], 1);
	assert_string_equal(subject_shown(&subject), "10.0.0.8");
	subject_done(scene, &subject);
	scene_free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_use_stays_or_moves),
		cmocka_unit_test(changes_meet_a_move_under_way),
		cmocka_unit_test(pools_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
