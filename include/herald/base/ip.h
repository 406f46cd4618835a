// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_BASE_IP_H
#define HERALD_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * IPv4 and IPv6 addresses, ranges and prefixes as plain values. Bytes are in network
 * order; an IPv4 address stands in the first four bytes and the rest are zero, so that
 * memcmp on the whole struct orders within a family and hashing the struct is safe.
 */
enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
	uint8_t family; /* enum ip_family */
	uint8_t bytes[16];
};

struct ip_range {
	struct ip first, last; /* both belong to it; same family; first <= last */
};

struct ip_prefix {
	struct ip address; /* host bits are zero */
	uint8_t length;	   /* 0..32 or 0..128 */
};

#define IP_TEXT_MAX 46
#define IP_RANGE_TEXT_MAX (2 * IP_TEXT_MAX)

struct ip_text {
	char s[IP_TEXT_MAX];
};

/* Strict: no leading zeros, no zone, no blanks, nothing IPv4-mapped. False: not one. */
bool ip_parse(const char *text, struct ip *ret);

/* Canonical text (RFC 5952); "none" for IP_NONE. By value: ip_text(&a).s in a call. */
struct ip_text ip_text(const struct ip *ip);

struct ip ip_from_v4(const uint8_t bytes[static 4]);
struct ip ip_from_v6(const uint8_t bytes[static 16]);

/* Orders by family, then by value. */
int ip_compare(const struct ip *a, const struct ip *b);
bool ip_equal(const struct ip *a, const struct ip *b);

/* The following address; false (and *ip untouched) at the top of the family. */
bool ip_increment(struct ip *ip);
bool ip_decrement(struct ip *ip);

bool ip_is_loopback(const struct ip *ip);
bool ip_is_multicast(const struct ip *ip);
bool ip_is_link_local(const struct ip *ip);
bool ip_is_unspecified(const struct ip *ip);

/* "a.b.c.d/len"; host bits set is an error: false. */
bool ip_prefix_parse(const char *text, struct ip_prefix *ret);
struct ip_range ip_prefix_range(const struct ip_prefix *prefix);
/* The network that `ip` and `length` name: host bits cleared. */
struct ip_prefix ip_prefix_of(const struct ip *ip, uint8_t length);

bool ip_range_contains(const struct ip_range *range, const struct ip *ip);
bool ip_range_overlaps(const struct ip_range *a, const struct ip_range *b);
/* Number of addresses, UINT64_MAX when there are that many or more. */
uint64_t ip_range_count(const struct ip_range *range);

#endif
