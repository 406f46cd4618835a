// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses that begin alike form a group; the longer the beginning, the more groups. In:
 * sorted addresses. Out: the networks of the groups, for the longest beginning that makes no
 * more than there is room for; each as narrow as its own addresses allow.
 */
#include "herald/core/cover.h"

#include <string.h>

/* How many bits from the first on are the same in both. */
static unsigned common_bits(const struct ip *a, const struct ip *b)
{
	unsigned bits = 0, all = a->family == IP_V4 ? 32 : 128;

	while (bits < all) {
		uint8_t differ = a->bytes[bits / 8] ^ b->bytes[bits / 8];

		if (differ != 0)
			return bits + (unsigned)__builtin_clz((unsigned)differ) - 24;
		bits += 8;
	}
	return all;
}

static size_t count_groups(const struct ip *ips, size_t count, unsigned length)
{
	size_t groups = 1;

	for (size_t i = 1; i < count; i++)
		groups += common_bits(&ips[i - 1], &ips[i]) < length;
	return groups;
}

/* More bits, more groups: halved until it is the longest that does. */
static unsigned longest(const struct ip *ips, size_t count, size_t room)
{
	unsigned low = 0, high = ips->family == IP_V4 ? 32 : 128;

	while (low < high) {
		unsigned middle = low + (high - low + 1) / 2;

		if (count_groups(ips, count, middle) <= room)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

size_t cover_make(const struct ip *ips, size_t count, struct ip_prefix *ret, size_t room)
{
	size_t made = 0, first = 0;
	unsigned length = count ? longest(ips, count, room) : 0;

	for (size_t i = 1; i <= count; i++) {
		if (i < count && common_bits(&ips[i - 1], &ips[i]) >= length)
			continue;
		ret[made++] =
			ip_prefix_of(&ips[first], (uint8_t)common_bits(&ips[first], &ips[i - 1]));
		first = i;
	}
	return made;
}
