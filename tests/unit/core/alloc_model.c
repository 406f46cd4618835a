// SPDX-License-Identifier: Apache-2.0
/* The naive rules beside which the allocator is run: slow, and plain enough to be believed. */
#include "alloc_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

const char *const model_namespaces[2] = {"x", "y"};
const char *const model_asked[MODEL_ASKED] = {
	NULL, NULL, NULL, "10.0.0.1", "10.0.1.1", "10.0.2.0", "fd00::1", "10.0.0.2,fd00::2"};
const char *const model_pools[4] = {NULL, "a", "b", "z"};
const char *const model_keys[3] = {NULL, "k", "l"};

/* Each is named differently from the last in what a pool is called, has and does. */
const char *const model_configs[MODEL_CONFIGS] = {
	"pools: [{name: a, addresses: [10.0.0.0/30, fd00::-fd00::2]}, "
	"{name: b, addresses: [10.0.1.0/30], priority: 1}]",
	"pools: [{name: a, addresses: [10.0.0.0/31, fd00::-fd00::2]}, "
	"{name: c, addresses: [10.0.0.2/31]}, {name: b, addresses: [10.0.1.0/30], namespaces: "
	"[y]}]",
	"pools: [{name: a, addresses: [10.0.0.0/31], whenRemoved: move, "
	"shareAcrossNamespaces: true}, {name: b, addresses: [10.0.1.0/31], allocationOrder: "
	"spread}]",
	"pools: [{name: a, addresses: [10.0.0.0/30], reserved: [10.0.0.1]}, "
	"{name: b, addresses: [10.0.1.0/30, fd00::/125], disabled: true}, "
	"{name: d, addresses: [10.0.2.0/31], autoAssign: false}]",
	"pools: []",
	"pools: [{name: a, addresses: [10.0.0.0/29, fd00::/125], avoidBuggyIPs: true, "
	"shareAcrossNamespaces: true, whenRemoved: move}]",
	"addresses: {whenRemoved: move}\npools: [{name: b, addresses: [10.0.1.0/30, fd00::/126]}]",
};

static const char *const universe[UNIVERSE] = {"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3",
	"10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.1.0", "10.0.1.1", "10.0.1.2",
	"10.0.1.3", "10.0.2.0", "10.0.2.1", "fd00::", "fd00::1", "fd00::2", "fd00::3", "fd00::4",
	"fd00::5", "fd00::6", "fd00::7"};

uint32_t model_draw(uint64_t *random, uint32_t limit)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (uint32_t)((*random * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % limit;
}

uint64_t model_random(uint64_t seed)
{
	return seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
}

uint64_t model_number(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

struct config *model_config(size_t index)
{
	struct config_problems problems = {0};
	char whole[1024];
	struct config *config;

	snprintf(whole, sizeof(whole), "apiVersion: %s\n%s", CONFIG_API_VERSION,
		model_configs[index]);
	config = config_parse(whole, strlen(whole), &problems);
	if (!config)
		DIE(problems.items[0].text);
	config_problems_done(&problems);
	return config;
}

struct ip model_ip(size_t index)
{
	static struct ip ips[UNIVERSE];

	if (ips[index].family == IP_NONE)
		ip_parse(universe[index], &ips[index]);
	return ips[index];
}

size_t model_index(const struct ip *ip)
{
	size_t index = 0;
	struct ip at = model_ip(0);

	while (!ip_equal(&at, ip))
		at = model_ip(++index);
	return index;
}

void view_make(struct view *view, const struct object *object)
{
	const struct spec *spec = &object->spec;
	const struct string_pair pairs[] = {
		{ANNOTATION_ASSIGNED, object->has_assigned ? object->assigned : NULL},
		{ANNOTATION_IPS, model_asked[spec->asked]},
		{ANNOTATION_MOVES, *object->moves ? object->moves : NULL},
		{ANNOTATION_POOL, model_pools[spec->pool]},
		{ANNOTATION_SHARE, model_keys[spec->key]},
		{ANNOTATION_SHARED_AS, *object->shared_as ? object->shared_as : NULL}};
	struct service *service = &view->service;

	*service = (struct service){.meta = {.namespace = model_namespaces[spec->namespace],
					    .name = "s",
					    .uid = "u",
					    .deleting = spec->deleting},
		.type = spec->load_balancer ? SERVICE_LOAD_BALANCER : SERVICE_CLUSTER_IP,
		.has_finalizer = object->finalizer,
		.load_balancer_ip = "",
		.families = {spec->families[0], spec->families[1]},
		.family_policy = spec->policy,
		.traffic_local = spec->local,
		.ports = &view->port,
		.port_count = 1,
		.ingress = view->ingress,
		.ingress_count = object->count,
		.conditions = &view->condition,
		.condition_count = object->has_condition,
		.selector = {&view->selector, 1},
		.annotations = {view->annotations, 0}};
	view->port = (struct service_port){.port = spec->port, .protocol = PROTOCOL_TCP};
	view->selector = (struct string_pair){"app", spec->selector ? "a" : "b"};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].value)
			view->annotations[service->annotations.count++] = pairs[i];
	}
	for (uint8_t i = 0; i < object->count; i++)
		view->ingress[i] =
			(struct service_ingress){.ip = object->status[i], .canonical = true};
	view->condition = (struct condition){CONDITION_ASSIGNED,
		object->condition_true ? "True" : "False", object->reason, object->message};
}

bool spec_is_active(const struct spec *spec)
{
	return spec->load_balancer && spec->ours && !spec->deleting;
}

bool spec_has_family(const struct spec *spec, uint8_t family)
{
	return spec->families[0] == family || spec->families[1] == family;
}

struct ip spec_asked(const struct spec *spec, uint8_t family, bool *ret_malformed)
{
	struct ip ips[2] = {{0}};
	char unused[160];

	*ret_malformed = false;
	if (model_asked[spec->asked])
		assign_ips_parse(model_asked[spec->asked], ips, unused, sizeof(unused));
	for (size_t i = 0; i < 2; i++)
		*ret_malformed |= ips[i].family && !spec_has_family(spec, ips[i].family);
	return ips[family == IP_V6];
}

bool specs_share_alike(const struct spec *a, const struct spec *b)
{
	return a->key == b->key && a->port == b->port && a->local == b->local &&
	       (!a->local || a->selector == b->selector);
}

bool specs_may_share(const struct spec *a, const struct spec *b, bool anywhere)
{
	return a->key && a->key == b->key && a->port != b->port && a->local == b->local &&
	       (!a->local || a->selector == b->selector) &&
	       (anywhere || a->namespace == b->namespace);
}

const struct config_pool *model_pool(const struct config *config, const struct ip *ip)
{
	for (size_t i = 0; i < config->pool_count; i++) {
		for (size_t j = 0; j < config->pools[i].range_count; j++) {
			if (ip_range_contains(&config->pools[i].ranges[j], ip))
				return &config->pools[i];
		}
	}
	return NULL;
}

bool model_serves(const struct config_pool *pool, const struct spec *spec, const struct ip *ip)
{
	bool selected;

	if (!pool)
		return false;
	for (size_t i = 0; i < pool->reserved_count; i++) {
		if (ip_range_contains(&pool->reserved[i], ip))
			return false;
	}
	if (pool->avoid_buggy_ips && ip->family == IP_V4 &&
		(ip->bytes[3] == 0 || ip->bytes[3] == 255))
		return false;
	selected = pool->namespaces.count == 0;
	for (size_t i = 0; i < pool->namespaces.count; i++)
		selected |=
			strcmp(pool->namespaces.items[i], model_namespaces[spec->namespace]) == 0;
	return selected && (!spec->pool || strcmp(model_pools[spec->pool], pool->name) == 0);
}

static void spec_draw(uint64_t *random, struct spec *spec)
{
	static const uint8_t families[4][2] = {
		{IP_V4, 0}, {IP_V6, 0}, {IP_V4, IP_V6}, {IP_V6, IP_V4}};
	uint32_t pick = model_draw(random, 4);

	spec->families[0] = families[pick][0];
	spec->families[1] = families[pick][1];
	spec->policy = pick < 2		       ? FAMILY_SINGLE
		       : model_draw(random, 2) ? FAMILY_PREFER_DUAL
					       : FAMILY_REQUIRE_DUAL;
	spec->asked = model_draw(random, 3) ? 0 : (uint8_t)model_draw(random, MODEL_ASKED);
	spec->pool = model_draw(random, 4) ? 0 : (uint8_t)model_draw(random, 4);
	spec->key = (uint8_t)model_draw(random, 3);
	spec->port = (uint16_t)(80 + model_draw(random, 4));
	spec->local = model_draw(random, 5) == 0;
	spec->selector = (uint8_t)model_draw(random, 2);
}

bool object_change(struct object *object, uint64_t *random, uint32_t uid)
{
	struct spec *spec = &object->spec, changed = object->spec;

	if (object->exists && spec->deleting)
		return false;
	if (!object->exists) {
		*object = (struct object){.exists = true, .uid = uid};
		spec->namespace = (uint8_t)model_draw(random, 2);
		spec->load_balancer = true;
		spec->ours = model_draw(random, 8) != 0;
		spec_draw(random, spec);
		return true;
	}
	switch (model_draw(random, 8)) {
	case 0:
		spec->deleting = true;
		return true;
	case 1:
		spec->load_balancer = !spec->load_balancer;
		spec->ours |= spec->load_balancer && model_draw(random, 2);
		object->count = spec->load_balancer ? object->count : 0;
		return true;
	default:
		break;
	}
	spec_draw(random, &changed);
	/* Mostly one thing at a time. */
	if (model_draw(random, 2)) {
		spec->key = changed.key;
		spec->port = changed.port;
	} else if (model_draw(random, 2)) {
		spec->asked = changed.asked;
	} else {
		*spec = changed;
	}
	object->strayed |= !specs_share_alike(spec, &object->written);
	return true;
}
