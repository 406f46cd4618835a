// SPDX-License-Identifier: Apache-2.0
/*
 * The decision what to do with a received frame of ARP or NDP: answer it, note that
 * somebody else claims one of our addresses, leave it alone, or refuse it. In: the table
 * of what is answered where, and the frame. Out: one verdict. Sends nothing and remembers
 * nothing.
 *
 * Where an address is served per client, the question of another node's client is left to
 * that one. Each kind of question is met as a host meets it that has the address: those to all, to
 * a group or to us alone are answered, and so are probes by stations that think of taking
 * the address: the answer is what defends it (RFC 5227 2.4, RFC 4862 5.4.3). Claims are
 * gratuitous ARP, advertisements of others, and anything sent from the address itself;
 * and where we ask for an address ourselves, another's probe for it (RFC 5227 2.1.1).
 */
#include "herald/core/responder.h"

#include <stdlib.h>
#include <string.h>

static int compare_ip(const void *key, const void *entry)
{
	return ip_compare(key, &((const struct responder_address *)entry)->ip);
}

const struct responder_address *responder_find(
	const struct responder_table *table, const struct ip *ip)
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

static bool is_used(const struct responder_table *table, unsigned slot)
{
	return slot < RESPONDER_SLOTS && (table->used_slots >> slot & 1u) != 0;
}

/* NULL: it is no concern of ours on this interface. */
static const struct responder_address *find_on(
	const struct responder_table *table, unsigned slot, const struct ip *ip)
{
	const struct responder_address *address = responder_find(table, ip);

	return address && (address->slots >> slot & 1u) != 0 ? address : NULL;
}

/* NULL: it is neither answered nor asked for here. */
static const struct responder_address *find_ours(
	const struct responder_table *table, unsigned slot, const struct ip *ip)
{
	const struct responder_address *address = find_on(table, slot, ip);

	return address && !address->noted ? address : NULL;
}

static enum responder_verdict judge_prober(
	const struct responder_address *address, const struct responder_asker *asker)
{
	if (address->noted)
		return RESPONDER_IGNORE;
	/* Others of us ask now and then whether a stranger has it. */
	return !address->spread ||
			       (address->defends && !spread_has_mac(address->spread, asker->mac))
		       ? RESPONDER_REPLY
		       : RESPONDER_IGNORE;
}

/* Whether a question for an address is ours to answer. */
static enum responder_verdict judge_asker(
	const struct responder_address *address, const struct responder_asker *asker)
{
	if (asker->ip.family == IP_NONE)
		return judge_prober(address, asker);
	if (address->noted ||
		(address->spread && !spread_is_ours(address->spread, &address->ip, asker->mac)))
		return RESPONDER_OTHERS;
	return RESPONDER_REPLY;
}

static void claim(
	struct responder_result *ret, const struct ip *ip, const uint8_t claimant[static MAC_SIZE])
{
	ret->verdict = RESPONDER_CLAIM;
	ret->ip = *ip;
	memcpy(ret->claimant, claimant, MAC_SIZE);
}

static bool arp_is_for_us(const struct responder_table *table, unsigned slot,
	const uint8_t destination[static MAC_SIZE])
{
	static const uint8_t broadcast[MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return is_used(table, slot) &&
	       (memcmp(destination, broadcast, MAC_SIZE) == 0 ||
		       memcmp(destination, table->macs[slot], MAC_SIZE) == 0);
}

static void answer_arp(const struct responder_table *table, unsigned slot,
	const struct arp_frame *frame, struct responder_result *ret)
{
	const struct ip sender = ip_from_v4(frame->sender_ip);
	const struct ip target = ip_from_v4(frame->target_ip);
	const struct responder_address *asked_for;
	struct arp_frame reply;

	ret->verdict = RESPONDER_IGNORE;
	if (is_own_mac(table, frame->sender_mac))
		return; /* our own, heard on another interface of the same segment */
	if (find_ours(table, slot, &sender)) {
		claim(ret, &sender, frame->sender_mac);
		return;
	}
	asked_for = frame->operation == ARP_REQUEST ? find_on(table, slot, &target) : NULL;
	if (asked_for && asked_for->asked && ip_is_unspecified(&sender))
		claim(ret, &target, frame->sender_mac);
	if (!asked_for || asked_for->asked)
		return;
	ret->ip = target;
	ret->asker.ip = ip_is_unspecified(&sender) ? (struct ip){0} : sender;
	ret->asker.directly = (frame->destination[0] & 1u) == 0;
	memcpy(ret->asker.mac, frame->sender_mac, MAC_SIZE);
	ret->verdict = judge_asker(asked_for, &ret->asker);
	if (ret->verdict != RESPONDER_REPLY)
		return;
	reply = arp_reply_to(frame, table->macs[slot]);
	arp_build(&reply, ret->reply);
	ret->reply_length = ARP_FRAME_SIZE;
}

static void handle_arp(const struct responder_table *table, unsigned slot, const uint8_t *bytes,
	size_t length, struct responder_result *ret)
{
	struct arp_frame frame;

	ret->family = IP_V4;
	ret->arp_reason = arp_parse(bytes, length, &frame);
	if (ret->arp_reason == ARP_OK && !arp_is_for_us(table, slot, frame.destination))
		ret->arp_reason = ARP_NOT_FOR_US;
	if (ret->arp_reason == ARP_OK)
		answer_arp(table, slot, &frame, ret);
	else
		ret->verdict = RESPONDER_DROP;
}

static bool ndp_is_for_us(const struct responder_table *table, unsigned slot,
	const uint8_t destination[static MAC_SIZE])
{
	return is_used(table, slot) &&
	       ((destination[0] & 1u) != 0 ||
		       memcmp(destination, table->macs[slot], MAC_SIZE) == 0);
}

static void answer_ndp(const struct responder_table *table, unsigned slot,
	const struct ndp_message *message, struct responder_result *ret)
{
	const bool asks = message->type == NDP_SOLICITATION;
	const struct ip *claimed = asks ? &message->from : &message->target;
	const struct responder_address *asked_for;
	struct ndp_message reply;

	ret->verdict = RESPONDER_IGNORE;
	if (is_own_mac(table, message->source) ||
		(message->has_link && is_own_mac(table, message->link)))
		return; /* our own, heard on another interface of the same segment */
	if (find_ours(table, slot, claimed)) {
		claim(ret, claimed, message->has_link ? message->link : message->source);
		return;
	}
	asked_for = asks ? find_on(table, slot, &message->target) : NULL;
	if (asked_for && asked_for->asked && ip_is_unspecified(&message->from))
		claim(ret, &message->target, message->source);
	if (!asked_for || asked_for->asked)
		return;
	ret->ip = message->target;
	ret->asker.ip = ip_is_unspecified(&message->from) ? (struct ip){0} : message->from;
	ret->asker.directly = (message->destination[0] & 1u) == 0;
	memcpy(ret->asker.mac, message->has_link ? message->link : message->source, MAC_SIZE);
	ret->verdict = judge_asker(asked_for, &ret->asker);
	if (ret->verdict != RESPONDER_REPLY)
		return;
	reply = ndp_reply_to(message, table->macs[slot]);
	/* It goes to all nodes, and is to lead nobody to us who is another node's client. */
	if (asked_for->spread && ret->asker.ip.family == IP_NONE)
		reply.override = false;
	ret->reply_length = ndp_build(&reply, ret->reply);
}

static void handle_ndp(const struct responder_table *table, unsigned slot, const uint8_t *bytes,
	size_t length, struct responder_result *ret)
{
	struct ndp_message message;

	ret->family = IP_V6;
	ret->ndp_reason = ndp_parse(bytes, length, &message);
	if (ret->ndp_reason == NDP_OK && !ndp_is_for_us(table, slot, message.destination))
		ret->ndp_reason = NDP_NOT_FOR_US;
	if (ret->ndp_reason == NDP_OK)
		answer_ndp(table, slot, &message, ret);
	else
		ret->verdict = RESPONDER_DROP;
}

/* Behind a VLAN tag too, so that a refusal is counted where it belongs. */
static bool is_ipv6(const uint8_t *bytes, size_t length)
{
	size_t at = 12;

	if (length >= 14 && ((bytes[12] == 0x81 && bytes[13] == 0x00) ||
				    (bytes[12] == 0x88 && bytes[13] == 0xa8)))
		at = 16;
	return length >= at + 2 && bytes[at] == 0x86 && bytes[at + 1] == 0xdd;
}

void responder_handle(const struct responder_table *table, unsigned slot, const uint8_t *bytes,
	size_t length, struct responder_result *ret)
{
	if (is_ipv6(bytes, length))
		handle_ndp(table, slot, bytes, length, ret);
	else
		handle_arp(table, slot, bytes, length, ret);
}
