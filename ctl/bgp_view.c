// SPDX-License-Identifier: Apache-2.0
/*
 * BGP as it ought to be and as it is told: one plan a node, and the speakers' own words.
 * Passwords are not known here, and are not needed: a stand-in lets a peer be planned.
 */
#include "bgp_view.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/config_bgp.h"

static int compare_told(const void *a, const void *b)
{
	const struct bgp_told *x = a, *y = b;

	return strcmp(x->peer, y->peer);
}

static char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return xstrdup(text ? text : "");
}

size_t bgp_told_parse(const char *text, struct bgp_told **ret)
{
	json_t *root = text ? json_loads(text, JSON_ALLOW_NUL, NULL) : NULL;
	json_t *peers = json_object_get(root, "peers"), *peer;
	size_t count = 0;
	const char *name;

	*ret = xcalloc(json_object_size(peers) + 1, sizeof(**ret));
	json_object_foreach (peers, name, peer) {
		json_int_t exported = json_integer_value(json_object_get(peer, "exported"));

		if (!json_is_object(peer) || count == BGP_PEERS_MAX)
			continue;
		(*ret)[count++] = (struct bgp_told){.peer = xstrdup(name),
			.state = text_of(peer, "state"),
			.error = text_of(peer, "error"),
			.exported = exported > 0 ? (uint64_t)exported : 0};
	}
	qsort(*ret, count, sizeof(**ret), compare_told);
	json_decref(root);
	return count;
}

void bgp_told_free(struct bgp_told *told, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(told[i].peer);
		free(told[i].state);
		free(told[i].error);
	}
	free(told);
}

const struct bgp_told *bgp_told_find(const struct bgp_node *node, const char *peer)
{
	for (size_t i = 0; i < node->told_count; i++) {
		if (strcmp(node->told[i].peer, peer) == 0)
			return &node->told[i];
	}
	return NULL;
}

const struct bgp_vip *bgp_node_announces(
	const struct view *view, const struct bgp_node *node, const struct ip *address)
{
	const struct member *member = members_find(view->facts->members, node->name);
	const struct bgp_vip *vip = node->plan ? bgp_plan_find(node->plan, address) : NULL;

	return vip && vip->announced && member && member->state == MEMBER_ALIVE ? vip : NULL;
}

/* As if every Secret had been read: whether one was is in what the speaker tells. */
static struct bgp_secret *stand_ins(const struct config_bgp *bgp)
{
	struct bgp_secret *secrets = xcalloc(bgp->peer_count + 1, sizeof(*secrets));

	for (size_t i = 0; i < bgp->peer_count; i++)
		secrets[i] = (struct bgp_secret){
			.name = bgp->peers[i].password_secret, .password = "-", .why = ""};
	return secrets;
}

void bgp_view_make(const struct view *view, const char *home, struct bgp_view *ret)
{
	const struct store *nodes = &view->facts->of[FACT_NODE];
	struct plan_input cluster;
	struct bgp_plan_input input = {.cluster = &cluster, .assume_secrets = true};
	AUTO_FREE struct bgp_secret *secrets = NULL;

	*ret = (struct bgp_view){0};
	if (!view->config || !view->config->bgp || !view->facts->members)
		return;
	view_plan_input(view, &cluster);
	secrets = stand_ins(view->config->bgp);
	input.secrets = secrets;
	input.secret_count = view->config->bgp->peer_count;
	ret->nodes = xcalloc(nodes->count + 1, sizeof(*ret->nodes));
	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *node = nodes->items[i];
		AUTO_FREE char *name = xasprintf("%s%s", MEMBER_LEASE_PREFIX, node->meta.name);
		const struct lease *lease = store_find(&view->facts->of[FACT_LEASE], home, name);
		struct bgp_node *made = &ret->nodes[ret->count++];

		made->name = node->meta.name;
		cluster.self = node->meta.name;
		made->plan = bgp_plan_make(&input);
		made->told_count = bgp_told_parse(
			lease ? string_map_get(&lease->annotations, BGP_ANNOTATION) : NULL,
			&made->told);
	}
}

void bgp_view_done(struct bgp_view *bgp)
{
	for (size_t i = 0; i < bgp->count; i++) {
		bgp_plan_free(bgp->nodes[i].plan);
		bgp_told_free(bgp->nodes[i].told, bgp->nodes[i].told_count);
	}
	free(bgp->nodes);
	*bgp = (struct bgp_view){0};
}
