// SPDX-License-Identifier: Apache-2.0
/*
 * What must hold between the parts of the BGP section and the pools: one peer is not
 * configured twice for the same nodes (B09, B12), advertisements of one route agree on
 * what a route can have once (B02, B10), and an aggregate covers nothing but the pool (B12).
 *
 * Two lists of selectors are taken to select something in common when one selects all or
 * both have an alternative in common: that is certain from the text. Other overlaps depend on the
 * cluster's labels and are found where those are known.
 */
#include <stdlib.h>
#include <string.h>

#include "config_bgp.h"

static bool equal_requirements(
	const struct selector_requirement *a, const struct selector_requirement *b)
{
	if (a->operator!= b->operator|| a->value_count != b->value_count ||
		strcmp(a->key ? a->key : "", b->key ? b->key : "") != 0)
		return false;
	for (size_t i = 0; i < a->value_count; i++) {
		if (strcmp(a->values[i], b->values[i]) != 0)
			return false;
	}
	return true;
}

static bool equal_selectors(const struct selector *a, const struct selector *b)
{
	if (a->requirement_count != b->requirement_count)
		return false;
	for (size_t i = 0; i < a->requirement_count; i++) {
		if (!equal_requirements(&a->requirements[i], &b->requirements[i]))
			return false;
	}
	return true;
}

static bool selects_all(const struct selector_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].requirement_count == 0)
			return true;
	}
	return list->count == 0;
}

static bool surely_meet(const struct selector_list *a, const struct selector_list *b)
{
	if (selects_all(a) || selects_all(b))
		return true;
	for (size_t i = 0; i < a->count; i++) {
		for (size_t k = 0; k < b->count; k++) {
			if (equal_selectors(&a->items[i], &b->items[k]))
				return true;
		}
	}
	return false;
}

static bool same_peer(const struct config_bgp_peer *a, const struct config_bgp_peer *b)
{
	return ip_equal(&a->address, &b->address) && a->port == b->port &&
	       ip_equal(&a->range.address, &b->range.address) &&
	       a->range.length == b->range.length && strcmp(a->interface, b->interface) == 0 &&
	       strcmp(a->vrf, b->vrf) == 0 &&
	       (a->address.family != IP_NONE || a->interface[0] ||
		       a->range.address.family != IP_NONE);
}

static void check_peers(
	struct config_reader *r, const struct yaml_node *node, const struct config_bgp *bgp)
{
	const struct yaml_node *item = node ? node->first : NULL;

	for (size_t i = 0; i < bgp->peer_count; i++, item = item->next) {
		for (size_t k = 0; k < i; k++) {
			const struct config_bgp_peer *a = &bgp->peers[k], *b = &bgp->peers[i];

			if (!same_peer(a, b) ||
				!surely_meet(&a->node_selectors, &b->node_selectors))
				continue;
			config_problem(r, item,
				"the peer \"%s\" is the same router as \"%s\" on line %u, on nodes "
				"that both select: remove one, or give them nodeSelectors that no "
				"node satisfies both of",
				b->name, a->name, a->line);
			break;
		}
	}
}

struct pool_index {
	const struct config_pool **items; /* by name */
	size_t count;
	bool ipv4, ipv6; /* some pool has addresses of it */
};

static bool has_family(const struct config_pool *pool, enum ip_family family)
{
	for (size_t i = 0; pool && i < pool->range_count; i++) {
		if (pool->ranges[i].first.family == family)
			return true;
	}
	return false;
}

static int compare_texts(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int compare_pools(const void *a, const void *b)
{
	const struct config_pool *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static struct pool_index index_pools(struct config_reader *r, const struct config *config)
{
	struct pool_index index = {.count = config->pool_count};

	index.items = arena_alloc(r->memory, index.count, sizeof(struct config_pool *));
	for (size_t i = 0; i < index.count; i++) {
		index.items[i] = &config->pools[i];
		index.ipv4 = index.ipv4 || has_family(index.items[i], IP_V4);
		index.ipv6 = index.ipv6 || has_family(index.items[i], IP_V6);
	}
	if (index.count)
		qsort(index.items, index.count, sizeof(struct config_pool *), compare_pools);
	return index;
}

static const struct config_pool *find_pool(const struct pool_index *index, const char *name)
{
	const struct config_pool wanted = {.name = name};
	const struct config_pool *key = &wanted;
	const struct config_pool **found;

	if (index->count == 0)
		return NULL;
	found = bsearch(&key, index->items, index->count, sizeof(key), compare_pools);
	return found ? *found : NULL;
}

/* Both are sorted; an empty one stands for everything. */
static bool lists_meet(const struct config_string_list *a, const struct config_string_list *b)
{
	size_t i = 0, k = 0;

	if (a->count == 0 || b->count == 0)
		return true;
	while (i < a->count && k < b->count) {
		int order = strcmp(a->items[i], b->items[k]);

		if (order == 0)
			return true;
		if (order < 0)
			i++;
		else
			k++;
	}
	return false;
}

static bool holds(const struct config_string_list *sorted, const char *text)
{
	return sorted->count == 0 ||
	       bsearch(&text, sorted->items, sorted->count, sizeof(*sorted->items), compare_texts);
}

/* Is there a pool that both lists name, with addresses of the family? */
static bool pools_meet(const struct pool_index *index, const struct config_string_list *a,
	const struct config_string_list *b, enum ip_family family)
{
	if (a->count == 0 && b->count == 0)
		return family == IP_V4 ? index->ipv4 : index->ipv6;
	if (a->count == 0)
		return pools_meet(index, b, a, family);
	for (size_t i = 0; i < a->count; i++) {
		if (holds(b, a->items[i]) && has_family(find_pool(index, a->items[i]), family))
			return true;
	}
	return false;
}

/* A route's length is part of its name: those of other lengths are other routes. */
static bool same_route(const struct pool_index *index, const struct config_bgp_advertisement *a,
	const struct config_bgp_advertisement *b, enum ip_family family)
{
	bool same_length = family == IP_V4 ? a->aggregation_length == b->aggregation_length
					   : a->aggregation_length_v6 == b->aggregation_length_v6;

	return same_length && pools_meet(index, &a->pools, &b->pools, family) &&
	       lists_meet(&a->peers, &b->peers) &&
	       surely_meet(&a->node_selectors, &b->node_selectors) &&
	       surely_meet(&a->service_selectors, &b->service_selectors);
}

/* The first field that they disagree on for routes that both surely make. */
static enum config_agreed find_disagreement(const struct pool_index *index,
	const struct config_bgp_advertisement *a, const struct config_bgp_advertisement *b)
{
	for (unsigned field = 0; field < AGREED_COUNT; field++) {
		bool v4 = config_advertisements_agree(a, b, (enum config_agreed)field, IP_V4);
		bool v6 = config_advertisements_agree(a, b, (enum config_agreed)field, IP_V6);

		if ((!v4 && same_route(index, a, b, IP_V4)) ||
			(!v6 && same_route(index, a, b, IP_V6)))
			return (enum config_agreed)field;
	}
	return AGREED_COUNT;
}

static void check_agreement(struct config_reader *r, const struct yaml_node *node,
	const struct config_bgp *bgp, const struct pool_index *index)
{
	const struct yaml_node *item = node ? node->first : NULL;

	for (size_t i = 0; item && i < bgp->advertisement_count; i++, item = item->next) {
		for (size_t k = 0; k < i; k++) {
			const struct config_bgp_advertisement *a = &bgp->advertisements[k];
			const struct config_bgp_advertisement *b = &bgp->advertisements[i];
			enum config_agreed field = find_disagreement(index, a, b);

			if (field == AGREED_COUNT)
				continue;
			config_problem(r, item,
				"the advertisement \"%s\" sets %s %s where \"%s\" on line %u sets "
				"%s for the same routes: make them equal, or keep the two apart by "
				"pools, peers or selectors",
				b->name, config_agreed_name(field), config_agreed_text(b, field).s,
				a->name, a->line, config_agreed_text(a, field).s);
			break;
		}
	}
}

/* The aggregates that begin and end the range lie within it, and so do all between. */
static bool covers_only(const struct ip_range *range, uint32_t length)
{
	struct ip_prefix first = ip_prefix_of(&range->first, (uint8_t)length);
	struct ip_prefix last = ip_prefix_of(&range->last, (uint8_t)length);
	struct ip_range begin = ip_prefix_range(&first), end = ip_prefix_range(&last);

	return ip_equal(&begin.first, &range->first) && ip_equal(&end.last, &range->last);
}

/* The first range of each family that does not fit is told of. */
static void check_pool_aggregates(struct config_reader *r, const struct yaml_node *item,
	const struct config_bgp_advertisement *advertisement, const struct config_pool *pool)
{
	bool told[2] = {false, false};

	for (size_t i = 0; i < pool->range_count; i++) {
		const struct ip_range *range = &pool->ranges[i];
		bool v4 = range->first.family == IP_V4;
		uint32_t length = v4 ? advertisement->aggregation_length
				     : advertisement->aggregation_length_v6;
		const char *field = v4 ? "aggregationLength" : "aggregationLengthV6";

		if (told[v4] || covers_only(range, length))
			continue;
		config_problem(r, yaml_tree_get(item, field),
			"is %u, but the pool \"%s\" has %s-%s, and routes of that length would "
			"cover addresses beyond: write a longer length, or leave the pool out",
			length, pool->name, ip_text(&range->first).s, ip_text(&range->last).s);
		told[v4] = true;
	}
}

static void check_aggregation(struct config_reader *r, const struct yaml_node *item,
	const struct config_bgp_advertisement *advertisement, const struct pool_index *index)
{
	if (advertisement->aggregation_length == 32 && advertisement->aggregation_length_v6 == 128)
		return;
	if (advertisement->service_selectors.count)
		config_problem(r, yaml_tree_get(item, "serviceSelectors"),
			"stands beside an aggregation length below the address's own: such a "
			"route covers Services that are not selected, so remove one of the two");
	if (advertisement->weight != WEIGHT_NONE)
		config_problem(r, yaml_tree_get(item, "weight"),
			"stands beside an aggregation length below the address's own: such a "
			"route stands for many Services, so remove one of the two");
	/* Once nothing more is kept, a thousand of them over all pools would take long. */
	if (r->problems->count == CONFIG_PROBLEMS_MAX)
		return;
	for (size_t i = 0; advertisement->pools.count == 0 && i < index->count; i++)
		check_pool_aggregates(r, item, advertisement, index->items[i]);
	for (size_t i = 0; i < advertisement->pools.count; i++) {
		const struct config_pool *pool = find_pool(index, advertisement->pools.items[i]);

		if (pool)
			check_pool_aggregates(r, item, advertisement, pool);
	}
}

void config_bgp_check(
	struct config_reader *r, const struct yaml_node *bgp, const struct config *config)
{
	const struct yaml_node *advertisements = yaml_tree_get(bgp, "advertisements");
	const struct yaml_node *item = advertisements ? advertisements->first : NULL;
	struct pool_index index = index_pools(r, config);

	check_peers(r, yaml_tree_get(bgp, "peers"), config->bgp);
	check_agreement(r, advertisements, config->bgp, &index);
	for (size_t i = 0; item && i < config->bgp->advertisement_count; i++, item = item->next)
		check_aggregation(r, item, &config->bgp->advertisements[i], &index);
}
