// SPDX-License-Identifier: Apache-2.0
/*
 * JSON text through every decoder of API objects. Beyond the sanitizers: what a decoder
 * gives has a usable name and sorted labels, and nothing is given with an error.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/kube/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Frees the block; its metadata comes first in every struct. */
static void check(int r, void *block)
{
	const struct object_meta *meta = block;

	require(r == 0 ? meta && *meta->name && strlen(meta->name) <= 253 : !meta);
	free(block);
}

static void check_labels(const struct string_map *map)
{
	for (uint32_t i = 1; i < map->count; i++)
		require(strcmp(map->pairs[i - 1].key, map->pairs[i].key) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
	struct service *service = NULL;
	struct node *node = NULL;
	struct endpoint_slice *slice = NULL;
	struct lease *lease = NULL;
	struct namespace *namespace = NULL;
	struct config_map *map = NULL;
	struct err e;
	int r;

	r = kube_decode_service(json, &service, &e);
	if (service)
		check_labels(&service->labels);
	check(r, service);
	r = kube_decode_node(json, &node, &e);
	check(r, node);
	r = kube_decode_endpoint_slice(json, &slice, &e);
	check(r, slice);
	r = kube_decode_lease(json, &lease, &e);
	check(r, lease);
	r = kube_decode_namespace(json, &namespace, &e);
	check(r, namespace);
	r = kube_decode_config_map(json, "config.yaml", &map, &e);
	if (map && map->text)
		require(!map->text[map->length]);
	check(r, map);
	json_decref(json);
	return 0;
}
