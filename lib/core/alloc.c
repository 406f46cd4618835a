// SPDX-License-Identifier: Apache-2.0
/*
 * The allocator: a table of the addresses that are held, blocked or cooling, the pools of
 * the config in force, and the way from a request to an address or to the reasons why
 * not. What a pool's ranges look like is pool.c's affair, who may share alloc_share.c's,
 * and which Service should have what is decided in assign.c.
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
	struct alloc_entry *entry, *next;

	if (!alloc)
		return;
	HASH_ITER (hh, alloc->entries, entry, next) {
		if (entry->holdings)
			DIE("an address is still held");
		HASH_DEL(alloc->entries, entry);
		free(entry);
	}
	free_pools(alloc->pools, alloc->pool_count);
	free(alloc->segments);
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

static struct alloc_entry *entry_find(const struct alloc *alloc, const struct ip *ip)
{
	struct alloc_entry *entry = NULL;

	HASH_FIND(hh, alloc->entries, ip, sizeof(*ip), entry);
	return entry;
}

/* The segment that holds the address; NULL: reserved, or in no pool. */
static struct segment *segment_find(const struct alloc *alloc, const struct ip *ip)
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

static struct pool *pool_find(const struct alloc *alloc, const struct ip *ip)
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
	struct alloc_entry *entry = entry_find(alloc, ip);

	if (entry) {
		cooling_remove(entry);
		return entry;
	}
	entry = xcalloc(1, sizeof(*entry));
	entry->ip = *ip;
	entry->pool = pool_find(alloc, ip);
	HASH_ADD(hh, alloc->entries, ip, sizeof(entry->ip), entry);
	return entry;
}

/* Nobody wants the entry any more: it cools, or is forgotten where no pool could give it. */
static void entry_put(struct alloc *alloc, struct alloc_entry *entry)
{
	if (entry->holdings || entry->blocked || entry->cooling)
		return;
	entry->move = false;
	if (segment_find(alloc, &entry->ip) && !pool_avoids(entry->pool, &entry->ip)) {
		entry->freed_at = ++alloc->generation;
		cooling_push(entry);
		return;
	}
	HASH_DEL(alloc->entries, entry);
	free(entry);
}

bool alloc_block(struct alloc *alloc, const struct ip *ip)
{
	struct alloc_entry *entry = entry_get(alloc, ip);

	entry->blocked++;
	return entry->holdings != NULL;
}

void alloc_unblock(struct alloc *alloc, const struct ip *ip)
{
	struct alloc_entry *entry = entry_find(alloc, ip);

	if (!entry || entry->blocked == 0)
		DIE("an address is unblocked that is not blocked");
	entry->blocked--;
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

/* Gives each entry its pool of the new config. The old pools are still there to be asked. */
static void rehome_entries(struct alloc *alloc)
{
	size_t free_count = 0, total = HASH_COUNT(alloc->entries);
	AUTO_FREE struct alloc_entry **freed = xcalloc(total ? total : 1, sizeof(void *));
	struct alloc_entry *entry, *next;

	HASH_ITER (hh, alloc->entries, entry, next) {
		struct pool *old = entry->pool;

		entry->pool = pool_find(alloc, &entry->ip);
		if (entry->pool)
			entry->move = false;
		else if (old)
			entry->move = old->config->move_when_removed;
		if (entry->holdings && entry->pool)
			entry->pool->in_use[family_index(entry->ip.family)]++;
		if (entry->cooling)
			freed[free_count++] = entry;
	}
	qsort(freed, free_count, sizeof(*freed), compare_freed);
	for (size_t i = 0; i < free_count; i++) {
		freed[i]->cooling = false;
		if (segment_find(alloc, &freed[i]->ip) &&
			!pool_avoids(freed[i]->pool, &freed[i]->ip)) {
			cooling_push(freed[i]);
			continue;
		}
		HASH_DEL(alloc->entries, freed[i]);
		free(freed[i]);
	}
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

static struct alloc_holding *active_of(const struct alloc_holder *holder, uint8_t family)
{
	struct alloc_holding *holding = holder->holdings;

	while (holding && (holding->leaving || holding->entry->ip.family != family))
		holding = holding->next_of_holder;
	return holding;
}

bool alloc_held(const struct alloc_holder *holder, enum ip_family family, struct ip *ret)
{
	const struct alloc_holding *holding = active_of(holder, (uint8_t)family);

	if (holding)
		*ret = holding->entry->ip;
	return holding != NULL;
}

bool alloc_holds_any(const struct alloc_holder *holder)
{
	return holder->holdings != NULL;
}

void alloc_leave(struct alloc *alloc, struct alloc_holder *holder, enum ip_family family)
{
	struct alloc_holding *holding = active_of(holder, (uint8_t)family);

	(void)alloc;
	if (holding)
		holding->leaving = true;
}

void alloc_take(struct alloc *alloc, struct alloc_holder *holder, const struct ip *ip)
{
	struct alloc_entry *entry = entry_get(alloc, ip);
	struct alloc_holding *holding = entry->holdings;

	alloc_leave(alloc, holder, ip->family);
	while (holding && holding->holder != holder)
		holding = holding->next_of_entry;
	if (holding) {
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

/* Asking */

static bool refuse(struct alloc_refusal *ret, enum alloc_reason reason, const struct pool *pool,
	const char *holder)
{
	*ret = (struct alloc_refusal){reason, pool ? pool->config->name : NULL, holder};
	return false;
}

/* Could it be on this address beside those who are? Of those leaving only where a newcomer. */
static bool beside_others(const struct alloc_entry *entry, const struct alloc_holder *holder,
	const struct alloc_request *request, bool newcomer, struct alloc_refusal *ret)
{
	const struct alloc_holding *holding = entry ? entry->holdings : NULL;

	for (; holding; holding = holding->next_of_entry) {
		enum alloc_reason reason;

		if (holding->holder == holder || (holding->leaving && !newcomer))
			continue;
		reason = share_check(request, holding->holder, entry->pool);
		if (reason != ALLOC_OK)
			return refuse(ret, reason, entry->pool, holding->holder->name);
	}
	return true;
}

/* Whether a pool may serve the request at this address, whoever holds it. */
static bool in_its_pool(const struct alloc *alloc, const struct alloc_request *request,
	const struct ip *ip, const struct pool *pool, struct alloc_refusal *ret)
{
	enum alloc_reason reason;

	if (!pool)
		return refuse(ret, ALLOC_NO_POOL, NULL, NULL);
	if (!segment_find(alloc, ip))
		return refuse(ret, ALLOC_RESERVED, pool, NULL);
	if (pool_avoids(pool, ip))
		return refuse(ret, ALLOC_AVOIDED, pool, NULL);
	if (request->pool && strcmp(request->pool, pool->config->name) != 0)
		return refuse(ret, ALLOC_OTHER_POOL, pool, NULL);
	reason = pool_selects(pool->config, request);
	return reason == ALLOC_OK || refuse(ret, reason, pool, NULL);
}

bool alloc_check(const struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, const struct ip *ip, struct alloc_refusal *ret)
{
	const struct alloc_entry *entry = entry_find(alloc, ip);
	const struct pool *pool = entry ? entry->pool : pool_find(alloc, ip);

	if (!in_its_pool(alloc, request, ip, pool, ret))
		return false;
	if (pool->config->disabled)
		return refuse(ret, ALLOC_DISABLED, pool, NULL);
	if (entry && entry->blocked)
		return refuse(ret, ALLOC_NODE_ADDRESS, pool, NULL);
	return beside_others(entry, holder, request, true, ret);
}

bool alloc_stands(const struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, const struct ip *ip, struct alloc_refusal *ret,
	bool *ret_move)
{
	const struct alloc_entry *entry = entry_find(alloc, ip);
	const struct pool *pool = entry ? entry->pool : pool_find(alloc, ip);

	*ret_move = false;
	if (!beside_others(entry, holder, request, false, ret))
		return false;
	if (!in_its_pool(alloc, request, ip, pool, ret)) {
		*ret_move = pool ? pool->config->move_when_removed : entry && entry->move;
		return false;
	}
	return !(entry && entry->blocked) || refuse(ret, ALLOC_NODE_ADDRESS, pool, NULL);
}

static void trace_add(struct alloc_trace *trace, const struct alloc_refusal *refusal)
{
	if (trace->count < ALLOC_TRACE_MAX)
		trace->refusals[trace->count++] = *refusal;
	else
		trace->omitted++;
}

/* The segment whose next address is to be taken; NULL: all are used up. */
static struct segment *next_segment(struct pool *pool, enum ip_family family)
{
	struct segment *best = NULL;

	for (size_t i = 0; i < pool->segment_count; i++) {
		struct segment *segment = &pool->segments[i];

		if (segment->first.family != family || segment_is_used_up(segment))
			continue;
		if (!best || segment->next < best->next)
			best = segment;
		if (!pool->config->spread)
			return best;
	}
	return best;
}

static bool pool_next(
	const struct alloc *alloc, struct pool *pool, enum ip_family family, struct ip *ret)
{
	const struct cooling_list *cooling = &pool->cooling[family_index((uint8_t)family)];
	struct segment *segment = NULL;
	struct ip ip;

	while (cooling->count <= ALLOC_COOLING_MAX && (segment = next_segment(pool, family))) {
		if (segment_at(segment, &ip) && !pool_avoids(pool, &ip) &&
			!entry_find(alloc, &ip)) {
			*ret = ip;
			return true;
		}
		/* Used, blocked, cooling, or a hole: never to be considered here again. */
		segment->next++;
	}
	if (!cooling->first)
		return false;
	*ret = cooling->first->ip;
	return true;
}

static enum alloc_reason pool_refuses(
	const struct pool *pool, const struct alloc_request *request, enum ip_family family)
{
	enum alloc_reason reason = pool_selects(pool->config, request);

	if (reason != ALLOC_OK)
		return reason;
	if (pool->config->disabled)
		return ALLOC_DISABLED;
	if (!request->pool && !pool->config->auto_assign)
		return ALLOC_BY_REQUEST;
	return pool->total[family_index((uint8_t)family)] > 0 ? ALLOC_OK : ALLOC_NO_FAMILY;
}

/* An address that others hold by the same key, and that this one fits on (A06). */
static bool find_shared(const struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, enum ip_family family, struct ip *ret)
{
	const struct share_group *group = request->sharing_key && *request->sharing_key
						  ? share_group_find(alloc, request->sharing_key)
						  : NULL;
	const struct alloc_sharing *member = group ? group->members : NULL;
	struct alloc_refusal unused;
	bool found = false;

	for (; member; member = member->next) {
		struct ip ip;

		if (member->holder == holder || !alloc_held(member->holder, family, &ip))
			continue;
		if (found && ip_compare(&ip, ret) >= 0)
			continue;
		if (!alloc_check(alloc, holder, request, &ip, &unused))
			continue;
		*ret = ip;
		found = true;
	}
	return found;
}

bool alloc_find(struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, enum ip_family family, struct ip *ret,
	struct alloc_trace *trace)
{
	bool known = !request->pool;

	*trace = (struct alloc_trace){0};
	if (find_shared(alloc, holder, request, family, ret))
		return true;
	for (size_t i = 0; i < alloc->pool_count; i++) {
		struct pool *pool = &alloc->pools[i];
		struct alloc_refusal refusal = {.pool = pool->config->name};

		if (request->pool && strcmp(request->pool, pool->config->name) != 0)
			continue;
		known = true;
		refusal.reason = pool_refuses(pool, request, family);
		if (refusal.reason == ALLOC_OK) {
			if (pool_next(alloc, pool, family, ret))
				return true;
			refusal.reason = ALLOC_FULL;
		}
		trace_add(trace, &refusal);
	}
	if (!known)
		trace_add(trace, &(struct alloc_refusal){ALLOC_UNKNOWN_POOL, request->pool, NULL});
	return false;
}

/* Telling */

const struct config_pool *alloc_pool_of(const struct alloc *alloc, const struct ip *ip)
{
	const struct pool *pool = pool_find(alloc, ip);

	return pool ? pool->config : NULL;
}

size_t alloc_pool_count(const struct alloc *alloc)
{
	return alloc->pool_count;
}

struct alloc_pool_usage alloc_pool_usage(const struct alloc *alloc, size_t index)
{
	const struct pool *pool = &alloc->pools[index];

	return (struct alloc_pool_usage){pool->config->name, {pool->total[0], pool->total[1]},
		{pool->in_use[0], pool->in_use[1]}};
}

const struct config_pool *alloc_eligible_pool(
	const struct alloc *alloc, const struct alloc_request *request, size_t *position)
{
	while (*position < alloc->pool_count) {
		const struct config_pool *pool = alloc->pools[(*position)++].config;

		if (!pool->disabled && pool_selects(pool, request) == ALLOC_OK)
			return pool;
	}
	return NULL;
}
