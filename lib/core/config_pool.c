// SPDX-License-Identifier: Apache-2.0
/*
 * The `pools` section: each pool's fields, and that no address belongs to two of them
 * (A02) and each reservation meets the pool, which it may exceed (A03). Addresses of nodes
 * inside a pool are ordinary (C23): the allocator leaves out the addresses themselves.
 */
#include "config_read.h"

#include <stdlib.h>
#include <string.h>

static const char *const order_names[] = {"first-free", "spread", NULL};
static const struct config_choice_rule order_rule = {order_names};
static const char *const removed_names[] = {"keep", "move", NULL};
static const struct config_choice_rule removed_rule = {removed_names};
static const char *const sharing_names[] = {"one-node", "per-client", NULL};
static const struct config_choice_rule sharing_rule = {sharing_names};
static const struct config_number_rule priority_rule = {
	-1000000, 1000000, "priorities only order the pools"};
static const struct config_text_rule name_rule = {
	config_is_dns_label, CONFIG_DNS_LABEL, CONFIG_NAME_POOL, NULL};
static const struct config_text_rule namespaces_rule = {config_is_dns_label, CONFIG_DNS_LABEL,
	CONFIG_NAME_NONE, "remove it to serve every namespace"};
static const struct config_text_rule classes_rule = {config_is_qualified_name,
	"a load balancer class such as \"example.com/internal\"", CONFIG_NAME_NONE,
	"remove it to serve every class"};

/* A pool while it is read, with the places of its ranges. */
struct pool_reading {
	struct config_pool pool;
	struct config_ranges addresses, reserved;
};

static void read_addresses(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	(void)rule;
	if (config_is_list(r, node, "give the pool at least one address"))
		config_read_ranges(r, node, ret);
}

static void read_reserved(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	(void)rule;
	if (config_is_list(r, node, NULL))
		config_read_ranges(r, node, ret);
}

#define POOL(member) offsetof(struct pool_reading, member)
static const struct config_field pool_fields[] = {
	{"name", config_read_name, POOL(pool.name), &name_rule, true},
	{"addresses", read_addresses, POOL(addresses), NULL, true},
	{"reserved", read_reserved, POOL(reserved), NULL, false},
	{"autoAssign", config_read_bool, POOL(pool.auto_assign), NULL, false},
	{"avoidBuggyIPs", config_read_bool, POOL(pool.avoid_buggy_ips), NULL, false},
	{"disabled", config_read_bool, POOL(pool.disabled), NULL, false},
	{"allocationOrder", config_read_choice_bool, POOL(pool.spread), &order_rule, false},
	{"spread", config_read_choice_bool, POOL(pool.per_client), &sharing_rule, false},
	{"priority", config_read_i32, POOL(pool.priority), &priority_rule, false},
	{"shareAcrossNamespaces", config_read_bool, POOL(pool.share_across_namespaces), NULL,
		false},
	{"whenRemoved", config_read_choice_bool, POOL(pool.move_when_removed), &removed_rule,
		false},
	{"namespaces", config_read_texts, POOL(pool.namespaces), &namespaces_rule, false},
	{"namespaceSelectors", config_read_selectors, POOL(pool.namespace_selectors), NULL, false},
	{"serviceSelectors", config_read_selectors, POOL(pool.service_selectors), NULL, false},
	{"classes", config_read_texts, POOL(pool.classes), &classes_rule, false},
};
static const struct config_fields pool_table = CONFIG_FIELDS(pool_fields);

static int compare_by_first(const void *a, const void *b)
{
	const struct config_placed_range *x = a, *y = b;
	int order = ip_compare(&x->range.first, &y->range.first);

	if (order != 0)
		return order;
	if (x->node->line != y->node->line)
		return x->node->line < y->node->line ? -1 : 1;
	return x->node->column < y->node->column ? -1 : x->node->column > y->node->column;
}

static struct config_shown pool_name_of(const struct yaml_node *range)
{
	const struct yaml_node *name = yaml_tree_get(range->up->up, "name");

	return name ? config_show(name) : (struct config_shown){"without a name"};
}

/* The later of the two in the text is the one to mend. */
static void tell_overlap(struct config_reader *r, const struct config_placed_range *a,
	const struct config_placed_range *b)
{
	bool b_is_later = b->node->line > a->node->line ||
			  (b->node->line == a->node->line && b->node->column > a->node->column);
	const struct yaml_node *later = b_is_later ? b->node : a->node;
	const struct yaml_node *earlier = b_is_later ? a->node : b->node;

	if (later->up == earlier->up)
		config_problem(r, later,
			"is %s, which overlaps %s on line %u of the same pool: "
			"write the addresses once",
			config_show(later).s, config_show(earlier).s, earlier->line);
	else
		config_problem(r, later,
			"is %s of pool %s, which overlaps %s of pool %s on line %u: an address can "
			"be in one pool only",
			config_show(later).s, pool_name_of(later).s, config_show(earlier).s,
			pool_name_of(earlier).s, earlier->line);
}

/* One sweep in the order of the addresses, against the range that reaches farthest. */
static void refuse_overlaps(struct config_reader *r, struct config_ranges *all)
{
	size_t farthest = 0;

	if (all->count < 2)
		return;
	qsort(all->items, all->count, sizeof(*all->items), compare_by_first);
	for (size_t i = 1; i < all->count; i++) {
		if (ip_range_overlaps(&all->items[farthest].range, &all->items[i].range))
			tell_overlap(r, &all->items[farthest], &all->items[i]);
		if (ip_compare(&all->items[farthest].range.last, &all->items[i].range.last) < 0)
			farthest = i;
	}
}

/* `addresses` are sorted; whether they overlap is told elsewhere. */
static bool meets_any(const struct config_ranges *addresses, const struct ip_range *range)
{
	size_t low = 0, high = addresses->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ip_compare(&addresses->items[middle].range.last, &range->first) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < addresses->count && ip_range_overlaps(&addresses->items[low].range, range);
}

/* Told only when all addresses are known: a mistyped one may be where it belongs. */
static void check_reserved(
	struct config_reader *r, const struct yaml_node *node, const struct pool_reading *reading)
{
	const struct yaml_node *addresses = yaml_tree_get(node, "addresses");
	struct config_ranges sorted = reading->addresses;

	if (sorted.count == 0 || sorted.count != addresses->count)
		return;
	sorted.items = arena_alloc(r->memory, sorted.count, sizeof(*sorted.items));
	memcpy(sorted.items, reading->addresses.items, sorted.count * sizeof(*sorted.items));
	qsort(sorted.items, sorted.count, sizeof(*sorted.items), compare_by_first);
	for (size_t i = 0; i < reading->reserved.count; i++) {
		const struct config_placed_range *item = &reading->reserved.items[i];

		if (!meets_any(&sorted, &item->range))
			config_problem(r, item->node,
				"is %s, which is outside this pool's addresses: remove it or "
				"correct it",
				config_show(item->node).s);
	}
}

static struct ip_range *plain_ranges(struct config_reader *r, const struct config_ranges *ranges)
{
	struct ip_range *plain = arena_alloc(r->memory, ranges->count, sizeof(*plain));

	for (size_t i = 0; i < ranges->count; i++)
		plain[i] = ranges->items[i].range;
	return plain;
}

static void read_pool(struct config_reader *r, const struct yaml_node *node,
	const struct config *config, struct config_pool *ret, struct config_ranges *all)
{
	struct pool_reading reading = {
		.pool = {.name = "",
			.auto_assign = true,
			.move_when_removed = config->move_when_removed,
			.line = node->line},
	};

	config_read_mapping(r, node, &pool_table, &reading);
	check_reserved(r, node, &reading);
	reading.pool.ranges = plain_ranges(r, &reading.addresses);
	reading.pool.range_count = reading.addresses.count;
	reading.pool.reserved = plain_ranges(r, &reading.reserved);
	reading.pool.reserved_count = reading.reserved.count;
	if (reading.addresses.count)
		memcpy(all->items + all->count, reading.addresses.items,
			reading.addresses.count * sizeof(*all->items));
	all->count += reading.addresses.count;
	*ret = reading.pool;
}

static size_t count_addresses(const struct yaml_node *pools)
{
	size_t n = 0;

	for (const struct yaml_node *pool = pools->first; pool; pool = pool->next) {
		const struct yaml_node *addresses = yaml_tree_get(pool, "addresses");

		n += addresses ? addresses->count : 0;
	}
	return n;
}

void config_read_pools(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config *config = ret;
	struct config_ranges all = {0};

	(void)rule;
	if (!config_is_list(r, node, NULL))
		return;
	config->pools = arena_alloc(r->memory, node->count, sizeof(*config->pools));
	all.items = arena_alloc(r->memory, count_addresses(node), sizeof(*all.items));
	for (const struct yaml_node *item = node->first; item; item = item->next)
		read_pool(r, item, config, &config->pools[config->pool_count++], &all);
	refuse_overlaps(r, &all);
}
