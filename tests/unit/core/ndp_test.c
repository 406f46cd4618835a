// SPDX-License-Identifier: Apache-2.0
/* Frames of neighbour discovery: what is read, what is refused and why, what is built
   (L02). The whole frames below were made by scapy, by another's code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/ndp.h"

/* Where things are in a frame. */
enum { SIZE = 18, HOPS = 21, FROM = 22, TO = 38, BODY = 54, SUM = 56, TARGET = 62, OPTION = 78 };

/* fe80::9 asks ff02::1:ff00:64 for fd00::64, with its link-layer address. */
static const uint8_t solicitation[NDP_FRAME_SIZE] = {0x33, 0x33, 0xff, 0x00, 0x00, 0x64, 0x02, 0x00,
	0x00, 0x00, 0x00, 0x09, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff, 0xfe,
	0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09,
	0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xff, 0x00, 0x00,
	0x64, 0x87, 0x00, 0x7b, 0x43, 0x00, 0x00, 0x00, 0x00, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x64, 0x01, 0x01, 0x02, 0x00, 0x00,
	0x00, 0x00, 0x09};

/* fd00::64 is at 02:00:00:00:00:09, says it to all nodes, with override. */
static const uint8_t advertisement[NDP_FRAME_SIZE] = {0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x02,
	0x00, 0x00, 0x00, 0x00, 0x09, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff,
	0xfd, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x64, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x01, 0x88, 0x00, 0x59, 0xcd, 0x20, 0x00, 0x00, 0x00, 0xfd, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x64, 0x02, 0x01, 0x02, 0x00,
	0x00, 0x00, 0x00, 0x09};

static const uint8_t asker[MAC_SIZE] = {2, 0, 0, 0, 0, 9};
static const uint8_t ours[MAC_SIZE] = {2, 0, 0, 0, 0, 1};

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(text, &ip));
	return ip;
}

static void assert_ip(const struct ip *ip, const char *text)
{
	assert_string_equal(ip_text(ip).s, text);
}

/* Puts the right checksum into a frame that was changed: word by word over pseudo-header
   and body, a way other than the parser's. */
static void mend_checksum(uint8_t *frame, size_t length)
{
	uint64_t sum = 58 + (length - BODY);

	frame[SUM] = frame[SUM + 1] = 0;
	for (size_t i = FROM; i < length; i++)
		sum += (uint64_t)frame[i] << (i % 2 ? 0 : 8);
	sum = sum % 0xffff;
	sum = sum ? 0xffff - sum : 0xffff;
	frame[SUM] = (uint8_t)(sum >> 8);
	frame[SUM + 1] = (uint8_t)sum;
}

static void solicitation_is_read(void **state)
{
	struct ndp_message m;

	(void)state;
	assert_int_equal(ndp_parse(solicitation, sizeof(solicitation), &m), NDP_OK);
	assert_int_equal(m.type, NDP_SOLICITATION);
	assert_ip(&m.from, "fe80::9");
	assert_ip(&m.to, "ff02::1:ff00:64");
	assert_ip(&m.target, "fd00::64");
	assert_true(m.has_link);
	assert_memory_equal(m.link, asker, MAC_SIZE);
	assert_memory_equal(m.source, asker, MAC_SIZE);
}

static void advertisement_is_read(void **state)
{
	struct ndp_message m;

	(void)state;
	assert_int_equal(ndp_parse(advertisement, sizeof(advertisement), &m), NDP_OK);
	assert_int_equal(m.type, NDP_ADVERTISEMENT);
	assert_ip(&m.target, "fd00::64");
	assert_true(m.override);
	assert_false(m.solicited);
	assert_memory_equal(m.link, asker, MAC_SIZE);
}

static void built_as_scapy_builds(void **state)
{
	struct ndp_message m;
	const struct ip vip = ip_of("fd00::64");
	uint8_t bytes[NDP_FRAME_SIZE];

	(void)state;
	m = ndp_unsolicited(&vip, asker);
	assert_int_equal(ndp_build(&m, bytes), sizeof(bytes));
	assert_memory_equal(bytes, advertisement, sizeof(bytes));
	assert_int_equal(ndp_parse(solicitation, sizeof(solicitation), &m), NDP_OK);
	assert_int_equal(ndp_build(&m, bytes), sizeof(bytes));
	assert_memory_equal(bytes, solicitation, sizeof(bytes));
}

static void every_cut_is_short(void **state)
{
	struct ndp_message m;

	(void)state;
	for (size_t length = 0; length < sizeof(solicitation); length++)
		assert_int_equal(ndp_parse(solicitation, length, &m), NDP_SHORT);
}

static void padding_is_passed_over(void **state)
{
	uint8_t bytes[NDP_FRAME_SIZE + 30] = {0};
	struct ndp_message m;

	(void)state;
	memcpy(bytes, solicitation, sizeof(solicitation));
	assert_int_equal(ndp_parse(bytes, sizeof(bytes), &m), NDP_OK);
}

struct defect {
	const char *what;
	const uint8_t *frame;
	size_t offset;
	uint8_t value;
	enum ndp_reason reason;
};

static void check_defect(const struct defect *d)
{
	uint8_t bytes[NDP_FRAME_SIZE];
	struct ndp_message m;
	enum ndp_reason reason;

	memcpy(bytes, d->frame, sizeof(bytes));
	bytes[d->offset] = d->value;
	if (d->reason == NDP_TAGGED)
		bytes[13] = 0;
	if (d->reason != NDP_BAD_CHECKSUM)
		mend_checksum(bytes, sizeof(bytes));
	reason = ndp_parse(bytes, sizeof(bytes), &m);
	if (reason != d->reason)
		fail_msg("%s: %s", d->what, ndp_reason_text(reason));
}

static void L02_each_defect_has_its_reason(void **state)
{
	static const struct defect cases[] = {
		{"nothing wrong", solicitation, BODY, 135, NDP_OK},
		{"802.1Q tag", solicitation, 12, 0x81, NDP_TAGGED},
		{"EtherType ARP", solicitation, 12, 0x08, NDP_NOT_IPV6},
		{"version 4", solicitation, 14, 0x40, NDP_NOT_IPV6},
		{"hop-by-hop options", solicitation, 20, 0, NDP_NOT_ICMPV6},
		{"UDP", solicitation, 20, 17, NDP_NOT_ICMPV6},
		{"says 65312 bytes", solicitation, SIZE, 0xff, NDP_LONG},
		{"says one byte more", solicitation, SIZE + 1, 33, NDP_SHORT},
		{"says less than a target", solicitation, SIZE + 1, 23, NDP_SHORT},
		{"routed once", solicitation, HOPS, 254, NDP_BAD_HOP_LIMIT},
		{"hop limit 0", solicitation, HOPS, 0, NDP_BAD_HOP_LIMIT},
		{"checksum", solicitation, SUM, 0x7a, NDP_BAD_CHECKSUM},
		{"a bit of the target", solicitation, TARGET + 15, 0x65, NDP_BAD_CHECKSUM},
		{"router advertisement", solicitation, BODY, 134, NDP_BAD_TYPE},
		{"redirect", solicitation, BODY, 137, NDP_BAD_TYPE},
		{"code 1", solicitation, BODY + 1, 1, NDP_BAD_CODE},
		{"option of length 0", solicitation, OPTION + 1, 0, NDP_BAD_OPTION},
		{"option past the end", solicitation, OPTION + 1, 2, NDP_BAD_OPTION},
		{"option of 2040 bytes", solicitation, OPTION + 1, 255, NDP_BAD_OPTION},
		{"multicast link address", solicitation, OPTION + 2, 1, NDP_BAD_LINK_ADDRESS},
		{"multicast target", solicitation, TARGET, 0xff, NDP_BAD_TARGET},
		{"multicast source", solicitation, FROM, 0xff, NDP_BAD_SOURCE},
		{"multicast Ethernet source", solicitation, 6, 3, NDP_SOURCE_GROUP},
		{"solicited to all", advertisement, BODY + 4, 0x60, NDP_SOLICITED_TO_GROUP},
		{"advertised option of length 0", advertisement, OPTION + 1, 0, NDP_BAD_OPTION},
		{"a router's", advertisement, BODY + 4, 0xa0, NDP_OK},
		{"reserved bits", advertisement, BODY + 7, 0xff, NDP_OK},
		{"an option of another type", solicitation, OPTION, 2, NDP_OK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_defect(&cases[i]);
}

/* Builds from the fields and reads again. */
static enum ndp_reason reason_of(const struct ndp_message *m)
{
	uint8_t bytes[NDP_FRAME_SIZE];
	size_t length = ndp_build(m, bytes);
	struct ndp_message again;

	return ndp_parse(bytes, length, &again);
}

static void L02_probes(void **state)
{
	struct ndp_message m;

	(void)state;
	assert_int_equal(ndp_parse(solicitation, sizeof(solicitation), &m), NDP_OK);
	m.from = ip_of("::");
	assert_int_equal(reason_of(&m), NDP_PROBE_LINK_ADDRESS);
	m.has_link = false;
	assert_int_equal(reason_of(&m), NDP_OK);
	m.to = ip_of("ff02::1");
	assert_int_equal(reason_of(&m), NDP_PROBE_DESTINATION);
	m.to = m.target;
	assert_int_equal(reason_of(&m), NDP_PROBE_DESTINATION);
	m.to = ip_of("ff02::1:ff00:64");
	m.target = ip_of("::");
	assert_int_equal(reason_of(&m), NDP_BAD_TARGET);
	m.target = ip_of("fd00::64");
	m.type = NDP_ADVERTISEMENT;
	assert_int_equal(reason_of(&m), NDP_BAD_SOURCE);
}

/* `options` behind a solicitation that has none of its own. */
static enum ndp_reason reason_with(const uint8_t *options, size_t size, struct ndp_message *ret)
{
	uint8_t bytes[NDP_FRAME_MAX + 64] = {0};
	size_t length = OPTION + size;

	memcpy(bytes, solicitation, OPTION);
	memcpy(bytes + OPTION, options, size);
	bytes[SIZE] = (uint8_t)((length - BODY) >> 8);
	bytes[SIZE + 1] = (uint8_t)(length - BODY);
	mend_checksum(bytes, length);
	return ndp_parse(bytes, length, ret);
}

static void L02_options_are_bounded(void **state)
{
	static const uint8_t nonce_first[] = {14, 1, 1, 2, 3, 4, 5, 6, 1, 1, 2, 0, 0, 0, 0, 9};
	static const uint8_t two[] = {1, 1, 2, 0, 0, 0, 0, 9, 1, 1, 2, 0, 0, 0, 0, 7};
	static const uint8_t wide[16] = {1, 2, 2, 0, 0, 0, 0, 9};
	static const uint8_t half[] = {1};
	static const uint8_t odd[] = {1, 1, 2, 0, 0, 0, 0, 9, 14};
	static const uint8_t none[8] = {1, 1};
	uint8_t many[NDP_FRAME_MAX - OPTION + 8] = {0};
	struct ndp_message m;

	(void)state;
	assert_int_equal(reason_with(nonce_first, sizeof(nonce_first), &m), NDP_OK);
	assert_memory_equal(m.link, asker, MAC_SIZE);
	assert_int_equal(reason_with(two, sizeof(two), &m), NDP_OK);
	assert_memory_equal(m.link, asker, MAC_SIZE);
	assert_int_equal(reason_with(wide, sizeof(wide), &m), NDP_BAD_LINK_ADDRESS);
	assert_int_equal(reason_with(none, sizeof(none), &m), NDP_BAD_LINK_ADDRESS);
	assert_int_equal(reason_with(half, sizeof(half), &m), NDP_BAD_OPTION);
	assert_int_equal(reason_with(odd, sizeof(odd), &m), NDP_BAD_OPTION);
	for (size_t i = 0; i + 8 <= sizeof(many); i += 8) {
		many[i] = 200;
		many[i + 1] = 1;
	}
	assert_int_equal(reason_with(many, (sizeof(many) - 8) / 8 * 8, &m), NDP_OK);
	assert_int_equal(reason_with(many, sizeof(many), &m), NDP_LONG);
}

static void L02_answers(void **state)
{
	struct ndp_message asked, reply;

	(void)state;
	assert_int_equal(ndp_parse(solicitation, sizeof(solicitation), &asked), NDP_OK);
	memcpy(asked.source, ours, MAC_SIZE); /* the option counts, where there is one */
	reply = ndp_reply_to(&asked, ours);
	assert_ip(&reply.from, "fd00::64");
	assert_ip(&reply.to, "fe80::9");
	assert_memory_equal(reply.destination, asker, MAC_SIZE);
	assert_memory_equal(reply.link, ours, MAC_SIZE);
	assert_true(reply.solicited && reply.override && reply.has_link);
	/* C18: without one, the station that the frame came from. */
	memcpy(asked.source, asker, MAC_SIZE);
	memset(asked.link, 0, MAC_SIZE);
	asked.has_link = false;
	reply = ndp_reply_to(&asked, ours);
	assert_memory_equal(reply.destination, asker, MAC_SIZE);
	assert_true(reply.solicited);
	/* RFC 4862 5.4.3: who has no address yet is told with all others. */
	asked.from = ip_of("::");
	reply = ndp_reply_to(&asked, ours);
	assert_ip(&reply.to, "ff02::1");
	assert_memory_equal(reply.destination, "\x33\x33\0\0\0\1", MAC_SIZE);
	assert_true(!reply.solicited && reply.override);
	assert_int_equal(reason_of(&reply), NDP_OK);
}

static void L03_solicited_node_group(void **state)
{
	const struct ip vip = ip_of("2001:db8::1234:5678:9abc:def0");
	const struct ip group = ndp_solicited_node(&vip);

	(void)state;
	assert_ip(&group, "ff02::1:ffbc:def0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(solicitation_is_read),
		cmocka_unit_test(advertisement_is_read),
		cmocka_unit_test(built_as_scapy_builds),
		cmocka_unit_test(every_cut_is_short),
		cmocka_unit_test(padding_is_passed_over),
		cmocka_unit_test(L02_each_defect_has_its_reason),
		cmocka_unit_test(L02_probes),
		cmocka_unit_test(L02_options_are_bounded),
		cmocka_unit_test(L02_answers),
		cmocka_unit_test(L03_solicited_node_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
