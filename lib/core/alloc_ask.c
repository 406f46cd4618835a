// SPDX-License-Identifier: Apache-2.0
/*
 * Asking the allocator: the way from a request to an address or to the reasons why not.
 * Nothing is taken here. What was looked at and found used is remembered by the pools'
 * positions, so that no address is looked at twice for nothing.
 */
#include "alloc_private.h"

#include <string.h>

static bool refuse(struct alloc_refusal *ret, enum alloc_reason reason, const struct pool *pool,
	const char *holder)
{
	*ret = (struct alloc_refusal){reason, pool ? pool->config->name : NULL, holder};
	return false;
}

/*
 * Could it be on this address beside those who are? A newcomer minds those who are leaving,
 * too. One who is there already is told of another namespace only where nothing worse is
 * the matter: a Service's namespace never changes, so that the config must have.
 */
static bool beside_others(const struct alloc_entry *entry, const struct alloc_holder *holder,
	const struct alloc_request *request, bool newcomer, struct alloc_refusal *ret)
{
	const struct alloc_holding *holding = entry ? entry->holdings : NULL;
	bool fits = true;

	for (; holding; holding = holding->next_of_entry) {
		enum alloc_reason reason;

		if (holding->holder == holder || (holding->leaving && !newcomer))
			continue;
		reason = share_check(request, holding->holder, entry->pool);
		if (reason == ALLOC_OK)
			continue;
		fits = refuse(ret, reason, entry->pool, holding->holder->name);
		if (alloc_reason_collides(reason))
			return false;
	}
	return fits;
}

bool alloc_admits(const struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, const struct ip *ip, struct alloc_refusal *ret)
{
	return beside_others(table_find(&alloc->table, ip), holder, request, true, ret) ||
	       !alloc_reason_collides(ret->reason);
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

/* It is blocked: by whom? */
static bool refuse_blocked(const struct alloc *alloc, const struct ip *ip, const struct pool *pool,
	struct alloc_refusal *ret)
{
	const struct alloc_stranger *stranger = stranger_find(alloc, ip);

	if (stranger)
		return refuse(ret, ALLOC_STRANGER, pool, stranger->who);
	return refuse(ret, ALLOC_NODE_ADDRESS, pool, NULL);
}

bool alloc_check(const struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, const struct ip *ip, struct alloc_refusal *ret)
{
	const struct alloc_entry *entry = table_find(&alloc->table, ip);
	const struct pool *pool = entry ? entry->pool : pool_find(alloc, ip);

	if (!in_its_pool(alloc, request, ip, pool, ret))
		return false;
	if (pool->config->disabled)
		return refuse(ret, ALLOC_DISABLED, pool, NULL);
	if (entry && entry->blocked)
		return refuse_blocked(alloc, ip, pool, ret);
	return beside_others(entry, holder, request, true, ret);
}

static bool moves(const struct alloc_entry *entry, const struct pool *pool,
	const struct alloc_request *request, const struct ip *ip)
{
	if (pool)
		return pool->config->move_when_removed;
	if (entry && entry->removed != REMOVED_UNKNOWN)
		return entry->removed == REMOVED_MOVE;
	return ip_equal(&request->moves[family_index(ip->family)], ip);
}

bool alloc_moves(
	const struct alloc *alloc, const struct alloc_request *request, const struct ip *ip)
{
	const struct alloc_entry *entry = table_find(&alloc->table, ip);

	return moves(entry, entry ? entry->pool : pool_find(alloc, ip), request, ip);
}

bool alloc_stands(const struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, const struct ip *ip, struct alloc_refusal *ret,
	bool *ret_move)
{
	const struct alloc_entry *entry = table_find(&alloc->table, ip);
	const struct pool *pool = entry ? entry->pool : pool_find(alloc, ip);
	struct alloc_refusal of_others;
	bool fits = beside_others(entry, holder, request, false, &of_others);

	*ret_move = false;
	if (!fits && alloc_reason_collides(of_others.reason)) {
		*ret = of_others;
		return false;
	}
	/* What holds for all addresses counts for those that no pool has. */
	*ret_move = moves(entry, pool, request, ip) ||
		    (!pool && alloc->config && alloc->config->move_when_removed);
	if (!in_its_pool(alloc, request, ip, pool, ret))
		return false;
	if (!fits) {
		*ret = of_others;
		return false;
	}
	/* It may be the word of another Service's externalIPs, which must not move this one. */
	*ret_move = false;
	return !(entry && entry->blocked) || refuse_blocked(alloc, ip, pool, ret);
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

	for (size_t i = pool->open; i < pool->segment_count; i++) {
		struct segment *segment = &pool->segments[i];

		if (segment_is_used_up(segment)) {
			/* Never to be passed again once all before it are used up too. */
			pool->open += i == pool->open;
			continue;
		}
		if (segment->first.family != family)
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
			!table_find(&alloc->table, &ip)) {
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
static bool find_shared(struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, enum ip_family family, struct ip *ret)
{
	const struct share_group *group = request->sharing_key && *request->sharing_key
						  ? share_group_find(alloc, request->sharing_key)
						  : NULL;
	const struct alloc_sharing *member = group ? group->members : NULL;
	struct alloc_refusal unused;
	bool found = false;

	for (alloc->visit++; member; member = member->next) {
		const struct alloc_holding *holding = holding_active(member->holder, family);

		if (member->holder == holder || !holding || holding->entry->visit == alloc->visit)
			continue;
		holding->entry->visit = alloc->visit;
		if (found && ip_compare(&holding->entry->ip, ret) >= 0)
			continue;
		if (!alloc_check(alloc, holder, request, &holding->entry->ip, &unused))
			continue;
		*ret = holding->entry->ip;
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
