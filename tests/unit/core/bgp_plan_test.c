// SPDX-License-Identifier: Apache-2.0
/*
 * The BGP plan of a node, whole: which sessions, which routes to whom, which addresses are
 * not announced and why, and what is held back (B02, B09, B10, C28, C29, K30, K39, K40, K44).
 */
#include <string.h>

#include "bgp_scene.h"
#include "config_expect.h"
#include "herald/base/err.h"

#define POOLS                                                                                      \
	CONFIG_HEAD "addresses: {announceExternalIPs: [203.0.113.0/24]}\n"                         \
		    "pools:\n"                                                                     \
		    "- {name: p, addresses: [192.0.2.0/24, '2001:db8::/120']}\n"                   \
		    "- {name: q, addresses: [198.51.100.0/24]}\n"                                  \
		    "bgp:\n"                                                                       \
		    "  asn: 64512\n"                                                               \
		    "  peers:\n"                                                                   \
		    "  - {name: a, peerASN: 1, peerAddress: 10.0.0.1}\n"
#define TWO POOLS "  - {name: b, peerASN: 64512, peerAddress: 10.0.0.2}\n"
#define NODES                                                                                      \
	"node node1 10.0.0.11 2001:db8:1::11 rack=a\n"                                             \
	"node node2 10.0.0.12 rack=b\n"

struct plan_case {
	const char *what, *config, *scene, *plan;
};

static void expect(const char *before, const struct plan_case *cases, size_t count)
{
	unsigned failed = 0;

	for (size_t i = 0; i < count; i++) {
		struct config *config = config_of(before, cases[i].config);
		struct bgp_scene *scene = bgp_scene_new(config, cases[i].scene);
		struct bgp_plan *plan = bgp_plan_make(bgp_scene_input(scene));
		AUTO_FREE char *shown = bgp_plan_show(plan);

		if (strcmp(shown, cases[i].plan) != 0) {
			print_error("%s: expected\n%s\nbut it is\n%s\n", cases[i].what,
				cases[i].plan, shown);
			failed++;
		}
		bgp_plan_free(plan);
		bgp_scene_free(scene);
		config_free(config);
	}
	assert_int_equal(failed, 0);
}
#define EXPECT(before, table) expect((before), (table), sizeof(table) / sizeof((table)[0]))

static void which_addresses(void **state)
{
	static const struct plan_case cases[] = {
		{"no Service", "", NODES, "session a\n"},
		{"of both families, outside the pools, external ones", "",
			NODES "service s 192.0.2.1 2001:db8::1 10.9.9.9 external:203.0.113.7 "
			      "external:203.0.114.7\n",
			"session a\n"
			"route 192.0.2.1/32 to all:\n"
			"route 203.0.113.7/32 to all:\n"
			"route 2001:db8::1/128 to all:\n"
			"vip 192.0.2.1 s: announced, eligible, by 192.0.2.1/32\n"
			"vip 203.0.113.7 s: announced, eligible, by 203.0.113.7/32\n"
			"vip 2001:db8::1 s: announced, eligible, by 2001:db8::1/128\n"},
		{"shared", "", NODES "service t 192.0.2.1\nservice s 192.0.2.1\n",
			"session a\n"
			"route 192.0.2.1/32 to all:\n"
			"vip 192.0.2.1 s: announced, eligible, by 192.0.2.1/32\n"},
		{"cluster IPs that are allowed, by the policy inside the cluster",
			"  announceClusterIPs: [10.96.0.0/16]\n"
			"  advertisements: [{}, {pools: [p], communities: [no-export]}]\n",
			NODES "service s cluster:10.96.0.1 cluster:10.97.0.1 local\n"
			      "service t cluster:10.96.0.2 internal\n"
			      "service u cluster:10.96.0.3 internal 192.0.2.3\n"
			      "endpoint u node1\n",
			"session a\n"
			"route 10.96.0.1/32 to all:\n"
			"route 10.96.0.3/32 to all:\n"
			"route 192.0.2.3/32 to all: 65535:65281\n"
			"vip 10.96.0.1 s: announced, eligible, by 10.96.0.1/32\n"
			"vip 10.96.0.2 t: not announced, no endpoint there "
			"(traffic policy Local)\n"
			"vip 10.96.0.3 u: announced, eligible, by 10.96.0.3/32\n"
			"vip 192.0.2.3 u: announced, eligible, by 192.0.2.3/32\n"},
		{"no advertisement", "  advertisements: []\n", NODES "service s 192.0.2.1\n",
			"session a\n"
			"vip 192.0.2.1 s: not announced, no advertisement covers this pool and "
			"Service\n"},
		{"another pool's", "  advertisements: [{pools: [q]}]\n",
			NODES "service s 192.0.2.1 198.51.100.1 external:203.0.113.7\n",
			"session a\n"
			"route 198.51.100.1/32 to all:\n"
			"vip 192.0.2.1 s: not announced, no advertisement covers this pool and "
			"Service\n"
			"vip 198.51.100.1 s: announced, eligible, by 198.51.100.1/32\n"
			"vip 203.0.113.7 s: not announced, no advertisement covers this pool and "
			"Service\n"},
		{"of some Services",
			"  advertisements: [{serviceSelectors: [{matchLabels: {x: y}}]}]\n",
			NODES "service s 192.0.2.1\nservice t 192.0.2.2 x=y\n",
			"session a\n"
			"route 192.0.2.2/32 to all:\n"
			"vip 192.0.2.1 s: not announced, no advertisement covers this pool and "
			"Service\n"
			"vip 192.0.2.2 t: announced, eligible, by 192.0.2.2/32\n"},
		{"from other nodes",
			"  advertisements: [{nodeSelectors: [{matchLabels: {rack: b}}]}]\n",
			NODES "service s 192.0.2.1\n",
			"session a\n"
			"vip 192.0.2.1 s: not announced, no advertisement's nodeSelectors select "
			"it\n"},
	};

	(void)state;
	EXPECT(POOLS, cases);
}

#define EXCLUDE "node.kubernetes.io/exclude-from-external-load-balancers"
#define GONE "session a\nvip 192.0.2.1 s: not announced, "
#define HERE "session a\nroute 192.0.2.1/32 to all:\nvip 192.0.2.1 s: announced, "

static void K30_K39_K40_K44_which_nodes(void **state)
{
	static const struct plan_case cases[] = {
		{"K39", "",
			"node node1 " EXCLUDE "=\n"
			"service s 192.0.2.1\n",
			GONE "labelled " EXCLUDE "\n"},
		{"K40: no Lease of ours is no reason for ourselves", "",
			"node node1 nospeaker\nservice s 192.0.2.1\n",
			HERE "eligible, by 192.0.2.1/32\n"},
		{"K40: not ready, and another is", "",
			"node node1 notready\nnode node2\nservice s 192.0.2.1\n",
			GONE "eligible, but not ready\n"},
		{"K40: not ready, and the other has no speaker", "",
			"node node1 notready\nnode node2 nospeaker\nservice s 192.0.2.1\n",
			HERE "eligible, but not ready, by 192.0.2.1/32\n"},
		{"K40: not ready, and no other is selected",
			"  advertisements: [{nodeSelectors: [{matchLabels: {rack: a}}]}]\n",
			"node node1 notready rack=a\nnode node2\nservice s 192.0.2.1\n",
			HERE "eligible, but not ready, by 192.0.2.1/32\n"},
		{"K40: not ready, and the other has none of the peers",
			"  - {name: b, peerASN: 2, peerAddress: 10.0.0.2, nodeSelectors: "
			"[{matchLabels: {rack: a}}]}\n"
			"  advertisements: [{peers: [b]}]\n",
			"node node1 notready rack=a\nnode node2 rack=b\nservice s 192.0.2.1\n",
			"session a\nsession b\nroute 192.0.2.1/32 to b:\n"
			"vip 192.0.2.1 s: announced, eligible, but not ready, by 192.0.2.1/32\n"},
		{"being deleted", "", "node node1 deleting\nservice s 192.0.2.1\n",
			GONE "the node is being deleted\n"},
		{"C12", "", "node node1 shutdown\nservice s 192.0.2.1\n",
			GONE "the node is shutting down\n"},
		{"C21: cordoned", "", "node node1 cordoned\nservice s 192.0.2.1\n",
			HERE "eligible, by 192.0.2.1/32\n"},
		{"K30: no endpoint here", "", NODES "service s 192.0.2.1 local\nendpoint s node2\n",
			GONE "no endpoint there (traffic policy Local)\n"},
		{"K30: one here", "", NODES "service s 192.0.2.1 local\nendpoint s node1\n",
			HERE "eligible, by 192.0.2.1/32\n"},
		{"K30: of the other family", "",
			NODES "service s 192.0.2.1 local\nendpoint s node1 v6\n",
			GONE "no endpoint there (traffic policy Local)\n"},
		{"K44: terminating here, ready there", "",
			NODES "service s 192.0.2.1 local\nendpoint s node1 terminating\n"
			      "endpoint s node2\n",
			GONE "eligible, but its endpoints are terminating\n"},
		{"K44: terminating everywhere", "",
			NODES "service s 192.0.2.1 local\nendpoint s node1 terminating\n"
			      "endpoint s node2 terminating\n",
			HERE "eligible, but its endpoints are terminating, by 192.0.2.1/32\n"},
		{"the node is not known yet", "", "service s 192.0.2.1\n", ""},
	};

	(void)state;
	EXPECT(POOLS, cases);
}

static void B05_drain(void **state)
{
	static const struct plan_case cases[] = {
		{"says so first", "  advertisements: [{communities: ['1:2'], localPref: 200}]\n",
			"node node1 herald.io/drain=true\nservice s 192.0.2.1\ndrain shutdown\n",
			"session a\n"
			"route 192.0.2.1/32 to all: 1:2 65535:0 localPref=0\n"
			"vip 192.0.2.1 s: announced, eligible, by 192.0.2.1/32\n"},
		{"goes then", "", "node node1\nservice s 192.0.2.1\ndrain withdraw\n",
			GONE "its speaker is stopping\n"},
		{"said already", "  advertisements: [{communities: [graceful-shutdown]}]\n",
			"node node1\nservice s 192.0.2.1\ndrain shutdown\n",
			"session a\n"
			"route 192.0.2.1/32 to all: 65535:0 localPref=0\n"
			"vip 192.0.2.1 s: announced, eligible, by 192.0.2.1/32\n"},
	};

	(void)state;
	EXPECT(POOLS, cases);
}

#define SESSIONS "session a\nsession b\n"
#define VIP "vip 192.0.2.1 s: announced, eligible, by 192.0.2.1/32\n"
#define DISAGREE(field, second, first)                                                             \
	"problem the advertisement \"y\" on line 13 sets " field " " second                        \
	" where \"x\" on line 12 sets " first " for the same routes: the latter is followed; "     \
	"make them equal, or keep the two apart by pools, peers or selectors\n"

static void B02_B10_C29_what_routes_say(void **state)
{
	static const struct plan_case cases[] = {
		{"everything",
			"  advertisements: [{communities: ['large:1:2:3', '3:4', no-export], "
			"localPref: 7, med: 8, prepend: 2, nextHop: node}]\n",
			NODES "service s 192.0.2.1\n",
			SESSIONS "route 192.0.2.1/32 to all: 3:4 65535:65281 1:2:3 localPref=7 "
				 "med=8 prepend=2 nextHop=10.0.0.11\n" VIP},
		{"B10: communities are united",
			"  advertisements: [{communities: ['1:2', '3:4']}, {communities: ['3:4', "
			"'1:1']}]\n",
			NODES "service s 192.0.2.1\n",
			SESSIONS "route 192.0.2.1/32 to all: 1:1 1:2 3:4\n" VIP},
		{"to some",
			"  advertisements: [{communities: ['1:2']}, {peers: [b], communities: "
			"['3:4'], localPref: 5}]\n",
			NODES "service s 192.0.2.1\n",
			SESSIONS "route 192.0.2.1/32 to all: 1:2\n"
				 "route 192.0.2.1/32 to b: 1:2 3:4 localPref=5\n" VIP},
		{"only to some", "  advertisements: [{peers: [b]}]\n",
			NODES "service s 192.0.2.1\n", SESSIONS "route 192.0.2.1/32 to b:\n" VIP},
		{"the same to each by name", "  advertisements: [{peers: [b, a]}]\n",
			NODES "service s 192.0.2.1\n", SESSIONS "route 192.0.2.1/32 to a b:\n" VIP},
		{"C29: different preferences for different peers",
			"  advertisements: [{peers: [a], localPref: 1}, {peers: [b], localPref: "
			"2}]\n",
			NODES "service s 192.0.2.1\n",
			SESSIONS "route 192.0.2.1/32 to a: localPref=1\n"
				 "route 192.0.2.1/32 to b: localPref=2\n" VIP},
		{"C29: nodes and Services that only labels bring together",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, med: 3, communities: ['1:2'], "
			"nodeSelectors: [{matchLabels: {rack: a}}]}\n"
			"  - {name: y, localPref: 2, med: 3, communities: ['1:3'], "
			"nodeSelectors: [{matchExpressions: [{key: rack, operator: Exists}]}]}\n",
			NODES "service s 192.0.2.1\n",
			SESSIONS "route 192.0.2.1/32 to all: 1:2 1:3 localPref=1 med=3\n"
				 "vip 192.0.2.1 s: announced, eligible, by 192.0.2.1/32; they "
				 "disagree\n" DISAGREE("localPref", "2", "1")},
		{"C29: the same on a node where they do not meet",
			"  advertisements:\n"
			"  - {name: x, localPref: 1, nodeSelectors: [{matchLabels: {rack: a}}]}\n"
			"  - {name: y, localPref: 2, nodeSelectors: [{matchExpressions: [{key: "
			"rack, operator: Exists}]}]}\n",
			"self node2\n" NODES "service s 192.0.2.1\n",
			SESSIONS "route 192.0.2.1/32 to all: localPref=2\n" VIP},
		{"B02: Services that two select, and others that one selects",
			"  advertisements:\n"
			"  - {name: x, nextHop: 10.0.0.7, serviceSelectors: [{matchLabels: {k: "
			"v}}]}\n"
			"  - {name: y, nextHop: 10.0.0.8, serviceSelectors: [{matchLabels: {l: "
			"w}}]}\n",
			NODES "service s 192.0.2.1 k=v l=w\nservice t 192.0.2.2 l=w\n",
			SESSIONS "route 192.0.2.1/32 to all: nextHop=10.0.0.7\n"
				 "route 192.0.2.2/32 to all: nextHop=10.0.0.8\n"
				 "vip 192.0.2.1 s: announced, eligible, by 192.0.2.1/32; they "
				 "disagree\n"
				 "vip 192.0.2.2 t: announced, eligible, by 192.0.2.2/32\n" DISAGREE(
					 "nextHop", "10.0.0.8", "10.0.0.7")},
		{"a next hop of the routes' family only",
			"  advertisements: [{nextHop: 10.0.0.7}]\n",
			NODES "service s 192.0.2.1 2001:db8::1\n",
			SESSIONS "route 192.0.2.1/32 to all: nextHop=10.0.0.7\n"
				 "route 2001:db8::1/128 to all:\n" VIP
				 "vip 2001:db8::1 s: announced, eligible, by 2001:db8::1/128\n"},
		{"a node without an address of the family",
			"  advertisements: [{name: x, nextHop: node}]\n",
			"self node2\n" NODES "service s 2001:db8::1\n",
			SESSIONS
			"route 2001:db8::1/128 to all:\n"
			"vip 2001:db8::1 s: announced, eligible, by 2001:db8::1/128\n"
			"problem the advertisement \"x\" on line 11 wants the node's address as "
			"next hop, but the node \"node2\" has no IPv6 address: its routes lead to "
			"where the session comes from\n"},
	};

	(void)state;
	EXPECT(TWO, cases);
}

static void B10_aggregates(void **state)
{
	static const struct plan_case cases[] = {
		{"stands for its members",
			"  advertisements: [{aggregationLength: 25, aggregationLengthV6: 124}]\n",
			NODES "service s 192.0.2.1 2001:db8::1\nservice t 192.0.2.2\n"
			      "service u 192.0.2.200\n",
			"session a\n"
			"route 192.0.2.0/25 to all:\n"
			"route 192.0.2.128/25 to all:\n"
			"route 2001:db8::/124 to all:\n"
			"vip 192.0.2.1 s: announced, eligible, by 192.0.2.0/25\n"
			"vip 192.0.2.2 t: announced, eligible, by 192.0.2.0/25\n"
			"vip 192.0.2.200 u: announced, eligible, by 192.0.2.128/25\n"
			"vip 2001:db8::1 s: announced, eligible, by 2001:db8::/124\n"},
		{"while one is announced here", "  advertisements: [{aggregationLength: 24}]\n",
			NODES "service s 192.0.2.1 local\nservice t 192.0.2.2 local\n"
			      "endpoint s node1\nendpoint t node2\n",
			"session a\n"
			"route 192.0.2.0/24 to all:\n"
			"vip 192.0.2.1 s: announced, eligible, by 192.0.2.0/24\n"
			"vip 192.0.2.2 t: not announced, no endpoint there (traffic policy "
			"Local)\n"},
		{"and no longer", "  advertisements: [{aggregationLength: 24}]\n",
			NODES "service s 192.0.2.1 local\nendpoint s node2\n",
			GONE "no endpoint there (traffic policy Local)\n"},
		{"beside the address's own route",
			"  advertisements: [{aggregationLength: 24}, {communities: [no-export]}]\n",
			NODES "service s 192.0.2.1\n",
			"session a\n"
			"route 192.0.2.0/24 to all:\n"
			"route 192.0.2.1/32 to all: 65535:65281\n"
			"vip 192.0.2.1 s: announced, eligible, by 192.0.2.0/24, 192.0.2.1/32\n"},
	};

	(void)state;
	EXPECT(POOLS, cases);
}

static void weights(void **state)
{
	static const char endpoints[] =
		NODES "service s 192.0.2.1 local\n"
		      "endpoint s node1 7\nendpoint s node1 7\n" /* in two slices: K43 */
		      "endpoint s node2\nendpoint s node2\nendpoint s node2\n"
		      "endpoint s node2 notready\n";
	static const struct plan_case cases[] = {
		{"bandwidth", "  advertisements: [{weight: bandwidth}]\n", endpoints,
			"session a\nroute 192.0.2.1/32 to all: bandwidth=1\n" VIP},
		{"prepend", "  advertisements: [{weight: prepend, prepend: 1}]\n", endpoints,
			"session a\nroute 192.0.2.1/32 to all: prepend=3\n" VIP},
		{"not under policy Cluster", "  advertisements: [{weight: bandwidth}]\n",
			NODES "service s 192.0.2.1\nendpoint s node1\n",
			"session a\nroute 192.0.2.1/32 to all:\n" VIP},
		{"not of nodes that announce nothing", "  advertisements: [{weight: prepend}]\n",
			"node node1\nnode node2 nospeaker\nservice s 192.0.2.1 local\n"
			"endpoint s node1\nendpoint s node2\nendpoint s node2\n",
			"session a\nroute 192.0.2.1/32 to all:\n" VIP},
	};

	(void)state;
	EXPECT(POOLS, cases);
}

static void B09_C28_what_is_held_back(void **state)
{
	static const struct plan_case cases[] = {
		{"by node selectors",
			"  - {name: c, peerASN: 2, peerAddress: 10.0.0.3, nodeSelectors: "
			"[{matchLabels: {rack: b}}]}\n",
			NODES, "session a\n"},
		{"B09: another own ASN on other nodes: the same router twice",
			"  - {name: c, myASN: 5, peerASN: 2, peerAddress: 10.0.0.3, nodeSelectors: "
			"[{matchLabels: {rack: b}}]}\n"
			"  - {name: d, myASN: 6, peerASN: 2, peerAddress: 10.0.0.3, nodeSelectors: "
			"[{matchLabels: {rack: a}}]}\n",
			NODES, "session a\nsession d\n"},
		{"B09: on one node",
			"  - {name: c, peerASN: 2, peerAddress: 10.0.0.3, nodeSelectors: "
			"[{matchExpressions: [{key: rack, operator: Exists}]}]}\n"
			"  - {name: d, peerASN: 2, peerAddress: 10.0.0.3, nodeSelectors: "
			"[{matchLabels: {rack: a}}]}\n",
			NODES,
			"session a\nsession c\n"
			"problem the peer \"d\" is held back on the node \"node1\": it is the same "
			"router as \"c\" on line 10, and both select this node: remove one, or "
			"give them nodeSelectors that no node satisfies both of\n"},
		{"C28: a Secret that is missing",
			"  - {name: c, peerASN: 2, peerAddress: 10.0.0.3, passwordSecret: {name: "
			"x}}\n",
			NODES "nosecret x which does not exist\nservice s 192.0.2.1\n",
			"session a\nroute 192.0.2.1/32 to all:\n" VIP
			"problem the peer \"c\" is held back: its password is in the Secret "
			"\"x\", which does not exist\n"},
		{"C28: one that nobody has read yet",
			"  - {name: c, peerASN: 2, peerAddress: 10.0.0.3, passwordSecret: {name: "
			"x}}\n",
			NODES,
			"session a\n"
			"problem the peer \"c\" is held back: its password is in the Secret "
			"\"x\", which has not been read yet\n"},
		{"B07: one with a quote, which is not shown",
			"  - {name: c, peerASN: 2, peerAddress: 10.0.0.3, passwordSecret: {name: "
			"x}}\n",
			NODES "secret x hush\"; protocol\n",
			"session a\n"
			"problem the peer \"c\" is held back: the password in the Secret \"x\" "
			"must be text of 1 to 80 bytes without '\"' and control characters\n"},
		{"and a good one",
			"  - {name: c, peerASN: 2, peerAddress: 10.0.0.3, passwordSecret: {name: "
			"x}}\n",
			NODES "secret x hush\n", "session a\nsession c\n"},
		{"B03: one that was there, and is not any more",
			"  - {name: c, peerASN: 2, peerAddress: 10.0.0.3, passwordSecret: {name: "
			"x}}\n",
			NODES "oldsecret x which does not exist\n",
			"session a\nsession c\n"
			"problem the peer \"c\" goes on with the password that it had, from the "
			"Secret \"x\", which does not exist\n"},
		{"BFD over several hops from nowhere",
			"  - {name: c, peerASN: 64512, peerAddress: '2001:db8:1::9', bfdProfile: "
			"f}\n"
			"  bfdProfiles: [{name: f}]\n",
			"self node2\n" NODES,
			"session a\n"
			"problem the peer \"c\" is held back on the node \"node2\": BFD over "
			"several hops begins at an IPv6 address, and the node has none: add "
			"\"sourceAddress\", or remove \"bfdProfile\"\n"},
	};

	(void)state;
	EXPECT(POOLS, cases);
}

/* What the shell asks a plan. */
static void looking_up(void **state)
{
	struct config *config = config_of(TWO, "  - {name: x-1, peerASN: 7, interface: eth0}\n"
					       "  advertisements: [{peers: [b]}]\n");
	struct bgp_scene *scene = bgp_scene_new(config, NODES "service s 192.0.2.1 2001:db8::1\n");
	struct bgp_plan *plan = bgp_plan_make(bgp_scene_input(scene));
	struct ip ip;

	(void)state;
	ip_parse("192.0.2.1", &ip);
	assert_true(bgp_plan_find(plan, &ip) == &plan->vips[0]);
	ip_parse("192.0.2.2", &ip);
	assert_null(bgp_plan_find(plan, &ip));
	assert_int_equal(plan->route_count, 2);
	assert_false(bgp_route_is_offered(plan, &plan->routes[0], 0));
	assert_true(bgp_route_is_offered(plan, &plan->routes[0], 1));
	assert_true(bgp_plan_session_of(plan, "herald_bgp_b") == &plan->sessions[1]);
	assert_true(bgp_plan_session_of(plan, "herald_bgp_x_1") == &plan->sessions[2]);
	assert_true(bgp_plan_session_of(plan, "herald_dyn_x_1_12") == &plan->sessions[2]);
	assert_null(bgp_plan_session_of(plan, "herald_dyn_x_1_"));
	assert_null(bgp_plan_session_of(plan, "herald_dyn_x_1_1a"));
	assert_null(bgp_plan_session_of(plan, "herald_bgp_c"));
	assert_int_equal(plan->node_verdict, PLAN_ELIGIBLE);
	bgp_plan_free(plan);
	bgp_scene_free(scene);
	config_free(config);
}

static void no_BGP(void **state)
{
	struct config *config = config_of(CONFIG_HEAD, "pools: []\n");
	struct bgp_scene *scene = bgp_scene_new(config, "node node1\n");

	(void)state;
	assert_null(bgp_plan_make(bgp_scene_input(scene)));
	bgp_plan_free(NULL);
	bgp_scene_free(scene);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_addresses),
		cmocka_unit_test(K30_K39_K40_K44_which_nodes),
		cmocka_unit_test(B05_drain),
		cmocka_unit_test(B02_B10_C29_what_routes_say),
		cmocka_unit_test(B10_aggregates),
		cmocka_unit_test(weights),
		cmocka_unit_test(B09_C28_what_is_held_back),
		cmocka_unit_test(looking_up),
		cmocka_unit_test(no_BGP),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
