// SPDX-License-Identifier: Apache-2.0
/* Clusters of bgp_scene.h from text. All that is made hangs on the scene's arena. */
#include "bgp_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/arena.h"

#define THINGS_MAX 20000u
#define WORDS_MAX 40u

struct bgp_scene {
	struct arena memory;
	struct members *members;
	struct plan_input cluster;
	struct bgp_plan_input input;
	const struct node **nodes;
	const struct service **services;
	const struct endpoint_slice **slices;
	struct bgp_secret *secrets;
};

struct words {
	char *items[WORDS_MAX];
	size_t count;
};

static struct words split(struct arena *memory, const char *line, size_t length)
{
	char *copy = arena_strndup(memory, line, length), *rest = NULL;
	struct words words = {0};

	for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (words.count == WORDS_MAX)
			DIE("too many words");
		words.items[words.count++] = word;
	}
	return words;
}

static struct object_meta meta_of(const char *namespace, const char *name)
{
	return (struct object_meta){
		.namespace = namespace, .name = name, .uid = name, .resource_version = "1"};
}

static int compare_pairs(const void *a, const void *b)
{
	const struct string_pair *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* "KEY=VALUE"; the map's pairs have room for WORDS_MAX. */
static void add_label(struct string_pair *pairs, uint32_t *count, char *word)
{
	char *equals = strchr(word, '=');

	*equals = '\0';
	pairs[(*count)++] = (struct string_pair){word, equals + 1};
	qsort(pairs, *count, sizeof(*pairs), compare_pairs);
}

static void show_speaker(struct bgp_scene *s, const char *node)
{
	char name[300];
	struct lease lease = {.holder = node, .renew_time = "1"};

	snprintf(name, sizeof(name), MEMBER_LEASE_PREFIX "%s", node);
	lease.meta = (struct object_meta){.name = name, .resource_version = "1"};
	members_put(s->members, &lease, (struct monotime){1});
}

static void set_flag(struct node *node, const char *flag)
{
	if (strcmp(flag, "notready") == 0)
		node->ready = false;
	else if (strcmp(flag, "deleting") == 0)
		node->meta.deleting = true;
	else if (strcmp(flag, "cordoned") == 0)
		node->unschedulable = true;
	else if (strcmp(flag, "shutdown") == 0)
		node->shutting_down = true;
	else if (strcmp(flag, "nospeaker") != 0)
		DIE(flag);
}

static void add_node(struct bgp_scene *s, const struct words *w)
{
	struct node *node = arena_alloc(&s->memory, 1, sizeof(*node));
	struct string_pair *pairs = arena_alloc(&s->memory, WORDS_MAX, sizeof(*pairs));
	struct ip *addresses = arena_alloc(&s->memory, WORDS_MAX, sizeof(*addresses));
	bool speaks = true;

	node->meta = meta_of("", w->items[1]);
	node->ready = true;
	for (size_t i = 2; i < w->count; i++) {
		if (strchr(w->items[i], '='))
			add_label(pairs, &node->labels.count, w->items[i]);
		else if (ip_parse(w->items[i], &addresses[node->address_count]))
			node->address_count++;
		else
			set_flag(node, w->items[i]);
		speaks = speaks && strcmp(w->items[i], "nospeaker") != 0;
	}
	node->labels.pairs = pairs;
	node->addresses = addresses;
	if (speaks)
		show_speaker(s, w->items[1]);
	s->nodes[s->cluster.node_count++] = node;
}

static void add_service(struct bgp_scene *s, const struct words *w)
{
	struct service *service = arena_alloc(&s->memory, 1, sizeof(*service));
	struct string_pair *pairs = arena_alloc(&s->memory, WORDS_MAX, sizeof(*pairs));
	struct service_ingress *ingress = arena_alloc(&s->memory, WORDS_MAX, sizeof(*ingress));
	struct ip *external = arena_alloc(&s->memory, WORDS_MAX, sizeof(*external));
	struct ip *cluster = arena_alloc(&s->memory, WORDS_MAX, sizeof(*cluster));

	service->meta = meta_of("default", w->items[1]);
	service->type = SERVICE_LOAD_BALANCER;
	for (size_t i = 2; i < w->count; i++) {
		if (strcmp(w->items[i], "local") == 0)
			service->traffic_local = true;
		else if (strcmp(w->items[i], "internal") == 0)
			service->internal_local = true;
		else if (strchr(w->items[i], '='))
			add_label(pairs, &service->labels.count, w->items[i]);
		else if (strncmp(w->items[i], "external:", 9) == 0 &&
			 ip_parse(w->items[i] + 9, &external[service->external_ip_count]))
			service->external_ip_count++;
		else if (strncmp(w->items[i], "cluster:", 8) == 0 &&
			 ip_parse(w->items[i] + 8, &cluster[service->cluster_ip_count]))
			service->cluster_ip_count++;
		else if (ip_parse(w->items[i], &ingress[service->ingress_count].ip))
			service->ingress_count++;
		else
			DIE(w->items[i]);
	}
	service->labels.pairs = pairs;
	service->ingress = ingress;
	service->external_ips = external;
	service->cluster_ips = cluster;
	s->services[s->cluster.service_count++] = service;
}

/* Each in a slice of its own. */
static void add_endpoint(struct bgp_scene *s, const struct words *w)
{
	struct endpoint_slice *slice = arena_alloc(&s->memory, 1, sizeof(*slice));
	struct endpoint *endpoint = arena_alloc(&s->memory, 1, sizeof(*endpoint));

	*endpoint = (struct endpoint){.node = w->items[2],
		.id = (uint32_t)s->cluster.slice_count + 1000,
		.ready = true,
		.serving = true};
	slice->meta = meta_of("default", w->items[1]);
	slice->service = w->items[1];
	slice->family = IP_V4;
	slice->endpoints = endpoint;
	slice->endpoint_count = 1;
	for (size_t i = 3; i < w->count; i++) {
		if (strcmp(w->items[i], "v6") == 0)
			slice->family = IP_V6;
		else if (strcmp(w->items[i], "terminating") == 0)
			*endpoint = (struct endpoint){
				.node = w->items[2], .serving = true, .terminating = true};
		else if (strcmp(w->items[i], "notready") == 0)
			*endpoint = (struct endpoint){.node = w->items[2]};
		else
			endpoint->id = (uint32_t)strtoul(w->items[i], NULL, 10);
	}
	s->slices[s->cluster.slice_count++] = slice;
}

static void add_secret(struct bgp_scene *s, const struct words *w, const char *line)
{
	struct bgp_secret *secret = &s->secrets[s->input.secret_count++];

	const char *rest = strchr(strchr(line, ' ') + 1, ' ') + 1;

	secret->name = w->items[1];
	if (strcmp(w->items[0], "secret") == 0)
		secret->password = rest;
	else
		secret->why = rest;
	if (strcmp(w->items[0], "oldsecret") == 0)
		secret->password = "hush";
}

static void add_line(struct bgp_scene *s, const char *line, size_t length)
{
	struct words w = split(&s->memory, line, length);
	const char *what = w.count > 1 ? w.items[0] : "";

	if (w.count == 0)
		return;
	if (strcmp(what, "node") == 0)
		add_node(s, &w);
	else if (strcmp(what, "service") == 0)
		add_service(s, &w);
	else if (strcmp(what, "endpoint") == 0 && w.count > 2)
		add_endpoint(s, &w);
	else if ((strcmp(what, "secret") == 0 || strcmp(what, "nosecret") == 0 ||
			 strcmp(what, "oldsecret") == 0) &&
		 w.count > 2)
		add_secret(s, &w, arena_strndup(&s->memory, line, length));
	else if (strcmp(what, "self") == 0)
		s->cluster.self = w.items[1];
	else if (strcmp(what, "drain") == 0)
		s->input.drain = strcmp(w.items[1], "shutdown") == 0 ? BGP_DRAIN_SHUTDOWN
								     : BGP_DRAIN_WITHDRAW;
	else
		DIE(line);
}

struct bgp_scene *bgp_scene_new(const struct config *config, const char *text)
{
	struct bgp_scene *s = xcalloc(1, sizeof(*s));

	s->members = members_new();
	s->nodes = xcalloc(THINGS_MAX, sizeof(*s->nodes));
	s->services = xcalloc(THINGS_MAX, sizeof(*s->services));
	s->slices = xcalloc(THINGS_MAX, sizeof(*s->slices));
	s->secrets = xcalloc(THINGS_MAX, sizeof(*s->secrets));
	s->cluster = (struct plan_input){.config = config,
		.services = s->services,
		.slices = s->slices,
		.nodes = s->nodes,
		.members = s->members,
		.self = "node1"};
	while (*text) {
		size_t length = strcspn(text, "\n");

		add_line(s, text, length);
		text += length + (text[length] == '\n');
	}
	s->input.cluster = &s->cluster;
	s->input.secrets = s->secrets;
	return s;
}

void bgp_scene_free(struct bgp_scene *scene)
{
	members_free(scene->members);
	free(scene->nodes);
	free(scene->services);
	free(scene->slices);
	free(scene->secrets);
	arena_done(&scene->memory);
	free(scene);
}

const struct bgp_plan_input *bgp_scene_input(const struct bgp_scene *scene)
{
	return &scene->input;
}

static void show_attributes(FILE *out, const struct bgp_attributes *a)
{
	for (size_t i = 0; i < a->community_count; i++) {
		const struct config_community_value *value = &a->communities[i];

		if (value->kind == COMMUNITY_LARGE)
			fprintf(out, " %u:%u:%u", value->parts[0], value->parts[1],
				value->parts[2]);
		else
			fprintf(out, " %u:%u", value->parts[0], value->parts[1]);
	}
	if (a->has_local_pref)
		fprintf(out, " localPref=%u", a->local_pref);
	if (a->has_med)
		fprintf(out, " med=%u", a->med);
	if (a->prepend)
		fprintf(out, " prepend=%u", a->prepend);
	if (a->bandwidth)
		fprintf(out, " bandwidth=%u", a->bandwidth);
	if (a->next_hop.family != IP_NONE)
		fprintf(out, " nextHop=%s", ip_text(&a->next_hop).s);
}

static void show_route(FILE *out, const struct bgp_plan *plan, const struct bgp_route *route)
{
	for (size_t i = 0; i < route->offer_count; i++) {
		const struct bgp_offer *offer = &route->offers[i];

		fprintf(out, "route %s/%u to", ip_text(&route->prefix.address).s,
			route->prefix.length);
		if (offer->to_all)
			fputs(" all", out);
		for (size_t s = 0; s < offer->session_count; s++)
			fprintf(out, " %s", plan->sessions[offer->sessions[s]].peer);
		fputc(':', out);
		show_attributes(out, offer->attributes);
		fputc('\n', out);
	}
}

static void show_vip(FILE *out, const struct bgp_plan *plan, const struct bgp_vip *vip)
{
	fprintf(out, "vip %s %s: %s, %s", ip_text(&vip->address).s, vip->service,
		vip->announced ? "announced" : "not announced", bgp_verdict_text(vip->verdict));
	for (size_t i = 0; i < vip->route_count; i++) {
		const struct ip_prefix *prefix = &plan->routes[vip->routes[i]].prefix;

		fprintf(out, "%s %s/%u", i ? "," : ", by", ip_text(&prefix->address).s,
			prefix->length);
	}
	fputs(*vip->problem ? "; they disagree\n" : "\n", out);
}

char *bgp_plan_show(const struct bgp_plan *plan)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < plan->session_count; i++)
		fprintf(out, "session %s\n", plan->sessions[i].peer);
	for (size_t i = 0; i < plan->route_count; i++)
		show_route(out, plan, &plan->routes[i]);
	for (size_t i = 0; i < plan->vip_count; i++)
		show_vip(out, plan, &plan->vips[i]);
	for (size_t i = 0; i < plan->problem_count; i++)
		fprintf(out, "problem %s\n", plan->problems[i].text);
	fclose(out);
	return text;
}
