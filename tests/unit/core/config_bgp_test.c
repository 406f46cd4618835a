// SPDX-License-Identifier: Apache-2.0
/* The `bgp` section's own fields, BFD profiles and communities (B12), and all defaults (B01). */
#include "config_expect.h"
#include "herald/core/config_bgp.h"

#define BGP CONFIG_HEAD "pools: [{name: p, addresses: [192.0.2.0/24]}]\nbgp:\n"

static void B12_section(void **state)
{
	static const struct config_case cases[] = {
		{"the least", "  asn: 64512\n", ""},
		{"ASN 0", "  asn: 0\n",
			"4:8 bgp.asn: is \"0\", out of bounds, since 0 and 4294967295 are reserved "
			"(RFC 7607, RFC 7300): write a number from 1 to 4294967294\n"},
		{"ASN 4294967295", "  asn: 4294967295\n",
			"4:8 bgp.asn: is \"4294967295\", out of bounds, since 0 and 4294967295 are "
			"reserved (RFC 7607, RFC 7300): write a number from 1 to 4294967294\n"},
		{"ASN in quotes", "  asn: \"64512\"\n",
			"4:8 bgp.asn: is \"64512\" where a whole number is wanted: write one from "
			"1 to 4294967294, without quotes\n"},
		{"a router ID", "  routerID: 10.0.0.1\n", ""},
		{"a router ID of IPv6", "  routerID: 2001:db8::1\n",
			"4:13 bgp.routerID: is \"2001:db8::1\": a router ID has the form of an "
			"IPv4 address and is not 0.0.0.0\n"},
		{"cluster addresses", "  announceClusterIPs: [10.96.0.0/12, fd00:10:96::/112]\n",
			""},
		{"cluster addresses that are none", "  announceClusterIPs: [10.96.0.0/33, true]\n",
			"4:24 bgp.announceClusterIPs[0]: is \"10.96.0.0/33\": \"33\" is no prefix "
			"length for IPv4, write one from 0 to 32\n"
			"4:38 bgp.announceClusterIPs[1]: is \"true\", which YAML takes for a "
			"boolean: put it in quotes\n"},
		{"cluster addresses as text", "  announceClusterIPs: 10.96.0.0/12\n",
			"4:23 bgp.announceClusterIPs: is \"10.96.0.0/12\" where a list is wanted: "
			"write \"[...]\", or each item on its own line after \"- \"\n"},
		{"an unknown field", "  asnn: 1\n",
			"4:3 bgp.asnn: there is no such field: did you mean \"asn\"?\n"},
		{"an ASN for no peer", "  peers: [{name: a, peerASN: 1, peerAddress: 192.0.2.1}]\n",
			"4:11 bgp.peers[0]: the field \"myASN\" is missing: add it, or \"asn\" for "
			"all peers under \"bgp\"\n"},
		{"a wrong ASN is told of once",
			"  asn: x\n"
			"  peers: [{name: a, peerASN: 1, peerAddress: 192.0.2.1}, {name: b, "
			"peerASN: 1, peerAddress: 192.0.2.3}]\n",
			"4:8 bgp.asn: is \"x\" where a whole number is wanted: write one from 1 to "
			"4294967294, without quotes\n"},
		{"BFD profiles",
			"  bfdProfiles: [{name: a}, {name: b, receiveInterval: 10ms, "
			"transmitInterval: 1m, detectMultiplier: 255, minimumTTL: 1, passiveMode: "
			"true}]\n",
			""},
		{"BFD out of bounds",
			"  bfdProfiles: [{name: a, receiveInterval: 9ms, transmitInterval: 61s, "
			"detectMultiplier: 1, minimumTTL: 255, passiveMode: 1}]\n",
			"4:44 bgp.bfdProfiles[0].receiveInterval: is \"9ms\", out of bounds, since "
			"no BFD session works beyond: write 10ms to 1m\n"
			"4:67 bgp.bfdProfiles[0].transmitInterval: is \"61s\", out of bounds, "
			"since no BFD session works beyond: write 10ms to 1m\n"
			"4:90 bgp.bfdProfiles[0].detectMultiplier: is \"1\", out of bounds, since "
			"one lost packet must not end a session, and the field has 8 bits (RFC "
			"5880): write a number from 2 to 255\n"
			"4:105 bgp.bfdProfiles[0].minimumTTL: is \"255\", out of bounds, since 255 "
			"is what a single hop has: write a number from 1 to 254\n"
			"4:123 bgp.bfdProfiles[0].passiveMode: is \"1\": write true or false, "
			"without quotes\n"},
		{"equal BFD profiles", "  bfdProfiles: [{name: a}, {name: a}]\n",
			"4:35 bgp.bfdProfiles[1].name: the BFD profile \"a\" is defined twice, "
			"first on line 4: rename one\n"},
		{"a BFD profile without a name", "  bfdProfiles: [{}]\n",
			"4:17 bgp.bfdProfiles[0]: the field \"name\" is missing: add it\n"},
		{"MetalLB's milliseconds",
			"  bfdProfiles: [{name: a, receiveInterval: 300, echoMode: true}]\n",
			"4:44 bgp.bfdProfiles[0].receiveInterval: is \"300\", which is no "
			"duration: write a whole number with its unit (ms, s, m or h), for "
			"instance \"10ms\"\n"
			"4:49 bgp.bfdProfiles[0].echoMode: there is no such field: remove it, or "
			"use one of name, receiveInterval, transmitInterval, detectMultiplier, "
			"minimumTTL, passiveMode\n"},
		{"communities",
			"  communities: [{name: a, value: '0:0'}, {name: b, value: '65535:65535'}, "
			"{name: c, value: 'large:0:0:4294967295'}]\n",
			""},
		{"communities that can't be",
			"  communities: [{name: a, value: '65536:1'}, {name: b, value: '1:65536'}, "
			"{name: c, value: 'large:1:2:4294967296'}, {name: d, value: '1'}, {name: "
			"e, value: '1:2:3'}, {name: f, value: 'a:b'}, {name: g, value: '1:'}, "
			"{name: h, value: '-1:2'}, {name: i, value: 'large:1:2'}, {name: j, value: "
			"' 1:2'}]\n",
			"4:34 bgp.communities[0].value: is \"65536:1\", which is no community: "
			"each part has 16 bits: at most 65535; for larger numbers write "
			"\"large:A:B:C\"\n"
			"4:63 bgp.communities[1].value: is \"1:65536\", which is no community: "
			"each part has 16 bits: at most 65535; for larger numbers write "
			"\"large:A:B:C\"\n"
			"4:92 bgp.communities[2].value: is \"large:1:2:4294967296\", which is no "
			"community: each part has 32 bits: at most 4294967295\n"
			"4:134 bgp.communities[3].value: is \"1\", which is no community: write "
			"\"64512:100\", or \"large:64512:1:2\" for a large one\n"
			"4:157 bgp.communities[4].value: is \"1:2:3\", which is no community: a "
			"large community is written with \"large:\" before it\n"
			"4:184 bgp.communities[5].value: is \"a:b\", which is no community: write "
			"\"64512:100\", or \"large:64512:1:2\" for a large one\n"
			"4:209 bgp.communities[6].value: is \"1:\", which is no community: write "
			"\"64512:100\", or \"large:64512:1:2\" for a large one\n"
			"4:233 bgp.communities[7].value: is \"-1:2\", which is no community: write "
			"\"64512:100\", or \"large:64512:1:2\" for a large one\n"
			"4:259 bgp.communities[8].value: is \"large:1:2\", which is no community: "
			"write \"64512:100\", or \"large:64512:1:2\" for a large one\n"
			"4:290 bgp.communities[9].value: is \" 1:2\", which is no community: write "
			"\"64512:100\", or \"large:64512:1:2\" for a large one\n"},
		{"a community without its parts", "  communities: [{name: a}, {value: '1:2'}]\n",
			"4:17 bgp.communities[0]: the field \"value\" is missing: add it\n"
			"4:28 bgp.communities[1]: the field \"name\" is missing: add it\n"},
		{"equal communities",
			"  communities: [{name: a, value: '1:2'}, {name: a, value: '1:3'}]\n",
			"4:49 bgp.communities[1].name: the community \"a\" is defined twice, first "
			"on line 4: rename one\n"},
		{"a well-known name", "  communities: [{name: no-export, value: '1:2'}]\n",
			"4:24 bgp.communities[0].name: is \"no-export\", the name of a well-known "
			"community (65535:65281): choose another, or use it without defining it\n"},
		{"lists that are none",
			"  peers: {}\n"
			"  advertisements: 1\n"
			"  communities: x\n"
			"  bfdProfiles: true\n",
			"4:10 bgp.peers: is a mapping where a list is wanted: write \"[...]\", or "
			"each item on its own line after \"- \"\n"
			"5:19 bgp.advertisements: is \"1\" where a list is wanted: write "
			"\"[...]\", or each item on its own line after \"- \"\n"
			"6:16 bgp.communities: is \"x\" where a list is wanted: write \"[...]\", "
			"or each item on its own line after \"- \"\n"
			"7:16 bgp.bfdProfiles: is \"true\" where a list is wanted: write "
			"\"[...]\", or each item on its own line after \"- \"\n"},
	};

	(void)state;
	CONFIG_EXPECT(BGP, cases);
}

static void B01_defaults(void **state)
{
	struct config *config =
		config_of(BGP, "  bfdProfiles: [{name: b}]\n  asn: 64512\n  routerID: 10.0.0.1\n"
			       "  peers: [{name: a, peerASN: 64600, peerAddress: 192.0.2.1}]\n");
	const struct config_bgp_peer *peer = &config->bgp->peers[0];
	const struct config_bfd_profile *bfd = &config->bgp->bfd_profiles[0];
	const struct config_bgp_advertisement *all = &config->bgp->advertisements[0];

	(void)state;
	assert_int_equal(peer->my_asn, 64512);
	assert_int_equal(peer->local_asn, 0);
	assert_int_equal(peer->dynamic_asn, DYNAMIC_ASN_NONE);
	assert_int_equal(peer->port, 179);
	assert_int_equal(peer->hold_time_s, 90);
	assert_int_equal(peer->keepalive_time_s, 30);
	assert_int_equal(peer->connect_time_s, 120);
	assert_false(peer->multihop || peer->graceful_restart);
	assert_true(peer->ipv4 && peer->ipv6);
	assert_string_equal(ip_text(&peer->router_id).s, "10.0.0.1");
	assert_int_equal(peer->source_address.family, IP_NONE);
	assert_string_equal(peer->interface, "");
	assert_string_equal(peer->password, "");
	assert_string_equal(peer->password_secret, "");
	assert_string_equal(peer->bfd_profile, "");
	assert_string_equal(peer->vrf, "");
	assert_int_equal(bfd->receive_interval_ms, 300);
	assert_int_equal(bfd->transmit_interval_ms, 300);
	assert_int_equal(bfd->detect_multiplier, 3);
	assert_int_equal(bfd->minimum_ttl, 254);
	assert_false(bfd->passive);
	assert_int_equal(config->bgp->advertisement_count, 1);
	assert_string_equal(all->name, "");
	assert_int_equal(all->aggregation_length, 32);
	assert_int_equal(all->aggregation_length_v6, 128);
	assert_false(all->has_local_pref);
	assert_int_equal(all->community_count + all->pools.count + all->peers.count, 0);
	config_free(config);
}

static void B01_every_option_of_a_peer_is_read(void **state)
{
	struct config *config = config_of(BGP,
		"  bfdProfiles: [{name: fast}]\n"
		"  peers:\n"
		"  - {name: a, myASN: 64513, localASN: 64514, dynamicASN: internal, peerPort: "
		"1179,\n"
		"     peerAddress: '2001:db8::1', sourceAddress: '2001:db8::2', holdTime: 2m,\n"
		"     connectTime: 5s, gracefulRestart: true, families: [ipv6], vrf: red,\n"
		"     routerID: 10.0.0.9, bfdProfile: fast, passwordSecret: {name: s}}\n"
		"  - {name: b, myASN: 1, dynamicASN: external, interface: eth0, holdTime: 0s,\n"
		"     password: 'a b'}\n"
		"  - {name: c, myASN: 1, peerASN: 2, peerAddress: 10.0.0.1, keepaliveTime: 7s,\n"
		"     ebgpMultiHop: true, families: [ipv4]}\n");
	const struct config_bgp_peer *peers = config->bgp->peers;

	(void)state;
	assert_int_equal(peers[0].my_asn, 64513);
	assert_int_equal(peers[0].local_asn, 64514);
	assert_int_equal(peers[0].dynamic_asn, DYNAMIC_ASN_INTERNAL);
	assert_int_equal(peers[0].port, 1179);
	assert_string_equal(ip_text(&peers[0].address).s, "2001:db8::1");
	assert_string_equal(ip_text(&peers[0].source_address).s, "2001:db8::2");
	assert_int_equal(peers[0].hold_time_s, 120);
	assert_int_equal(peers[0].keepalive_time_s, 40);
	assert_int_equal(peers[0].connect_time_s, 5);
	assert_true(peers[0].graceful_restart && peers[0].ipv6 && !peers[0].ipv4);
	assert_string_equal(peers[0].vrf, "red");
	assert_string_equal(ip_text(&peers[0].router_id).s, "10.0.0.9");
	assert_string_equal(peers[0].bfd_profile, "fast");
	assert_string_equal(peers[0].password_secret, "s");
	assert_int_equal(peers[0].line, 6);
	assert_int_equal(peers[1].dynamic_asn, DYNAMIC_ASN_EXTERNAL);
	assert_string_equal(peers[1].interface, "eth0");
	assert_int_equal(peers[1].hold_time_s + peers[1].keepalive_time_s, 0);
	assert_string_equal(peers[1].password, "a b");
	assert_int_equal(peers[2].peer_asn, 2);
	assert_int_equal(peers[2].keepalive_time_s, 7);
	assert_true(peers[2].multihop && peers[2].ipv4 && !peers[2].ipv6);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B12_section),
		cmocka_unit_test(B01_defaults),
		cmocka_unit_test(B01_every_option_of_a_peer_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
