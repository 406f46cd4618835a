// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_NDP_H
#define HERALD_CORE_NDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/base/mac.h"

/*
 * Neighbour solicitations and advertisements over Ethernet (RFC 4861, RFC 2464), whole
 * frames with their Ethernet II and IPv6 headers. Parsing never reads past `length`,
 * makes every check that RFC 4861 7.1.1 and 7.1.2 ask of a receiver, and gives one
 * reason for each refusal. Extension headers are not looked behind: RFC 6980 forbids
 * fragments here, and no host sends others before these.
 */
#define NDP_FRAME_SIZE 86u /* 14 of Ethernet, 40 of IPv6, 24 of ICMPv6, 8 of option */
/* Longer ones are refused: what hosts send has one or two options (RFC 4861, RFC 3971's
   nonce by RFC 7527), and the wire need not keep more of a frame than this. */
#define NDP_FRAME_MAX 256u

enum ndp_type { NDP_SOLICITATION = 135, NDP_ADVERTISEMENT = 136 };

enum ndp_reason {
	NDP_OK,
	NDP_SHORT,		/* ends before its headers or its stated length do */
	NDP_LONG,		/* says to be longer than NDP_FRAME_MAX */
	NDP_TAGGED,		/* 802.1Q or 802.1ad: belongs to the VLAN's own interface */
	NDP_NOT_IPV6,		/* another EtherType or version */
	NDP_NOT_ICMPV6,		/* another next header */
	NDP_BAD_HOP_LIMIT,	/* not 255: it was routed */
	NDP_BAD_CHECKSUM,	/* of ICMPv6 */
	NDP_BAD_TYPE,		/* neither solicitation nor advertisement */
	NDP_BAD_CODE,		/* not 0 */
	NDP_BAD_OPTION,		/* of length 0, or reaching past the end */
	NDP_BAD_LINK_ADDRESS,	/* a link-layer address option that names no station */
	NDP_BAD_TARGET,		/* multicast or unspecified */
	NDP_BAD_SOURCE,		/* multicast or loopback; unspecified in an advertisement */
	NDP_PROBE_DESTINATION,	/* from unspecified, and not to a solicited-node group */
	NDP_PROBE_LINK_ADDRESS, /* from unspecified, with a source link-layer address */
	NDP_SOLICITED_TO_GROUP, /* a solicited advertisement to a multicast address */
	NDP_SOURCE_GROUP,	/* Ethernet source is multicast, broadcast or all zero */
	NDP_NOT_FOR_US,		/* unicast to another station (the interface is promiscuous) */
	NDP_REASON_COUNT
};
/* "short", "bad_hop_limit", ...: stable, for metrics. */
const char *ndp_reason_text(enum ndp_reason reason);

struct ndp_message {
	uint8_t destination[MAC_SIZE], source[MAC_SIZE]; /* Ethernet header */
	struct ip from, to;				 /* IPv6 header */
	enum ndp_type type;
	struct ip target;
	bool solicited, override; /* flags of an advertisement; the router flag is not kept */
	bool has_link;		  /* the option is there: */
	uint8_t link[MAC_SIZE];	  /* of the source (solicitation) or target (advertisement) */
};

/* NDP_OK and *ret filled, or the reason for the refusal and *ret untouched. Never
   NDP_NOT_FOR_US: only the receiver knows its own MAC address. */
enum ndp_reason ndp_parse(const uint8_t *bytes, size_t length, struct ndp_message *ret);

/* Returns the length: NDP_FRAME_SIZE, or less without a link-layer address. */
size_t ndp_build(const struct ndp_message *message, uint8_t ret_bytes[static NDP_FRAME_SIZE]);

/* The answer of `mac`, who has `asked->target`: to the asker, or to all nodes where the
   asker has no address yet (RFC 4861 7.2.4, RFC 4862 5.4.3). */
struct ndp_message ndp_reply_to(
	const struct ndp_message *asked, const uint8_t mac[static MAC_SIZE]);

/* Tells all nodes that `mac` has the address now (RFC 4861 7.2.6). */
struct ndp_message ndp_unsolicited(const struct ip *ip, const uint8_t mac[static MAC_SIZE]);

/* Asks, from the unspecified address, whether anybody has this one (RFC 4862 5.4.2). */
struct ndp_message ndp_probe(const struct ip *ip, const uint8_t mac[static MAC_SIZE]);

/* ff02::1:ffXX:XXXX, where solicitations for the address go (RFC 4291 2.7.1). */
struct ip ndp_solicited_node(const struct ip *ip);

#endif
