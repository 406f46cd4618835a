// SPDX-License-Identifier: Apache-2.0
/*
 * Which node answers which station, as a property over the responders of all nodes: each
 * station is answered by exactly one, in both families, whatever it asks from; the loss of
 * a node moves just its stations, its return just these back; and the shares are even.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/responder.h"
#include "herald/core/spread.h"

#define NODES 8u
#define STATIONS 2000u
#define NOBODY SIZE_MAX

static const char *const names[NODES] = {
	"node1", "node2", "node3", "node4", "node5", "node6", "node7", "node8"};
static const struct ip vips[] = {{IP_V4, {192, 0, 2, 200}}, {IP_V6, {0xfd, [15] = 0x64}}};

static void mac_of_node(size_t node, uint8_t ret[static MAC_SIZE])
{
	memcpy(ret, ((uint8_t[MAC_SIZE]){2, 0, 0, 0, 9, (uint8_t)node}), MAC_SIZE);
}

static void mac_of_station(unsigned n, uint8_t ret[static MAC_SIZE])
{
	memcpy(ret, ((uint8_t[MAC_SIZE]){2, 1, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}), MAC_SIZE);
}

/* The nodes but those of `gone` (a bit each), as one of them sees it. */
static struct spread *make_spread(unsigned gone, const char *self)
{
	const char *left[NODES] = {0};
	size_t count = 0;

	for (size_t n = 0; n < NODES; n++) {
		if ((gone >> n & 1u) == 0)
			left[count++] = names[n];
	}
	return spread_new(left, count, NULL, self);
}

static size_t ask_arp(unsigned station, const struct ip *vip, uint8_t ret[static NDP_FRAME_SIZE])
{
	struct arp_frame frame = {.operation = ARP_REQUEST, .sender_ip = {192, 0, 2, 9}};

	memset(frame.destination, 0xff, MAC_SIZE);
	mac_of_station(station, frame.source);
	mac_of_station(station, frame.sender_mac);
	memcpy(frame.target_ip, vip->bytes, 4);
	arp_build(&frame, ret);
	return ARP_FRAME_SIZE;
}

static size_t ask_ndp(
	unsigned station, const struct ip *vip, bool link_local, uint8_t ret[static NDP_FRAME_SIZE])
{
	struct ndp_message message = {
		.from = {IP_V6, {link_local ? 0xfe : 0xfd, link_local ? 0x80 : 0, [15] = 9}},
		.to = ndp_solicited_node(vip),
		.type = NDP_SOLICITATION,
		.target = *vip,
		.has_link = true,
	};

	memcpy(message.destination, ((uint8_t[]){0x33, 0x33, 0xff, 0, 0, 0x64}), MAC_SIZE);
	mac_of_station(station, message.source);
	mac_of_station(station, message.link);
	return ndp_build(&message, ret);
}

/* The verdict of one node's responder. */
static enum responder_verdict answer_of(size_t node, const struct spread *spread,
	const struct ip *vip, const uint8_t *bytes, size_t length)
{
	const struct responder_address address = {.ip = *vip, .slots = 1, .spread = spread};
	struct responder_table table = {.addresses = &address, .address_count = 1, .used_slots = 1};
	struct responder_result result;

	mac_of_node(node, table.macs[0]);
	responder_handle(&table, 0, bytes, length, &result);
	return result.verdict;
}

/* The one node that answers the question; fails where it is not one. */
static size_t who_answers(unsigned gone, const struct ip *vip, const uint8_t *bytes, size_t length)
{
	size_t found = NOBODY;

	for (size_t n = 0; n < NODES; n++) {
		struct spread *spread;
		enum responder_verdict verdict;

		if (gone >> n & 1u)
			continue;
		spread = make_spread(gone, names[n]);
		verdict = answer_of(n, spread, vip, bytes, length);
		spread_drop(spread);
		if (verdict != RESPONDER_REPLY) {
			assert_int_equal(verdict, RESPONDER_OTHERS);
			continue;
		}
		assert_int_equal(found, NOBODY);
		found = n;
	}
	assert_int_not_equal(found, NOBODY);
	return found;
}

static size_t who_answers_station(unsigned gone, const struct ip *vip, unsigned station)
{
	uint8_t bytes[NDP_FRAME_SIZE];
	size_t first;

	if (vip->family == IP_V4)
		return who_answers(gone, vip, bytes, ask_arp(station, vip, bytes));
	first = who_answers(gone, vip, bytes, ask_ndp(station, vip, false, bytes));
	/* Linux refreshes from its link-local address: the same node is to answer. */
	assert_int_equal(who_answers(gone, vip, bytes, ask_ndp(station, vip, true, bytes)), first);
	return first;
}

static void each_station_has_one_node_and_moves_only_with_it(void **state)
{
	(void)state;
	for (size_t v = 0; v < 2; v++) {
		for (unsigned station = 0; station < 100; station++) {
			size_t owner = who_answers_station(0, &vips[v], station);

			for (size_t lost = 0; lost < NODES; lost++) {
				size_t now = who_answers_station(1u << lost, &vips[v], station);

				if (lost != owner)
					assert_int_equal(now, owner);
			}
		}
	}
}

/* Any set of nodes and any two of which one has a node more: who moves, moves to that node. */
static void any_node_more_takes_only_its_own(void **state)
{
	(void)state;
	for (unsigned gone = 1; gone < (1u << NODES) - 1; gone++) {
		size_t back = (size_t)__builtin_ctz(gone);
		struct spread *less = make_spread(gone, "");
		struct spread *more = make_spread(gone & (gone - 1), "");

		for (unsigned station = 0; station < 50; station++) {
			uint8_t mac[MAC_SIZE];
			const char *before, *after;

			mac_of_station(station, mac);
			before = less->nodes[spread_owner(less, &vips[0], mac)].name;
			after = more->nodes[spread_owner(more, &vips[0], mac)].name;
			assert_true(before == after || strcmp(before, after) == 0 ||
				    strcmp(after, names[back]) == 0);
		}
		spread_drop(less);
		spread_drop(more);
	}
}

static void shares_are_even(void **state)
{
	struct spread *spread = make_spread(0, "");
	unsigned counts[NODES] = {0};

	(void)state;
	for (unsigned station = 0; station < STATIONS; station++) {
		uint8_t mac[MAC_SIZE];

		mac_of_station(station, mac);
		counts[spread_owner(spread, &vips[1], mac)]++;
	}
	/* 250 each, give or take four times the standard deviation of 15. */
	for (size_t n = 0; n < NODES; n++)
		assert_in_range(counts[n], 190, 310);
	spread_drop(spread);
}

/* They never change: speakers of different versions agree on them. */
static void scores_are_as_ever(void **state)
{
	static const size_t owners[] = {5, 6, 3, 0, 2, 3, 6, 7, 0, 2, 4, 2, 7, 3, 4, 4};
	struct spread *spread = make_spread(0, "");

	(void)state;
	for (unsigned station = 0; station < sizeof(owners) / sizeof(*owners); station++) {
		uint8_t mac[MAC_SIZE];

		mac_of_station(station, mac);
		assert_int_equal(spread_owner(spread, &vips[station % 2], mac), owners[station]);
	}
	spread_drop(spread);
}

static void nobody_where_there_is_no_node(void **state)
{
	struct spread *spread = make_spread((1u << NODES) - 1, "node1");
	uint8_t mac[MAC_SIZE] = {2};

	(void)state;
	assert_true(spread_owner(spread, &vips[0], mac) == SPREAD_NONE);
	assert_false(spread_is_ours(spread, &vips[0], mac));
	spread_drop(spread);
}

/* Members with interfaces, as their Leases tell. */
static void show_member(struct members *members, const char *node, const char *interfaces)
{
	char name[64];
	struct string_pair pair = {MEMBER_INTERFACES_ANNOTATION, interfaces};
	struct lease lease = {.holder = node, .renew_time = "1", .annotations = {&pair, 1}};

	snprintf(name, sizeof(name), MEMBER_LEASE_PREFIX "%s", node);
	lease.meta = (struct object_meta){.name = name, .resource_version = "1"};
	members_put(members, &lease, (struct monotime){1});
}

static void C18_node_is_reached_in_the_segment_that_is_asked_in(void **state)
{
	struct members *members = members_new();
	struct interface here = {.name = "eth0", .network_count = 1};
	const uint8_t right[MAC_SIZE] = {2, 0, 0, 0, 2, 2}, stranger[MAC_SIZE] = {2, 7};
	struct spread *spread;

	(void)state;
	here.networks[0].address = (struct ip){IP_V4, {192, 0, 2, 0}};
	here.networks[0].length = 24;
	show_member(members, "node1", "eth0=02:00:00:00:01:01,192.0.2.0/24");
	show_member(members, "node2",
		"mgmt=02:00:00:00:02:01,10.0.0.0/8 eth7=02:00:00:00:02:02,192.0.2.0/24");
	show_member(members, "node3", "mgmt=02:00:00:00:03:01,10.0.0.0/8");
	spread = spread_new(names, 4, members, "node1");
	assert_memory_equal(spread_mac(spread, 1, &here, &vips[0]), right, MAC_SIZE);
	assert_null(spread_mac(spread, 2, &here, &vips[0]));
	assert_null(spread_mac(spread, 3, &here, &vips[0]));
	assert_true(spread_has_mac(spread, right));
	assert_false(spread_has_mac(spread, stranger));
	spread_drop(spread);
	members_free(members);
}

/* Stations without an address, which may take the one that they ask for, hear one node,
   and nodes of ours that ask whether a stranger has it hear none. */
static void L09_probe_is_answered_by_the_one_that_defends(void **state)
{
	struct members *members = members_new();
	struct spread *spread;
	struct responder_address address = {.ip = vips[1], .slots = 1, .defends = true};
	struct responder_table table = {.addresses = &address, .address_count = 1, .used_slots = 1};
	uint8_t bytes[NDP_FRAME_SIZE], stranger[MAC_SIZE] = {2, 7}, own[MAC_SIZE];
	struct ndp_message probe, reply;
	struct responder_result result;

	(void)state;
	mac_of_node(1, own);
	mac_of_node(0, table.macs[0]);
	show_member(members, "node2", "eth0=02:00:00:00:09:01,192.0.2.0/24");
	address.spread = spread = spread_new(names, 2, members, "node1");
	probe = ndp_probe(&vips[1], stranger);
	responder_handle(&table, 0, bytes, ndp_build(&probe, bytes), &result);
	assert_int_equal(result.verdict, RESPONDER_REPLY);
	assert_int_equal(ndp_parse(result.reply, result.reply_length, &reply), NDP_OK);
	/* It goes to all, and must lead nobody's client away. */
	assert_false(reply.override);
	address.defends = false;
	responder_handle(&table, 0, bytes, ndp_build(&probe, bytes), &result);
	assert_int_equal(result.verdict, RESPONDER_IGNORE);
	address.defends = true;
	probe = ndp_probe(&vips[1], own);
	responder_handle(&table, 0, bytes, ndp_build(&probe, bytes), &result);
	assert_int_equal(result.verdict, RESPONDER_IGNORE);
	spread_drop(spread);
	members_free(members);
}

static void C03_who_asks_for_another_nodes_address_is_noted(void **state)
{
	const struct responder_address address = {.ip = vips[0], .slots = 1, .noted = true};
	const struct responder_table table = {
		.addresses = &address, .address_count = 1, .used_slots = 1};
	uint8_t bytes[NDP_FRAME_SIZE], mac[MAC_SIZE];
	struct responder_result result;

	(void)state;
	mac_of_station(5, mac);
	responder_handle(&table, 0, bytes, ask_arp(5, &vips[0], bytes), &result);
	assert_int_equal(result.verdict, RESPONDER_OTHERS);
	assert_memory_equal(result.asker.mac, mac, MAC_SIZE);
	assert_false(result.asker.directly);
	assert_true(ip_equal(&result.asker.ip, &(struct ip){IP_V4, {192, 0, 2, 9}}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_station_has_one_node_and_moves_only_with_it),
		cmocka_unit_test(any_node_more_takes_only_its_own),
		cmocka_unit_test(shares_are_even),
		cmocka_unit_test(scores_are_as_ever),
		cmocka_unit_test(nobody_where_there_is_no_node),
		cmocka_unit_test(C18_node_is_reached_in_the_segment_that_is_asked_in),
		cmocka_unit_test(L09_probe_is_answered_by_the_one_that_defends),
		cmocka_unit_test(C03_who_asks_for_another_nodes_address_is_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
