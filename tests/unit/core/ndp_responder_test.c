// SPDX-License-Identifier: Apache-2.0
/* What the responder does with neighbour discovery (L02, L08), with a table of both
   families. */
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
static const uint8_t proxy[MAC_SIZE] = {2, 0, 0, 0, 0, 8};
static const uint8_t group[MAC_SIZE] = {0x33, 0x33, 0xff, 0, 0, 0x64};

static const struct responder_address addresses[] = {
	{.ip = {IP_V4, {192, 0, 2, 200}}, .slots = 1u << SLOT},
	{.ip = {IP_V6, {0xfd, [15] = 0x64}}, .slots = 1u << SLOT},
	{.ip = {IP_V6, {0xfd, [15] = 0x65}}, .slots = 1u << (SLOT + 1)}, /* only elsewhere */
};

static struct responder_table make_table(void)
{
	struct responder_table table = {
		.addresses = addresses, .address_count = 3, .used_slots = 3u << SLOT};

	memcpy(table.macs[SLOT], ours, MAC_SIZE);
	memcpy(table.macs[SLOT + 1], second, MAC_SIZE);
	return table;
}

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(text, &ip));
	return ip;
}

struct verdict_case {
	const char *what;
	enum ndp_type type;
	const uint8_t *destination, *source;
	const char *from, *to, *target;
	const uint8_t *link; /* NULL: without the option */
	enum responder_verdict verdict;
};

static size_t build(const struct verdict_case *c, uint8_t ret[static NDP_FRAME_SIZE])
{
	struct ndp_message m = {
		.from = ip_of(c->from),
		.to = ip_of(c->to),
		.type = c->type,
		.target = ip_of(c->target),
		.has_link = c->link != NULL,
	};

	memcpy(m.destination, c->destination, MAC_SIZE);
	memcpy(m.source, c->source, MAC_SIZE);
	if (c->link)
		memcpy(m.link, c->link, MAC_SIZE);
	return ndp_build(&m, ret);
}

static void check_verdict(const struct verdict_case *c)
{
	const struct responder_table table = make_table();
	const struct ip target = ip_of(c->target);
	uint8_t bytes[NDP_FRAME_SIZE];
	size_t length = build(c, bytes);
	struct responder_result result;
	struct ndp_message reply;

	responder_handle(&table, SLOT, bytes, length, &result);
	if (result.verdict != c->verdict || result.family != IP_V6)
		fail_msg("%s: %d", c->what, (int)result.verdict);
	if (c->verdict == RESPONDER_CLAIM)
		assert_memory_equal(result.claimant, c->link ? c->link : c->source, MAC_SIZE);
	if (c->verdict != RESPONDER_REPLY)
		return;
	assert_true(ip_equal(&result.ip, &target));
	assert_int_equal(ndp_parse(result.reply, result.reply_length, &reply), NDP_OK);
	assert_int_equal(reply.type, NDP_ADVERTISEMENT);
	assert_true(ip_equal(&reply.from, &target) && ip_equal(&reply.target, &target));
	assert_memory_equal(reply.source, ours, MAC_SIZE);
	assert_memory_equal(reply.link, ours, MAC_SIZE);
	assert_int_equal(result.reply[58] & 0x80, 0); /* the router flag */
}

#define ASK NDP_SOLICITATION
#define SAY NDP_ADVERTISEMENT
#define NODE "ff02::1:ff00:64"

static void L02_each_kind_of_message(void **state)
{
	static const struct verdict_case cases[] = {
		{"to the group", ASK, group, asker, "fe80::9", NODE, "fd00::64", asker,
			RESPONDER_REPLY},
		{"to the group, no option", ASK, group, asker, "fe80::9", NODE, "fd00::64", NULL,
			RESPONDER_REPLY},
		{"C18 unicast, no option", ASK, ours, asker, "fe80::9", "fd00::64", "fd00::64",
			NULL, RESPONDER_REPLY},
		{"unicast", ASK, ours, asker, "fd00::9", "fd00::64", "fd00::64", asker,
			RESPONDER_REPLY},
		{"a probe is defended", ASK, group, asker, "::", NODE, "fd00::64", NULL,
			RESPONDER_REPLY},
		{"through a proxy", ASK, group, proxy, "fe80::9", NODE, "fd00::64", asker,
			RESPONDER_REPLY},
		{"for another station", ASK, second, asker, "fe80::9", "fd00::64", "fd00::64", NULL,
			RESPONDER_DROP},
		{"not ours", ASK, group, asker, "fe80::9", NODE, "fd01::64", asker,
			RESPONDER_IGNORE},
		{"excluded here", ASK, group, asker, "fe80::9", "ff02::1:ff00:65", "fd00::65",
			asker, RESPONDER_IGNORE},
		{"our other interface", ASK, group, second, "::", NODE, "fd00::64", NULL,
			RESPONDER_IGNORE},
		{"L08 advertised by another", SAY, group, asker, "fd00::64", "ff02::1", "fd00::64",
			asker, RESPONDER_CLAIM},
		{"L08 advertised for another", SAY, group, proxy, "fe80::8", "ff02::1", "fd00::64",
			asker, RESPONDER_CLAIM},
		{"L08 without an option", SAY, ours, asker, "fe80::9", "fe80::1", "fd00::64", NULL,
			RESPONDER_CLAIM},
		{"L08 asks with our address", ASK, group, asker, "fd00::64", NODE, "fd01::64",
			asker, RESPONDER_CLAIM},
		{"advertised by our other interface", SAY, group, second, "fd00::64", "ff02::1",
			"fd00::64", second, RESPONDER_IGNORE},
		{"a claim where it is not answered", SAY, group, asker, "fd00::65", "ff02::1",
			"fd00::65", asker, RESPONDER_IGNORE},
		{"not ours, advertised", SAY, group, asker, "fd01::1", "ff02::1", "fd01::1", asker,
			RESPONDER_IGNORE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_verdict(&cases[i]);
}

static void refusals_are_told_by_family(void **state)
{
	static const struct verdict_case sound = {
		"", ASK, group, asker, "fe80::9", NODE, "fd00::64", asker, RESPONDER_REPLY};
	const struct responder_table table = make_table();
	struct responder_result result;
	uint8_t bytes[NDP_FRAME_SIZE + 4];
	size_t length = build(&sound, bytes);

	(void)state;
	responder_handle(&table, 9, bytes, length, &result);
	assert_int_equal(result.verdict, RESPONDER_DROP);
	assert_int_equal(result.ndp_reason, NDP_NOT_FOR_US);
	memmove(bytes + 16, bytes + 12, length - 12);
	memcpy(bytes + 12, "\x81\0\0\5", 4);
	responder_handle(&table, SLOT, bytes, length + 4, &result);
	assert_int_equal(result.family, IP_V6);
	assert_int_equal(result.ndp_reason, NDP_TAGGED);
	responder_handle(&table, SLOT, bytes, 13, &result);
	assert_int_equal(result.family, IP_V4);
	assert_int_equal(result.arp_reason, ARP_SHORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(L02_each_kind_of_message),
		cmocka_unit_test(refusals_are_told_by_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
