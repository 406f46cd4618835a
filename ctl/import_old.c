// SPDX-License-Identifier: Apache-2.0
/*
 * MetalLB's configuration before its resources: one document in a ConfigMap, where a pool
 * says itself by which protocol it is announced. AddressPool, the resource of the time
 * between, is the same pool in other spelling.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "import.h"

bool import_is_old(const struct yaml_node *document)
{
	return yaml_tree_get(document, "address-pools") || yaml_tree_get(document, "peers") ||
	       yaml_tree_get(document, "peer-autodiscovery");
}

/* All pools of protocol layer2 stand in one rule, which has no limits. */
static void announce_layer2(
	struct import_source *source, const struct yaml_node *node, const char *name)
{
	struct import *import = source->import;

	if (!import->old_layer2) {
		import->old_layer2 = import_add(source, IMPORT_LAYER2, node, "");
		json_object_set_new(import->old_layer2->value, "pools", json_array());
	}
	json_array_append_new(
		json_object_get(import->old_layer2->value, "pools"), json_string(name));
}

static void announce_bgp(struct import_source *source, const struct yaml_node *node,
	const struct yaml_node *list, const char *name)
{
	const struct yaml_node *advertisement = list ? list->first : NULL;

	do {
		struct import_item *item = import_add(
			source, IMPORT_ADVERTISEMENTS, advertisement ? advertisement : node, name);

		item->named_here = true;
		json_object_set_new(item->value, "pools", json_pack("[s]", name));
		if (advertisement)
			import_fields(source, IMPORT_ADVERTISEMENT_FIELDS, advertisement, item);
		advertisement = advertisement ? advertisement->next : NULL;
	} while (advertisement);
}

void import_read_pool(struct import_source *source, const struct yaml_node *node,
	const struct yaml_node *spec, const char *name)
{
	const char *protocol = document_text(spec, "protocol");
	const struct yaml_node *list =
		yaml_tree_get(spec, source->old ? "bgp-advertisements" : "bgpAdvertisements");
	struct import_item *item = import_add(source, IMPORT_POOLS, node, name);

	import_fields(source, IMPORT_POOL_FIELDS, spec, item);
	if (strcmp(protocol, "layer2") == 0)
		announce_layer2(source, node, name);
	else if (strcmp(protocol, "bgp") == 0)
		announce_bgp(source, node, list, name);
	else
		import_left_out(source, node,
			"the announcement of this pool: its protocol is \"%.40s\", neither layer2 "
			"nor bgp",
			protocol);
}

static void read_pools(struct import_source *source, const struct yaml_node *list)
{
	for (const struct yaml_node *pool = list->first; pool; pool = pool->next)
		import_read_pool(source, pool, pool, document_text(pool, "name"));
}

/* Peers had no names; they are called by their addresses. */
static void read_peers(struct import_source *source, const struct yaml_node *list)
{
	for (const struct yaml_node *peer = list->first; peer; peer = peer->next) {
		AUTO_FREE char *name = xasprintf("peer-%s", document_text(peer, "peer-address"));
		struct import_item *item = import_add(source, IMPORT_PEERS, peer, name);

		item->named_here = true;
		import_fields(source, IMPORT_PEER_FIELDS, peer, item);
	}
}

static void read_profiles(struct import_source *source, const struct yaml_node *list)
{
	for (const struct yaml_node *profile = list->first; profile; profile = profile->next) {
		struct import_item *item = import_add(
			source, IMPORT_BFD_PROFILES, profile, document_text(profile, "name"));

		import_fields(source, IMPORT_BFD_FIELDS, profile, item);
	}
}

static void read_communities(struct import_source *source, const struct yaml_node *map)
{
	for (const struct yaml_node *child = map->first; child && child->key; child = child->next) {
		struct import_item *item =
			import_add(source, IMPORT_COMMUNITIES, child, child->key->text);

		json_object_set_new(item->value, "value", json_string(child->text));
	}
}

void import_read_old(struct import_source *source, const struct yaml_node *document)
{
	static const struct {
		const char *key;
		void (*read)(struct import_source *source, const struct yaml_node *node);
	} sections[] = {
		{"address-pools", read_pools},
		{"peers", read_peers},
		{"bgp-communities", read_communities},
		{"bfd-profiles", read_profiles},
	};

	for (const struct yaml_node *child = document->first; child; child = child->next) {
		size_t i = 0;

		while (i < 4 && strcmp(sections[i].key, child->key->text) != 0)
			i++;
		if (i < 4)
			sections[i].read(source, child);
		else if (strcmp(child->key->text, "peer-autodiscovery") == 0)
			import_left_out(source, child,
				"peers can't be read from the labels of nodes: write each under "
				"bgp.peers, with nodeSelectors where they differ");
		else
			import_left_out(source, child, "this section is not known here");
	}
}
