// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses, ranges and prefixes as values: parsing (strict), canonical text (RFC 5952),
 * order and arithmetic. Knows nothing of pools or interfaces.
 */
#include "herald/base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t ip_size(const struct ip *ip)
{
	return ip->family == IP_V4 ? 4 : 16;
}

struct ip ip_from_v4(const uint8_t bytes[static 4])
{
	struct ip ip = {.family = IP_V4};

	memcpy(ip.bytes, bytes, 4);
	return ip;
}

struct ip ip_from_v6(const uint8_t bytes[static 16])
{
	struct ip ip = {.family = IP_V6};

	memcpy(ip.bytes, bytes, 16);
	return ip;
}

bool ip_parse(const char *text, struct ip *ret)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	uint8_t bytes[16];

	/* inet_pton refuses leading zeros, blanks, zones and short forms of IPv4. */
	if (inet_pton(AF_INET, text, bytes) == 1) {
		*ret = ip_from_v4(bytes);
		return true;
	}
	if (inet_pton(AF_INET6, text, bytes) == 1 && memcmp(bytes, mapped, sizeof(mapped)) != 0) {
		*ret = ip_from_v6(bytes);
		return true;
	}
	return false;
}

/* glibc writes these (once "IPv4-compatible", RFC 4291 2.5.5.1) with a dotted tail. */
static bool is_low_32_bits(const uint8_t bytes[static 16])
{
	static const uint8_t zero[12];

	return memcmp(bytes, zero, sizeof(zero)) == 0 && (bytes[12] || bytes[13]);
}

struct ip_text ip_text(const struct ip *ip)
{
	struct ip_text text = {"none"};
	const uint8_t *b = ip->bytes;

	if (ip->family == IP_V4)
		inet_ntop(AF_INET, b, text.s, sizeof(text.s));
	else if (ip->family == IP_V6 && is_low_32_bits(b))
		snprintf(text.s, sizeof(text.s), "::%x:%x", b[12] << 8 | b[13], b[14] << 8 | b[15]);
	else if (ip->family == IP_V6)
		inet_ntop(AF_INET6, b, text.s, sizeof(text.s));
	return text;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return ip_compare(a, b) == 0;
}

bool ip_increment(struct ip *ip)
{
	struct ip next = *ip;

	for (size_t i = ip_size(ip); i-- > 0;) {
		if (++next.bytes[i] != 0) {
			*ip = next;
			return true;
		}
	}
	return false;
}

bool ip_decrement(struct ip *ip)
{
	struct ip next = *ip;

	for (size_t i = ip_size(ip); i-- > 0;) {
		if (next.bytes[i]-- != 0) {
			*ip = next;
			return true;
		}
	}
	return false;
}

bool ip_is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = {[15] = 1};

	if (ip->family == IP_V4)
		return ip->bytes[0] == 127;
	return ip->family == IP_V6 && memcmp(ip->bytes, one, 16) == 0;
}

bool ip_is_multicast(const struct ip *ip)
{
	if (ip->family == IP_V4)
		return (ip->bytes[0] & 0xf0) == 0xe0;
	return ip->family == IP_V6 && ip->bytes[0] == 0xff;
}

bool ip_is_link_local(const struct ip *ip)
{
	if (ip->family == IP_V4)
		return ip->bytes[0] == 169 && ip->bytes[1] == 254;
	return ip->family == IP_V6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool ip_is_unspecified(const struct ip *ip)
{
	static const uint8_t zero[16];

	return ip->family != IP_NONE && memcmp(ip->bytes, zero, 16) == 0;
}

static void clear_host_bits(struct ip *ip, unsigned length)
{
	for (size_t i = 0; i < ip_size(ip); i++) {
		if (length >= 8) {
			length -= 8;
			continue;
		}
		ip->bytes[i] &= (uint8_t)(0xff00u >> length);
		length = 0;
	}
}

struct ip_prefix ip_prefix_of(const struct ip *ip, uint8_t length)
{
	struct ip_prefix prefix = {.address = *ip, .length = length};

	clear_host_bits(&prefix.address, length);
	return prefix;
}

bool ip_prefix_parse(const char *text, struct ip_prefix *ret)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT_MAX];
	struct ip ip;
	unsigned long length;
	char *end;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!ip_parse(address, &ip))
		return false;
	if (slash[1] < '0' || slash[1] > '9' || (slash[1] == '0' && slash[2] != '\0'))
		return false;
	length = strtoul(slash + 1, &end, 10);
	if (*end != '\0' || length > 8 * ip_size(&ip))
		return false;
	struct ip_prefix prefix = ip_prefix_of(&ip, (uint8_t)length);
	if (!ip_equal(&prefix.address, &ip))
		return false;
	*ret = prefix;
	return true;
}

struct ip_range ip_prefix_range(const struct ip_prefix *prefix)
{
	struct ip_range range = {.first = prefix->address, .last = prefix->address};
	unsigned length = prefix->length;

	for (size_t i = 0; i < ip_size(&range.last); i++) {
		if (length >= 8) {
			length -= 8;
			continue;
		}
		range.last.bytes[i] |= (uint8_t)(0xffu >> length);
		length = 0;
	}
	return range;
}

bool ip_range_contains(const struct ip_range *range, const struct ip *ip)
{
	return range->first.family == ip->family && ip_compare(&range->first, ip) <= 0 &&
	       ip_compare(ip, &range->last) <= 0;
}

bool ip_range_overlaps(const struct ip_range *a, const struct ip_range *b)
{
	return a->first.family == b->first.family && ip_compare(&a->first, &b->last) <= 0 &&
	       ip_compare(&b->first, &a->last) <= 0;
}

uint64_t ip_range_count(const struct ip_range *range)
{
	__extension__ unsigned __int128 first = 0, last = 0;

	for (size_t i = 0; i < ip_size(&range->first); i++) {
		first = first << 8 | range->first.bytes[i];
		last = last << 8 | range->last.bytes[i];
	}
	return last - first >= UINT64_MAX ? UINT64_MAX : (uint64_t)(last - first) + 1;
}
