// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_CORE_ALLOC_PRIVATE_H
#define HERALD_LIB_CORE_ALLOC_PRIVATE_H

#include "alloc_table.h"
#include "herald/base/err.h"
#include "pool.h"

#include <xxhash.h>
#define HASH_FUNCTION(key, length, value) ((value) = (unsigned)XXH3_64bits((key), (length)))
#define uthash_fatal(message) DIE(message)
#include <uthash.h>

/* What the allocator's files share; nothing outside lib/core/alloc*.c includes this. */

struct alloc_holding {
	struct alloc_entry *entry;
	struct alloc_holder *holder;
	struct alloc_holding *next_of_holder, *next_of_entry;
	bool leaving; /* no longer its Service's, but that may not have been written */
	bool settled; /* written as its Service's */
};

/* Holders of one sharing key. */
struct share_group {
	struct alloc_sharing *members;
	UT_hash_handle hh;
	char key[];
};

/* What a sharer shares by: a copy, since its Service may change at any time. */
struct alloc_sharing {
	struct share_group *group;
	struct alloc_holder *holder;
	struct alloc_sharing *previous, *next; /* in the group */
	const char *namespace;		       /* behind the ports, in the same block */
	uint64_t selector_hash;
	bool traffic_local;
	uint16_t port_count;
	struct service_port ports[];
};

/* Who has an address though it is none of ours. */
struct alloc_stranger {
	struct ip ip;
	char who[320]; /* in words */
};

struct alloc {
	const struct config *config;
	struct pool *pools; /* by priority, then name */
	size_t pool_count;
	struct segment **segments; /* of all pools, ascending */
	size_t segment_count;
	struct alloc_table table;
	struct share_group *groups;
	struct alloc_stranger *strangers; /* sorted by ip */
	size_t stranger_count;
	uint64_t generation;
	uint32_t visit; /* of entries, so that a search looks at each but once */
};

/* The segment that holds the address; NULL: reserved, or in no pool. */
struct segment *segment_find(const struct alloc *alloc, const struct ip *ip);
/* The pool whose ranges hold the address, reserved or not; NULL: none. */
struct pool *pool_find(const struct alloc *alloc, const struct ip *ip);

/* NULL: no stranger has it. */
const struct alloc_stranger *stranger_find(const struct alloc *alloc, const struct ip *ip);

/* The holding of a family that is not being left; NULL: none. */
struct alloc_holding *holding_active(const struct alloc_holder *holder, enum ip_family family);

/* OK, or why these two can't be on one address. `pool` is the address's, or NULL. */
enum alloc_reason share_check(const struct alloc_request *request, const struct alloc_holder *other,
	const struct pool *pool);
/* NULL when nobody shares by this key. */
struct share_group *share_group_find(const struct alloc *alloc, const char *key);

/* The holder is about to be on one more address, which those of its key may wait for. */
void share_joined(struct alloc *alloc, const struct alloc_holder *holder);

#endif
