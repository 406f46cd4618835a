// SPDX-License-Identifier: Apache-2.0
/*
 * A picture of a cluster, object by object, and the reading of one from a file such as
 * "kubectl get services,namespaces,nodes -A -o json" writes. What is no object of a known
 * kind is passed over; what claims to be one and can't be read is an error, since a
 * forecast without it would be wrong.
 */
#include "facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "herald/kube/config_watch.h"
#include "herald/kube/decode.h"
#include "input.h"

static const char *const kind_names[FACT_KIND_COUNT] = {[FACT_SERVICE] = "Service",
	[FACT_NODE] = "Node",
	[FACT_NAMESPACE] = "Namespace",
	[FACT_CONFIG_MAP] = "ConfigMap",
	[FACT_SLICE] = "EndpointSlice",
	[FACT_LEASE] = "Lease"};

void facts_done(struct facts *facts)
{
	for (size_t kind = 0; kind < FACT_KIND_COUNT; kind++)
		store_done(&facts->of[kind]);
	members_free(facts->members);
	facts->members = NULL;
}

const struct config_map *facts_config_map(const struct facts *facts)
{
	const struct store *maps = &facts->of[FACT_CONFIG_MAP];

	return maps->count ? maps->items[0] : NULL;
}

void *fact_decode(enum fact_kind kind, const json_t *object, struct err *e)
{
	struct service *service = NULL;
	struct node *node = NULL;
	struct namespace *namespace = NULL;
	struct config_map *map = NULL;
	struct endpoint_slice *slice = NULL;
	struct lease *lease = NULL;

	switch (kind) {
	case FACT_SERVICE:
		return kube_decode_service(object, &service, e) == 0 ? service : NULL;
	case FACT_NODE:
		return kube_decode_node(object, &node, e) == 0 ? node : NULL;
	case FACT_NAMESPACE:
		return kube_decode_namespace(object, &namespace, e) == 0 ? namespace : NULL;
	case FACT_CONFIG_MAP:
		return kube_decode_config_map(object, CONFIG_MAP_KEY, &map, e) == 0 ? map : NULL;
	case FACT_SLICE:
		return kube_decode_endpoint_slice(object, &slice, e) == 0 ? slice : NULL;
	case FACT_LEASE:
		return kube_decode_lease(object, &lease, e) == 0 ? lease : NULL;
	case FACT_KIND_COUNT:
		break;
	}
	return NULL;
}

/* `list`: the kind of the list the object is in, whose items may leave theirs out. */
static enum fact_kind kind_of(const json_t *object, const char *list)
{
	const char *kind = json_string_value(json_object_get(object, "kind"));
	size_t length = kind ? strlen(kind) : strlen(list);

	if (!kind && (length < 4 || strcmp(list + length - 4, "List") != 0))
		return FACT_KIND_COUNT;
	for (size_t i = 0; i < FACT_KIND_COUNT; i++) {
		size_t wanted = kind ? length : length - 4;

		if (strlen(kind_names[i]) == wanted &&
			strncmp(kind ? kind : list, kind_names[i], wanted) == 0)
			return (enum fact_kind)i;
	}
	return FACT_KIND_COUNT;
}

static int add_one(struct facts *facts, enum fact_kind kind, const json_t *object,
	const char *config_map, struct err *e)
{
	const struct config_map *map;
	void *decoded;

	if (kind == FACT_KIND_COUNT)
		return 0;
	decoded = fact_decode(kind, object, e);
	if (!decoded)
		return -EINVAL;
	map = kind == FACT_CONFIG_MAP ? decoded : NULL;
	if (map && (strcmp(map->meta.name, config_map) != 0 || !map->text)) {
		free(decoded);
		return 0;
	}
	if (map && facts_config_map(facts)) {
		free(decoded);
		return err_set(e, -EEXIST, "there are two ConfigMaps \"%s\"", config_map);
	}
	store_put_take(&facts->of[kind], decoded);
	return 0;
}

static int add_all(struct facts *facts, const json_t *root, const char *config_map, struct err *e)
{
	const char *kind = json_string_value(json_object_get(root, "kind"));
	const json_t *items = json_object_get(root, "items"), *item;
	size_t i;
	int r = 0;

	if (!kind)
		return err_set(e, -EINVAL, "is no Kubernetes object: it has no kind");
	if (!json_is_array(items))
		return add_one(facts, kind_of(root, ""), root, config_map, e);
	json_array_foreach (items, i, item) {
		r = add_one(facts, kind_of(item, kind), item, config_map, e);
		if (r < 0)
			return err_wrap(e, "items[%zu]", i);
	}
	return 0;
}

int facts_from_file(const char *name, const char *config_map, struct facts *ret, struct err *e)
{
	struct facts facts = {0};
	struct input input;
	json_error_t why;
	json_t *root = NULL;
	int r = input_read(name, &input, e);

	if (r == 0) {
		root = json_loadb(input.text, input.length, JSON_ALLOW_NUL, &why);
		r = root ? add_all(&facts, root, config_map, e)
			 : err_set(e, -EINVAL,
				   "line %d, column %d: is no JSON: %s; write the file with "
				   "\"kubectl get services,namespaces,nodes -A -o json\"",
				   why.line, why.column, why.text);
	}
	if (r == 0)
		*ret = facts;
	else
		facts_done(&facts);
	json_decref(root);
	if (r < 0)
		err_wrap(e, "%s", input.name);
	input_done(&input);
	return r;
}
