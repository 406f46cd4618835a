// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_CORE_POOL_H
#define HERALD_LIB_CORE_POOL_H

#include "herald/core/alloc.h"

/*
 * One pool of the config in force as the allocator sees it: its usable addresses as
 * segments (ranges less what is reserved), each with the position of the next address
 * that was never considered, and the freed addresses in the order they were freed.
 */
struct pool;

struct segment {
	struct ip first, last;
	struct pool *pool;
	uint64_t count; /* UINT64_MAX: that many or more; the rest is not used */
	uint64_t next;	/* number of positions that were considered */
	uint8_t bits;	/* positions of spread order are 0 .. 2^bits - 1 */
};

struct cooling_list {
	struct alloc_entry *first, *last;
	size_t count;
};

struct pool {
	const struct config_pool *config;
	struct segment *segments; /* ascending, IPv4 first */
	size_t segment_count;
	size_t open;			/* segments before this one are used up */
	struct cooling_list cooling[2]; /* IPv4, IPv6 */
	double total[2];
	uint64_t in_use[2];
};

static inline size_t family_index(uint8_t family)
{
	return family == IP_V6;
}

void pool_init(struct pool *pool, const struct config_pool *config);
void pool_done(struct pool *pool);

/* Whether .0/.255 must be avoided and this is one. */
bool pool_avoids(const struct pool *pool, const struct ip *ip);
/* OK, NAMESPACE, SERVICE or CLASS. */
enum alloc_reason pool_selects(const struct config_pool *pool, const struct alloc_request *request);

/* The address at the segment's position, false: the position is past the end. */
bool segment_at(const struct segment *segment, struct ip *ret);
bool segment_is_used_up(const struct segment *segment);

#endif
