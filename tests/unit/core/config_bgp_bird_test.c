// SPDX-License-Identifier: Apache-2.0
/*
 * What BIRD can do beyond MetalLB's fields (B01, B12): dynamic neighbours, hops, restarts,
 * what routes say, and the administrator's own text, which can't leave its block.
 */
#include <string.h>

#include "config_expect.h"
#include "herald/core/config_bgp.h"

#define BGP CONFIG_HEAD "pools: [{name: p, addresses: [192.0.2.0/24, '2001:db8::/64']}]\nbgp:\n"
#define PEERS BGP "  asn: 64512\n  peers:\n"
#define NO_END ": it must be whole statements in BIRD's language, which can stand in a block\n"

static void B12_who_the_peer_is(void **state)
{
	static const struct config_case cases[] = {
		{"a network", "  - {name: a, peerASN: 1, peerRange: 192.0.2.0/24}\n", ""},
		{"another one",
			"  - {name: a, peerASN: 1, peerRange: 192.0.2.0/24}\n"
			"  - {name: b, peerASN: 1, peerRange: '2001:db8::/32'}\n",
			""},
		{"the same one",
			"  - {name: a, peerASN: 1, peerRange: 192.0.2.0/24}\n"
			"  - {name: b, peerASN: 1, peerRange: 192.0.2.0/24}\n",
			"7:5 bgp.peers[1]: the peer \"b\" is the same router as \"a\" on line 6, "
			"on nodes that both select: remove one, or give them nodeSelectors that no "
			"node satisfies both of\n"},
		{"host bits", "  - {name: a, peerASN: 1, peerRange: 192.0.2.1/24}\n",
			"6:38 bgp.peers[0].peerRange: is \"192.0.2.1/24\", which is no network: "
			"write one such as 192.0.2.0/24, with no bit set beyond its length\n"},
		{"link-local ones", "  - {name: a, peerASN: 1, peerRange: 'fe80::/64'}\n",
			"6:38 bgp.peers[0].peerRange: is \"fe80::/64\", where no router calls "
			"from: write the routers' network; those on a link of their own are found "
			"by \"interface\"\n"},
		{"two ways to say who",
			"  - {name: a, peerASN: 1, peerRange: 192.0.2.0/24, interface: eth0}\n",
			"6:38 bgp.peers[0].peerRange: stands beside \"interface\": keep one of the "
			"two\n"},
		{"nobody is called",
			"  - {name: a, peerASN: 1, peerRange: 192.0.2.0/24, peerPort: 1179}\n",
			"6:62 bgp.peers[0].peerPort: stands beside \"peerRange\", whose routers "
			"call us: remove it\n"},
		{"another family",
			"  - {name: a, peerASN: 1, peerRange: 192.0.2.0/24, sourceAddress: "
			"'2001:db8::1'}\n",
			"6:67 bgp.peers[0].sourceAddress: is \"2001:db8::1\", of another family "
			"than peerRange 192.0.2.0\n"},
	};

	(void)state;
	CONFIG_EXPECT(PEERS, cases);
}

static void B12_how_far_the_peer_is(void **state)
{
	static const struct config_case cases[] = {
		{"direct, and only direct",
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1, ttlSecurity: true}\n",
			""},
		{"three hops",
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1, ttlSecurity: true, "
			"hops: 3}\n",
			""},
		{"of our AS",
			"  - {name: a, peerASN: 64512, peerAddress: 192.0.2.1, ttlSecurity: "
			"true}\n",
			"6:68 bgp.peers[0].ttlSecurity: is true, but how far away the peer is at "
			"most is not said: add \"hops\"\n"},
		{"any number",
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1, ttlSecurity: true, "
			"ebgpMultiHop: true}\n",
			"6:64 bgp.peers[0].ttlSecurity: is true, but how far away the peer is at "
			"most is not said: add \"hops\" in place of \"ebgpMultiHop\"\n"},
		{"said twice",
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1, hops: 3, "
			"ebgpMultiHop: true}\n",
			"6:74 bgp.peers[0].ebgpMultiHop: stands beside \"hops\": keep one, better "
			"that one\n"},
		{"beyond a link", "  - {name: a, peerASN: 1, interface: eth0, hops: 2}\n",
			"6:50 bgp.peers[0].hops: is 2, but a peer found on an interface is one hop "
			"away: remove it\n"},
	};

	(void)state;
	CONFIG_EXPECT(PEERS, cases);
}

static void B12_graceful_restart(void **state)
{
	static const struct config_case cases[] = {
		{"all of it",
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1, gracefulRestart: true, "
			"gracefulRestartTime: 4095s, longLivedTime: 24h}\n",
			""},
		{"a time alone",
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1, longLivedTime: 24h}\n",
			"6:66 bgp.peers[0].longLivedTime: has no meaning without "
			"\"gracefulRestart: true\": add that, or remove this\n"},
		{"too long for 12 bits",
			"  - {name: a, peerASN: 1, peerAddress: 192.0.2.1, gracefulRestart: true, "
			"gracefulRestartTime: 4096s}\n",
			"6:95 bgp.peers[0].gracefulRestartTime: is \"4096s\", out of bounds, since "
			"the field has 12 bits (RFC 4724, 3): write 1s to 4095s\n"},
	};

	(void)state;
	CONFIG_EXPECT(PEERS, cases);
}

static void B02_B10_what_routes_say(void **state)
{
	static const struct config_case cases[] = {
		{"all of it",
			"  advertisements: [{med: 0, prepend: 10, nextHop: node, weight: "
			"bandwidth}]\n",
			""},
		{"a next hop that is none",
			"  advertisements: [{nextHop: nde}, {nextHop: 0.0.0.0}]\n",
			"4:30 bgp.advertisements[0].nextHop: is \"nde\", which is no address that "
			"a router can send to: write one, or self or node\n"
			"4:46 bgp.advertisements[1].nextHop: is \"0.0.0.0\", which is no address "
			"that a router can send to: write one, or self or node\n"},
		{"two next hops",
			"  advertisements:\n"
			"  - {name: x, nextHop: 192.0.2.1}\n"
			"  - {name: y, nextHop: 192.0.2.2}\n",
			"6:5 bgp.advertisements[1]: the advertisement \"y\" sets nextHop 192.0.2.2 "
			"where \"x\" on line 5 sets 192.0.2.1 for the same routes: make them "
			"equal, or keep the two apart by pools, peers or selectors\n"},
		{"one next hop for each family",
			"  advertisements:\n"
			"  - {name: x, nextHop: 192.0.2.1}\n"
			"  - {name: y, nextHop: '2001:db8::1'}\n",
			""},
		{"one sets what the other leaves",
			"  advertisements:\n"
			"  - {name: x, med: 5}\n"
			"  - {name: y, prepend: 2}\n",
			""},
		{"two weights",
			"  advertisements:\n"
			"  - {name: x, weight: prepend}\n"
			"  - {name: y, weight: bandwidth}\n",
			"6:5 bgp.advertisements[1]: the advertisement \"y\" sets weight bandwidth "
			"where \"x\" on line 5 sets prepend for the same routes: make them equal, "
			"or keep the two apart by pools, peers or selectors\n"},
		{"a weight of many",
			"  advertisements:\n"
			"  - {weight: prepend, aggregationLength: 24}\n",
			"5:14 bgp.advertisements[0].weight: stands beside an aggregation length "
			"below the address's own: such a route stands for many Services, so remove "
			"one of the two\n"},
	};

	(void)state;
	CONFIG_EXPECT(BGP, cases);
}

static void text_for_BIRD(void **state)
{
	static const struct config_case cases[] = {
		{"statements, comments, strings",
			"  birdConfig: |\n"
			"    # a comment with } in it\n"
			"    /* and \" another */\n"
			"    function f(int x) { if x = 1 then { print \"}\"; } }\n"
			"    define l = [ 1, (1,2) ];\n",
			""},
		{"the end of the block", "  birdConfig: '} protocol kernel {'\n",
			"4:15 bgp.birdConfig: closes a bracket that it has not opened, in its line "
			"1" NO_END},
		{"another kind of bracket", "  birdConfig: \"x\\n( }\"\n",
			"4:15 bgp.birdConfig: closes a bracket that it has not opened, in its line "
			"2" NO_END},
		{"no end", "  birdConfig: 'filter f {'\n",
			"4:15 bgp.birdConfig: opens a bracket that it does not close, in its line "
			"1" NO_END},
		{"a string", "  birdConfig: 'print \"x;'\n",
			"4:15 bgp.birdConfig: has a string without an end, in its line 1" NO_END},
		{"a string over lines", "  birdConfig: \"print \\\"x\\ny\\\";\"\n",
			"4:15 bgp.birdConfig: has a string without an end, in its line 1" NO_END},
		{"a comment", "  birdConfig: '/* x'\n",
			"4:15 bgp.birdConfig: has a comment without an end, in its line 1" NO_END},
		{"other files", "  birdConfig: 'include \"/etc/shadow\";'\n",
			"4:15 bgp.birdConfig: includes a file: write what that has here, in its "
			"line 1" NO_END},
		{"a word like that", "  birdConfig: 'define include_x = 1; # include'\n", ""},
		{"a control character", "  birdConfig: \"x\\x1b\"\n",
			"4:15 bgp.birdConfig: has a control character, in its line 1" NO_END},
	};

	(void)state;
	CONFIG_EXPECT(BGP, cases);
}

static void what_is_not_said(void **state)
{
	struct config *config =
		config_of(PEERS, "  - {name: a, peerASN: 1, peerAddress: 192.0.2.1}\n");
	const struct config_bgp_peer *peer = &config->bgp->peers[0];

	(void)state;
	assert_int_equal(config->bgp->drain_time_s, 5);
	assert_string_equal(config->bgp->extra, "");
	assert_int_equal(peer->local_port, 179);
	assert_int_equal(peer->hops, 0);
	assert_int_equal(peer->restart_time_s, 120);
	assert_int_equal(peer->long_lived_time_s, 0);
	assert_int_equal(peer->range.address.family, IP_NONE);
	assert_string_equal(peer->extra, "");
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B12_who_the_peer_is),
		cmocka_unit_test(B12_how_far_the_peer_is),
		cmocka_unit_test(B12_graceful_restart),
		cmocka_unit_test(B02_B10_what_routes_say),
		cmocka_unit_test(text_for_BIRD),
		cmocka_unit_test(what_is_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
