// SPDX-License-Identifier: Apache-2.0
/* The plan: which node owns which address, and why not the others (K39-K44, L06, L14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/holds.h"
#include "herald/core/plan.h"

#define NODES 3u

/* A small cluster: node1..node3, all well, one Service at 192.0.2.200. */
struct scene {
	struct config config;
	struct config_pool pools[2];
	struct ip_range ranges[2];
	struct config_layer2 rules[2];
	struct node nodes[NODES];
	const struct node *node_list[NODES];
	struct service services[2];
	struct service_ingress ingress[2];
	const struct service *service_list[2];
	struct endpoint endpoints[4];
	struct endpoint_slice slices[2];
	const struct endpoint_slice *slice_list[2];
	struct members *members;
	struct plan_input input;
	struct plan *plan;
};

static struct ip ip(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(text, &ip));
	return ip;
}

static void show_lease(
	struct scene *s, const char *node, const char *holder, const struct string_map *annotations)
{
	static unsigned version;
	char name[64], number[32];
	struct lease lease = {.holder = holder, .annotations = *annotations};

	snprintf(name, sizeof(name), MEMBER_LEASE_PREFIX "%s", node);
	snprintf(number, sizeof(number), "%u", ++version);
	lease.meta = (struct object_meta){.name = name, .resource_version = number};
	lease.renew_time = number;
	members_put(s->members, &lease, (struct monotime){1});
}

static void show_member(
	struct scene *s, const char *node, const char *holder, const char *interfaces)
{
	struct string_pair pair = {MEMBER_INTERFACES_ANNOTATION, interfaces};

	show_lease(s, node, holder, &(struct string_map){&pair, 1});
}

static void show_holder(struct scene *s, const char *node, const char *holds)
{
	struct string_pair pairs[] = {{MEMBER_HOLDS_ANNOTATION, holds},
		{MEMBER_INTERFACES_ANNOTATION, "eth0=192.0.2.0/24"}};

	show_lease(s, node, node, &(struct string_map){pairs, 2});
}

static void set_up_services(struct scene *s)
{
	static const char *const names[] = {"web", "other"};

	for (size_t i = 0; i < 2; i++) {
		s->ingress[i].ip = ip(i ? "192.0.2.201" : "192.0.2.200");
		s->services[i] = (struct service){
			.meta = {.namespace = "default", .name = names[i], .uid = names[i]},
			.type = SERVICE_LOAD_BALANCER,
			.ingress = &s->ingress[i],
			.ingress_count = 1,
		};
		s->service_list[i] = &s->services[i];
		s->slices[i] = (struct endpoint_slice){
			.meta = {.namespace = "default", .name = names[i]},
			.service = "web",
			.family = IP_V4,
		};
		s->slice_list[i] = &s->slices[i];
	}
}

static int set_up(void **state)
{
	static const char *const names[NODES] = {"node1", "node2", "node3"};
	struct scene *s = calloc(1, sizeof(*s));

	s->members = members_new();
	s->ranges[0] = (struct ip_range){ip("192.0.2.200"), ip("192.0.2.250")};
	s->pools[0] = (struct config_pool){.name = "main", .ranges = s->ranges, .range_count = 1};
	s->rules[0].name = "";
	s->config = (struct config){
		.pools = s->pools, .pool_count = 1, .layer2 = s->rules, .layer2_count = 1};
	for (size_t i = 0; i < NODES; i++) {
		s->nodes[i] =
			(struct node){.meta = {.namespace = "", .name = names[i]}, .ready = true};
		s->node_list[i] = &s->nodes[i];
		show_member(s, names[i], names[i], "eth0=192.0.2.0/24");
	}
	set_up_services(s);
	s->input = (struct plan_input){
		.config = &s->config,
		.services = s->service_list,
		.service_count = 1,
		.slices = s->slice_list,
		.nodes = s->node_list,
		.node_count = NODES,
		.members = s->members,
		.self = "node1",
	};
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	plan_free(s->plan);
	members_free(s->members);
	free(s);
	return 0;
}

/* The plan's entry for 192.0.2.200. */
static const struct plan_vip *plan_web(struct scene *s)
{
	struct ip address = ip("192.0.2.200");

	plan_free(s->plan);
	s->plan = plan_make(&s->input);
	return plan_find(s->plan, &address);
}

static void one_owner_that_all_agree_on(void **state)
{
	struct scene *s = *state;
	char owner[16];
	size_t ours = 0;

	snprintf(owner, sizeof(owner), "%s", plan_web(s)->owner);
	for (size_t i = 0; i < NODES; i++) {
		s->input.self = s->nodes[i].meta.name;
		assert_string_equal(plan_web(s)->owner, owner);
		ours += plan_web(s)->ours;
	}
	assert_int_equal(ours, 1);
}

static void K40_each_refusal_has_its_verdict(void **state)
{
	struct scene *s = *state;
	static const struct string_pair labels[] = {
		{"node.kubernetes.io/exclude-from-external-load-balancers", ""}};
	static const struct string_pair drain[] = {{"herald.io/drain", "true"}};
	struct node *node = &s->nodes[1];
	const struct node well = *node;
	struct {
		struct node node;
		uint8_t verdict;
	} cases[9];

	for (size_t i = 0; i < 9; i++)
		cases[i].node = well;
	cases[0].node.meta.deleting = true;
	cases[0].verdict = PLAN_NODE_DELETING;
	cases[1].node.to_be_deleted = true;
	cases[1].verdict = PLAN_TO_BE_DELETED;
	cases[2].node.out_of_service = true;
	cases[2].verdict = PLAN_OUT_OF_SERVICE;
	cases[3].node.shutting_down = true;
	cases[3].verdict = PLAN_SHUTTING_DOWN;
	cases[4].node.network_unavailable = true;
	cases[4].verdict = PLAN_NETWORK_UNAVAILABLE;
	cases[5].node.labels = (struct string_map){labels, 1};
	cases[5].verdict = PLAN_EXCLUDED;
	cases[6].node.ready = false;
	cases[6].verdict = PLAN_ELIGIBLE | PLAN_WORSE_NOT_READY;
	cases[7].node.unschedulable = true; /* C21: cordon alone changes nothing */
	cases[7].verdict = PLAN_ELIGIBLE;
	cases[8].node.labels = (struct string_map){drain, 1};
	cases[8].verdict = PLAN_DRAINED;
	for (size_t i = 0; i < 9; i++) {
		*node = cases[i].node;
		assert_int_equal(plan_web(s)->verdicts[1], cases[i].verdict);
	}
}

static void K40_not_ready_owns_where_nobody_is_better(void **state)
{
	struct scene *s = *state;

	for (size_t i = 0; i < NODES; i++)
		s->nodes[i].ready = false;
	assert_non_null(plan_web(s)->owner);
	s->nodes[2].ready = true;
	assert_string_equal(plan_web(s)->owner, "node3");
}

static void K42_nobody_and_the_reasons(void **state)
{
	struct scene *s = *state;
	char *text;

	show_member(s, "node1", "", "eth0=192.0.2.0/24");
	show_member(s, "node2", "node2", "");
	s->nodes[2].meta.name = "node9";
	assert_null(plan_web(s)->owner);
	text = plan_explain(s->plan, plan_web(s), 2);
	assert_string_equal(text, "node1: its speaker is stopping; node2: no suitable interface is "
				  "up and 1 more");
	free(text);
}

static void C21_cordon_counts_where_the_configuration_wants_it(void **state)
{
	struct scene *s = *state;

	s->config.move_on_cordon = true;
	assert_int_equal(plan_web(s)->verdicts[1], PLAN_ELIGIBLE);
	s->nodes[1].unschedulable = true;
	assert_int_equal(plan_web(s)->verdicts[1], PLAN_CORDONED);
}

static void C21_drain_label_can_say_no(void **state)
{
	struct scene *s = *state;
	static const struct string_pair label[] = {{"herald.io/drain", "false"}};

	s->nodes[1].labels = (struct string_map){label, 1};
	assert_int_equal(plan_web(s)->verdicts[1], PLAN_ELIGIBLE);
}

static void C22_exclusion_can_be_switched_off(void **state)
{
	struct scene *s = *state;
	static const struct string_pair labels[] = {
		{"node.kubernetes.io/exclude-from-external-load-balancers", ""}};

	for (size_t i = 0; i < NODES; i++)
		s->nodes[i].labels = (struct string_map){labels, 1};
	assert_null(plan_web(s)->owner);
	s->config.ignore_exclude_label = true;
	assert_non_null(plan_web(s)->owner);
}

static void L06_node_off_the_segment_is_worse(void **state)
{
	struct scene *s = *state;

	show_member(s, "node1", "node1", "eth1=10.0.0.0/24");
	show_member(s, "node2", "node2", "eth0=192.0.2.0/24 eth1=10.0.0.0/24");
	show_member(s, "node3", "node3", "eth1=10.0.0.0/24");
	assert_string_equal(plan_web(s)->owner, "node2");
	assert_int_equal(s->plan->vips[0].verdicts[0], PLAN_ELIGIBLE | PLAN_WORSE_OFF_LINK);
}

static void set_endpoint(struct scene *s, size_t i, const char *node, const char *flags)
{
	s->endpoints[i] = (struct endpoint){.node = node,
		.ready = strchr(flags, 'r') != NULL,
		.serving = strchr(flags, 's') != NULL,
		.terminating = strchr(flags, 't') != NULL};
}

/* A dual-stack Service's addresses may go to different nodes. */
static void L06_each_family_has_its_own_networks(void **state)
{
	struct scene *s = *state;
	struct service_ingress both[2] = {{.ip = ip("192.0.2.200")}, {.ip = ip("2001:db8::200")}};
	const struct plan_vip *six;

	s->ranges[1] = (struct ip_range){both[1].ip, both[1].ip};
	s->pools[0].range_count = 2;
	s->services[0].ingress = both;
	s->services[0].ingress_count = 2;
	show_member(s, "node1", "node1", "eth0=192.0.2.0/24,2001:db8:1::/64");
	show_member(s, "node2", "node2", "eth0=198.51.100.0/24,2001:db8::/64");
	show_member(s, "node3", "node3", "eth0");
	assert_string_equal(plan_web(s)->owner, "node1");
	six = plan_find(s->plan, &both[1].ip);
	assert_string_equal(six->owner, "node2");
	assert_int_equal(six->verdicts[0], PLAN_ELIGIBLE | PLAN_WORSE_OFF_LINK);
	assert_int_equal(six->verdicts[2], PLAN_ELIGIBLE | PLAN_WORSE_OFF_LINK);
}

static void K44_local_policy_follows_endpoints(void **state)
{
	struct scene *s = *state;

	s->services[0].traffic_local = true;
	s->input.slice_count = 2;
	s->slices[0].endpoints = s->endpoints;
	s->slices[0].endpoint_count = 1;
	s->slices[1].endpoints = s->endpoints + 1;
	s->slices[1].endpoint_count = 2;
	set_endpoint(s, 0, "node2", "rs");
	set_endpoint(s, 1, "node1", "st");
	set_endpoint(s, 2, "", "rs"); /* K43: without a node, no harm */
	assert_string_equal(plan_web(s)->owner, "node2");
	assert_int_equal(s->plan->vips[0].verdicts[2], PLAN_NO_ENDPOINT);
	set_endpoint(s, 0, "node2", "");
	assert_string_equal(plan_web(s)->owner, "node1");
	set_endpoint(s, 1, "node1", "t");
	assert_null(plan_web(s)->owner);
	set_endpoint(s, 1, "node1", "rs");
	s->slices[1].family = IP_V6; /* K43: the address's own family only */
	assert_null(plan_web(s)->owner);
}

static void L14_rules_select_services_nodes_interfaces(void **state)
{
	struct scene *s = *state;
	const char *value = "yes", *pattern = "eth1", *pool = "other";
	struct selector_requirement needs = {"speak", SELECTOR_IN, &value, 1};
	struct selector selector = {&needs, 1};
	static const struct string_pair labels[] = {{"speak", "yes"}};

	s->rules[0] = (struct config_layer2){.name = "", .service_selectors = {&selector, 1}};
	assert_int_equal(plan_web(s)->verdicts[0], PLAN_NO_RULE);
	s->services[0].labels = (struct string_map){labels, 1};
	assert_non_null(plan_web(s)->owner);
	s->rules[0].node_selectors = (struct selector_list){&selector, 1};
	assert_int_equal(plan_web(s)->verdicts[0], PLAN_NOT_SELECTED);
	s->nodes[0].labels = (struct string_map){labels, 1};
	assert_string_equal(plan_web(s)->owner, "node1");
	s->rules[0].interfaces = (struct config_string_list){&pattern, 1};
	assert_int_equal(plan_web(s)->verdicts[0], PLAN_NO_INTERFACE);
	show_member(s, "node1", "node1", "eth0=192.0.2.0/24 eth1");
	assert_string_equal(plan_web(s)->owner, "node1");
	assert_string_equal(plan_web(s)->where.patterns[0], "eth1");
	assert_false(plan_web(s)->where.suitable);
	s->rules[0].pools = (struct config_string_list){&pool, 1};
	assert_int_equal(plan_web(s)->verdicts[0], PLAN_NO_RULE);
}

static void L14_without_rules_layer_2_is_off(void **state)
{
	struct scene *s = *state;

	s->config.layer2_count = 0;
	assert_null(plan_web(s)->owner);
	assert_int_equal(s->plan->vips[0].verdicts[2], PLAN_NO_RULE);
}

static struct selector labelled(struct selector_requirement *room, const char *key)
{
	*room = (struct selector_requirement){.key = key, .operator= SELECTOR_EXISTS };
	return (struct selector){room, 1};
}

static void L13_weights_add_up_and_order_the_eligible(void **state)
{
	struct scene *s = *state;
	static const struct string_pair fast[] = {{"fast", ""}},
					both[] = {{"fast", ""}, {"near", ""}};
	struct selector_requirement room[2];
	struct config_preference preferences[] = {
		{10, labelled(&room[0], "fast")}, {20, labelled(&room[1], "near")}};
	struct config_preference more = {60, preferences[0].selector};
	char plain[16];

	snprintf(plain, sizeof(plain), "%s", plan_web(s)->owner);
	s->rules[0].preferences = preferences;
	s->rules[0].preference_count = 2;
	/* With none matching the plain election decides. */
	assert_string_equal(plan_web(s)->owner, plain);
	for (size_t i = 0; i < NODES; i++) {
		s->nodes[i].labels = (struct string_map){both, 2};
		s->nodes[(i + 1) % NODES].labels = (struct string_map){fast, 1};
		s->nodes[(i + 2) % NODES].labels = (struct string_map){0};
		assert_string_equal(plan_web(s)->owner, s->nodes[i].meta.name);
		s->nodes[i].ready = false; /* a better verdict goes before preference */
		assert_string_equal(plan_web(s)->owner, s->nodes[(i + 1) % NODES].meta.name);
		s->nodes[i].ready = true;
	}
	/* Over rules, too, where both cover the address: 10 + 60 against 10 + 60 + 20. */
	s->rules[1] =
		(struct config_layer2){.name = "", .preferences = &more, .preference_count = 1};
	s->config.layer2_count = 2;
	assert_string_equal(plan_web(s)->owner, "node3");
	/* Equal weights: the plain election again. */
	for (size_t i = 0; i < NODES; i++)
		s->nodes[i].labels = (struct string_map){both, 2};
	assert_string_equal(plan_web(s)->owner, plain);
}

static void L13_rule_that_selects_other_nodes_prefers_nobody(void **state)
{
	struct scene *s = *state;
	static const struct string_pair edge[] = {{"edge", ""}};
	struct selector_requirement room;
	struct selector selector = labelled(&room, "edge");
	struct config_preference preference = {100, {0}};
	char plain[16];

	snprintf(plain, sizeof(plain), "%s", plan_web(s)->owner);
	s->rules[1] = (struct config_layer2){.name = "",
		.node_selectors = {&selector, 1},
		.preferences = &preference,
		.preference_count = 1};
	s->config.layer2_count = 2;
	assert_string_equal(plan_web(s)->owner, plain);
	s->nodes[1].labels = (struct string_map){edge, 1};
	assert_string_equal(plan_web(s)->owner, "node2");
}

static void only_ours_from_our_pools(void **state)
{
	struct scene *s = *state;

	s->services[0].load_balancer_class = "example.com/other";
	assert_null(plan_web(s));
	s->input.class.name = "example.com/other";
	assert_non_null(plan_web(s));
	s->services[0].load_balancer_class = NULL;
	assert_null(plan_web(s));
	s->input.class.handle_unset = true;
	assert_non_null(plan_web(s));
	s->services[0].meta.deleting = true;
	assert_null(plan_web(s));
	s->services[0].meta.deleting = false;
	s->services[0].type = SERVICE_CLUSTER_IP;
	assert_null(plan_web(s));
	s->services[0].type = SERVICE_LOAD_BALANCER;
	s->ingress[0].ip = ip("192.0.2.99");
	assert_null(plan_web(s));
	s->input.config = NULL;
	assert_null(plan_web(s));
}

static void A06_shared_address_is_owned_as_one(void **state)
{
	struct scene *s = *state;

	s->input.service_count = 2;
	s->ingress[1].ip = s->ingress[0].ip;
	s->services[1].traffic_local = true;
	s->slices[0].service = "other";
	s->slices[0].endpoints = s->endpoints;
	s->slices[0].endpoint_count = 1;
	s->input.slice_count = 1;
	set_endpoint(s, 0, "node3", "rs");
	assert_int_equal(plan_web(s)->sharers, 2);
	assert_int_equal(s->plan->vip_count, 1);
	assert_string_equal(plan_web(s)->owner, "node3");
}

static void O01_leaving_node_hands_over(void **state)
{
	struct scene *s = *state;

	s->input.self = plan_web(s)->owner[4] == '1' ? "node1" : "node2";
	s->input.self_leaving = true;
	assert_string_not_equal(plan_web(s)->owner, s->input.self);
	s->input.node_count = 1;
	s->input.self = "node1";
	assert_null(plan_web(s)->owner);
}

/* CVE-2020-8554 is why an address must be allowed; a rule for some pools does not cover it. */
static void external_addresses_only_where_allowed(void **state)
{
	struct scene *s = *state;
	struct ip external[] = {ip("203.0.113.5"), ip("198.51.100.5"), ip("192.0.2.201")};
	struct ip_range allowed = {ip("203.0.113.0"), ip("203.0.113.255")};
	const char *pool = "main";

	s->services[1].type = SERVICE_CLUSTER_IP;
	s->services[1].ingress_count = 0;
	s->services[1].external_ips = external;
	s->services[1].external_ip_count = 3;
	s->input.service_count = 2;
	plan_web(s);
	assert_int_equal(s->plan->vip_count, 1);
	s->config.external = &allowed;
	s->config.external_count = 1;
	plan_web(s);
	assert_int_equal(s->plan->vip_count, 2);
	assert_non_null(plan_find(s->plan, &external[0])->owner);
	s->rules[0] = (struct config_layer2){.name = "", .pools = {&pool, 1}};
	assert_non_null(plan_web(s)->owner);
	assert_null(plan_find(s->plan, &external[0])->owner);
}

static int compare_hashes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* An annotation that holds every third of the addresses from 192.0.2.200 on. */
static void hold_every_third(unsigned first, unsigned addresses, char *ret)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t hashes[64];
	size_t count = 0;

	for (unsigned i = first % 3; i < addresses; i += 3) {
		struct ip address = ip_from_v4((const uint8_t[4]){192, 0, 2, (uint8_t)(200 + i)});

		hashes[count++] = holds_hash(&address);
	}
	qsort(hashes, count, sizeof(*hashes), compare_hashes);
	for (size_t i = 0; i < 4 * count; i++)
		ret[i] = letters[hashes[i / 4] >> (18 - 6 * (i % 4)) & 63];
	ret[4 * count] = '\0';
	assert_int_equal(holds_parse(ret, (uint32_t[64]){0}, 64), count);
}

/* The nodes that serve the address, as a text of their last letters: "13" for two. */
static const char *serving(struct scene *s)
{
	static char text[NODES + 1];
	const struct plan_vip *vip = plan_web(s);

	memset(text, 0, sizeof(text));
	for (size_t i = 0; i < vip->serving_count; i++) {
		const char *node = s->plan->nodes[vip->serving[i]];

		text[i] = node[strlen(node) - 1];
		assert_true(plan_serves(s->plan, vip, node));
	}
	assert_true(!vip->owner || plan_serves(s->plan, vip, vip->owner));
	assert_int_equal(vip->ours, plan_serves(s->plan, vip, s->input.self));
	return text;
}

static void all_that_suit_best_serve_where_it_is_per_client(void **state)
{
	struct scene *s = *state;
	static const struct string_pair fast[] = {{"fast", ""}};
	struct selector_requirement room;
	struct config_preference preference = {10, labelled(&room, "fast")};
	char holds[64];

	hold_every_third(0, 1, holds); /* just 192.0.2.200 */
	assert_int_equal(strlen(serving(s)), 1);
	s->pools[0].per_client = true;
	assert_string_equal(serving(s), "123");
	s->nodes[1].ready = false;
	assert_string_equal(serving(s), "13");
	show_member(s, "node1", "", "eth0=192.0.2.0/24"); /* leaving */
	assert_string_equal(serving(s), "3");
	s->nodes[1].ready = true;
	assert_string_equal(serving(s), "23");
	/* What another node holds is no matter; preferences are. */
	show_holder(s, "node3", holds);
	assert_string_equal(serving(s), "23");
	s->rules[0].preferences = &preference;
	s->rules[0].preference_count = 1;
	s->nodes[1].labels = (struct string_map){fast, 1};
	assert_string_equal(serving(s), "2");
	for (size_t i = 0; i < NODES; i++)
		s->nodes[i].unschedulable = s->nodes[i].network_unavailable = true;
	assert_string_equal(serving(s), "");
}

static void C20_holder_goes_before_preference_but_not_before_verdict(void **state)
{
	struct scene *s = *state;
	char holds[64];

	hold_every_third(0, 1, holds); /* just 192.0.2.200 */
	for (size_t i = 0; i < NODES; i++) {
		show_holder(s, s->nodes[i].meta.name, holds);
		s->input.self = s->nodes[i].meta.name;
		assert_string_equal(plan_web(s)->owner, s->input.self);
		assert_int_equal(plan_web(s)->heir != NULL, plan_web(s)->astray);
		s->nodes[i].ready = false;
		assert_string_not_equal(plan_web(s)->owner, s->input.self);
		s->nodes[i].ready = true;
		show_holder(s, s->nodes[i].meta.name, "");
	}
	/* Two hold it: the election is among these. */
	show_holder(s, "node1", holds);
	show_holder(s, "node3", holds);
	assert_string_not_equal(plan_web(s)->owner, "node2");
}

static void shuffle(const void **items, size_t count, unsigned *random)
{
	for (size_t i = count; i > 1; i--) {
		size_t k = (*random = *random * 1103515245u + 12345u) / 65536u % i;
		const void *other = items[i - 1];

		items[i - 1] = items[k];
		items[k] = other;
	}
}

/* All that counts at once: preferences, holds by several, shared addresses, policies,
   nodes that are not ready or excluded. Whatever the order, and on whichever node. */
static void C30_order_of_objects_changes_nothing(void **state)
{
	struct scene *s = *state;
	enum { MANY = 12, ADDRESSES = 40 };
	static const struct string_pair fast[] = {{"fast", ""}};
	struct selector_requirement room;
	struct config_preference preference = {10, labelled(&room, "fast")};
	struct node nodes[MANY] = {0};
	struct service services[2 * ADDRESSES] = {0};
	struct service_ingress ingress[2 * ADDRESSES] = {0};
	const void *node_list[MANY], *service_list[2 * ADDRESSES];
	char names[MANY][16], service_names[2 * ADDRESSES][32], owners[ADDRESSES][16];
	char holds[256];
	unsigned random = 1;

	s->rules[0].preferences = &preference;
	s->rules[0].preference_count = 1;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "host%u", i);
		nodes[i] = (struct node){
			.meta = {.namespace = "", .name = names[i]}, .ready = i % 5 != 0};
		if (i % 3 == 0)
			nodes[i].labels = (struct string_map){fast, 1};
		node_list[i] = &nodes[i];
		hold_every_third(i, i % 2 ? 0 : ADDRESSES, holds);
		show_holder(s, names[i], holds);
	}
	for (unsigned i = 0; i < 2 * ADDRESSES; i++) {
		uint8_t v4[4] = {192, 0, 2, (uint8_t)(200 + i % ADDRESSES)};

		snprintf(service_names[i], sizeof(service_names[i]), "s%u", i);
		ingress[i].ip = ip_from_v4(v4);
		services[i] = (struct service){.meta = {.namespace = i % 2 ? "a" : "b",
						       .name = service_names[i],
						       .uid = ""},
			.type = SERVICE_LOAD_BALANCER,
			.traffic_local = i % 7 == 0,
			.ingress = &ingress[i],
			.ingress_count = 1};
		service_list[i] = &services[i];
	}
	s->input.nodes = (const void *)node_list;
	s->input.node_count = MANY;
	s->input.services = (const void *)service_list;
	s->input.service_count = 2 * ADDRESSES;
	for (unsigned round = 0; round < 200; round++) {
		s->input.self = names[round % MANY];
		plan_web(s);
		assert_int_equal(s->plan->vip_count, ADDRESSES);
		for (size_t v = 0; v < ADDRESSES; v++) {
			const char *owner = s->plan->vips[v].owner;

			if (round == 0)
				snprintf(owners[v], sizeof(owners[v]), "%s", owner ? owner : "");
			assert_string_equal(owners[v], owner ? owner : "");
		}
		shuffle(node_list, MANY, &random);
		shuffle(service_list, (size_t)2 * ADDRESSES, &random);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_owner_that_all_agree_on),
		TEST(K40_each_refusal_has_its_verdict),
		TEST(K40_not_ready_owns_where_nobody_is_better),
		TEST(K42_nobody_and_the_reasons),
		TEST(C21_cordon_counts_where_the_configuration_wants_it),
		TEST(C21_drain_label_can_say_no),
		TEST(C22_exclusion_can_be_switched_off),
		TEST(L06_node_off_the_segment_is_worse),
		TEST(L06_each_family_has_its_own_networks),
		TEST(K44_local_policy_follows_endpoints),
		TEST(L14_rules_select_services_nodes_interfaces),
		TEST(L14_without_rules_layer_2_is_off),
		TEST(L13_weights_add_up_and_order_the_eligible),
		TEST(L13_rule_that_selects_other_nodes_prefers_nobody),
		TEST(all_that_suit_best_serve_where_it_is_per_client),
		TEST(only_ours_from_our_pools),
		TEST(A06_shared_address_is_owned_as_one),
		TEST(C20_holder_goes_before_preference_but_not_before_verdict),
		TEST(C30_order_of_objects_changes_nothing),
		TEST(O01_leaving_node_hands_over),
		TEST(external_addresses_only_where_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
