// SPDX-License-Identifier: Apache-2.0
/*
 * The agreement on who is dead by BFD. In: who takes part, and whom each suspects. Out: a
 * verdict on each. The rule and its reasons are in the header; the texts come from other
 * nodes and are bounded here.
 */
#include "herald/core/suspicion.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/bfd_ring.h"

/* One node and those that watch it. */
struct watched {
	size_t peers[BFD_PEERS_MAX];
	bool suspected_by[BFD_PEERS_MAX];
	size_t peer_count;
};

static bool has_word(const char *text, const char *word)
{
	size_t wanted = strlen(word);

	for (size_t i = 0; i < SUSPECTS_MAX && *text; i++) {
		size_t length = strcspn(text, " ");

		if (length == wanted && memcmp(text, word, length) == 0)
			return true;
		text += length;
		text += *text == ' ';
	}
	return false;
}

/* False: nobody suspects anybody. */
static bool collect(
	const struct suspicion_node *nodes, size_t count, unsigned watchers, struct watched *ret)
{
	const char **names = xcalloc(count, sizeof(*names));
	struct bfd_ring *ring;
	bool any = false;

	for (size_t i = 0; i < count; i++)
		names[i] = nodes[i].name;
	ring = bfd_ring_new(names, count, watchers);
	for (size_t i = 0; i < count; i++) {
		struct watched *w = &ret[i];

		w->peer_count = bfd_ring_peers(ring, i, w->peers);
		for (size_t p = 0; p < w->peer_count; p++) {
			const char *suspects = nodes[w->peers[p]].suspects;

			w->suspected_by[p] = suspects && has_word(suspects, nodes[i].name);
			any = any || w->suspected_by[p];
		}
	}
	bfd_ring_free(ring);
	free(names);
	return any;
}

static void count_votes(const struct watched *watched, size_t node, struct suspicion_verdict *all)
{
	const struct watched *w = &watched[node];

	all[node].watchers = 0;
	all[node].against = 0;
	for (size_t p = 0; p < w->peer_count; p++) {
		if (all[w->peers[p]].dead)
			continue;
		all[node].watchers++;
		all[node].against += w->suspected_by[p];
	}
}

static bool is_enough(const struct suspicion_verdict *verdict, size_t alive)
{
	unsigned least = alive > 2 ? 2 : 1;

	return verdict->against >= least && 2 * verdict->against > verdict->watchers;
}

static bool is_larger_share(const struct suspicion_verdict *a, const struct suspicion_verdict *b)
{
	return a->against * b->watchers > b->against * a->watchers;
}

/* The next that die: those with the largest share among their watchers. Returns how many. */
static size_t condemn(
	const struct watched *watched, size_t count, size_t alive, struct suspicion_verdict *all)
{
	struct suspicion_verdict worst = {.watchers = 1};
	size_t condemned = 0;

	for (size_t i = 0; i < count; i++) {
		if (all[i].dead)
			continue;
		count_votes(watched, i, all);
		if (is_enough(&all[i], alive) && is_larger_share(&all[i], &worst))
			worst = all[i];
	}
	for (size_t i = 0; worst.against > 0 && i < count; i++) {
		if (all[i].dead || !is_enough(&all[i], alive) || is_larger_share(&worst, &all[i]))
			continue;
		all[i].dead = true;
		condemned++;
	}
	return condemned;
}

void suspicion_decide(const struct suspicion_node *nodes, size_t count, unsigned watchers,
	size_t alive, struct suspicion_verdict *ret)
{
	struct watched *watched = xcalloc(count + 1, sizeof(*watched));
	size_t dead = 0, condemned;

	for (size_t i = 0; i < count; i++)
		ret[i] = (struct suspicion_verdict){0};
	if (count > 0 && collect(nodes, count, watchers, watched)) {
		do {
			condemned = condemn(watched, count, alive, ret);
			dead += condemned;
		} while (condemned > 0);
	}
	for (size_t i = 0; 2 * dead > count && i < count; i++)
		ret[i].dead = false;
	for (size_t i = 0; i < count; i++) {
		if (!ret[i].dead)
			count_votes(watched, i, ret);
	}
	free(watched);
}
