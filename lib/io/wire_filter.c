// SPDX-License-Identifier: Apache-2.0
/*
 * A program for the kernel's packet filter (BPF), written anew for the networks of interest.
 * In: networks. Out: instructions. It has taken a VLAN tag off before this is run. A load
 * beyond the end of a frame ends the program and drops the frame. Jumps count from the
 * following instruction: if true, if false.
 */
#include "herald/io/wire_filter.h"

#include <net/ethernet.h>
#include <stdbool.h>
#include <stdint.h>

#define AT_ETHERTYPE 12
#define AT_ARP_SENDER 28
#define AT_ARP_TARGET 38
#define ARP_SIZE 42
#define AT_NEXT_HEADER 20 /* of IPv6 */
#define AT_IPV6_SOURCE 22
#define AT_ICMPV6_TYPE 54 /* without extension headers */
#define AT_NDP_TARGET 62
#define NDP_SIZE 78
#define NEXT_HEADER_ICMPV6 58
#define SOLICITATION 135
#define ADVERTISEMENT 136

struct program {
	struct sock_filter *items;
	size_t count;
};

static void add(struct program *p, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	p->items[p->count++] = (struct sock_filter){code, if_true, if_false, k};
}

static void load(struct program *p, uint16_t size, uint32_t at)
{
	add(p, (uint16_t)(BPF_LD | size | BPF_ABS), at, 0, 0);
}

static void keep(struct program *p)
{
	add(p, BPF_RET | BPF_K, WIRE_SNAP_LENGTH, 0, 0);
}

static void drop(struct program *p)
{
	add(p, BPF_RET | BPF_K, 0, 0, 0);
}

static uint32_t word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* Of the word with bits 32*n to 32*n+31: those that belong to the network. */
static uint32_t mask_of(const struct ip_prefix *network, unsigned n)
{
	unsigned bits = network->length > 32 * n ? network->length - 32 * n : 0;

	return bits == 0 ? 0 : bits >= 32 ? UINT32_MAX : ~(UINT32_MAX >> bits);
}

/* Keeps the frame where the address at `at` is in the network. */
static void keep_if_in(struct program *p, const struct ip_prefix *network, uint32_t at)
{
	unsigned words = (network->length + 31u) / 32;
	/* Each word takes three; the last is followed by what keeps the frame. */
	for (unsigned n = 0; n < words; n++) {
		uint8_t past = (uint8_t)(3 * (words - n - 1) + 1);

		load(p, BPF_W, at + 4 * n);
		add(p, BPF_ALU | BPF_AND | BPF_K, mask_of(network, n), 0, 0);
		add(p, BPF_JMP | BPF_JEQ | BPF_K, word(network->address.bytes + 4 * n), 0, past);
	}
	keep(p);
}

/* The rest of a family's part: what has the address of interest in one of two places. */
static void keep_family(struct program *p, const struct ip_prefix *networks, size_t count,
	uint8_t family, const uint32_t places[static 2])
{
	for (size_t i = 0; i < count; i++) {
		if (networks[i].address.family != family)
			continue;
		keep_if_in(p, &networks[i], places[0]);
		keep_if_in(p, &networks[i], places[1]);
	}
	drop(p);
}

/* What is too short for the loads that follow is kept. */
static void keep_short(struct program *p, uint32_t size)
{
	add(p, BPF_LD | BPF_W | BPF_LEN, 0, 0, 0);
	add(p, BPF_JMP | BPF_JGE | BPF_K, size, 1, 0);
	keep(p);
}

static bool has(const struct ip_prefix *networks, size_t count, uint8_t family)
{
	for (size_t i = 0; i < count; i++) {
		if (networks[i].address.family == family)
			return true;
	}
	return false;
}

static void add_arp(struct program *p, const struct ip_prefix *networks, size_t count)
{
	static const uint32_t places[] = {AT_ARP_TARGET, AT_ARP_SENDER};

	if (has(networks, count, IP_V4))
		keep_short(p, ARP_SIZE);
	keep_family(p, networks, count, IP_V4, places);
}

static void add_ndp(struct program *p, const struct ip_prefix *networks, size_t count)
{
	static const uint32_t places[] = {AT_NDP_TARGET, AT_IPV6_SOURCE};

	load(p, BPF_B, AT_NEXT_HEADER);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, NEXT_HEADER_ICMPV6, 1, 0);
	drop(p);
	load(p, BPF_B, AT_ICMPV6_TYPE);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, SOLICITATION, 2, 0);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, ADVERTISEMENT, 1, 0);
	drop(p);
	if (has(networks, count, IP_V6))
		keep_short(p, NDP_SIZE);
	keep_family(p, networks, count, IP_V6, places);
}

size_t wire_filter_build(const struct ip_prefix *networks, size_t count,
	struct sock_filter ret[static WIRE_FILTER_MAX])
{
	struct program p = {.items = ret};
	size_t to_ndp;

	load(&p, BPF_H, AT_ETHERTYPE);
	add(&p, BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 1, 0);
	to_ndp = p.count;
	add(&p, BPF_JMP | BPF_JA, 0, 0, 0);
	add_arp(&p, networks, count);
	ret[to_ndp].k = (uint32_t)(p.count - to_ndp - 1);
	add(&p, BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 1, 0);
	drop(&p);
	add_ndp(&p, networks, count);
	return p.count;
}
