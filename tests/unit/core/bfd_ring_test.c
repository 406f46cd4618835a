// SPDX-License-Identifier: Apache-2.0
/* Who watches whom (C20): mutual, bounded, all reachable, and stable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "herald/core/bfd_ring.h"

enum { NODES_MAX = 200 };
static char names[NODES_MAX][16];
static const char *nodes[NODES_MAX];

static bool is_peer(const struct bfd_ring *ring, size_t node, size_t other)
{
	size_t peers[BFD_PEERS_MAX];
	size_t count = bfd_ring_peers(ring, node, peers);

	for (size_t i = 0; i < count; i++) {
		if (peers[i] == other)
			return true;
	}
	return false;
}

static void watching_is_mutual_and_bounded(void **state)
{
	size_t peers[BFD_PEERS_MAX];

	(void)state;
	for (size_t count = 1; count < 60; count++) {
		for (unsigned watchers = 1; watchers <= BFD_WATCHERS_MAX; watchers++) {
			struct bfd_ring *ring = bfd_ring_new(nodes, count, watchers);
			size_t expected = count - 1 < 2u * watchers ? count - 1 : 2u * watchers;

			for (size_t n = 0; n < count; n++) {
				assert_int_equal(bfd_ring_peers(ring, n, peers), expected);
				assert_false(is_peer(ring, n, n));
				for (size_t i = 0; i < expected; i++) {
					assert_true(is_peer(ring, peers[i], n));
					for (size_t j = 0; j < i; j++)
						assert_int_not_equal(peers[i], peers[j]);
				}
			}
			bfd_ring_free(ring);
		}
	}
}

/* The order in which the names come does not matter; names do. */
static void all_nodes_see_the_same_ring(void **state)
{
	const char *reversed[50];
	struct bfd_ring *ring = bfd_ring_new(nodes, 50, 3), *other;

	(void)state;
	for (size_t i = 0; i < 50; i++)
		reversed[i] = nodes[49 - i];
	other = bfd_ring_new(reversed, 50, 3);
	for (size_t a = 0; a < 50; a++) {
		for (size_t b = 0; b < 50; b++)
			assert_int_equal(is_peer(ring, a, b), is_peer(other, 49 - a, 49 - b));
	}
	bfd_ring_free(ring);
	bfd_ring_free(other);
}

static void a_new_node_changes_its_neighbours_only(void **state)
{
	struct bfd_ring *before = bfd_ring_new(nodes, 100, 3);
	struct bfd_ring *after = bfd_ring_new(nodes, 101, 3);
	size_t touched = 0;

	(void)state;
	for (size_t a = 0; a < 100; a++) {
		bool differs = false;

		for (size_t b = 0; b < 100; b++)
			differs = differs || is_peer(before, a, b) != is_peer(after, a, b);
		touched += differs;
	}
	assert_int_equal(touched, 6);
	bfd_ring_free(before);
	bfd_ring_free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(watching_is_mutual_and_bounded),
		cmocka_unit_test(all_nodes_see_the_same_ring),
		cmocka_unit_test(a_new_node_changes_its_neighbours_only),
	};

	for (size_t i = 0; i < NODES_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "node-%zu", i);
		nodes[i] = names[i];
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
