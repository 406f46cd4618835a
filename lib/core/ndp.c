// SPDX-License-Identifier: Apache-2.0
/*
 * Neighbour discovery frames from and to bytes (RFC 4861 4.3, 4.4, 7.1; RFC 4862 5.4;
 * RFC 2464). In: bytes and their length, or the fields. Out: the fields, or the bytes,
 * or one reason why not. Knows no interface, no table of addresses and no time.
 */
#include "herald/core/ndp.h"

#include <string.h>

#include "cursor.h"

#define ETHERTYPE_IPV6_VALUE 0x86ddu
#define ETHERTYPE_VLAN_C 0x8100u
#define ETHERTYPE_VLAN_S 0x88a8u
#define IPV6_VERSION 6u
#define NEXT_HEADER_ICMPV6 58u
#define HOP_LIMIT 255u
#define HEADERS_SIZE 54u /* Ethernet and IPv6 */
#define BODY_SIZE 24u	 /* ICMPv6 up to the target, without options */
#define OPTION_UNIT 8u	 /* in which an option's length is counted */
#define OPTION_SOURCE_LINK 1u
#define OPTION_TARGET_LINK 2u
#define FLAG_SOLICITED 0x40u
#define FLAG_OVERRIDE 0x20u

static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
static const uint8_t solicited_prefix[13] = {0xff, 0x02, [11] = 1, [12] = 0xff};

const char *ndp_reason_text(enum ndp_reason reason)
{
	static const char *const texts[NDP_REASON_COUNT] = {
		[NDP_OK] = "ok",
		[NDP_SHORT] = "short",
		[NDP_LONG] = "long",
		[NDP_TAGGED] = "vlan_tagged",
		[NDP_NOT_IPV6] = "not_ipv6",
		[NDP_NOT_ICMPV6] = "not_icmpv6",
		[NDP_BAD_HOP_LIMIT] = "bad_hop_limit",
		[NDP_BAD_CHECKSUM] = "bad_checksum",
		[NDP_BAD_TYPE] = "bad_type",
		[NDP_BAD_CODE] = "bad_code",
		[NDP_BAD_OPTION] = "bad_option",
		[NDP_BAD_LINK_ADDRESS] = "bad_link_address",
		[NDP_BAD_TARGET] = "bad_target",
		[NDP_BAD_SOURCE] = "bad_source",
		[NDP_PROBE_DESTINATION] = "probe_destination",
		[NDP_PROBE_LINK_ADDRESS] = "probe_link_address",
		[NDP_SOLICITED_TO_GROUP] = "solicited_to_group",
		[NDP_SOURCE_GROUP] = "source_group_mac",
		[NDP_NOT_FOR_US] = "not_for_us",
	};

	return reason < NDP_REASON_COUNT ? texts[reason] : "unknown";
}

static uint32_t add_words(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return size % 2 ? sum + ((uint32_t)bytes[size - 1] << 8) : sum;
}

/* Of body and pseudo-header (RFC 8200 8.1); 0 over a body whose checksum is right. */
static uint16_t checksum(
	const struct ip *from, const struct ip *to, const uint8_t *body, size_t size)
{
	uint32_t sum = (uint32_t)size + NEXT_HEADER_ICMPV6;

	sum = add_words(sum, from->bytes, sizeof(from->bytes));
	sum = add_words(sum, to->bytes, sizeof(to->bytes));
	sum = add_words(sum, body, size);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static struct ip take_ip(struct cursor *c)
{
	uint8_t bytes[16];

	cursor_take(c, bytes, sizeof(bytes));
	return ip_from_v6(bytes);
}

static enum ndp_reason take_ethernet(struct cursor *c, struct ndp_message *m)
{
	unsigned type;

	cursor_take(c, m->destination, MAC_SIZE);
	cursor_take(c, m->source, MAC_SIZE);
	type = cursor_take_u16(c);
	if (c->bad)
		return NDP_SHORT;
	if (type == ETHERTYPE_VLAN_C || type == ETHERTYPE_VLAN_S)
		return NDP_TAGGED;
	return type == ETHERTYPE_IPV6_VALUE ? NDP_OK : NDP_NOT_IPV6;
}

/* Afterwards the cursor ends where the packet does: what follows is Ethernet's padding. */
static enum ndp_reason take_ipv6(struct cursor *c, struct ndp_message *m)
{
	unsigned version = cursor_take_u16(c) >> 12, size, next_header, hop_limit;

	(void)cursor_take_u16(c); /* the rest of the flow label */
	size = cursor_take_u16(c);
	next_header = cursor_take_u8(c);
	hop_limit = cursor_take_u8(c);
	m->from = take_ip(c);
	m->to = take_ip(c);
	if (c->bad)
		return NDP_SHORT;
	if (version != IPV6_VERSION)
		return NDP_NOT_IPV6;
	if (next_header != NEXT_HEADER_ICMPV6)
		return NDP_NOT_ICMPV6;
	if (size > NDP_FRAME_MAX - HEADERS_SIZE)
		return NDP_LONG;
	if (size < BODY_SIZE || size > cursor_left(c))
		return NDP_SHORT;
	c->end = c->at + size;
	return hop_limit == HOP_LIMIT ? NDP_OK : NDP_BAD_HOP_LIMIT;
}

static enum ndp_reason take_body(struct cursor *c, struct ndp_message *m)
{
	unsigned type, code, flags;

	if (checksum(&m->from, &m->to, c->at, cursor_left(c)) != 0)
		return NDP_BAD_CHECKSUM;
	type = cursor_take_u8(c);
	code = cursor_take_u8(c);
	(void)cursor_take_u16(c); /* the checksum */
	flags = cursor_take_u8(c);
	(void)cursor_take_u8(c); /* reserved */
	(void)cursor_take_u16(c);
	m->target = take_ip(c);
	if (type != NDP_SOLICITATION && type != NDP_ADVERTISEMENT)
		return NDP_BAD_TYPE;
	m->type = type == NDP_SOLICITATION ? NDP_SOLICITATION : NDP_ADVERTISEMENT;
	m->solicited = m->type == NDP_ADVERTISEMENT && (flags & FLAG_SOLICITED) != 0;
	m->override = m->type == NDP_ADVERTISEMENT && (flags & FLAG_OVERRIDE) != 0;
	return code == 0 ? NDP_OK : NDP_BAD_CODE;
}

/* The first of several counts, as the kernel has it. */
static enum ndp_reason take_link(struct cursor option, struct ndp_message *m)
{
	uint8_t link[MAC_SIZE];

	if (cursor_left(&option) != MAC_SIZE)
		return NDP_BAD_LINK_ADDRESS;
	cursor_take(&option, link, MAC_SIZE);
	if (!mac_is_station(link))
		return NDP_BAD_LINK_ADDRESS;
	if (!m->has_link)
		memcpy(m->link, link, MAC_SIZE);
	m->has_link = true;
	return NDP_OK;
}

/* Unknown options are passed over (RFC 4861 4.6). */
static enum ndp_reason take_options(struct cursor *c, struct ndp_message *m)
{
	const unsigned wanted =
		m->type == NDP_SOLICITATION ? OPTION_SOURCE_LINK : OPTION_TARGET_LINK;

	while (cursor_left(c) > 0) {
		const uint8_t *begin = c->at;
		unsigned type = cursor_take_u8(c);
		size_t size = OPTION_UNIT * cursor_take_u8(c);
		enum ndp_reason reason = NDP_OK;

		if (c->bad || size == 0 || size - 2 > cursor_left(c))
			return NDP_BAD_OPTION;
		if (type == wanted)
			reason = take_link((struct cursor){.at = c->at, .end = begin + size}, m);
		if (reason != NDP_OK)
			return reason;
		c->at = begin + size;
	}
	return NDP_OK;
}

static bool is_solicited_node(const struct ip *ip)
{
	return memcmp(ip->bytes, solicited_prefix, sizeof(solicited_prefix)) == 0;
}

static enum ndp_reason check_probe(const struct ndp_message *m)
{
	if (m->type == NDP_ADVERTISEMENT)
		return NDP_BAD_SOURCE;
	if (!is_solicited_node(&m->to))
		return NDP_PROBE_DESTINATION;
	return m->has_link ? NDP_PROBE_LINK_ADDRESS : NDP_OK;
}

static enum ndp_reason check_addresses(const struct ndp_message *m)
{
	if (!mac_is_station(m->source))
		return NDP_SOURCE_GROUP;
	if (ip_is_multicast(&m->target) || ip_is_unspecified(&m->target))
		return NDP_BAD_TARGET;
	if (ip_is_multicast(&m->from) || ip_is_loopback(&m->from))
		return NDP_BAD_SOURCE;
	if (m->solicited && ip_is_multicast(&m->to))
		return NDP_SOLICITED_TO_GROUP;
	return ip_is_unspecified(&m->from) ? check_probe(m) : NDP_OK;
}

enum ndp_reason ndp_parse(const uint8_t *bytes, size_t length, struct ndp_message *ret)
{
	struct cursor c = {.at = bytes, .end = bytes + length};
	struct ndp_message message = {0};
	enum ndp_reason reason = take_ethernet(&c, &message);

	if (reason == NDP_OK)
		reason = take_ipv6(&c, &message);
	if (reason == NDP_OK)
		reason = take_body(&c, &message);
	if (reason == NDP_OK)
		reason = take_options(&c, &message);
	if (reason == NDP_OK)
		reason = check_addresses(&message);
	if (reason == NDP_OK)
		*ret = message;
	return reason;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
	memcpy(at, bytes, size);
	return at + size;
}

static uint8_t *put_link(uint8_t *at, const struct ndp_message *m)
{
	const uint8_t head[] = {
		m->type == NDP_SOLICITATION ? OPTION_SOURCE_LINK : OPTION_TARGET_LINK, 1};

	at = put(at, head, sizeof(head));
	return put(at, m->link, MAC_SIZE);
}

size_t ndp_build(const struct ndp_message *message, uint8_t ret_bytes[static NDP_FRAME_SIZE])
{
	const size_t size = BODY_SIZE + (message->has_link ? OPTION_UNIT : 0);
	const uint8_t fixed[] = {
		0x86,
		0xdd, /* EtherType */
		0x60,
		0x00,
		0x00,
		0x00, /* version, no traffic class, no flow label */
		0x00,
		(uint8_t)size, /* payload length */
		NEXT_HEADER_ICMPV6,
		HOP_LIMIT,
	};
	const uint8_t flags = (uint8_t)((message->solicited ? FLAG_SOLICITED : 0) |
					(message->override ? FLAG_OVERRIDE : 0));
	const uint8_t head[] = {(uint8_t)message->type, 0, 0, 0, flags, 0, 0, 0};
	uint8_t *body, *at = ret_bytes;
	uint16_t sum;

	at = put(at, message->destination, MAC_SIZE);
	at = put(at, message->source, MAC_SIZE);
	at = put(at, fixed, sizeof(fixed));
	at = put(at, message->from.bytes, sizeof(message->from.bytes));
	at = put(at, message->to.bytes, sizeof(message->to.bytes));
	body = at;
	at = put(at, head, sizeof(head));
	at = put(at, message->target.bytes, sizeof(message->target.bytes));
	if (message->has_link)
		put_link(at, message);
	sum = checksum(&message->from, &message->to, body, size);
	body[2] = (uint8_t)(sum >> 8);
	body[3] = (uint8_t)sum;
	return HEADERS_SIZE + size;
}

/* RFC 2464 7: the last four bytes of the group behind 33:33. */
static void group_mac(const struct ip *group, uint8_t ret[static MAC_SIZE])
{
	ret[0] = ret[1] = 0x33;
	memcpy(ret + 2, group->bytes + 12, 4);
}

/* What every advertisement of ours has, to all nodes as long as nobody says otherwise.
   Its source is the address itself: the node may have no other of that scope. */
static struct ndp_message advertisement(const struct ip *ip, const uint8_t mac[static MAC_SIZE])
{
	struct ndp_message m = {
		.from = *ip,
		.to = ip_from_v6(all_nodes),
		.type = NDP_ADVERTISEMENT,
		.target = *ip,
		.override = true,
		.has_link = true,
	};

	group_mac(&m.to, m.destination);
	memcpy(m.source, mac, MAC_SIZE);
	memcpy(m.link, mac, MAC_SIZE);
	return m;
}

struct ndp_message ndp_reply_to(const struct ndp_message *asked, const uint8_t mac[static MAC_SIZE])
{
	struct ndp_message reply = advertisement(&asked->target, mac);

	if (ip_is_unspecified(&asked->from))
		return reply;
	reply.to = asked->from;
	reply.solicited = true;
	memcpy(reply.destination, asked->has_link ? asked->link : asked->source, MAC_SIZE);
	return reply;
}

struct ndp_message ndp_unsolicited(const struct ip *ip, const uint8_t mac[static MAC_SIZE])
{
	return advertisement(ip, mac);
}

struct ip ndp_solicited_node(const struct ip *ip)
{
	uint8_t group[16];

	memcpy(group, solicited_prefix, sizeof(solicited_prefix));
	memcpy(group + sizeof(solicited_prefix), ip->bytes + sizeof(solicited_prefix),
		sizeof(group) - sizeof(solicited_prefix));
	return ip_from_v6(group);
}

struct ndp_message ndp_probe(const struct ip *ip, const uint8_t mac[static MAC_SIZE])
{
	static const uint8_t unspecified[16];
	struct ndp_message m = {
		.from = ip_from_v6(unspecified),
		.to = ndp_solicited_node(ip),
		.type = NDP_SOLICITATION,
		.target = *ip,
	};

	group_mac(&m.to, m.destination);
	memcpy(m.source, mac, MAC_SIZE);
	return m;
}
