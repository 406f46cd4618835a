// SPDX-License-Identifier: Apache-2.0
/*
 * BGP peers (B01, B09, B12, C28): what is taken and what is told of each wrong one; that no
 * message shows a password (B07).
 */
#include <string.h>

#include "config_expect.h"
#include "herald/base/err.h"

#define BGP CONFIG_HEAD "pools: [{name: p, addresses: [192.0.2.0/24]}]\nbgp:\n"
#define PEERS BGP "  asn: 64512\n  peers:\n"

static void B01_B09_B12_peers(void **state)
{
	static const struct config_case cases[] = {
		{"the least", "  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1}\n", ""},
		{"by interface", "  - {name: a, dynamicASN: external, interface: eth0}\n", ""},
		{"MetalLB's options, all",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, myASN: 4200000000, "
			"localASN: 64513, sourceAddress: 192.0.2.2, peerPort: 1179, holdTime: 9s, "
			"keepaliveTime: 3s, connectTime: 5s, ebgpMultiHop: true, gracefulRestart: "
			"true, families: [ipv4, ipv6], passwordSecret: {name: a.b}, routerID: "
			"192.0.2.3, vrf: red, nodeSelectors: [{matchLabels: {a: b}}]}\n",
			""},
		{"C28: a Secret that may be missing",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, passwordSecret: "
			"{name: perhaps}}\n",
			""},
		{"no ASN of theirs", "  - {name: a, peerAddress: 192.0.2.1}\n",
			"6:5 bgp.peers[0]: the field \"peerASN\" is missing: add it, or "
			"\"dynamicASN\"\n"},
		{"both kinds of it",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, dynamicASN: "
			"external}\n",
			"6:67 bgp.peers[0].dynamicASN: stands beside \"peerASN\": keep one of the "
			"two\n"},
		{"ASN 0", "  - {name: a, peerAddress: 192.0.2.1, peerASN: 0}\n",
			"6:48 bgp.peers[0].peerASN: is \"0\", out of bounds, since 0 and "
			"4294967295 are reserved (RFC 7607, RFC 7300): write a number from 1 to "
			"4294967294\n"},
		{"ASN out of range",
			"  - {name: a, peerAddress: 192.0.2.1, peerASN: 4294967296, myASN: "
			"4294967295, localASN: -1}\n",
			"6:48 bgp.peers[0].peerASN: is \"4294967296\", out of bounds, since 0 and "
			"4294967295 are reserved (RFC 7607, RFC 7300): write a number from 1 to "
			"4294967294\n"
			"6:67 bgp.peers[0].myASN: is \"4294967295\", out of bounds, since 0 and "
			"4294967295 are reserved (RFC 7607, RFC 7300): write a number from 1 to "
			"4294967294\n"
			"6:89 bgp.peers[0].localASN: is \"-1\", out of bounds, since 0 and "
			"4294967295 are reserved (RFC 7607, RFC 7300): write a number from 1 to "
			"4294967294\n"},
		{"the last ASN", "  - {name: a, peerAddress: 192.0.2.1, peerASN: 4294967294}\n",
			""},
		{"an ASN with a dot", "  - {name: a, peerAddress: 192.0.2.1, peerASN: 1.10}\n",
			"6:48 bgp.peers[0].peerASN: is \"1.10\" where a whole number is wanted: "
			"write one from 1 to 4294967294, without quotes\n"},
		{"a dynamic ASN of no kind",
			"  - {name: a, peerAddress: 192.0.2.1, dynamicASN: externl}\n",
			"6:51 bgp.peers[0].dynamicASN: is \"externl\": did you mean \"external\"? "
			"It can be internal or external\n"},
		{"neither address nor interface", "  - {name: a, peerASN: 64600}\n",
			"6:5 bgp.peers[0]: the field \"peerAddress\" is missing: add it, or "
			"\"interface\" or \"peerRange\"\n"},
		{"address and interface",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, interface: eth0}\n",
			"6:66 bgp.peers[0].interface: stands beside \"peerAddress\": keep one of "
			"the two\n"},
		{"no address", "  - {name: a, peerASN: 64600, peerAddress: router.example.com}\n",
			"6:44 bgp.peers[0].peerAddress: is \"router.example.com\", which is no "
			"IPv4 or IPv6 address: write one such as 192.0.2.1 or 2001:db8::1\n"},
		{"a prefix as address",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1/24}\n",
			"6:44 bgp.peers[0].peerAddress: is \"192.0.2.1/24\", which is no IPv4 or "
			"IPv6 address: write one such as 192.0.2.1 or 2001:db8::1\n"},
		{"the unspecified address", "  - {name: a, peerASN: 64600, peerAddress: 0.0.0.0}\n",
			"6:44 bgp.peers[0].peerAddress: is \"0.0.0.0\", which no router can have: "
			"write the peer's own\n"},
		{"a group", "  - {name: a, peerASN: 64600, peerAddress: ff02::1}\n",
			"6:44 bgp.peers[0].peerAddress: is \"ff02::1\", which no router can have: "
			"write the peer's own\n"},
		{"a link-local address", "  - {name: a, peerASN: 64600, peerAddress: fe80::1}\n",
			"6:44 bgp.peers[0].peerAddress: is \"fe80::1\", a link-local address: name "
			"the interface in \"interface\" instead\n"},
		{"a mapped address",
			"  - {name: a, peerASN: 64600, peerAddress: '::ffff:192.0.2.1'}\n",
			"6:44 bgp.peers[0].peerAddress: is \"::ffff:192.0.2.1\", which is no IPv4 "
			"or IPv6 address: write one such as 192.0.2.1 or 2001:db8::1\n"},
		{"an interface that can't be",
			"  - {name: a, dynamicASN: external, interface: a/b}\n",
			"6:48 bgp.peers[0].interface: is \"a/b\", which is not an interface's "
			"name: at most 15 characters, without '/', blanks, quotes and wildcards\n"},
		{"an interface as pattern",
			"  - {name: a, dynamicASN: external, interface: 'eth*'}\n",
			"6:48 bgp.peers[0].interface: is \"eth*\", which is not an interface's "
			"name: at most 15 characters, without '/', blanks, quotes and wildcards\n"},
		{"a source of the other family",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, sourceAddress: "
			"'2001:db8::1'}\n",
			"6:70 bgp.peers[0].sourceAddress: is \"2001:db8::1\", of another family "
			"than peerAddress 192.0.2.1\n"},
		{"a source that is none",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, sourceAddress: "
			"eth0}\n",
			"6:70 bgp.peers[0].sourceAddress: is \"eth0\", which is no IPv4 or IPv6 "
			"address: write one such as 192.0.2.1 or 2001:db8::1\n"},
		{"an unspecified source",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, sourceAddress: "
			"0.0.0.0}\n",
			"6:70 bgp.peers[0].sourceAddress: is \"0.0.0.0\", which no node can have: "
			"write the node's own, or remove it\n"},
		{"a source that is a group",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, sourceAddress: "
			"224.0.0.5}\n",
			"6:70 bgp.peers[0].sourceAddress: is \"224.0.0.5\", which no node can "
			"have: write the node's own, or remove it\n"},
		{"port 0", "  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, peerPort: 0}\n",
			"6:65 bgp.peers[0].peerPort: is \"0\", out of bounds: write a number from "
			"1 to 65535\n"},
		{"a port too high",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, peerPort: 65536}\n",
			"6:65 bgp.peers[0].peerPort: is \"65536\", out of bounds: write a number "
			"from 1 to 65535\n"},
		{"a hold time of 1 s",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, holdTime: 1s}\n",
			"6:65 bgp.peers[0].holdTime: is \"1s\", out of bounds, since 1 and 2 "
			"seconds are forbidden and the field has 16 bits (RFC 4271, 4.2): write "
			"0s, or 3s to 65535s\n"},
		{"a hold time of 2 s",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, holdTime: 2s}\n",
			"6:65 bgp.peers[0].holdTime: is \"2s\", out of bounds, since 1 and 2 "
			"seconds are forbidden and the field has 16 bits (RFC 4271, 4.2): write "
			"0s, or 3s to 65535s\n"},
		{"the shortest",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, holdTime: 3s}\n",
			""},
		{"no hold time",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, holdTime: 0s}\n",
			""},
		{"one too long",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, holdTime: 65536s}\n",
			"6:65 bgp.peers[0].holdTime: is \"65536s\", out of bounds, since 1 and 2 "
			"seconds are forbidden and the field has 16 bits (RFC 4271, 4.2): write "
			"0s, or 3s to 65535s\n"},
		{"parts of a second",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, holdTime: 3500ms}\n",
			"6:65 bgp.peers[0].holdTime: is \"3500ms\", but only whole seconds are "
			"possible here: write \"4s\"\n"},
		{"keepalives above it",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, holdTime: 9s, "
			"keepaliveTime: 10s}\n",
			"6:84 bgp.peers[0].keepaliveTime: is \"10s\", above the hold time of 9s: "
			"write 3s, a third of it\n"},
		{"keepalives equal to it",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, holdTime: 9s, "
			"keepaliveTime: 9s}\n",
			""},
		{"keepalives above the default",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, keepaliveTime: "
			"91s}\n",
			"6:70 bgp.peers[0].keepaliveTime: is \"91s\", above the hold time of 90s: "
			"write 30s, a third of it\n"},
		{"keepalives without hold time",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, holdTime: 0s, "
			"keepaliveTime: 1s}\n",
			"6:84 bgp.peers[0].keepaliveTime: stands beside a hold time of 0s, which "
			"means no keepalives: remove it\n"},
		{"of a wrong hold time nothing follows",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, holdTime: 300, "
			"keepaliveTime: 100s}\n",
			"6:65 bgp.peers[0].holdTime: is \"300\", which is no duration: write a "
			"whole number with its unit (ms, s, m or h), for instance \"3s\"\n"},
		{"a keepalive time of none",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, keepaliveTime: "
			"0s}\n",
			"6:70 bgp.peers[0].keepaliveTime: is \"0s\", out of bounds, since it is at "
			"most a third of the longest hold time: write 1s to 21845s\n"},
		{"a retry of none",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, connectTime: 0s}\n",
			"6:68 bgp.peers[0].connectTime: is \"0s\", out of bounds: write 1s to "
			"65535s\n"},
		{"multihop with our own AS",
			"  - {name: a, peerASN: 64512, peerAddress: 192.0.2.1, ebgpMultiHop: "
			"true}\n",
			"6:69 bgp.peers[0].ebgpMultiHop: is true, but the peer is of our own AS, "
			"where every session may take several hops: remove it\n"},
		{"multihop with our own, dynamic",
			"  - {name: a, dynamicASN: internal, peerAddress: 192.0.2.1, ebgpMultiHop: "
			"true}\n",
			"6:75 bgp.peers[0].ebgpMultiHop: is true, but the peer is of our own AS, "
			"where every session may take several hops: remove it\n"},
		{"multihop with what is ours towards this peer",
			"  - {name: a, peerASN: 64513, localASN: 64513, peerAddress: 192.0.2.1, "
			"ebgpMultiHop: true}\n",
			"6:86 bgp.peers[0].ebgpMultiHop: is true, but the peer is of our own AS, "
			"where every session may take several hops: remove it\n"},
		{"multihop to another AS behind a local one",
			"  - {name: a, peerASN: 64512, localASN: 64513, peerAddress: 192.0.2.1, "
			"ebgpMultiHop: true}\n",
			""},
		{"multihop on an interface",
			"  - {name: a, dynamicASN: external, interface: eth0, ebgpMultiHop: "
			"true}\n",
			"6:68 bgp.peers[0].ebgpMultiHop: is true, but a peer found on an interface "
			"is one hop away: remove it\n"},
		{"multihop false",
			"  - {name: a, peerASN: 64512, peerAddress: 192.0.2.1, ebgpMultiHop: "
			"false}\n",
			""},
		{"no families",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, families: []}\n",
			"6:65 bgp.peers[0].families: is an empty list: remove it to carry both "
			"families\n"},
		{"a family twice",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, families: [ipv4, "
			"ipv4]}\n",
			"6:72 bgp.peers[0].families[1]: \"ipv4\" stands twice in the list: remove "
			"one\n"},
		{"an unknown family",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, families: [ipv5]}\n",
			"6:66 bgp.peers[0].families[0]: is \"ipv5\", which is not ipv4 or ipv6\n"},
		{"a router ID of IPv6",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, routerID: '::1'}\n",
			"6:65 bgp.peers[0].routerID: is \"::1\": a router ID has the form of an "
			"IPv4 address and is not 0.0.0.0\n"},
		{"a router ID of zeros",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, routerID: "
			"0.0.0.0}\n",
			"6:65 bgp.peers[0].routerID: is \"0.0.0.0\": a router ID has the form of "
			"an IPv4 address and is not 0.0.0.0\n"},
		{"a router ID that is a number",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, routerID: 7}\n",
			"6:65 bgp.peers[0].routerID: is \"7\", which YAML takes for a number: put "
			"it in quotes\n"},
		{"an unknown BFD profile",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, bfdProfile: fast}\n",
			"6:67 bgp.peers[0].bfdProfile: there is no BFD profile \"fast\": define "
			"it, or remove it here\n"},
		{"a vrf that can't be",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, vrf: a/b}\n",
			"6:60 bgp.peers[0].vrf: is \"a/b\", which is not an interface's name: at "
			"most 15 characters, without '/', blanks, quotes and wildcards\n"},
		{"MetalLB's field names",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password_secret: "
			"{}, peerASn: 1, ebgpMultihop: true, enableGracefulRestart: true, "
			"disableMP: true}\n",
			"6:55 bgp.peers[0].password_secret: there is no such field: did you mean "
			"\"passwordSecret\"?\n"
			"6:76 bgp.peers[0].peerASn: there is no such field: did you mean "
			"\"peerASN\"?\n"
			"6:88 bgp.peers[0].ebgpMultihop: there is no such field: did you mean "
			"\"ebgpMultiHop\"?\n"
			"6:108 bgp.peers[0].enableGracefulRestart: there is no such field: did you "
			"mean \"gracefulRestart\"?\n"
			"6:137 bgp.peers[0].disableMP: there is no such field: remove it, or use "
			"one of name, myASN, localASN, peerASN, dynamicASN, peerAddress, "
			"peerRange, interface, sourceAddress, peerPort, localPort, holdTime, "
			"keepaliveTime, connectTime, ebgpMultiHop, hops, ttlSecurity, passive, "
			"gracefulRestart, gracefulRestartTime, longLivedTime, families, password, "
			"passwordSecret, routerID, bfdProfile, vrf, birdConfig, nodeSelectors\n"},
		{"no name", "  - {peerASN: 64600, peerAddress: 192.0.2.1}\n",
			"6:5 bgp.peers[0]: the field \"name\" is missing: add it\n"},
	};

	(void)state;
	CONFIG_EXPECT(PEERS, cases);
}

static void B07_B12_no_message_shows_a_password(void **state)
{
	static const struct config_case cases[] = {
		{"both",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: hunter2, "
			"passwordSecret: {name: a}}\n",
			"6:90 bgp.peers[0].passwordSecret: stands beside \"password\": keep one, "
			"better this one\n"},
		{"a number",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: "
			"12345678}\n",
			"6:65 bgp.peers[0].password: is a number (not shown here) where text is "
			"wanted: put it in quotes; better: put it into a Secret and name that in "
			"passwordSecret\n"},
		{"a boolean",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: true}\n",
			"6:65 bgp.peers[0].password: is a boolean (not shown here) where text is "
			"wanted: put it in quotes; better: put it into a Secret and name that in "
			"passwordSecret\n"},
		{"null", "  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: null}\n",
			"6:65 bgp.peers[0].password: is nothing (not shown here) where text is "
			"wanted: put it in quotes; better: put it into a Secret and name that in "
			"passwordSecret\n"},
		{"nothing", "  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: }\n",
			"6:65 bgp.peers[0].password: must be text of 1 to 80 bytes without '\"' "
			"and control characters (not shown here); better: put it into a Secret and "
			"name that in passwordSecret\n"},
		{"empty text",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: \"\"}\n",
			"6:65 bgp.peers[0].password: must be text of 1 to 80 bytes without '\"' "
			"and control characters (not shown here); better: put it into a Secret and "
			"name that in passwordSecret\n"},
		{"too long",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: "
			"\"hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hu"
			"nter2hunter2\"}\n",
			"6:65 bgp.peers[0].password: must be text of 1 to 80 bytes without '\"' "
			"and control characters (not shown here); better: put it into a Secret and "
			"name that in passwordSecret\n"},
		{"a list",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: "
			"[hunter2]}\n",
			"6:65 bgp.peers[0].password: must be text of 1 to 80 bytes without '\"' "
			"and control characters (not shown here); better: put it into a Secret and "
			"name that in passwordSecret\n"},
		{"a mapping",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: {hunter2: "
			"hunter2}}\n",
			"6:65 bgp.peers[0].password: must be text of 1 to 80 bytes without '\"' "
			"and control characters (not shown here); better: put it into a Secret and "
			"name that in passwordSecret\n"},
		{"quotes",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: "
			"'hunt\"er2'}\n",
			"6:65 bgp.peers[0].password: must be text of 1 to 80 bytes without '\"' "
			"and control characters (not shown here); better: put it into a Secret and "
			"name that in passwordSecret\n"},
		{"a line break",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: "
			"\"hunter2\\n\"}\n",
			"6:65 bgp.peers[0].password: must be text of 1 to 80 bytes without '\"' "
			"and control characters (not shown here); better: put it into a Secret and "
			"name that in passwordSecret\n"},
		{"a NUL",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: "
			"\"hunter2\\0\"}\n",
			"6:65 bgp.peers[0].password: must be text of 1 to 80 bytes without '\"' "
			"and control characters (not shown here); better: put it into a Secret and "
			"name that in passwordSecret\n"},
		{"a password where a Secret's name belongs",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, passwordSecret: "
			"hunter2}\n",
			"6:71 bgp.peers[0].passwordSecret: must name a Secret (the value is not "
			"shown here): write {name: ...}\n"},
		{"a slip in the field's name",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, pasword: hunter2}\n",
			"6:55 bgp.peers[0].pasword: there is no such field: did you mean "
			"\"password\"?\n"},
		{"no name of a Secret",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, passwordSecret: "
			"{}}\n",
			"6:71 bgp.peers[0].passwordSecret: the field \"name\" is missing: add "
			"it\n"},
		{"a number in quotes",
			"  - {name: a, peerASN: 64600, peerAddress: 192.0.2.1, password: "
			"\"12345678\"}\n",
			""},
	};

	(void)state;
	CONFIG_EXPECT(PEERS, cases);
}

/* Whatever is wrong, the password is in no message: the table above shows it, this counts. */
static void B07_passwords_stay_out(void **state)
{
	static const char *const values[] = {"password: hunter2\n    passwordSecret: {name: a}",
		"password: [hunter2]", "password: \"hunter2\\0\"", "passwordSecret: hunter2",
		"passwordSecret: [hunter2]", "pasword: hunter2", "password: &a hunter2",
		"password: !x hunter2", "password: hunter2\n    password: hunter2"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		AUTO_FREE char *text = xasprintf(PEERS "  - name: a\n    peerASN: 1\n"
						       "    peerAddress: 192.0.2.1\n    %s\n",
			values[i]);
		struct config_problems problems = {0};

		assert_null(config_parse(text, strlen(text), &problems));
		assert_int_not_equal(problems.count, 0);
		for (size_t k = 0; k < problems.count; k++) {
			assert_null(strstr(problems.items[k].text, "hunter2"));
			assert_null(strstr(problems.items[k].field, "hunter2"));
		}
		config_problems_done(&problems);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B01_B09_B12_peers),
		cmocka_unit_test(B07_B12_no_message_shows_a_password),
		cmocka_unit_test(B07_passwords_stay_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
