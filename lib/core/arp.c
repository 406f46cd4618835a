// SPDX-License-Identifier: Apache-2.0
/*
 * ARP frames from and to bytes (RFC 826, RFC 5227). In: bytes and their length, or the
 * fields. Out: the fields, or the bytes, or one reason why not. Knows no interface, no
 * table of addresses and no time.
 */
#include "herald/core/arp.h"

#include <stdbool.h>
#include <string.h>

#include "cursor.h"

#define ETHERTYPE_ARP_VALUE 0x0806u
#define ETHERTYPE_IPV4_VALUE 0x0800u
#define ETHERTYPE_VLAN_C 0x8100u
#define ETHERTYPE_VLAN_S 0x88a8u
#define HARDWARE_ETHERNET 1u

static const uint8_t broadcast[MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t zero[MAC_SIZE];

const char *arp_reason_text(enum arp_reason reason)
{
	static const char *const texts[ARP_REASON_COUNT] = {
		[ARP_OK] = "ok",
		[ARP_SHORT] = "short",
		[ARP_TAGGED] = "vlan_tagged",
		[ARP_NOT_ARP] = "not_arp",
		[ARP_BAD_HARDWARE] = "bad_hardware_type",
		[ARP_BAD_PROTOCOL] = "bad_protocol_type",
		[ARP_BAD_OPERATION] = "bad_operation",
		[ARP_SENDER_MISMATCH] = "sender_mismatch",
		[ARP_SENDER_GROUP] = "sender_group_mac",
		[ARP_SENDER_ADDRESS] = "bad_sender_address",
		[ARP_NOT_FOR_US] = "not_for_us",
	};

	return reason < ARP_REASON_COUNT ? texts[reason] : "unknown";
}

static enum arp_reason check_ethertype(unsigned type)
{
	if (type == ETHERTYPE_VLAN_C || type == ETHERTYPE_VLAN_S)
		return ARP_TAGGED;
	return type == ETHERTYPE_ARP_VALUE ? ARP_OK : ARP_NOT_ARP;
}

/* All zero is a probe's sender (RFC 5227 2.1.1); other addresses of network 0, and
   those that no station can have, are no senders. */
static bool is_sender_address(const uint8_t ip[static 4])
{
	if (memcmp(ip, zero, 4) == 0)
		return true;
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
}

static enum arp_reason check_sender(const struct arp_frame *frame)
{
	if (!mac_is_station(frame->sender_mac))
		return ARP_SENDER_GROUP;
	if (memcmp(frame->sender_mac, frame->source, MAC_SIZE) != 0)
		return ARP_SENDER_MISMATCH;
	return is_sender_address(frame->sender_ip) ? ARP_OK : ARP_SENDER_ADDRESS;
}

enum arp_reason arp_parse(const uint8_t *bytes, size_t length, struct arp_frame *ret)
{
	struct cursor c = {.at = bytes, .end = bytes + length};
	struct arp_frame frame;
	enum arp_reason reason;
	unsigned hardware, protocol, hardware_size, protocol_size, operation;

	cursor_take(&c, frame.destination, MAC_SIZE);
	cursor_take(&c, frame.source, MAC_SIZE);
	reason = check_ethertype(cursor_take_u16(&c));
	if (!c.bad && reason != ARP_OK)
		return reason;
	hardware = cursor_take_u16(&c);
	protocol = cursor_take_u16(&c);
	hardware_size = cursor_take_u8(&c);
	protocol_size = cursor_take_u8(&c);
	operation = cursor_take_u16(&c);
	cursor_take(&c, frame.sender_mac, MAC_SIZE);
	cursor_take(&c, frame.sender_ip, 4);
	cursor_take(&c, frame.target_mac, MAC_SIZE);
	cursor_take(&c, frame.target_ip, 4);
	if (c.bad)
		return ARP_SHORT;
	if (hardware != HARDWARE_ETHERNET || hardware_size != MAC_SIZE)
		return ARP_BAD_HARDWARE;
	if (protocol != ETHERTYPE_IPV4_VALUE || protocol_size != 4)
		return ARP_BAD_PROTOCOL;
	if (operation != ARP_REQUEST && operation != ARP_REPLY)
		return ARP_BAD_OPERATION;
	frame.operation = operation == ARP_REQUEST ? ARP_REQUEST : ARP_REPLY;
	reason = check_sender(&frame);
	if (reason == ARP_OK)
		*ret = frame;
	return reason;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
	memcpy(at, bytes, size);
	return at + size;
}

void arp_build(const struct arp_frame *frame, uint8_t ret_bytes[static ARP_FRAME_SIZE])
{
	static const uint8_t fixed[] = {
		0x08, 0x06,  /* EtherType */
		0x00, 0x01,  /* ar$hrd */
		0x08, 0x00,  /* ar$pro */
		MAC_SIZE, 4, /* ar$hln, ar$pln */
		0x00,	     /* upper half of ar$op */
	};
	uint8_t operation = (uint8_t)frame->operation;
	uint8_t *at = ret_bytes;

	at = put(at, frame->destination, MAC_SIZE);
	at = put(at, frame->source, MAC_SIZE);
	at = put(at, fixed, sizeof(fixed));
	at = put(at, &operation, 1);
	at = put(at, frame->sender_mac, MAC_SIZE);
	at = put(at, frame->sender_ip, 4);
	at = put(at, frame->target_mac, MAC_SIZE);
	put(at, frame->target_ip, 4);
}

struct arp_frame arp_reply_to(const struct arp_frame *asked, const uint8_t mac[static MAC_SIZE])
{
	struct arp_frame reply = {.operation = ARP_REPLY};

	memcpy(reply.destination, asked->sender_mac, MAC_SIZE);
	memcpy(reply.source, mac, MAC_SIZE);
	memcpy(reply.sender_mac, mac, MAC_SIZE);
	memcpy(reply.sender_ip, asked->target_ip, 4);
	memcpy(reply.target_mac, asked->sender_mac, MAC_SIZE);
	memcpy(reply.target_ip, asked->sender_ip, 4);
	return reply;
}

struct arp_frame arp_gratuitous(
	enum arp_operation form, const uint8_t ip[static 4], const uint8_t mac[static MAC_SIZE])
{
	struct arp_frame frame = {.operation = form};

	memcpy(frame.destination, broadcast, MAC_SIZE);
	memcpy(frame.source, mac, MAC_SIZE);
	memcpy(frame.sender_mac, mac, MAC_SIZE);
	memcpy(frame.sender_ip, ip, 4);
	/* RFC 5227 2.3: the target hardware address of an announcement is ignored and
	   set to zero; in the reply form stations expect their updated entry there. */
	memcpy(frame.target_mac, form == ARP_REPLY ? broadcast : zero, MAC_SIZE);
	memcpy(frame.target_ip, ip, 4);
	return frame;
}

struct arp_frame arp_probe(const uint8_t ip[static 4], const uint8_t mac[static MAC_SIZE])
{
	struct arp_frame frame = {.operation = ARP_REQUEST};

	memcpy(frame.destination, broadcast, MAC_SIZE);
	memcpy(frame.source, mac, MAC_SIZE);
	memcpy(frame.sender_mac, mac, MAC_SIZE);
	memcpy(frame.target_ip, ip, 4);
	return frame;
}
