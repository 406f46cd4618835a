// SPDX-License-Identifier: Apache-2.0
/*
 * What speakers tell of their BGP peers. In: an annotation's text. Out: a list.
 */
#include "herald/kube/bgp_peers.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct bgp_peer *)a)->name, ((const struct bgp_peer *)b)->name);
}

void bgp_peers_parse(const char *text, struct bgp_peer_list *ret)
{
	json_t *document = text ? json_loads(text, 0, NULL) : NULL;
	json_t *peers = json_object_get(document, "peers"), *peer;
	const char *name;

	*ret = (struct bgp_peer_list){.document = document};
	ret->items = xcalloc(json_object_size(peers) + 1, sizeof(*ret->items));
	json_object_foreach (peers, name, peer) {
		const json_t *exported = json_object_get(peer, "exported");

		if (ret->count == BGP_PEERS_MAX || !json_is_object(peer))
			continue;
		ret->items[ret->count++] = (struct bgp_peer){
			.name = name,
			.state = text_of(peer, "state"),
			.error = text_of(peer, "error"),
			.exported = json_is_integer(exported) ? json_integer_value(exported) : -1,
		};
	}
	qsort(ret->items, ret->count, sizeof(*ret->items), compare);
}

const struct bgp_peer *bgp_peer_find(const struct bgp_peer_list *list, const char *name)
{
	const struct bgp_peer wanted = {.name = name};

	return bsearch(&wanted, list->items, list->count, sizeof(wanted), compare);
}

void bgp_peer_list_done(struct bgp_peer_list *list)
{
	json_decref(list->document);
	free(list->items);
	*list = (struct bgp_peer_list){0};
}
