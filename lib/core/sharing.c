// SPDX-License-Identifier: Apache-2.0
/*
 * From plans to the nodes that serve each address, and to what changed about that. In: plans
 * as they are made, the members' Leases, the time. Out: a place for each address, and the
 * changes. The rules stand in the header. Each plan makes the places anew from those before;
 * nodes that serve many addresses together are one `spread`.
 */
#include "herald/core/sharing.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/elect.h"
#include "herald/core/warmup.h"

/* A node without an endpoint for an address, or one whose first endpoint is new. */
struct newcomer {
	uint64_t hash; /* of the node's name */
	bool lacking;
	struct monotime end; /* not lacking: of its wait */
};

struct place {
	struct sharing_place public; /* first: what callers see */
	struct newcomer *newcomers;
	size_t newcomer_count;
};

/* The spread made last for a row of the plan: the next address probably has the same. */
struct made {
	const size_t *serving;
	struct spread *spread;
};

struct sharing {
	char *self;
	struct place *places; /* sorted by ip */
	size_t count;
	bool waits;
	struct monotime next; /* waits */
};

struct maker {
	struct sharing *sharing;
	const struct plan *plan;
	const struct members *members;
	struct monotime now;
	struct made *made;
	size_t made_count;
	const char **names; /* room for all nodes */
	uint64_t *hashes;   /* of all nodes */
	struct sharing_changes changes;
};

struct sharing *sharing_new(const char *self)
{
	struct sharing *s = xcalloc(1, sizeof(*s));

	s->self = xstrdup(self);
	return s;
}

static void place_done(struct place *place)
{
	spread_drop(place->public.set);
	spread_drop(place->public.before);
	spread_drop(place->public.left);
	free(place->newcomers);
}

static void drop_places(struct sharing *s)
{
	for (size_t i = 0; i < s->count; i++)
		place_done(&s->places[i]);
	free(s->places);
}

void sharing_free(struct sharing *sharing)
{
	if (!sharing)
		return;
	drop_places(sharing);
	free(sharing->self);
	free(sharing);
}

void sharing_changes_done(struct sharing_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		spread_drop(changes->items[i].old);
	free(changes->items);
	*changes = (struct sharing_changes){0};
}

static const struct newcomer *newcomer_of(const struct place *place, uint64_t hash)
{
	for (size_t i = 0; place && i < place->newcomer_count; i++) {
		if (place->newcomers[i].hash == hash)
			return &place->newcomers[i];
	}
	return NULL;
}

/* False: there is nothing to remember of the node. */
static bool is_newcomer(
	uint8_t verdict, const struct newcomer *old, struct monotime now, struct newcomer *ret)
{
	ret->lacking = verdict == PLAN_NO_ENDPOINT;
	if (ret->lacking)
		return true;
	if (verdict < PLAN_ELIGIBLE || !old)
		return false;
	ret->end = old->lacking ? monotime_add_ms(now, WARMUP_MS) : old->end;
	return !monotime_reached(now, ret->end);
}

/* Fills the newcomers of a place that is per client, from those of the plan before. */
static void follow_newcomers(const struct maker *m, const struct plan_vip *vip,
	const struct place *before, struct place *place)
{
	place->newcomers = xcalloc(m->plan->node_count, sizeof(*place->newcomers));
	for (size_t n = 0; n < m->plan->node_count; n++) {
		struct newcomer *item = &place->newcomers[place->newcomer_count];

		*item = (struct newcomer){.hash = m->hashes[n]};
		if (is_newcomer(vip->verdicts[n], newcomer_of(before, item->hash), m->now, item))
			place->newcomer_count++;
	}
	if (place->newcomer_count == 0) {
		free(place->newcomers);
		place->newcomers = NULL;
	}
}

static void wait_until(struct sharing *s, struct monotime when)
{
	if (!s->waits || when.ns < s->next.ns)
		s->next = when;
	s->waits = true;
}

static struct spread *spread_of_row(struct maker *m, const size_t *serving, size_t count)
{
	struct made *made;

	for (size_t i = 0; i < m->made_count; i++) {
		if (m->made[i].serving == serving)
			return spread_use(m->made[i].spread);
	}
	for (size_t i = 0; i < count; i++)
		m->names[i] = m->plan->nodes[serving[i]];
	m->made = xrealloc(m->made, m->made_count + 1, sizeof(*m->made));
	made = &m->made[m->made_count++];
	made->serving = serving;
	made->spread = spread_new(m->names, count, m->members, m->sharing->self);
	return spread_use(made->spread);
}

/* Who serves it: of those by the plan all that need not wait, or all if everybody must. */
static struct spread *set_of(struct maker *m, const struct plan_vip *vip, const struct place *place)
{
	size_t warm = 0;

	for (size_t i = 0; i < vip->serving_count; i++) {
		size_t n = vip->serving[i];

		if (!newcomer_of(place, m->hashes[n]))
			m->names[warm++] = m->plan->nodes[n];
	}
	if (warm == 0 || warm == vip->serving_count)
		return spread_of_row(m, vip->serving, vip->serving_count);
	for (size_t i = 0; i < place->newcomer_count; i++) {
		if (!place->newcomers[i].lacking)
			wait_until(m->sharing, place->newcomers[i].end);
	}
	return spread_new(m->names, warm, m->members, m->sharing->self);
}

static bool is_dead(uint8_t verdict)
{
	return verdict == PLAN_LEASE_EXPIRED || verdict == PLAN_SUSPECTED;
}

static bool served(const struct sharing_place *old, const char *node)
{
	return old && (spread_find(old->set, node) != SPREAD_NONE ||
			      (old->left && spread_find(old->left, node) != SPREAD_NONE));
}

/* Who served once and doesn't now; and the dead, who may not know that they are. `old` is
   NULL where nothing was. */
static struct spread *who_left(struct maker *m, const struct plan_vip *vip,
	const struct sharing_place *old, const struct spread *set)
{
	size_t count = 0;

	for (size_t n = 0; n < m->plan->node_count; n++) {
		const char *node = m->plan->nodes[n];

		if (spread_find(set, node) == SPREAD_NONE &&
			(is_dead(vip->verdicts[n]) || served(old, node)))
			m->names[count++] = node;
	}
	return count ? spread_new(m->names, count, m->members, m->sharing->self) : NULL;
}

static void note_change(
	struct maker *m, const struct sharing_place *place, const struct sharing_place *old)
{
	if (old->per_client == place->per_client && spread_same(old->set, place->set))
		return;
	m->changes.items[m->changes.count++] =
		(struct sharing_change){.place = place, .old = spread_use(old->set)};
}

static void follow_old(struct maker *m, const struct plan_vip *vip, const struct sharing_place *old,
	struct sharing_place *place)
{
	const bool same = spread_same(old->set, place->set);

	if (place->set->self == SPREAD_NONE && old->set->self != SPREAD_NONE && old->per_client)
		place->before = spread_use(old->set);
	else if (place->set->self == SPREAD_NONE && old->before)
		place->before = spread_use(old->before);
	if (place->per_client && same && old->left)
		place->left = spread_use(old->left);
	else if (place->per_client)
		place->left = same ? NULL : who_left(m, vip, old, place->set);
	note_change(m, place, old);
}

static void follow_one(struct maker *m, const struct plan_vip *vip, const struct place *before,
	struct place *place)
{
	place->public = (struct sharing_place){
		.ip = vip->address,
		.per_client = vip->per_client,
		.defends = vip->owner && strcmp(vip->owner, m->sharing->self) == 0,
	};
	if (vip->per_client)
		follow_newcomers(m, vip, before, place);
	place->public.set = set_of(m, vip, place);
	if (before)
		follow_old(m, vip, &before->public, &place->public);
	else if (vip->per_client)
		place->public.left = who_left(m, vip, NULL, place->public.set);
}

static void maker_done(struct maker *m)
{
	for (size_t i = 0; i < m->made_count; i++)
		spread_drop(m->made[i].spread);
	free(m->made);
	free(m->names);
	free(m->hashes);
}

void sharing_follow(struct sharing *sharing, const struct plan *plan, const struct members *members,
	struct monotime now, struct sharing_changes *ret)
{
	struct place *fresh = xcalloc(plan->vip_count, sizeof(*fresh));
	struct maker m = {
		.sharing = sharing,
		.plan = plan,
		.members = members,
		.now = now,
		.names = xcalloc(plan->node_count, sizeof(*m.names)),
		.hashes = xcalloc(plan->node_count, sizeof(*m.hashes)),
		.changes = {.items = xcalloc(plan->vip_count, sizeof(*m.changes.items))},
	};
	size_t old = 0;

	for (size_t n = 0; n < plan->node_count; n++)
		m.hashes[n] = elect_node_hash(plan->nodes[n]);
	sharing->waits = false;
	for (size_t i = 0; i < plan->vip_count; i++) {
		const struct ip *ip = &plan->vips[i].address;
		const struct place *before = NULL;

		while (old < sharing->count && ip_compare(&sharing->places[old].public.ip, ip) < 0)
			old++;
		if (old < sharing->count && ip_equal(&sharing->places[old].public.ip, ip))
			before = &sharing->places[old];
		follow_one(&m, &plan->vips[i], before, &fresh[i]);
	}
	drop_places(sharing);
	sharing->places = fresh;
	sharing->count = plan->vip_count;
	maker_done(&m);
	*ret = m.changes;
}

bool sharing_step(struct sharing *sharing, struct monotime now)
{
	if (!sharing->waits || !monotime_reached(now, sharing->next))
		return false;
	sharing->waits = false;
	return true;
}

bool sharing_next(const struct sharing *sharing, struct monotime *ret)
{
	*ret = sharing->next;
	return sharing->waits;
}

static int compare_ip(const void *key, const void *place)
{
	return ip_compare(key, &((const struct place *)place)->public.ip);
}

const struct sharing_place *sharing_find(const struct sharing *sharing, const struct ip *ip)
{
	const struct place *place = sharing->count ? bsearch(ip, sharing->places, sharing->count,
							     sizeof(*sharing->places), compare_ip)
						   : NULL;

	return place ? &place->public : NULL;
}
