// SPDX-License-Identifier: Apache-2.0
/* Probes as frames, and what is heard of an address that is asked for (L09). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/responder.h"

#define SLOT 3u

static const uint8_t ours[MAC_SIZE] = {2, 0, 0, 0, 0, 1};
static const uint8_t other[MAC_SIZE] = {2, 0, 0, 0, 0, 9};
static const struct responder_address addresses[] = {
	{.ip = {IP_V4, {192, 0, 2, 200}}, .slots = 1u << SLOT, .asked = true},
	{.ip = {IP_V6, {0xfd, [15] = 0x64}}, .slots = 1u << SLOT, .asked = true},
};
static const struct ip *const vip = &addresses[0].ip, *const vip6 = &addresses[1].ip;

static enum responder_verdict hear(unsigned slot, const uint8_t *bytes, size_t length)
{
	struct responder_table table = {
		.addresses = addresses, .address_count = 2, .used_slots = 3u << SLOT};
	struct responder_result result;

	memcpy(table.macs[SLOT], ours, MAC_SIZE);
	table.macs[SLOT + 1][5] = 2;
	responder_handle(&table, slot, bytes, length, &result);
	if (result.verdict == RESPONDER_CLAIM) {
		assert_true(ip_equal(&result.ip, result.family == IP_V4 ? vip : vip6));
		assert_memory_equal(result.claimant, other, MAC_SIZE);
	}
	return result.verdict;
}

static enum responder_verdict hear_arp(unsigned slot, const struct arp_frame *frame)
{
	uint8_t bytes[ARP_FRAME_SIZE];

	arp_build(frame, bytes);
	return hear(slot, bytes, sizeof(bytes));
}

static enum responder_verdict hear_ndp(unsigned slot, const struct ndp_message *message)
{
	uint8_t bytes[NDP_FRAME_SIZE];

	return hear(slot, bytes, ndp_build(message, bytes));
}

/* RFC 5227 2.1.1: sender address and target MAC all zero, to all. */
static void L09_an_arp_probe_claims_nothing(void **state)
{
	static const uint8_t zero[MAC_SIZE];
	struct arp_frame probe = arp_probe(vip->bytes, ours), parsed;
	uint8_t bytes[ARP_FRAME_SIZE];

	(void)state;
	arp_build(&probe, bytes);
	assert_int_equal(arp_parse(bytes, sizeof(bytes), &parsed), ARP_OK);
	assert_int_equal(parsed.operation, ARP_REQUEST);
	assert_memory_equal(parsed.destination, "\xff\xff\xff\xff\xff\xff", MAC_SIZE);
	assert_memory_equal(parsed.sender_mac, ours, MAC_SIZE);
	assert_memory_equal(parsed.sender_ip, zero, 4);
	assert_memory_equal(parsed.target_mac, zero, MAC_SIZE);
	assert_memory_equal(parsed.target_ip, vip->bytes, 4);
}

/* RFC 4862 5.4.2: from the unspecified address to the target's group, without an option. */
static void L09_an_ndp_probe_is_duplicate_detection(void **state)
{
	struct ndp_message probe = ndp_probe(vip6, ours), parsed;
	uint8_t bytes[NDP_FRAME_SIZE];

	(void)state;
	assert_int_equal(ndp_parse(bytes, ndp_build(&probe, bytes), &parsed), NDP_OK);
	assert_int_equal(parsed.type, NDP_SOLICITATION);
	assert_memory_equal(parsed.destination, "\x33\x33\xff\0\0\x64", MAC_SIZE);
	assert_memory_equal(parsed.source, ours, MAC_SIZE);
	assert_true(ip_is_unspecified(&parsed.from));
	assert_string_equal(ip_text(&parsed.to).s, "ff02::1:ff00:64");
	assert_true(ip_equal(&parsed.target, vip6));
	assert_false(parsed.has_link);
}

static void L09_who_has_it_or_wants_it_is_heard(void **state)
{
	struct arp_frame asks = arp_probe(vip->bytes, other);
	struct arp_frame ours_asks = arp_probe(vip->bytes, ours);
	struct arp_frame says = arp_gratuitous(ARP_REQUEST, vip->bytes, other);
	struct arp_frame answer = arp_reply_to(&ours_asks, other);

	(void)state;
	assert_int_equal(hear_arp(SLOT, &answer), RESPONDER_CLAIM);
	assert_int_equal(hear_arp(SLOT, &says), RESPONDER_CLAIM);
	assert_int_equal(hear_arp(SLOT, &asks), RESPONDER_CLAIM);
	assert_int_equal(hear_arp(SLOT + 1, &says), RESPONDER_IGNORE);
	assert_int_equal(hear_arp(SLOT, &ours_asks), RESPONDER_IGNORE);
	/* A question by somebody who has another address says nothing of this one. */
	memcpy(asks.sender_ip, "\xc0\0\2\x0a", 4);
	assert_int_equal(hear_arp(SLOT, &asks), RESPONDER_IGNORE);
}

static void L09_the_same_for_ipv6(void **state)
{
	struct ndp_message asks = ndp_probe(vip6, other);
	struct ndp_message ours_asks = ndp_probe(vip6, ours);
	struct ndp_message says = ndp_unsolicited(vip6, other);
	struct ndp_message answer = ndp_reply_to(&ours_asks, other);

	(void)state;
	assert_int_equal(hear_ndp(SLOT, &answer), RESPONDER_CLAIM);
	assert_int_equal(hear_ndp(SLOT, &says), RESPONDER_CLAIM);
	assert_int_equal(hear_ndp(SLOT, &asks), RESPONDER_CLAIM);
	assert_int_equal(hear_ndp(SLOT + 1, &says), RESPONDER_IGNORE);
	assert_int_equal(hear_ndp(SLOT, &ours_asks), RESPONDER_IGNORE);
	asks.from = (struct ip){IP_V6, {0xfe, 0x80, [15] = 9}};
	assert_int_equal(hear_ndp(SLOT, &asks), RESPONDER_IGNORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(L09_an_arp_probe_claims_nothing),
		cmocka_unit_test(L09_an_ndp_probe_is_duplicate_detection),
		cmocka_unit_test(L09_who_has_it_or_wants_it_is_heard),
		cmocka_unit_test(L09_the_same_for_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
