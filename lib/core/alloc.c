// SPDX-License-Identifier: Apache-2.0
/*
 * The allocator's state: the addresses that are held, blocked or cooling, and the pools of
 * the config in force. How a request finds its address is in alloc_ask.c, what a pool's
 * ranges look like is pool.c's affair, who may share alloc_share.c's, and which Service
 * should have what is decided in assign.c.
 */
#include "alloc_private.h"

#include <string.h>

struct alloc *alloc_new(void)
{
	return xcalloc(1, sizeof(struct alloc));
}

static void free_pools(struct pool *pools, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pool_done(&pools[i]);
	free(pools);
}

void alloc_free(struct alloc *alloc)
{
	const struct alloc_entry *entry;
	uint32_t position = 0;

	if (!alloc)
		return;
	while ((entry = table_next(&alloc->table, &position))) {
		if (entry->holdings)
			DIE("an address is still held");
	}
	table_done(&alloc->table);
	free_pools(alloc->pools, alloc->pool_count);
	free(alloc->segments);
	free(alloc->strangers);
	free(alloc);
}

const struct config *alloc_config(const struct alloc *alloc)
{
	return alloc->config;
}

uint64_t alloc_generation(const struct alloc *alloc)
{
	return alloc->generation;
}

/* Entries */

/* The segment that holds the address; NULL: reserved, or in no pool. */
struct segment *segment_find(const struct alloc *alloc, const struct ip *ip)
{
	size_t low = 0, high = alloc->segment_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct segment *segment = alloc->segments[middle];

		if (ip_compare(ip, &segment->first) < 0)
			high = middle;
		else if (ip_compare(ip, &segment->last) > 0)
			low = middle + 1;
		else
			return segment;
	}
	return NULL;
}

struct pool *pool_find(const struct alloc *alloc, const struct ip *ip)
{
	struct segment *segment = segment_find(alloc, ip);

	if (segment)
		return segment->pool;
	for (size_t i = 0; i < alloc->pool_count; i++) {
		const struct config_pool *config = alloc->pools[i].config;

		for (size_t j = 0; j < config->range_count; j++) {
			if (ip_range_contains(&config->ranges[j], ip))
				return &alloc->pools[i];
		}
	}
	return NULL;
}

static void cooling_push(struct alloc_entry *entry)
{
	struct cooling_list *list = &entry->pool->cooling[family_index(entry->ip.family)];

	entry->cooling = true;
	entry->older = list->last;
	entry->newer = NULL;
	if (list->last)
		list->last->newer = entry;
	else
		list->first = entry;
	list->last = entry;
	list->count++;
}

static void cooling_remove(struct alloc_entry *entry)
{
	struct cooling_list *list;

	if (!entry->cooling)
		return;
	list = &entry->pool->cooling[family_index(entry->ip.family)];
	if (entry->older)
		entry->older->newer = entry->newer;
	else
		list->first = entry->newer;
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		list->last = entry->older;
	entry->cooling = false;
	list->count--;
}

/* The entry of an address that is about to be held or blocked. */
static struct alloc_entry *entry_get(struct alloc *alloc, const struct ip *ip)
{
	struct alloc_entry *entry = table_find(&alloc->table, ip);

	if (entry) {
		cooling_remove(entry);
		return entry;
	}
	entry = table_add(&alloc->table, ip);
	entry->pool = pool_find(alloc, ip);
	return entry;
}

/* Nobody wants the entry any more: it cools, or is forgotten where no pool could give it. */
static void entry_put(struct alloc *alloc, struct alloc_entry *entry)
{
	if (entry->holdings || entry->blocked || entry->cooling)
		return;
	entry->removed = REMOVED_UNKNOWN;
	if (segment_find(alloc, &entry->ip) && !pool_avoids(entry->pool, &entry->ip)) {
		entry->freed_at = ++alloc->generation;
		cooling_push(entry);
		return;
	}
	table_remove(&alloc->table, entry);
}

bool alloc_block(struct alloc *alloc, const struct ip *ip)
{
	struct alloc_entry *entry = entry_get(alloc, ip);

	entry->blocked++;
	return entry->holdings != NULL;
}

void alloc_unblock(struct alloc *alloc, const struct ip *ip)
{
	struct alloc_entry *entry = table_find(&alloc->table, ip);

	if (!entry || entry->blocked == 0)
		DIE("an address is unblocked that is not blocked");
	if (--entry->blocked > 0)
		return;
	/* Also where it is held: who waits to share it may have it now. */
	alloc->generation++;
	entry_put(alloc, entry);
}

/* Config */

static int compare_pools(const void *a, const void *b)
{
	const struct config_pool *left = *(const struct config_pool *const *)a;
	const struct config_pool *right = *(const struct config_pool *const *)b;

	if (left->priority != right->priority)
		return left->priority < right->priority ? -1 : 1;
	return strcmp(left->name, right->name);
}

static void build_pools(struct alloc *alloc, const struct config *config)
{
	size_t count = config ? config->pool_count : 0;
	AUTO_FREE const struct config_pool **order = xcalloc(count ? count : 1, sizeof(void *));

	for (size_t i = 0; i < count; i++)
		order[i] = &config->pools[i];
	qsort(order, count, sizeof(*order), compare_pools);
	alloc->pools = xcalloc(count ? count : 1, sizeof(*alloc->pools));
	alloc->pool_count = count;
	for (size_t i = 0; i < count; i++)
		pool_init(&alloc->pools[i], order[i]);
}

static int compare_segments(const void *a, const void *b)
{
	return ip_compare(
		&(*(struct segment *const *)a)->first, &(*(struct segment *const *)b)->first);
}

static void index_segments(struct alloc *alloc)
{
	size_t count = 0;

	for (size_t i = 0; i < alloc->pool_count; i++)
		count += alloc->pools[i].segment_count;
	free(alloc->segments);
	alloc->segments = xcalloc(count ? count : 1, sizeof(struct segment *));
	alloc->segment_count = 0;
	for (size_t i = 0; i < alloc->pool_count; i++) {
		for (size_t j = 0; j < alloc->pools[i].segment_count; j++)
			alloc->segments[alloc->segment_count++] = &alloc->pools[i].segments[j];
	}
	qsort(alloc->segments, count, sizeof(struct segment *), compare_segments);
}

static int compare_freed(const void *a, const void *b)
{
	const struct alloc_entry *left = *(struct alloc_entry *const *)a;
	const struct alloc_entry *right = *(struct alloc_entry *const *)b;

	return left->freed_at < right->freed_at ? -1 : left->freed_at > right->freed_at;
}

/* Puts what cooled into its new pool in the order it was freed in; elsewhere it is forgotten. */
static void rehome_freed(struct alloc *alloc, struct alloc_entry **freed, size_t count)
{
	qsort(freed, count, sizeof(struct alloc_entry *), compare_freed);
	for (size_t i = 0; i < count; i++) {
		freed[i]->cooling = false;
		if (segment_find(alloc, &freed[i]->ip) &&
			!pool_avoids(freed[i]->pool, &freed[i]->ip))
			cooling_push(freed[i]);
		else
			table_remove(&alloc->table, freed[i]);
	}
}

/* Gives each entry its pool of the new config. The old pools are still there to be asked. */
static void rehome_entries(struct alloc *alloc)
{
	size_t free_count = 0, total = alloc->table.used;
	AUTO_FREE struct alloc_entry **freed = xcalloc(total ? total : 1, sizeof(void *));
	struct alloc_entry *entry;
	uint32_t position = 0;

	while ((entry = table_next(&alloc->table, &position))) {
		struct pool *old = entry->pool;

		entry->pool = pool_find(alloc, &entry->ip);
		if (entry->pool)
			entry->removed = REMOVED_UNKNOWN;
		else if (old)
			entry->removed =
				old->config->move_when_removed ? REMOVED_MOVE : REMOVED_KEEP;
		if (entry->holdings && entry->pool)
			entry->pool->in_use[family_index(entry->ip.family)]++;
		if (entry->cooling)
			freed[free_count++] = entry;
	}
	rehome_freed(alloc, freed, free_count);
}

void alloc_configure(struct alloc *alloc, const struct config *config)
{
	struct pool *old = alloc->pools;
	size_t old_count = alloc->pool_count;

	build_pools(alloc, config);
	index_segments(alloc);
	rehome_entries(alloc);
	free_pools(old, old_count);
	alloc->config = config;
	alloc->generation++;
}

/* Holding */

struct alloc_holding *holding_active(const struct alloc_holder *holder, enum ip_family family)
{
	struct alloc_holding *holding = holder->holdings;

	while (holding && (holding->leaving || holding->entry->ip.family != family))
		holding = holding->next_of_holder;
	return holding;
}

bool alloc_held(const struct alloc_holder *holder, enum ip_family family, struct ip *ret)
{
	const struct alloc_holding *holding = holding_active(holder, family);

	if (holding)
		*ret = holding->entry->ip;
	return holding != NULL;
}

static const struct alloc_holding *holding_of(
	const struct alloc_holder *holder, const struct ip *ip)
{
	const struct alloc_holding *holding = holder->holdings;

	while (holding && !ip_equal(&holding->entry->ip, ip))
		holding = holding->next_of_holder;
	return holding;
}

bool alloc_holds(const struct alloc_holder *holder, const struct ip *ip)
{
	return holding_of(holder, ip) != NULL;
}

bool alloc_has_settled(const struct alloc_holder *holder, const struct ip *ip)
{
	const struct alloc_holding *holding = holding_of(holder, ip);

	return holding && holding->settled;
}

bool alloc_holds_any(const struct alloc_holder *holder)
{
	return holder->holdings != NULL;
}

void alloc_leave(struct alloc *alloc, struct alloc_holder *holder, enum ip_family family)
{
	struct alloc_holding *holding = holding_active(holder, family);

	(void)alloc;
	if (holding)
		holding->leaving = true;
}

void alloc_take(struct alloc *alloc, struct alloc_holder *holder, const struct ip *ip)
{
	struct alloc_holding *holding = holding_active(holder, ip->family);
	struct alloc_entry *entry;

	if (holding && ip_equal(&holding->entry->ip, ip))
		return;
	entry = entry_get(alloc, ip);
	alloc_leave(alloc, holder, ip->family);
	share_joined(alloc, holder);
	for (holding = entry->holdings; holding; holding = holding->next_of_entry) {
		if (holding->holder != holder)
			continue;
		holding->leaving = false;
		return;
	}
	if (!entry->holdings && entry->pool)
		entry->pool->in_use[family_index(ip->family)]++;
	holding = xcalloc(1, sizeof(*holding));
	*holding = (struct alloc_holding){.entry = entry,
		.holder = holder,
		.next_of_holder = holder->holdings,
		.next_of_entry = entry->holdings};
	holder->holdings = holding;
	entry->holdings = holding;
}

static void holding_free(struct alloc *alloc, struct alloc_holding *holding)
{
	struct alloc_entry *entry = holding->entry;
	struct alloc_holding **link = &entry->holdings;

	while (*link != holding)
		link = &(*link)->next_of_entry;
	*link = holding->next_of_entry;
	free(holding);
	/* A sharer that left may be what others were waiting for. */
	alloc->generation++;
	if (entry->holdings)
		return;
	if (entry->pool)
		entry->pool->in_use[family_index(entry->ip.family)]--;
	entry_put(alloc, entry);
}

static void free_holdings(struct alloc *alloc, struct alloc_holder *holder, bool only_leaving)
{
	struct alloc_holding **link = &holder->holdings;

	while (*link) {
		struct alloc_holding *holding = *link;

		if (only_leaving && !holding->leaving) {
			holding->settled = true;
			link = &holding->next_of_holder;
			continue;
		}
		*link = holding->next_of_holder;
		holding_free(alloc, holding);
	}
}

void alloc_settle(struct alloc *alloc, struct alloc_holder *holder)
{
	free_holdings(alloc, holder, true);
}

void alloc_release(struct alloc *alloc, struct alloc_holder *holder)
{
	static const struct alloc_request nothing = {.namespace = ""};

	free_holdings(alloc, holder, false);
	alloc_describe(alloc, holder, &nothing);
}
