// SPDX-License-Identifier: Apache-2.0
/*
 * The allocator's table from address to entry: open addressing with linear probing and
 * without tombstones, at most half full. The eight addresses that differ only in their
 * last three bits share a cache line of slots, so that giving out one address after the
 * other touches new memory once in eight times: cost stays flat as the table grows.
 * Entries come from chunks, which spares an allocation each and keeps them side by side.
 */
#include "alloc_table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "herald/base/err.h"

#define CHUNK_ENTRIES 256u
#define SLOTS_MIN 16u
#define NEIGHBOURS 8u

struct alloc_slot {
	uint32_t hash;
	uint32_t entry; /* its index + 1; 0: empty */
};

static uint32_t hash_of(const struct ip *ip)
{
	struct ip group = *ip;
	uint8_t *last = &group.bytes[ip->family == IP_V4 ? 3 : 15];
	uint32_t neighbour = *last % NEIGHBOURS;

	*last = (uint8_t)(*last - neighbour);
	return (uint32_t)XXH3_64bits(&group, sizeof(group)) / NEIGHBOURS * NEIGHBOURS + neighbour;
}

static struct alloc_entry *entry_at(const struct alloc_table *table, uint32_t index)
{
	return &table->chunks[index / CHUNK_ENTRIES][index % CHUNK_ENTRIES];
}

void table_done(struct alloc_table *table)
{
	for (uint32_t i = 0; i < table->entry_count; i += CHUNK_ENTRIES)
		free(table->chunks[i / CHUNK_ENTRIES]);
	free(table->chunks);
	free(table->slots);
	*table = (struct alloc_table){0};
}

struct alloc_entry *table_find(const struct alloc_table *table, const struct ip *ip)
{
	uint32_t hash = hash_of(ip), mask = table->slot_count - 1;

	if (table->slot_count == 0)
		return NULL;
	for (uint32_t i = hash & mask; table->slots[i].entry != 0; i = (i + 1) & mask) {
		struct alloc_entry *entry;

		if (table->slots[i].hash != hash)
			continue;
		entry = entry_at(table, table->slots[i].entry - 1);
		if (ip_equal(&entry->ip, ip))
			return entry;
	}
	return NULL;
}

static void put_slot(struct alloc_table *table, struct alloc_slot slot)
{
	uint32_t mask = table->slot_count - 1, i = slot.hash & mask;

	while (table->slots[i].entry != 0)
		i = (i + 1) & mask;
	table->slots[i] = slot;
}

static void grow(struct alloc_table *table)
{
	uint32_t old_count = table->slot_count;
	AUTO_FREE struct alloc_slot *old = table->slots;

	table->slot_count = old_count ? 2 * old_count : SLOTS_MIN;
	if (table->slot_count == 0)
		DIE("too many addresses");
	table->slots = xcalloc(table->slot_count, sizeof(*table->slots));
	for (uint32_t i = 0; i < old_count; i++) {
		if (old[i].entry != 0)
			put_slot(table, old[i]);
	}
}

static struct alloc_entry *new_entry(struct alloc_table *table)
{
	uint32_t index = table->entry_count;
	uint32_t chunk = index / CHUNK_ENTRIES;
	struct alloc_entry *entry = table->unused;

	if (entry) {
		table->unused = entry->newer;
		return entry;
	}
	if (index % CHUNK_ENTRIES == 0) {
		/* Its room is a power of two: full when the number of chunks is one. */
		if ((chunk & (chunk - 1)) == 0)
			table->chunks = xrealloc(table->chunks, chunk ? 2 * (size_t)chunk : 1,
				sizeof(struct alloc_entry *));
		table->chunks[chunk] = xcalloc(CHUNK_ENTRIES, sizeof(*entry));
	}
	table->entry_count++;
	entry = entry_at(table, index);
	entry->index = index;
	return entry;
}

struct alloc_entry *table_add(struct alloc_table *table, const struct ip *ip)
{
	struct alloc_entry *entry;

	if (2 * (uint64_t)table->used >= table->slot_count)
		grow(table);
	entry = new_entry(table);
	*entry = (struct alloc_entry){.ip = *ip, .index = entry->index};
	put_slot(table, (struct alloc_slot){hash_of(ip), entry->index + 1});
	table->used++;
	return entry;
}

void table_remove(struct alloc_table *table, struct alloc_entry *entry)
{
	uint32_t mask = table->slot_count - 1, hole = hash_of(&entry->ip) & mask;

	while (table->slots[hole].entry != entry->index + 1)
		hole = (hole + 1) & mask;
	/* What follows moves into the hole unless that were before its own place. */
	for (uint32_t i = (hole + 1) & mask; table->slots[i].entry != 0; i = (i + 1) & mask) {
		uint32_t home = table->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		table->slots[hole] = table->slots[i];
		hole = i;
	}
	table->slots[hole] = (struct alloc_slot){0};
	table->used--;
	entry->newer = table->unused;
	table->unused = entry;
}

struct alloc_entry *table_next(const struct alloc_table *table, uint32_t *position)
{
	while (*position < table->slot_count) {
		uint32_t index = table->slots[(*position)++].entry;

		if (index != 0)
			return entry_at(table, index - 1);
	}
	return NULL;
}
