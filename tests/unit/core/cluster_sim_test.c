// SPDX-License-Identifier: Apache-2.0
/*
 * A cluster in simulated time: what the rules of members.h, holds.h and ownership.h
 * promise to a client is counted and compared with what they promise. "Heard" is the time
 * in which two nodes answer for an address although one has heard the other's claim.
 *
 * HERALD_STEPS and HERALD_SEED say how many faults each history has and where to begin;
 * HERALD_NODES how large the large cluster is, HERALD_TROUBLED the one to which everything
 * happens at once; HERALD_TEST is a pattern of the tests to run. A failure names its seed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster_sim.h"
#include "herald/core/holds.h"
#include "herald/core/members.h"
#include "herald/core/ownership.h"

#define NODES 5u
#define LEASE_MS 3000u
#define HAND_OVER_MS 1000u
#define RELIST_MS 1000u /* until a watch is there again, as in cluster_sim.c */
#define TAKE_BACK_MS 60000u

static const struct sim_rules usual = {
	.nodes = NODES,
	.vips = 20,
	.take_back = CONFIG_TAKE_BACK_STAGGERED,
	.take_back_ms = TAKE_BACK_MS,
	.write_ms = 20,
	.watch_ms = 50,
	.wire_ms = 2,
	.lost_frames = 20,
	.plan_pause_ms = 20,
};
/* By how much two nodes may know of one thing at different times, in the usual world. */
#define SKEW_MS (20u + 50u + 2u + 20u + 10u)
/* Until one of two speakers yields that has heard the other: who is to give way has no proof
   by then, or who is not is answered when it has announced twice. */
#define CONTEST_MS (3 * OWNERSHIP_CONTEST_MS + SKEW_MS)
/* The same, for who is back before it knows that another took over, or when the other hands it
   over without having heard a claim. */
#define UNDECIDED_MS (HAND_OVER_MS + RELIST_MS + SKEW_MS)

static uint64_t number(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static uint64_t seed(void)
{
	return number("HERALD_SEED", 1);
}

static uint64_t steps(uint64_t usually)
{
	return number("HERALD_STEPS", usually);
}

/* As PLAN_PAUSE in speaker/speaker.c does it: a plan takes longer the more nodes there are. */
static uint32_t plan_pause_for(size_t nodes)
{
	return nodes < 50 ? 20 : nodes < 300 ? 200 : 1000;
}

/* True as soon as all agree. Lost writes may have one of them taken for dead just now. */
static bool gets_settled(struct sim *sim, size_t nodes)
{
	const struct member_timing configured = {LEASE_MS, 1000};
	unsigned most = 27 + member_timing_for(&configured, nodes).duration_ms / 1000;

	for (unsigned seconds = 0; seconds < most; seconds++) {
		sim_run(sim, 1000);
		if (sim_is_settled(sim))
			return true;
	}
	return false;
}

/* All nodes run, and their first start is over. */
static struct sim *begin(struct sim_rules rules)
{
	struct sim *sim;

	rules.seed = seed();
	sim = sim_new(&rules);
	for (size_t n = 0; n < rules.nodes; n++)
		sim_start(sim, n);
	sim_run(sim, TAKE_BACK_MS + 10000);
	if (!sim_is_settled(sim) && !gets_settled(sim, rules.nodes))
		fail_msg("seed %" PRIu64 ": not settled after the start", rules.seed);
	sim_counts_clear(sim);
	return sim;
}

static struct sim_counts end(struct sim *sim, const char *what)
{
	struct sim_counts c = sim_counts(sim);

	print_message("seed %" PRIu64 ": %s: %.1f h, %" PRIu64
		      " moves; nobody %.1f s, at most %" PRIu64
		      " ms; several %.1f s, at most %" PRIu64 " ms; heard %" PRIu64
		      " times, at most %" PRIu64 " ms\n",
		seed(), what, (double)sim_now_ms(sim) / 3.6e6, c.takes, (double)c.nobody_ms / 1e3,
		c.nobody_max, (double)c.several_ms / 1e3, c.several_max, c.heard, c.heard_max);
	if (!sim_is_settled(sim))
		fail_msg("seed %" PRIu64 ": %s: not settled at the end", seed(), what);
	sim_free(sim);
	return c;
}

#define AT_MOST(value, bound)                                                                      \
	do {                                                                                       \
		if ((value) > (bound))                                                             \
			fail_msg("seed %" PRIu64 ": " #value " is %" PRIu64 ", above %u", seed(),  \
				(value), (unsigned)(bound));                                       \
	} while (0)

static void C01_death_costs_a_lease_at_most(void **state)
{
	struct sim *sim = begin(usual);
	struct sim_counts c;

	(void)state;
	for (uint64_t i = 0; i < steps(40); i++) {
		size_t n = sim_draw(sim, NODES);

		sim_kill(sim, n);
		sim_run(sim, 1000 + sim_draw(sim, 20000));
		sim_start(sim, n);
		sim_run(sim, TAKE_BACK_MS + 10000);
	}
	c = end(sim, "killed and started again");
	assert_true(c.takes > 0);
	AT_MOST(c.nobody_max, LEASE_MS + SKEW_MS);
	AT_MOST(c.several_max, UNDECIDED_MS);
	AT_MOST(c.heard_max, UNDECIDED_MS);
}

static void D8_restart_within_the_lease_moves_nothing(void **state)
{
	struct sim *sim = begin(usual);
	struct sim_counts c;

	(void)state;
	for (uint64_t i = 0; i < steps(40); i++) {
		size_t n = sim_draw(sim, NODES);

		sim_kill(sim, n);
		sim_run(sim, 1 + sim_draw(sim, 1500));
		sim_start(sim, n);
		sim_run(sim, 5000);
	}
	c = end(sim, "started again within the Lease");
	AT_MOST(c.takes, 0);
	AT_MOST(c.several_max, 0);
}

static void C15_outage_of_the_api_server_changes_nothing(void **state)
{
	struct sim *sim = begin(usual);
	struct sim_counts c;

	(void)state;
	for (uint64_t i = 0; i < steps(40); i++) {
		sim_set_api_up(sim, false);
		sim_run(sim, 1 + sim_draw(sim, i % 2 ? 6000 : 600000));
		sim_set_api_up(sim, true);
		sim_run(sim, 5000 + sim_draw(sim, 20000));
	}
	c = end(sim, "API server away");
	AT_MOST(c.takes, 0);
	AT_MOST(c.nobody_ms, 0);
	AT_MOST(c.several_ms, 0);
}

static void C04_node_without_api_server_yields(void **state)
{
	struct sim *sim = begin(usual);
	struct sim_counts c;

	(void)state;
	for (uint64_t i = 0; i < steps(40); i++) {
		size_t n = sim_draw(sim, NODES);

		sim_set_api(sim, n, false);
		sim_run(sim, 1 + sim_draw(sim, 20000));
		sim_set_api(sim, n, true);
		sim_run(sim, TAKE_BACK_MS + 10000);
	}
	c = end(sim, "cut off from the API server");
	assert_true(c.takes > 0);
	/* It yields just when the other gives the address back: it needs proof first. */
	AT_MOST(c.nobody_max, RELIST_MS + 2 * SKEW_MS);
	/* A challenge or its answer may be lost, and the next ones, too. */
	AT_MOST(c.heard_max, CONTEST_MS + OWNERSHIP_CHALLENGES * OWNERSHIP_CONTEST_MS);
}

static void C05_cut_off_node_finds_the_others_again(void **state)
{
	struct sim *sim = begin(usual);
	struct sim_counts c;

	(void)state;
	for (uint64_t i = 0; i < steps(40); i++) {
		size_t n = sim_draw(sim, NODES);

		sim_set_api(sim, n, false);
		sim_set_wire(sim, n, false);
		sim_run(sim, 1 + sim_draw(sim, 20000));
		sim_set_api(sim, n, true);
		sim_set_wire(sim, n, true);
		sim_run(sim, TAKE_BACK_MS + 10000);
	}
	c = end(sim, "cut off from everything");
	AT_MOST(c.nobody_max, LEASE_MS + SKEW_MS);
	AT_MOST(c.heard_max, UNDECIDED_MS);
}

static void C14_rolling_updates_lose_nothing(void **state)
{
	struct sim *sim = begin(usual);
	struct sim_counts c;

	(void)state;
	for (uint64_t i = 0; i < steps(40); i++) {
		sim_stop(sim, i % NODES);
		for (unsigned ms = 0; sim_runs(sim, i % NODES); ms += 100) {
			AT_MOST((uint64_t)ms, 6000);
			sim_run(sim, 100);
		}
		sim_run(sim, sim_draw(sim, 10000));
		sim_start(sim, i % NODES);
		sim_run(sim, 5000);
	}
	sim_run(sim, TAKE_BACK_MS + 10000);
	for (size_t n = 0; n < NODES; n++)
		assert_in_range(sim_answered_by(sim, n), 1, usual.vips - 1);
	c = end(sim, "updated one by one");
	AT_MOST(c.nobody_max, SKEW_MS);
	AT_MOST(c.heard_max, HAND_OVER_MS + SKEW_MS);
}

/* However late: once. Where a second delay follows so soon that only some news came in
   between, silence of the others can't be told from death. */
static void late_news_kill_nobody(void **state)
{
	struct sim *sim = begin(usual);
	struct sim_counts c;

	(void)state;
	for (uint64_t i = 0; i < steps(300); i++) {
		uint32_t late_ms = 1 + sim_draw(sim, 20000);

		sim_stall(sim, sim_draw(sim, NODES), late_ms);
		sim_run(sim, late_ms + LEASE_MS);
	}
	sim_run(sim, 30000);
	c = end(sim, "news up to 20 s late");
	AT_MOST(c.takes, 0);
	AT_MOST(c.several_ms, 0);
}

struct troubles {
	size_t nodes;
	bool *api_cut, *wire_cut; /* for each node */
	bool api_down;
};

static void trouble(struct sim *sim, struct troubles *t)
{
	size_t n = sim_draw(sim, (uint32_t)t->nodes);

	switch (sim_draw(sim, 10)) {
	case 0:
		sim_kill(sim, n);
		break;
	case 1:
		sim_stop(sim, n);
		break;
	case 2:
		t->api_cut[n] = !t->api_cut[n];
		sim_set_api(sim, n, !t->api_cut[n]);
		break;
	case 3:
		t->wire_cut[n] = !t->wire_cut[n];
		sim_set_wire(sim, n, !t->wire_cut[n]);
		break;
	case 4:
		t->api_down = !t->api_down;
		sim_set_api_up(sim, !t->api_down);
		break;
	case 5:
		sim_stall(sim, n, sim_draw(sim, 6000));
		break;
	default:
		sim_start(sim, n);
		break;
	}
}

static void heal(struct sim *sim, struct troubles *t)
{
	t->api_down = false;
	sim_set_api_up(sim, true);
	for (size_t n = 0; n < t->nodes; n++) {
		t->api_cut[n] = t->wire_cut[n] = false;
		sim_set_api(sim, n, true);
		sim_set_wire(sim, n, true);
		sim_start(sim, n);
	}
}

/* Days of everything at once. Whatever went on, half a minute of quiet settles it. One frame
   in a hundred is lost. */
static void C04_C05_everything_at_once_is_settled_by_quiet(void **state)
{
	struct sim_rules rules = usual;
	struct troubles troubles = {.nodes = number("HERALD_TROUBLED", NODES)};
	struct sim_counts c;
	struct sim *sim;

	(void)state;
	troubles.api_cut = calloc(troubles.nodes, sizeof(bool));
	troubles.wire_cut = calloc(troubles.nodes, sizeof(bool));
	rules.nodes = troubles.nodes;
	rules.plan_pause_ms = plan_pause_for(rules.nodes);
	rules.lost_writes = 2;
	rules.lost_frames = 1;
	sim = begin(rules);
	for (uint64_t i = 0; i < steps(2500); i++) {
		trouble(sim, &troubles);
		sim_run(sim, sim_draw(sim, 20000));
		if (i % 50 != 49)
			continue;
		heal(sim, &troubles);
		if (!gets_settled(sim, rules.nodes))
			fail_msg("seed %" PRIu64 ": not settled after step %" PRIu64, seed(), i);
	}
	heal(sim, &troubles);
	gets_settled(sim, rules.nodes);
	c = end(sim, "everything at once");
	free(troubles.api_cut);
	free(troubles.wire_cut);
	AT_MOST(c.heard_max, CONTEST_MS + OWNERSHIP_CHALLENGES * OWNERSHIP_CONTEST_MS);
}

/* Many nodes: the writes are bounded, and death is noticed by the longer Lease. */
static void O06_many_nodes_write_little(void **state)
{
	const struct member_timing configured = {LEASE_MS, 1000};
	struct sim_rules rules = usual;
	struct member_timing timing;
	struct sim_counts c;
	struct sim *sim;
	double seconds;
	size_t killed = 0;

	(void)state;
	rules.nodes = number("HERALD_NODES", 60);
	rules.plan_pause_ms = plan_pause_for(rules.nodes);
	rules.lost_frames = 1;
	timing = member_timing_for(&configured, rules.nodes);
	sim = begin(rules);
	seconds = 2.0 * timing.renew_ms / 1000;
	sim_run(sim, (uint64_t)(seconds * 1000));
	c = sim_counts(sim);
	print_message("%zu nodes: %.1f writes a second\n", rules.nodes, (double)c.writes / seconds);
	assert_true((double)c.writes / seconds < 50);
	for (size_t n = 0; n < rules.nodes && killed < 5; n++) {
		if (sim_answered_by(sim, n) == 0)
			continue;
		sim_kill(sim, n);
		killed++;
	}
	sim_run(sim, timing.duration_ms + 2000);
	c = end(sim, "five of many die");
	assert_true(c.takes >= killed);
	AT_MOST(c.nobody_max, timing.duration_ms + SKEW_MS + 2 * rules.plan_pause_ms);
}

/* All at one moment, and all back at one moment after an outage of the API server. */
static void O06_many_start_together(void **state)
{
	const struct member_timing configured = {LEASE_MS, 1000};
	struct sim_rules rules = usual;
	struct member_timing timing;
	struct sim_counts c;
	struct sim *sim;

	(void)state;
	rules.nodes = number("HERALD_NODES", 60);
	rules.plan_pause_ms = plan_pause_for(rules.nodes);
	rules.lost_frames = 1;
	rules.seed = seed();
	timing = member_timing_for(&configured, rules.nodes);
	sim = sim_new(&rules);
	for (size_t n = 0; n < rules.nodes; n++)
		sim_start(sim, n);
	sim_run(sim, 3 * timing.renew_ms + 10000);
	c = sim_counts(sim);
	print_message("%zu nodes start: %" PRIu64 " writes in one second at most, %" PRIu64
		      " in ten\n",
		rules.nodes, c.writes_second, c.writes_ten);
	AT_MOST(c.writes_ten, 500);
	sim_run(sim, TAKE_BACK_MS);
	sim_counts_clear(sim);
	sim_set_api_up(sim, false);
	sim_run(sim, 120000);
	sim_set_api_up(sim, true);
	sim_run(sim, 3 * timing.renew_ms);
	c = sim_counts(sim);
	print_message("%zu nodes after an outage: %" PRIu64
		      " writes in one second at most, %" PRIu64 " in ten\n",
		rules.nodes, c.writes_second, c.writes_ten);
	AT_MOST(c.writes_ten, 500);
	AT_MOST(c.takes, 0);
	sim_free(sim);
}

/* Who is away for less than it takes the others to renew finds its addresses held. */
static void C20_many_nodes_one_is_back_at_once(void **state)
{
	const struct member_timing configured = {LEASE_MS, 1000};
	struct sim_rules rules = usual;
	uint32_t renew_ms, duration_ms;
	struct sim *sim;
	size_t n = 0, had;

	(void)state;
	rules.nodes = number("HERALD_NODES", 60);
	rules.plan_pause_ms = plan_pause_for(rules.nodes);
	renew_ms = member_timing_for(&configured, rules.nodes).renew_ms;
	duration_ms = member_timing_for(&configured, rules.nodes).duration_ms;
	sim = begin(rules);
	for (unsigned round = 0; round < 2; round++, n++) {
		while (sim_answered_by(sim, n) == 0)
			n++;
		had = sim_answered_by(sim, n);
		sim_kill(sim, n);
		for (unsigned ms = 0; !sim_is_settled(sim); ms += 10) {
			AT_MOST((uint64_t)ms, duration_ms + SKEW_MS + 2 * rules.plan_pause_ms);
			sim_run(sim, 10);
		}
		sim_run(sim, had * 1000 / HOLDS_WRITES_PER_SECOND + SKEW_MS + rules.plan_pause_ms);
		sim_start(sim, n);
		sim_run(sim, 3000);
		assert_int_equal(sim_answered_by(sim, n), 0);
		sim_run(sim, TAKE_BACK_MS + 2 * renew_ms);
		assert_int_equal(sim_answered_by(sim, n), had);
	}
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C01_death_costs_a_lease_at_most),
		cmocka_unit_test(D8_restart_within_the_lease_moves_nothing),
		cmocka_unit_test(C15_outage_of_the_api_server_changes_nothing),
		cmocka_unit_test(C04_node_without_api_server_yields),
		cmocka_unit_test(C05_cut_off_node_finds_the_others_again),
		cmocka_unit_test(C14_rolling_updates_lose_nothing),
		cmocka_unit_test(late_news_kill_nobody),
		cmocka_unit_test(C04_C05_everything_at_once_is_settled_by_quiet),
		cmocka_unit_test(O06_many_nodes_write_little),
		cmocka_unit_test(O06_many_start_together),
		cmocka_unit_test(C20_many_nodes_one_is_back_at_once),
	};

	cmocka_set_test_filter(getenv("HERALD_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
