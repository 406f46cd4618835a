// SPDX-License-Identifier: Apache-2.0
/* A returning node takes back gently (C20): what is held, let go, and told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/holds.h"

#define NODES 4u
#define VIPS 200u
#define TIME_MS 60000u

/* node1..node4, each with a speaker that follows the plan; the world is what their Leases
   say, and each of them sees all at once. */
struct world {
	struct config config;
	struct config_pool pool;
	struct config_layer2 rule;
	struct ip_range range;
	struct node nodes[NODES];
	const struct node *node_list[NODES];
	struct service services[VIPS];
	struct service_ingress ingress[VIPS];
	char names[VIPS][16];
	const struct service *service_list[VIPS];
	struct members *members;
	struct holds *holds[NODES];
	bool lives[NODES];
	struct monotime now;
	unsigned version;
	char owners[VIPS][16];
	unsigned moves;
};

static struct ip vip(size_t n)
{
	return ip_from_v4((const uint8_t[4]){10, 20, (uint8_t)(n / 250), (uint8_t)(n % 250 + 1)});
}

static int set_up(void **state)
{
	static const char *const names[NODES] = {"node1", "node2", "node3", "node4"};
	struct world *w = calloc(1, sizeof(*w));

	w->now.ns = 1;
	w->members = members_new();
	w->rule.name = "";
	w->range = (struct ip_range){vip(0), vip(VIPS - 1)};
	w->pool = (struct config_pool){.name = "main", .ranges = &w->range, .range_count = 1};
	w->config = (struct config){.pools = &w->pool,
		.pool_count = 1,
		.layer2 = &w->rule,
		.layer2_count = 1,
		.membership = {.lease_duration_ms = 3000,
			.renew_interval_ms = 1000,
			.take_back = CONFIG_TAKE_BACK_STAGGERED,
			.take_back_ms = TIME_MS}};
	for (size_t i = 0; i < NODES; i++) {
		w->nodes[i] =
			(struct node){.meta = {.namespace = "", .name = names[i]}, .ready = true};
		w->node_list[i] = &w->nodes[i];
		w->holds[i] = holds_new();
	}
	for (size_t i = 0; i < VIPS; i++) {
		snprintf(w->names[i], sizeof(w->names[i]), "web%zu", i);
		w->ingress[i].ip = vip(i);
		w->services[i] = (struct service){
			.meta = {.namespace = "default", .name = w->names[i], .uid = ""},
			.type = SERVICE_LOAD_BALANCER,
			.ingress = &w->ingress[i],
			.ingress_count = 1};
		w->service_list[i] = &w->services[i];
	}
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < NODES; i++)
		holds_free(w->holds[i]);
	members_free(w->members);
	free(w);
	return 0;
}

static void show_lease(struct world *w, size_t node, bool held)
{
	struct string_pair pairs[] = {{MEMBER_HOLDS_ANNOTATION, holds_text(w->holds[node])},
		{MEMBER_INTERFACES_ANNOTATION, "eth0=10.20.0.0/16"}};
	bool tells = pairs[0].value != NULL;
	char name[64], number[32];
	struct lease lease = {.holder = held ? w->nodes[node].meta.name : "",
		.duration_s = 3,
		.renew_time = number,
		.annotations = {tells ? pairs : pairs + 1, tells ? 2 : 1}};

	snprintf(name, sizeof(name), MEMBER_LEASE_PREFIX "%s", w->nodes[node].meta.name);
	snprintf(number, sizeof(number), "%u", ++w->version);
	lease.meta = (struct object_meta){.name = name, .resource_version = number};
	members_put(w->members, &lease, w->now);
}

static struct plan_input input_of(struct world *w, size_t node)
{
	return (struct plan_input){.config = &w->config,
		.services = w->service_list,
		.service_count = VIPS,
		.nodes = w->node_list,
		.node_count = NODES,
		.members = w->members,
		.self = w->nodes[node].meta.name};
}

/* What the speaker on a node does with what it sees; all must see the same owners. */
static void follow(struct world *w, size_t node, bool is_first)
{
	struct plan_input input = input_of(w, node);
	struct plan *plan = plan_make(&input);

	for (size_t i = 0; i < VIPS; i++) {
		struct ip address = vip(i);
		const char *owner = plan_find(plan, &address)->owner;

		assert_non_null(owner);
		if (is_first && strcmp(w->owners[i], owner) != 0) {
			w->moves++;
			snprintf(w->owners[i], sizeof(w->owners[i]), "%s", owner);
		}
		assert_string_equal(w->owners[i], owner);
	}
	holds_follow(w->holds[node], plan, &input, w->now);
	plan_free(plan);
}

/* Each living speaker renews and plans, once a second. */
static void run(struct world *w, unsigned seconds)
{
	for (unsigned s = 0; s < seconds; s++) {
		bool is_first = true;

		w->now = monotime_add_ms(w->now, 1000);
		for (size_t i = 0; i < NODES; i++) {
			if (w->lives[i])
				show_lease(w, i, true);
		}
		members_judge(w->members, w->now);
		for (size_t i = 0; i < NODES; i++) {
			if (!w->lives[i])
				continue;
			follow(w, i, is_first);
			is_first = false;
		}
	}
}

static void start(struct world *w, size_t node)
{
	holds_free(w->holds[node]);
	w->holds[node] = holds_new();
	w->lives[node] = true;
}

static unsigned count_of(const struct world *w, size_t node)
{
	unsigned count = 0;

	for (size_t i = 0; i < VIPS; i++)
		count += strcmp(w->owners[i], w->nodes[node].meta.name) == 0;
	return count;
}

/* All four live, and their first start is over. */
static void run_in(struct world *w, enum config_take_back take_back)
{
	w->config.membership.take_back = take_back;
	for (size_t i = 0; i < NODES; i++)
		start(w, i);
	run(w, TIME_MS / 1000 + 5);
	w->moves = 0;
}

/* Nodes that come up one after the other share the addresses as they come. */
static void C06_first_start_is_plain(void **state)
{
	struct world *w = *state;
	unsigned final[NODES];

	w->config.membership.take_back = CONFIG_TAKE_BACK_NEVER;
	for (size_t i = 0; i < NODES; i++) {
		start(w, i);
		run(w, 5);
		assert_true(count_of(w, i) > VIPS / (2 * NODES));
	}
	for (size_t i = 0; i < NODES; i++) {
		final[i] = count_of(w, i);
		assert_null(holds_text(w->holds[i]));
	}
	w->moves = 0;
	run(w, TIME_MS / 1000);
	assert_int_equal(w->moves, 0);
	for (size_t i = 0; i < NODES; i++) {
		assert_int_equal(count_of(w, i), final[i]);
		assert_string_equal(holds_text(w->holds[i]), "");
	}
}

static void C20_staggered_comes_back_bit_by_bit(void **state)
{
	struct world *w = *state;
	unsigned whole, before = 0, steps = 0, most = 0;

	run_in(w, CONFIG_TAKE_BACK_STAGGERED);
	whole = count_of(w, 1);
	w->lives[1] = false;
	run(w, 10);
	assert_int_equal(w->moves, whole); /* a loss moves only its own */
	assert_int_equal(count_of(w, 1), 0);
	start(w, 1);
	w->moves = 0;
	for (unsigned s = 0; s < TIME_MS / 1000 + 2; s++) {
		unsigned gain;

		run(w, 1);
		gain = count_of(w, 1) - before;
		before += gain;
		steps += gain > 0;
		most = gain > most ? gain : most;
	}
	assert_int_equal(count_of(w, 1), whole);
	assert_int_equal(w->moves, whole); /* and nothing wandered */
	assert_true(steps > whole / 3);
	assert_true(most <= 6);
	for (size_t i = 0; i < NODES; i++)
		assert_string_equal(holds_text(w->holds[i]), "");
}

static void C20_never_leaves_them_where_they_are(void **state)
{
	struct world *w = *state;

	run_in(w, CONFIG_TAKE_BACK_NEVER);
	w->lives[2] = false;
	run(w, 10);
	start(w, 2);
	w->moves = 0;
	run(w, 3 * TIME_MS / 1000);
	assert_int_equal(w->moves, 0);
	assert_int_equal(count_of(w, 2), 0);
	/* A holder that goes gives its addresses to the election, the idle node included. */
	w->lives[0] = false;
	run(w, 10);
	assert_true(count_of(w, 2) > 0);
}

static void C20_immediate_is_at_once(void **state)
{
	struct world *w = *state;
	unsigned whole;

	run_in(w, CONFIG_TAKE_BACK_NOW);
	whole = count_of(w, 1);
	w->lives[1] = false;
	run(w, 10);
	start(w, 1);
	run(w, 1);
	assert_int_equal(count_of(w, 1), whole);
	assert_null(holds_text(w->holds[0]));
}

/* The DaemonSet is updated: one speaker after the other stops in order and starts anew. */
static void C14_rolling_update_ends_as_it_began(void **state)
{
	struct world *w = *state;
	unsigned before[NODES];

	run_in(w, CONFIG_TAKE_BACK_STAGGERED);
	for (size_t i = 0; i < NODES; i++)
		before[i] = count_of(w, i);
	for (size_t i = 0; i < NODES; i++) {
		w->lives[i] = false;
		show_lease(w, i, false);
		run(w, 3);
		assert_int_equal(count_of(w, i), 0);
		start(w, i);
		run(w, 2);
	}
	run(w, TIME_MS / 1000 + 2);
	for (size_t i = 0; i < NODES; i++)
		assert_int_equal(count_of(w, i), before[i]);
}

static void C20_node_that_recovers_is_gentle_too(void **state)
{
	struct world *w = *state;

	run_in(w, CONFIG_TAKE_BACK_STAGGERED);
	w->nodes[3].ready = false;
	run(w, 2);
	assert_int_equal(count_of(w, 3), 0);
	w->nodes[3].ready = true;
	run(w, 1);
	assert_true(count_of(w, 3) < 10);
	/* C02: what an administrator takes away goes at once. */
	w->nodes[0].out_of_service = true;
	run(w, 1);
	assert_int_equal(count_of(w, 0), 0);
}

/* The heir is away again before it has everything: the rest stays put, and a later
   return begins anew. */
static void C20_flapping_node_moves_little(void **state)
{
	struct world *w = *state;
	unsigned whole;

	run_in(w, CONFIG_TAKE_BACK_STAGGERED);
	whole = count_of(w, 1);
	w->lives[1] = false;
	run(w, 10);
	w->moves = 0;
	for (unsigned flap = 0; flap < 5; flap++) {
		start(w, 1);
		run(w, 5);
		w->lives[1] = false;
		show_lease(w, 1, false);
		run(w, 5);
	}
	assert_true(w->moves < 5 * 2 * (whole / 6));
}

static void D8_restart_within_the_lease_keeps_what_is_held(void **state)
{
	struct world *w = *state;
	char *text;

	run_in(w, CONFIG_TAKE_BACK_NEVER);
	w->lives[1] = false;
	run(w, 10);
	start(w, 1);
	run(w, 10);
	text = strdup(holds_text(w->holds[0]));
	assert_true(strlen(text) > 0);
	start(w, 0);
	holds_adopt(w->holds[0], text);
	w->moves = 0;
	run(w, 10);
	assert_int_equal(w->moves, 0);
	assert_string_equal(holds_text(w->holds[0]), text);
	free(text);
}

/* A Lease from before a power failure is no sign of an established cluster. */
static void C06_old_leases_establish_nobody(void **state)
{
	struct world *w = *state;

	run_in(w, CONFIG_TAKE_BACK_NEVER);
	for (size_t i = 0; i < NODES; i++)
		w->lives[i] = false;
	members_free(w->members);
	w->members = members_new(); /* the only one who lives now starts with a list */
	for (size_t i = 1; i < NODES; i++)
		show_lease(w, i, true);
	start(w, 0);
	run(w, 20);
	assert_null(holds_text(w->holds[0]));
	for (size_t i = 1; i < NODES; i++)
		start(w, i);
	run(w, 5);
	for (size_t i = 0; i < NODES; i++)
		assert_true(count_of(w, i) > VIPS / (2 * NODES));
}

static void text_is_bounded_and_hostile_text_harmless(void **state)
{
	static const struct {
		const char *text;
		size_t count;
	} cases[] = {{"", 0}, {"AAAA", 1}, {"AAAAAAAB", 2}, {"AAAABBB", 1}, {"AAABAAAA", 1},
		{"AAAAAAAA", 1}, {"AAA=", 0}, {"____", 1}, {"AAAA____----", 2},
		{"\xff\xff\xff\xff", 0}};
	uint32_t hashes[HOLDS_MAX];
	char *large = calloc(HOLDS_TEXT_MAX + 41, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(holds_parse(cases[i].text, hashes, HOLDS_MAX), cases[i].count);
	assert_int_equal(holds_parse("AAAAAAAB", hashes, 1), 1);
	for (uint32_t i = 0; i < HOLDS_MAX + 10; i++)
		snprintf(large + (size_t)i * 4, 5, "%c%c%c%c", 'A', 'A' + (int)(i / 676),
			'A' + (int)(i / 26 % 26), 'A' + (int)(i % 26));
	assert_int_equal(holds_parse(large, hashes, HOLDS_MAX), HOLDS_MAX);
	free(large);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(C06_first_start_is_plain),
		TEST(C20_staggered_comes_back_bit_by_bit),
		TEST(C20_never_leaves_them_where_they_are),
		TEST(C20_immediate_is_at_once),
		TEST(C14_rolling_update_ends_as_it_began),
		TEST(C20_node_that_recovers_is_gentle_too),
		TEST(C20_flapping_node_moves_little),
		TEST(D8_restart_within_the_lease_keeps_what_is_held),
		TEST(C06_old_leases_establish_nobody),
		cmocka_unit_test(text_is_bounded_and_hostile_text_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
