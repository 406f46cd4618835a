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

#include "herald/kube/decode.h"
#include "input.h"

#define CONFIG_KEY "config.yaml"

static struct fact_list *list_of(struct facts *facts, enum fact_kind kind)
{
	return kind == FACT_SERVICE ? &facts->services
	       : kind == FACT_NODE  ? &facts->nodes
				    : &facts->namespaces;
}

static void list_clear(struct fact_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct fact_list){0};
}

void facts_clear(struct facts *facts, enum fact_kind kind)
{
	list_clear(list_of(facts, kind));
}

void facts_done(struct facts *facts)
{
	list_clear(&facts->services);
	list_clear(&facts->nodes);
	list_clear(&facts->namespaces);
	free(facts->config);
	facts->config = NULL;
}

static void append(struct fact_list *list, void *item)
{
	if ((list->count & (list->count - 1)) == 0)
		list->items =
			xrealloc(list->items, list->count ? 2 * list->count : 1, sizeof(void *));
	list->items[list->count++] = item;
}

static int add_config_map(
	struct facts *facts, const json_t *object, const char *name, struct err *e)
{
	struct config_map *map;
	int r = kube_decode_config_map(object, CONFIG_KEY, &map, e);

	if (r < 0)
		return r;
	if (strcmp(map->meta.name, name) != 0 || !map->text) {
		free(map);
		return 0;
	}
	if (facts->config) {
		free(map);
		return err_set(e, -EEXIST, "there are two ConfigMaps \"%s\"", name);
	}
	facts->config = map;
	return 0;
}

int facts_add(struct facts *facts, enum fact_kind kind, const json_t *object,
	const char *config_map, struct err *e)
{
	struct service *service;
	struct node *node;
	struct namespace *namespace;
	int r = 0;

	switch (kind) {
	case FACT_SERVICE:
		r = kube_decode_service(object, &service, e);
		if (r == 0)
			append(&facts->services, service);
		break;
	case FACT_NODE:
		r = kube_decode_node(object, &node, e);
		if (r == 0)
			append(&facts->nodes, node);
		break;
	case FACT_NAMESPACE:
		r = kube_decode_namespace(object, &namespace, e);
		if (r == 0)
			append(&facts->namespaces, namespace);
		break;
	case FACT_CONFIG_MAP:
		r = add_config_map(facts, object, config_map, e);
		break;
	case FACT_OTHER:
		break;
	}
	return r;
}

/* `list`: the kind of the list the object is in, whose items may leave theirs out. */
static enum fact_kind kind_of(const json_t *object, const char *list)
{
	static const struct {
		const char *name, *list;
		enum fact_kind kind;
	} kinds[] = {
		{"Service", "ServiceList", FACT_SERVICE},
		{"Node", "NodeList", FACT_NODE},
		{"Namespace", "NamespaceList", FACT_NAMESPACE},
		{"ConfigMap", "ConfigMapList", FACT_CONFIG_MAP},
	};
	const char *kind = json_string_value(json_object_get(object, "kind"));

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kind ? kind : list, kind ? kinds[i].name : kinds[i].list) == 0)
			return kinds[i].kind;
	}
	return FACT_OTHER;
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
		return facts_add(facts, kind_of(root, ""), root, config_map, e);
	json_array_foreach (items, i, item) {
		r = facts_add(facts, kind_of(item, kind), item, config_map, e);
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
