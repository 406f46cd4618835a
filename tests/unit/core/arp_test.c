// SPDX-License-Identifier: Apache-2.0
/* ARP frames and what the responder does with them (L01, L08). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/responder.h"

#define SLOT 3u

static const uint8_t ours[MAC_SIZE] = {2, 0, 0, 0, 0, 1};
static const uint8_t second[MAC_SIZE] = {2, 0, 0, 0, 0, 2};
static const uint8_t asker[MAC_SIZE] = {2, 0, 0, 0, 0, 9};
static const uint8_t broadcast[MAC_SIZE] = {255, 255, 255, 255, 255, 255};
static const uint8_t vip[4] = {192, 0, 2, 200};
static const uint8_t elsewhere[4] = {192, 0, 2, 201}; /* answered on another slot only */
static const uint8_t client[4] = {192, 0, 2, 10};
static const uint8_t unspecified[4];

static const struct responder_address addresses[] = {
	{.ip = {IP_V4, {192, 0, 2, 200}}, .slots = 1u << SLOT},
	{.ip = {IP_V4, {192, 0, 2, 201}}, .slots = 1u << (SLOT + 1)},
};

static struct responder_table make_table(void)
{
	struct responder_table table = {
		.addresses = addresses, .address_count = 2, .used_slots = 3u << SLOT};

	memcpy(table.macs[SLOT], ours, MAC_SIZE);
	memcpy(table.macs[SLOT + 1], second, MAC_SIZE);
	return table;
}

/* A request of the asker for the VIP, as bytes, to be spoiled by the caller. */
static void make_request(uint8_t ret[static ARP_FRAME_SIZE])
{
	struct arp_frame frame = {.operation = ARP_REQUEST};

	memcpy(frame.destination, broadcast, MAC_SIZE);
	memcpy(frame.source, asker, MAC_SIZE);
	memcpy(frame.sender_mac, asker, MAC_SIZE);
	memcpy(frame.sender_ip, client, 4);
	memcpy(frame.target_ip, vip, 4);
	arp_build(&frame, ret);
}

static void parse_gives_back_what_was_built(void **state)
{
	uint8_t bytes[ARP_FRAME_SIZE], again[ARP_FRAME_SIZE];
	struct arp_frame frame;

	(void)state;
	make_request(bytes);
	assert_int_equal(arp_parse(bytes, sizeof(bytes), &frame), ARP_OK);
	arp_build(&frame, again);
	assert_memory_equal(bytes, again, sizeof(bytes));
}

static void every_cut_is_short(void **state)
{
	uint8_t bytes[ARP_FRAME_SIZE];
	struct arp_frame frame;

	(void)state;
	make_request(bytes);
	for (size_t length = 0; length < sizeof(bytes); length++)
		assert_int_equal(arp_parse(bytes, length, &frame), ARP_SHORT);
}

static void each_defect_has_its_reason(void **state)
{
	static const struct {
		const char *what;
		size_t offset;
		uint8_t value;
		enum arp_reason reason;
	} cases[] = {
		{"802.1Q tag", 12, 0x81, ARP_TAGGED}, /* 0x8106 is not: see below */
		{"EtherType IPv4", 13, 0x00, ARP_NOT_ARP},
		{"hardware type 6", 15, 6, ARP_BAD_HARDWARE},
		{"hardware size 255", 18, 255, ARP_BAD_HARDWARE},
		{"hardware size 0", 18, 0, ARP_BAD_HARDWARE},
		{"protocol type IPv6", 16, 0x86, ARP_BAD_PROTOCOL},
		{"protocol size 16", 19, 16, ARP_BAD_PROTOCOL},
		{"operation 0", 21, 0, ARP_BAD_OPERATION},
		{"operation 3 (RARP)", 21, 3, ARP_BAD_OPERATION},
		{"operation 257", 20, 1, ARP_BAD_OPERATION},
		{"sender MAC is not the Ethernet source", 27, 0x77, ARP_SENDER_MISMATCH},
		{"sender MAC is multicast", 22, 1, ARP_SENDER_GROUP},
		{"sender address 127", 28, 127, ARP_SENDER_ADDRESS},
		{"sender address 224", 28, 224, ARP_SENDER_ADDRESS},
		{"sender address 255", 28, 255, ARP_SENDER_ADDRESS},
		{"sender address in network 0", 28, 0, ARP_SENDER_ADDRESS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t bytes[ARP_FRAME_SIZE];
		struct arp_frame frame;
		enum arp_reason reason;

		make_request(bytes);
		bytes[cases[i].offset] = cases[i].value;
		if (cases[i].reason == ARP_TAGGED)
			bytes[13] = 0;
		reason = arp_parse(bytes, sizeof(bytes), &frame);
		if (reason != cases[i].reason)
			fail_msg("%s: %s", cases[i].what, arp_reason_text(reason));
	}
}

struct verdict_case {
	const char *what;
	enum arp_operation operation;
	const uint8_t *destination, *sender_mac, *sender_ip, *target_ip;
	enum responder_verdict verdict;
};

static void check_verdict(const struct verdict_case *c)
{
	const struct responder_table table = make_table();
	struct arp_frame frame = {.operation = c->operation};
	uint8_t bytes[ARP_FRAME_SIZE];
	struct responder_result result;

	memcpy(frame.destination, c->destination, MAC_SIZE);
	memcpy(frame.source, c->sender_mac, MAC_SIZE);
	memcpy(frame.sender_mac, c->sender_mac, MAC_SIZE);
	memcpy(frame.sender_ip, c->sender_ip, 4);
	memcpy(frame.target_ip, c->target_ip, 4);
	arp_build(&frame, bytes);
	responder_handle(&table, SLOT, bytes, sizeof(bytes), &result);
	if (result.verdict != c->verdict)
		fail_msg("%s: %d", c->what, (int)result.verdict);
	if (c->verdict != RESPONDER_REPLY)
		return;
	assert_int_equal(arp_parse(result.reply, result.reply_length, &frame), ARP_OK);
	assert_int_equal(frame.operation, ARP_REPLY);
	assert_memory_equal(frame.destination, c->sender_mac, MAC_SIZE);
	assert_memory_equal(frame.source, ours, MAC_SIZE);
	assert_memory_equal(frame.sender_ip, c->target_ip, 4);
	assert_memory_equal(frame.target_ip, c->sender_ip, 4);
}

static void L01_each_kind_of_frame(void **state)
{
	static const struct verdict_case cases[] = {
		{"broadcast", ARP_REQUEST, broadcast, asker, client, vip, RESPONDER_REPLY},
		{"unicast refresh", ARP_REQUEST, ours, asker, client, vip, RESPONDER_REPLY},
		{"probe", ARP_REQUEST, broadcast, asker, unspecified, vip, RESPONDER_REPLY},
		{"for another station", ARP_REQUEST, second, asker, client, vip, RESPONDER_DROP},
		{"not ours", ARP_REQUEST, broadcast, asker, client, client, RESPONDER_IGNORE},
		{"excluded here", ARP_REQUEST, broadcast, asker, client, elsewhere,
			RESPONDER_IGNORE},
		{"a reply to us", ARP_REPLY, ours, asker, client, vip, RESPONDER_IGNORE},
		{"L08 gratuitous request", ARP_REQUEST, broadcast, asker, vip, vip,
			RESPONDER_CLAIM},
		{"L08 gratuitous reply", ARP_REPLY, broadcast, asker, vip, vip, RESPONDER_CLAIM},
		{"L08 asks with our address", ARP_REQUEST, broadcast, asker, vip, client,
			RESPONDER_CLAIM},
		{"our other interface", ARP_REQUEST, broadcast, second, vip, vip, RESPONDER_IGNORE},
		{"a claim where it is not answered", ARP_REQUEST, broadcast, asker, elsewhere,
			elsewhere, RESPONDER_IGNORE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_verdict(&cases[i]);
}

static void nothing_is_answered_from_an_unused_slot(void **state)
{
	const struct responder_table table = make_table();
	struct responder_result result;
	uint8_t bytes[ARP_FRAME_SIZE];

	(void)state;
	make_request(bytes);
	responder_handle(&table, 9, bytes, sizeof(bytes), &result);
	assert_int_equal(result.verdict, RESPONDER_DROP);
	responder_handle(&table, RESPONDER_SLOTS, bytes, sizeof(bytes), &result);
	assert_int_equal(result.verdict, RESPONDER_DROP);
}

static void L04_gratuitous_forms(void **state)
{
	struct arp_frame request = arp_gratuitous(ARP_REQUEST, vip, ours);
	struct arp_frame reply = arp_gratuitous(ARP_REPLY, vip, ours);

	(void)state;
	assert_memory_equal(request.destination, broadcast, MAC_SIZE);
	assert_memory_equal(request.sender_ip, request.target_ip, 4);
	assert_memory_equal(reply.sender_mac, ours, MAC_SIZE);
	assert_int_equal(reply.operation, ARP_REPLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_gives_back_what_was_built),
		cmocka_unit_test(every_cut_is_short),
		cmocka_unit_test(each_defect_has_its_reason),
		cmocka_unit_test(L01_each_kind_of_frame),
		cmocka_unit_test(nothing_is_answered_from_an_unused_slot),
		cmocka_unit_test(L04_gratuitous_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
