// SPDX-License-Identifier: Apache-2.0
/*
 * A pool's usable addresses as segments, and which Services it selects. A segment is
 * walked by position, never listed: position n is the n-th address, or in spread order
 * the n-th of the bit-reversed sequence, which halves the gaps again and again. Knows
 * nothing of who holds what.
 */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

static struct ip ip_plus(const struct ip *base, uint64_t offset)
{
	struct ip sum = *base;
	unsigned carry = 0;

	for (size_t i = base->family == IP_V4 ? 4 : 16; i-- > 0;) {
		unsigned byte = sum.bytes[i] + (unsigned)(offset & 0xff) + carry;

		sum.bytes[i] = (uint8_t)byte;
		carry = byte >> 8;
		offset >>= 8;
	}
	return sum;
}

static uint64_t reverse_bits(uint64_t value, uint8_t bits)
{
	uint64_t reversed = 0;

	for (uint8_t i = 0; i < bits; i++)
		reversed |= ((value >> i) & 1) << (bits - 1 - i);
	return reversed;
}

static uint8_t bits_for(uint64_t count)
{
	uint8_t bits = 0;

	while (bits < 64 && (UINT64_C(1) << bits) < count)
		bits++;
	return bits;
}

bool segment_is_used_up(const struct segment *segment)
{
	if (!segment->pool->config->spread || segment->bits == 64)
		return segment->next >= segment->count;
	return segment->next >> segment->bits != 0;
}

bool segment_at(const struct segment *segment, struct ip *ret)
{
	uint64_t offset = segment->next;

	if (segment_is_used_up(segment))
		return false;
	if (segment->pool->config->spread)
		offset = reverse_bits(offset, segment->bits);
	if (offset >= segment->count)
		return false; /* a hole of the bit-reversed sequence */
	*ret = ip_plus(&segment->first, offset);
	return true;
}

static uint32_t v4_value(const struct ip *ip)
{
	return (uint32_t)ip->bytes[0] << 24 | (uint32_t)ip->bytes[1] << 16 |
	       (uint32_t)ip->bytes[2] << 8 | ip->bytes[3];
}

static uint64_t avoided_count(const struct segment *segment)
{
	uint64_t first = v4_value(&segment->first), end = (uint64_t)v4_value(&segment->last) + 1;
	uint64_t zeros = (end + 255) / 256 - (first + 255) / 256;

	return zeros + (end / 256 - first / 256);
}

static void add_segment(struct pool *pool, const struct ip *first, const struct ip *last)
{
	struct ip_range range = {*first, *last};
	uint64_t count = ip_range_count(&range);
	size_t family = family_index(first->family);
	struct segment *segment;

	pool->segments = xrealloc(pool->segments, pool->segment_count + 1, sizeof(*pool->segments));
	segment = &pool->segments[pool->segment_count++];
	*segment = (struct segment){.first = *first,
		.last = *last,
		.pool = pool,
		.count = count,
		.bits = bits_for(count)};
	pool->total[family] += (double)count;
	if (pool->config->avoid_buggy_ips && first->family == IP_V4)
		pool->total[family] -= (double)avoided_count(segment);
}

static int compare_ranges(const void *a, const void *b)
{
	return ip_compare(
		&((const struct ip_range *)a)->first, &((const struct ip_range *)b)->first);
}

static struct ip_range *sorted_ranges(const struct ip_range *ranges, size_t count)
{
	struct ip_range *sorted = xcalloc(count ? count : 1, sizeof(*sorted));

	if (count)
		memcpy(sorted, ranges, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_ranges);
	return sorted;
}

/* Adds what is left of `range` once the sorted `reserved` are cut out of it. */
static void add_range(struct pool *pool, const struct ip_range *range,
	const struct ip_range *reserved, size_t reserved_count)
{
	struct ip first = range->first;

	for (size_t i = 0; i < reserved_count; i++) {
		struct ip_range rest = {first, range->last};

		if (!ip_range_overlaps(&reserved[i], &rest))
			continue;
		if (ip_compare(&first, &reserved[i].first) < 0) {
			struct ip before = reserved[i].first;

			ip_decrement(&before);
			add_segment(pool, &first, &before);
		}
		if (ip_compare(&reserved[i].last, &range->last) >= 0)
			return;
		first = reserved[i].last;
		ip_increment(&first);
	}
	add_segment(pool, &first, &range->last);
}

void pool_init(struct pool *pool, const struct config_pool *config)
{
	AUTO_FREE struct ip_range *ranges = sorted_ranges(config->ranges, config->range_count);
	AUTO_FREE struct ip_range *reserved =
		sorted_ranges(config->reserved, config->reserved_count);

	*pool = (struct pool){.config = config};
	for (size_t i = 0; i < config->range_count; i++)
		add_range(pool, &ranges[i], reserved, config->reserved_count);
}

void pool_done(struct pool *pool)
{
	free(pool->segments);
}

bool pool_avoids(const struct pool *pool, const struct ip *ip)
{
	return pool->config->avoid_buggy_ips && ip->family == IP_V4 &&
	       (ip->bytes[3] == 0 || ip->bytes[3] == 255);
}

static bool list_has(const struct config_string_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return true;
	}
	return false;
}

static bool selects_namespace(const struct config_pool *pool, const struct alloc_request *request)
{
	if (pool->namespaces.count == 0 && pool->namespace_selectors.count == 0)
		return true;
	if (list_has(&pool->namespaces, request->namespace))
		return true;
	return pool->namespace_selectors.count > 0 && request->namespace_labels &&
	       selector_list_matches(&pool->namespace_selectors, request->namespace_labels);
}

enum alloc_reason pool_selects(const struct config_pool *pool, const struct alloc_request *request)
{
	if (!selects_namespace(pool, request))
		return ALLOC_NAMESPACE;
	if (!selector_list_matches(&pool->service_selectors, request->labels))
		return ALLOC_SERVICE;
	if (pool->classes.count > 0 &&
		!(request->class && list_has(&pool->classes, request->class)))
		return ALLOC_CLASS;
	return ALLOC_OK;
}
