// SPDX-License-Identifier: Apache-2.0
/* The chain of findings about a Service, on a picture of a cluster made by hand (O04). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"
#include "herald/base/err.h"
#include "herald/kube/decode.h"

/* Quotes are written as ' here. */
static json_t *load(const char *text)
{
	char *json = xstrdup(text);
	json_t *value;

	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	value = json_loads(json, 0, NULL);
	assert_non_null(value);
	free(json);
	return value;
}

static void put(struct facts *facts, enum fact_kind kind, const char *text)
{
	json_t *object = load(text);
	void *decoded = fact_decode(kind, object, NULL);

	assert_non_null(decoded);
	store_put_take(&facts->of[kind], decoded);
	if (kind == FACT_LEASE)
		members_put(facts->members, decoded, (struct monotime){1});
	json_decref(object);
}

#define CONFIG(text)                                                                               \
	"{'metadata':{'name':'herald-config','namespace':'h'},'data':{'config.yaml':'apiVersion: " \
	"herald.io/v1\\n" text "'}}"
#define SERVICE(spec, status)                                                                      \
	"{'metadata':{'name':'web','namespace':'d','uid':'1'},'spec':{'type':'LoadBalancer',"      \
	"'ipFamilies':['IPv4'],'ports':[{'port':80}]" spec "},'status':{'loadBalancer':{" status   \
	"}}}"
#define ADDRESS "'ingress':[{'ip':'192.0.2.1','ipMode':'VIP'}]"
#define NODE(name, labels)                                                                         \
	"{'metadata':{'name':'" name "','labels':{" labels "}},'status':{'conditions':["           \
	"{'type':'Ready','status':'True'}]}}"
#define LEASE(name, more)                                                                          \
	"{'metadata':{'name':'herald-speaker." name "','namespace':'h','resourceVersion':'1',"     \
	"'annotations':{'herald.io/interfaces':'eth0=02:00:00:00:00:01,192.0.2.0/24'" more "}},"   \
	"'spec':{'holderIdentity':'" name "','leaseDurationSeconds':3,'renewTime':'t'}}"
#define SLICE(node)                                                                                \
	"{'metadata':{'name':'web-1','namespace':'d','labels':{'kubernetes.io/service-name':"      \
	"'web'}},'addressType':'IPv4','endpoints':[{'addresses':['10.0.0.1'],'nodeName':'" node    \
	"','conditions':{'ready':true}}]}"
#define POOL "pools: [{name: a, addresses: [192.0.2.1]}]\\n"

struct scene {
	const char *what;
	const char *config, *service;
	const char *objects[6]; /* nodes, then Leases, then slices, by what is in them */
	const char *class;	/* that Herald serves; NULL: those without */
	const char *wrong;	/* the reasons of what is wrong, with blanks between */
};

static const struct scene scenes[] = {
	{"all is well", CONFIG(POOL), SERVICE("", ADDRESS),
		{NODE("n1", ""), LEASE("n1", ""), SLICE("n1")}, NULL, ""},
	{"a class of others", CONFIG(POOL), SERVICE(",'loadBalancerClass':'x/y'", ""), {NULL}, NULL,
		"ForeignClass"},
	{"no class where Herald has one", CONFIG(POOL), SERVICE("", ""), {NULL}, "x/y",
		"ForeignClass"},
	{"no configuration", NULL, SERVICE("", ""), {NULL}, NULL, "NoConfiguration"},
	{"a bad one", CONFIG("pools: 7"), SERVICE("", ""), {NULL}, NULL, "ConfigRejected"},
	{"no pool", CONFIG("pools: []\\n"), SERVICE("", ""), {NULL}, NULL, "NoAddressAvailable"},
	{"a wish that makes no sense", CONFIG(POOL), SERVICE(",'loadBalancerIP':'x'", ""), {NULL},
		NULL, "InvalidRequest InvalidRequest"},
	{"no node at all", CONFIG(POOL), SERVICE("", ADDRESS), {SLICE("n1")}, NULL,
		"NodeRefused NoEligibleNode"},
	{"C22 an excluded control plane", CONFIG(POOL), SERVICE("", ADDRESS),
		{NODE("n1", "'node.kubernetes.io/exclude-from-external-load-balancers':''"),
			LEASE("n1", ""), SLICE("n1")},
		NULL, "NodeRefused NoEligibleNode"},
	{"C22 that the configuration takes in", CONFIG(POOL "nodes: {ignoreExcludeLabel: true}\\n"),
		SERVICE("", ADDRESS),
		{NODE("n1", "'node.kubernetes.io/exclude-from-external-load-balancers':''"),
			LEASE("n1", ""), SLICE("n1")},
		NULL, ""},
	{"a conflict", CONFIG(POOL), SERVICE("", ADDRESS),
		{NODE("n1", ""),
			LEASE("n1", ",'herald.io/conflicts':'192.0.2.1=02:00:00:aa:bb:cc'"),
			SLICE("n1")},
		NULL, "AddressConflict"},
	{"no endpoint", CONFIG(POOL), SERVICE("", ADDRESS), {NODE("n1", ""), LEASE("n1", "")}, NULL,
		"NoEndpoints"},
	{"Local, and the endpoint is elsewhere", CONFIG(POOL),
		SERVICE(",'externalTrafficPolicy':'Local'", ADDRESS),
		{NODE("n1", ""), LEASE("n1", ""), SLICE("n2")}, NULL, "NodeRefused NoEligibleNode"},
	{"no rule", CONFIG(POOL "layer2: [{serviceSelectors: [{matchLabels: {x: y}}]}]\\n"),
		SERVICE("", ADDRESS), {NODE("n1", ""), LEASE("n1", ""), SLICE("n1")}, NULL,
		"NotAnnounced"},
};

static void fill(struct facts *facts, const struct scene *scene)
{
	*facts = (struct facts){.members = members_new(), .controller_alive = true};
	if (scene->config)
		put(facts, FACT_CONFIG_MAP, scene->config);
	put(facts, FACT_SERVICE, scene->service);
	for (size_t i = 0; i < 6 && scene->objects[i]; i++)
		put(facts,
			strstr(scene->objects[i], "holderIdentity") ? FACT_LEASE
			: strstr(scene->objects[i], "addressType")  ? FACT_SLICE
								    : FACT_NODE,
			scene->objects[i]);
}

static void O04_each_scene_has_its_findings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		const struct assign_rules rules = {.class = scenes[i].class};
		char wrong[256] = "";
		struct chain chain = {0};
		struct facts facts;
		struct view view;

		fill(&facts, &scenes[i]);
		view_make(&facts, &rules, &view);
		chain_assignment(&chain, &view, facts.of[FACT_SERVICE].items[0]);
		chain_announcement(&chain, &view, facts.of[FACT_SERVICE].items[0]);
		for (size_t k = 0; k < chain.count; k++) {
			const struct link *link = &chain.links[k];
			size_t used = strlen(wrong);

			assert_true(*link->text);
			if (link->result == LINK_WRONG)
				snprintf(wrong + used, sizeof(wrong) - used, "%s%s",
					used ? " " : "", link->reason);
		}
		if (strcmp(wrong, scenes[i].wrong) != 0)
			fail_msg("%s: %s", scenes[i].what, wrong);
		assert_int_equal(chain.is_wrong, *scenes[i].wrong != '\0');
		chain_done(&chain);
		view_done(&view);
		facts_done(&facts);
	}
}

static void the_latest_events_come_last(void **state)
{
	json_t *events =
		load("[{'reason':'B','message':'b','lastTimestamp':'2026-01-02T00:00:00Z'},"
		     "{'reason':'A','message':'a','eventTime':'2026-01-01T00:00:00.0Z'},"
		     "{'reason':'C','series':{'lastObservedTime':'2026-01-03T00:00:00.0Z'}},"
		     "7,{},{'reason':8}]");
	struct chain chain = {0};

	(void)state;
	chain_events(&chain, events);
	assert_int_equal(chain.count, 5);
	assert_string_equal(chain.links[2].text, "2026-01-01T00:00:00.0Z A: a");
	assert_string_equal(chain.links[3].text, "2026-01-02T00:00:00Z B: b");
	assert_string_equal(chain.links[4].text, "2026-01-03T00:00:00.0Z C: ");
	chain_done(&chain);
	json_decref(events);
}

/* A stranger's hostname is no address: the controller is about to give it one. */
static void a_service_with_a_hostname_alone_waits(void **state)
{
	const struct assign_rules rules = {0};
	const struct scene scene = {.config = CONFIG(POOL),
		.service = SERVICE("", "'ingress':[{'hostname':'a.example'}]")};
	struct service_health health;
	struct facts facts;
	struct view view;

	(void)state;
	fill(&facts, &scene);
	view_make(&facts, &rules, &view);
	service_health(&view, facts.of[FACT_SERVICE].items[0], &health);
	assert_string_equal(service_state_name(health.state), "Pending");
	service_health_done(&health);
	view_done(&view);
	facts_done(&facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O04_each_scene_has_its_findings),
		cmocka_unit_test(the_latest_events_come_last),
		cmocka_unit_test(a_service_with_a_hostname_alone_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
