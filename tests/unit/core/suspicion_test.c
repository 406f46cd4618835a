// SPDX-License-Identifier: Apache-2.0
/* Who counts as dead by BFD, and that no broken link of one node moves another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/bfd_ring.h"
#include "herald/core/suspicion.h"

/*
 * Nodes a, b, c, ...: whom each suspects, and who is to be dead. Up to seven of them
 * all watch each other.
 */
struct scene {
	const char *what;
	const char *suspects[8]; /* of a, b, c, ... */
	size_t count;
	size_t alive; /* speakers; 0: as many as take part */
	const char *dead;
};

static const struct scene scenes[] = {
	{"nobody suspects anybody", {"", "", ""}, 3, 0, ""},
	{"one alone", {""}, 1, 0, ""},
	{"the other of two is dead", {"b", ""}, 2, 0, "b"},
	{"two suspect each other: the link is broken", {"b", "a"}, 2, 0, ""},
	{"two of many have BFD: one word is not enough", {"b", ""}, 2, 5, ""},
	{"one of three is dead", {"c", "c", ""}, 3, 0, "c"},
	{"one of three is cut off, but reaches the API", {"c", "c", "a b"}, 3, 0, "c"},
	{"one watcher with a broken link", {"c", "", ""}, 3, 0, ""},
	{"and the same seen from both ends", {"c", "", "a"}, 3, 0, ""},
	{"one watcher that suspects everybody", {"b c d e", "", "", "", ""}, 5, 0, ""},
	{"half of four watchers are not enough", {"e", "e", "", "", ""}, 5, 0, ""},
	{"three of four watchers are", {"e", "e", "e", "", ""}, 5, 0, "e"},
	{"two of five at once", {"d e", "d e", "d e", "", ""}, 5, 0, "de"},
	{"two of four at once", {"c d", "c d", "", ""}, 4, 0, "cd"},
	{"the smaller part of a split", {"d e", "d e", "d e", "a b c", "a b c"}, 5, 0, "de"},
	{"two halves: nobody", {"c d", "c d", "a b", "a b"}, 4, 0, ""},
	{"two halves of six: nobody", {"d e f", "d e f", "d e f", "a b c", "a b c", "a b c"}, 6, 0,
		""},
	{"all but one: the survivor has nobody to agree with", {"b c", "", ""}, 3, 0, ""},
	{"the word of the dead does not count", {"e", "e", "e", "", "a d", ""}, 5, 0, "e"},
	/* d's watchers are a, b, c, e, of which e is dead: a and b are two of three. */
	{"a dead watcher is no watcher", {"d e", "d e", "e", "", ""}, 5, 0, "de"},
	{"suspecting oneself or a stranger is nothing", {"a", "x y", "c"}, 3, 0, ""},
	{"a name within another is not that name", {"cc bc c", "xc cx", ""}, 3, 0, ""},
};

static void who_counts_as_dead(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		const struct scene *s = &scenes[i];
		struct suspicion_node nodes[8];
		struct suspicion_verdict verdicts[8];
		char dead[9] = "";

		for (size_t n = 0; n < s->count; n++)
			nodes[n] = (struct suspicion_node){names[n], s->suspects[n]};
		suspicion_decide(nodes, s->count, 3, s->alive ? s->alive : s->count, verdicts);
		for (size_t n = 0; n < s->count; n++) {
			if (verdicts[n].dead)
				strcat(dead, names[n]);
		}
		if (strcmp(dead, s->dead) != 0)
			fail_msg("%s: dead are \"%s\", not \"%s\"", s->what, dead, s->dead);
	}
}

enum { CLUSTER = 60 };
static char names[CLUSTER][16], suspects[CLUSTER][SUSPECTS_MAX * 16];

/* Everybody's word where those for which `cut` holds can't be reached by the others. */
static void split(struct suspicion_node nodes[static CLUSTER], const bool cut[static CLUSTER],
	bool cut_ones_write)
{
	const char *all[CLUSTER];
	size_t peers[BFD_PEERS_MAX];
	struct bfd_ring *ring;

	for (size_t n = 0; n < CLUSTER; n++) {
		snprintf(names[n], sizeof(names[n]), "node-%zu", n);
		all[n] = names[n];
	}
	ring = bfd_ring_new(all, CLUSTER, 3);
	for (size_t n = 0; n < CLUSTER; n++) {
		size_t count = bfd_ring_peers(ring, n, peers);

		suspects[n][0] = '\0';
		for (size_t p = 0; p < count && (!cut[n] || cut_ones_write); p++) {
			if (cut[n] == cut[peers[p]])
				continue;
			strcat(suspects[n], names[peers[p]]);
			strcat(suspects[n], " ");
		}
		nodes[n] = (struct suspicion_node){names[n], suspects[n]};
	}
	bfd_ring_free(ring);
}

/* Any few that die at once are seen to be dead, and nobody else is. */
static void a_rack_that_dies(void **state)
{
	struct suspicion_node nodes[CLUSTER];
	struct suspicion_verdict verdicts[CLUSTER];
	unsigned seen = 0, dead = 0;

	(void)state;
	srand(1);
	for (unsigned round = 0; round < 2000; round++) {
		bool cut[CLUSTER] = {false};
		unsigned rack = 1 + (unsigned)rand() % 8;

		for (unsigned i = 0; i < rack; i++)
			cut[rand() % CLUSTER] = true;
		split(nodes, cut, false);
		suspicion_decide(nodes, CLUSTER, 3, CLUSTER, verdicts);
		for (size_t n = 0; n < CLUSTER; n++) {
			dead += cut[n];
			seen += verdicts[n].dead;
			assert_false(verdicts[n].dead && !cut[n]);
		}
	}
	assert_true(seen * 1000 >= dead * 995); /* the rest waits for the Lease */
}

/* A few that are cut off from the segment, but write: they yield, the others do not. */
static void a_rack_that_is_cut_off(void **state)
{
	struct suspicion_node nodes[CLUSTER];
	struct suspicion_verdict verdicts[CLUSTER];
	unsigned seen = 0, off = 0;

	(void)state;
	srand(2);
	for (unsigned round = 0; round < 2000; round++) {
		bool cut[CLUSTER] = {false};
		unsigned rack = 1 + (unsigned)rand() % 4;

		for (unsigned i = 0; i < rack; i++)
			cut[rand() % CLUSTER] = true;
		split(nodes, cut, true);
		suspicion_decide(nodes, CLUSTER, 3, CLUSTER, verdicts);
		for (size_t n = 0; n < CLUSTER; n++) {
			off += cut[n];
			seen += verdicts[n].dead;
			assert_false(verdicts[n].dead && !cut[n]);
		}
	}
	assert_true(seen * 1000 >= off * 995);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_counts_as_dead),
		cmocka_unit_test(a_rack_that_dies),
		cmocka_unit_test(a_rack_that_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
