// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_CORE_ALLOC_TABLE_H
#define HERALD_LIB_CORE_ALLOC_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "herald/base/ip.h"

struct pool;
struct alloc_holding;

/* What is to become of a Service on an address that its pool does not have any more. */
enum entry_removed { REMOVED_UNKNOWN, REMOVED_KEEP, REMOVED_MOVE };

/* An address that is held, blocked, or cooling; others have no entry. */
struct alloc_entry {
	struct ip ip;
	bool cooling;	   /* in pool->cooling */
	uint8_t removed;   /* enum entry_removed: the word of the pool that it is no longer in */
	uint32_t blocked;  /* times it is a node's or an external address */
	uint32_t index;	   /* in the table's chunks */
	uint32_t visit;	   /* the search that looked at it last */
	struct pool *pool; /* whose ranges hold it, reserved or not; NULL: none */
	struct alloc_holding *holdings;
	struct alloc_entry *older, *newer; /* in pool->cooling; newer: also of the unused */
	uint64_t freed_at; /* generation, to keep the order over a change of config */
};

/*
 * Entries by address. They do not move in memory until they are removed. Addresses that
 * are near each other are so in the table as well, since they are given out in order.
 */
struct alloc_table {
	struct alloc_slot *slots;
	uint32_t slot_count; /* a power of two, or 0 */
	uint32_t used;
	struct alloc_entry **chunks;
	uint32_t entry_count; /* ever made */
	struct alloc_entry *unused;
};

/* Frees all entries; the table may be used again. */
void table_done(struct alloc_table *table);
struct alloc_entry *table_find(const struct alloc_table *table, const struct ip *ip);
/* The address must not be in the table; all of the new entry but ip and index is zero. */
struct alloc_entry *table_add(struct alloc_table *table, const struct ip *ip);
void table_remove(struct alloc_table *table, struct alloc_entry *entry);
/* From *position 0 on, each entry once, as long as none is added or removed; then NULL. */
struct alloc_entry *table_next(const struct alloc_table *table, uint32_t *position);

#endif
