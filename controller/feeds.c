// SPDX-License-Identifier: Apache-2.0
/*
 * What the controller watches besides its configuration. In: objects from the API server.
 * Out: calls of the assigner. Decides nothing.
 */
#include "feeds.h"

#include <stdlib.h>
#include <string.h>

#include "herald/kube/decode.h"
#include "herald/kube/store.h"
#include "herald/kube/watch.h"

struct feeds {
	struct program *program;
	struct assigner *assigner;
	void (*synced)(void *context);
	void *context;
	struct kube_watch *services, *nodes, *namespaces;
	struct store node_store, namespace_store;
};

static void on_failing(void *context, const struct err *error)
{
	struct feeds *feeds = context;

	log_warn(feeds->program->log, "watch fails, retrying", "error", error->text, NULL);
}

/* ---- Services ---- */

static void services_begin(void *context)
{
	assigner_list_begin(((struct feeds *)context)->assigner);
}

static void services_put(void *context, const json_t *object)
{
	assigner_put(((struct feeds *)context)->assigner, object);
}

static void services_gone(void *context, const json_t *object)
{
	assigner_gone(((struct feeds *)context)->assigner, object);
}

static void services_end(void *context)
{
	struct feeds *feeds = context;

	assigner_list_end(feeds->assigner);
	feeds->synced(feeds->context);
}

/* ---- Nodes: their addresses ---- */

static void block_all(struct feeds *feeds, const struct node *node)
{
	for (uint16_t i = 0; node && i < node->address_count; i++)
		assigner_block(feeds->assigner, &node->addresses[i]);
}

static void unblock_all(struct feeds *feeds, const struct node *node)
{
	for (uint16_t i = 0; node && i < node->address_count; i++)
		assigner_unblock(feeds->assigner, &node->addresses[i]);
}

static bool same_addresses(const struct node *a, const struct node *b)
{
	return a && a->address_count == b->address_count &&
	       (a->address_count == 0 || memcmp(a->addresses, b->addresses,
						 a->address_count * sizeof(*a->addresses)) == 0);
}

static void nodes_begin(void *context)
{
	store_list_begin(&((struct feeds *)context)->node_store);
}

static void nodes_put(void *context, const json_t *object)
{
	struct feeds *feeds = context;
	const struct node *before;
	struct node *node = NULL;

	if (kube_decode_node(object, &node, NULL) != 0)
		return;
	before = store_find(&feeds->node_store, "", node->meta.name);
	if (!same_addresses(before, node)) {
		block_all(feeds, node);
		unblock_all(feeds, before);
	}
	store_put_take(&feeds->node_store, node);
}

static const char *name_of(const json_t *object)
{
	const char *name =
		json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));

	return name ? name : "";
}

static void nodes_gone(void *context, const json_t *object)
{
	struct feeds *feeds = context;

	unblock_all(feeds, store_find(&feeds->node_store, "", name_of(object)));
	store_remove(&feeds->node_store, "", name_of(object));
}

static void nodes_end(void *context)
{
	struct feeds *feeds = context;
	struct store *store = &feeds->node_store;

	for (size_t i = 0; i < store->count; i++) {
		if (store->generations[i] != store->generation)
			unblock_all(feeds, store->items[i]);
	}
	store_list_end(store);
	feeds->synced(feeds->context);
}

/* ---- Namespaces: their labels ---- */

static bool same_labels(const struct namespace *a, const struct namespace *b)
{
	if (!a || a->labels.count != b->labels.count)
		return false;
	for (uint32_t i = 0; i < a->labels.count; i++) {
		if (strcmp(a->labels.pairs[i].key, b->labels.pairs[i].key) != 0 ||
			strcmp(a->labels.pairs[i].value, b->labels.pairs[i].value) != 0)
			return false;
	}
	return true;
}

static void namespaces_begin(void *context)
{
	store_list_begin(&((struct feeds *)context)->namespace_store);
}

static void namespaces_put(void *context, const json_t *object)
{
	struct feeds *feeds = context;
	struct namespace *namespace = NULL;
	bool changed;

	if (kube_decode_namespace(object, &namespace, NULL) != 0)
		return;
	changed = !same_labels(
		store_find(&feeds->namespace_store, "", namespace->meta.name), namespace);
	store_put_take(&feeds->namespace_store, namespace);
	if (changed)
		assigner_namespace_changed(feeds->assigner, namespace->meta.name);
}

static void namespaces_gone(void *context, const json_t *object)
{
	struct feeds *feeds = context;

	store_remove(&feeds->namespace_store, "", name_of(object));
}

static void namespaces_end(void *context)
{
	struct feeds *feeds = context;

	store_list_end(&feeds->namespace_store);
	feeds->synced(feeds->context);
}

const struct string_map *feeds_namespace_labels(void *feeds, const char *namespace)
{
	const struct feeds *f = feeds;
	const struct namespace *found = store_find(&f->namespace_store, "", namespace);

	return found ? &found->labels : NULL;
}

/* ---- making and unmaking ---- */

struct feeds *feeds_new(struct program *program, void (*synced)(void *context), void *context)
{
	struct feeds *feeds = xcalloc(1, sizeof(*feeds));

	feeds->program = program;
	feeds->synced = synced;
	feeds->context = context;
	return feeds;
}

static void watch_services(struct feeds *feeds)
{
	static const struct kube_watch_sink sink = {.list_begin = services_begin,
		.put = services_put,
		.gone = services_gone,
		.list_end = services_end,
		.failing = on_failing};

	feeds->services = kube_watch_new(feeds->program->client,
		&(struct kube_watch_options){.path = "/api/v1/services"}, &sink, feeds);
}

void feeds_list_services_again(void *feeds)
{
	struct feeds *f = feeds;

	kube_watch_free(f->services);
	watch_services(f);
}

void feeds_start(struct feeds *feeds, struct assigner *assigner)
{
	static const struct kube_watch_sink nodes = {.list_begin = nodes_begin,
		.put = nodes_put,
		.gone = nodes_gone,
		.list_end = nodes_end,
		.failing = on_failing};
	static const struct kube_watch_sink namespaces = {.list_begin = namespaces_begin,
		.put = namespaces_put,
		.gone = namespaces_gone,
		.list_end = namespaces_end,
		.failing = on_failing};
	struct kube_client *client = feeds->program->client;

	feeds->assigner = assigner;
	watch_services(feeds);
	feeds->nodes = kube_watch_new(
		client, &(struct kube_watch_options){.path = "/api/v1/nodes"}, &nodes, feeds);
	feeds->namespaces = kube_watch_new(client,
		&(struct kube_watch_options){.path = "/api/v1/namespaces"}, &namespaces, feeds);
}

void feeds_free(struct feeds *feeds)
{
	if (!feeds)
		return;
	kube_watch_free(feeds->services);
	kube_watch_free(feeds->nodes);
	kube_watch_free(feeds->namespaces);
	store_done(&feeds->node_store);
	store_done(&feeds->namespace_store);
	free(feeds);
}

bool feeds_are_synced(const struct feeds *feeds)
{
	return feeds->services && kube_watch_is_synced(feeds->services) &&
	       kube_watch_is_synced(feeds->nodes) && kube_watch_is_synced(feeds->namespaces);
}
