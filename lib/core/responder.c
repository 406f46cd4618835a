// SPDX-License-Identifier: Apache-2.0
/*
 * The decision what to do with a received ARP frame: answer it, note that somebody else
 * claims one of our addresses, leave it alone, or refuse it. In: the table of what is
 * answered where, and the frame. Out: one verdict. Sends nothing and remembers nothing.
 *
 * Each kind of request is met as a host meets it that has the address: broadcast,
 * unicast refresh and probe are answered; gratuitous frames are not, they are claims.
 */
#include "herald/core/responder.h"

#include <stdlib.h>
#include <string.h>

static int compare_ip(const void *key, const void *entry)
{
	return memcmp(key, ((const struct responder_address *)entry)->ip, 4);
}

const struct responder_address *responder_find(
	const struct responder_table *table, const uint8_t ip[static 4])
{
	if (table->address_count == 0)
		return NULL;
	return bsearch(
		ip, table->addresses, table->address_count, sizeof(*table->addresses), compare_ip);
}

static bool is_own_mac(const struct responder_table *table, const uint8_t mac[static MAC_SIZE])
{
	for (uint64_t left = table->used_slots; left; left &= left - 1) {
		if (memcmp(table->macs[__builtin_ctzll(left)], mac, MAC_SIZE) == 0)
			return true;
	}
	return false;
}

static bool is_for_station(
	const uint8_t destination[static MAC_SIZE], const uint8_t mac[static MAC_SIZE])
{
	static const uint8_t broadcast[MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return memcmp(destination, broadcast, MAC_SIZE) == 0 ||
	       memcmp(destination, mac, MAC_SIZE) == 0;
}

static bool answers_here(const struct responder_address *address, unsigned slot)
{
	return address && (address->slots >> slot & 1u) != 0;
}

static void drop(struct responder_result *ret, enum arp_reason reason)
{
	ret->verdict = RESPONDER_DROP;
	ret->reason = reason;
}

void responder_handle(const struct responder_table *table, unsigned slot, const uint8_t *bytes,
	size_t length, struct responder_result *ret)
{
	struct arp_frame frame;
	enum arp_reason reason = arp_parse(bytes, length, &frame);

	if (reason != ARP_OK) {
		drop(ret, reason);
		return;
	}
	if (slot >= RESPONDER_SLOTS || (table->used_slots >> slot & 1u) == 0 ||
		!is_for_station(frame.destination, table->macs[slot])) {
		drop(ret, ARP_NOT_FOR_US);
		return;
	}
	ret->verdict = RESPONDER_IGNORE;
	if (is_own_mac(table, frame.sender_mac))
		return; /* our own, heard on another interface of the same segment */
	if (answers_here(responder_find(table, frame.sender_ip), slot)) {
		ret->verdict = RESPONDER_CLAIM;
		memcpy(ret->ip, frame.sender_ip, 4);
		memcpy(ret->claimant, frame.sender_mac, MAC_SIZE);
		return;
	}
	if (frame.operation != ARP_REQUEST ||
		!answers_here(responder_find(table, frame.target_ip), slot))
		return;
	ret->verdict = RESPONDER_REPLY;
	memcpy(ret->ip, frame.target_ip, 4);
	frame = arp_reply_to(&frame, table->macs[slot]);
	arp_build(&frame, ret->reply);
}
