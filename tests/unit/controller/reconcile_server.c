// SPDX-License-Identifier: Apache-2.0
/* Services as the API server has them, their JSON, and strategic merge patches of them. */
#include "reconcile_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "herald/base/err.h"

void server_done(struct server *server)
{
	free(server->history);
	*server = (struct server){0};
}

static void append(struct server *server, unsigned slot)
{
	struct object *object = &server->objects[slot];

	if (server->count == server->capacity) {
		server->capacity = server->capacity ? 2 * server->capacity : 256;
		server->history =
			xrealloc(server->history, server->capacity, sizeof(*server->history));
	}
	object->version = (uint32_t)server->count + 1;
	server->history[server->count++] = (struct happening){slot, *object};
}

void server_touch(struct server *server, unsigned slot)
{
	struct object *object = &server->objects[slot];

	if (object->spec.deleting && !object->finalizer)
		object->exists = false;
	append(server, slot);
}

struct object server_at(const struct server *server, unsigned slot, size_t version)
{
	while (version > 0 && server->history[version - 1].slot != slot)
		version--;
	return version > 0 ? server->history[version - 1].object : (struct object){0};
}

unsigned server_slot(const char *path)
{
	return (unsigned)strtoul(strrchr(path, '/') + 2, NULL, 10);
}

bool server_has(const struct server *server, const char *path)
{
	const struct object *object = &server->objects[server_slot(path)];
	char expected[64];

	snprintf(expected, sizeof(expected), "/api/v1/namespaces/%s/services/s%u",
		model_namespaces[object->spec.namespace], server_slot(path));
	return object->exists && strcmp(expected, path) == 0;
}

/* ---- JSON ---- */

static json_t *text_of(const char *before, unsigned number)
{
	char text[32];

	snprintf(text, sizeof(text), "%s%u", before, number);
	return json_string(text);
}

static json_t *metadata_json(unsigned slot, const struct object *object)
{
	json_t *annotations = json_object(), *metadata;
	char created[32];
	const char *const asked[][2] = {{ANNOTATION_IPS, model_asked[object->spec.asked]},
		{ANNOTATION_POOL, model_pools[object->spec.pool]},
		{ANNOTATION_SHARE, model_keys[object->spec.key]},
		{ANNOTATION_ASSIGNED, object->has_assigned ? object->assigned : NULL},
		{ANNOTATION_SHARED_AS, *object->shared_as ? object->shared_as : NULL},
		{ANNOTATION_MOVES, *object->moves ? object->moves : NULL}};

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		if (asked[i][1])
			json_object_set_new(annotations, asked[i][0], json_string(asked[i][1]));
	}
	metadata = json_pack("{s:s,s:o,s:o,s:o,s:o}", "namespace",
		model_namespaces[object->spec.namespace], "name", text_of("s", slot), "uid",
		text_of("u", object->uid), "resourceVersion", text_of("", object->version),
		"annotations", annotations);
	/* Its uid is the version of its creation, which gives an age. */
	snprintf(created, sizeof(created), "2026-01-01T00:%02u:00Z", object->uid / 30 % 60);
	json_object_set_new(metadata, "creationTimestamp", json_string(created));
	if (object->finalizer)
		json_object_set_new(metadata, "finalizers", json_pack("[s]", SERVICE_FINALIZER));
	if (object->spec.deleting)
		json_object_set_new(
			metadata, "deletionTimestamp", json_string("2026-01-02T00:00:00Z"));
	return metadata;
}

static json_t *spec_json(const struct spec *spec)
{
	static const char *const policies[] = {
		"SingleStack", "PreferDualStack", "RequireDualStack"};
	json_t *families = json_array();
	json_t *json = json_pack("{s:s,s:s,s:s,s:o,s:[{s:i,s:s}],s:{s:s}}", "type",
		spec->load_balancer ? "LoadBalancer" : "ClusterIP", "ipFamilyPolicy",
		policies[spec->policy], "externalTrafficPolicy", spec->local ? "Local" : "Cluster",
		"ipFamilies", families, "ports", "port", (int)spec->port, "protocol", "TCP",
		"selector", "app", spec->selector ? "a" : "b");

	for (size_t i = 0; i < 2 && spec->families[i]; i++)
		json_array_append_new(
			families, json_string(spec->families[i] == IP_V4 ? "IPv4" : "IPv6"));
	if (spec->load_balancer && !spec->ours)
		json_object_set_new(json, "loadBalancerClass", json_string("example.com/other"));
	return json;
}

static json_t *status_json(const struct object *object)
{
	json_t *ingress = json_array(), *conditions = json_array();

	for (uint8_t i = 0; i < object->count; i++)
		json_array_append_new(
			ingress, json_pack("{s:s,s:s}", "ip", ip_text(&object->status[i]).s,
					 "ipMode", "VIP"));
	if (object->has_condition)
		json_array_append_new(
			conditions, json_pack("{s:s,s:s,s:s,s:s}", "type", CONDITION_ASSIGNED,
					    "status", object->condition_true ? "True" : "False",
					    "reason", object->reason, "message", object->message));
	return json_pack(
		"{s:{s:o},s:o}", "loadBalancer", "ingress", ingress, "conditions", conditions);
}

json_t *server_json(unsigned slot, const struct object *object)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:o}", "kind", "Service", "apiVersion", "v1", "metadata",
		metadata_json(slot, object), "spec", spec_json(&object->spec), "status",
		status_json(object));
}

/* ---- PATCH ---- */

static json_t *load(const char *body)
{
	json_t *json = json_loads(body, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(json))
		DIE("a patch is no JSON object");
	return json;
}

void patch_read(const char *body, struct patch *ret)
{
	json_t *json = load(body), *status = json_object_get(json, "status");
	json_t *metadata = json_object_get(json, "metadata");
	json_t *balancer = json_object_get(status, "loadBalancer"), *item;
	size_t i;

	*ret = (struct patch){.ingress = balancer != NULL};
	snprintf(ret->uid, sizeof(ret->uid), "%s",
		json_string_value(json_object_get(metadata, "uid")));
	ret->version = (uint32_t)strtoul(
		json_string_value(json_object_get(metadata, "resourceVersion")), NULL, 10);
	json_array_foreach (json_object_get(balancer, "ingress"), i, item) {
		if (i > 1 || !ip_parse(json_string_value(json_object_get(item, "ip")),
				     &ret->addresses[i]))
			DIE("a patch writes more than two addresses, or what is none");
		ret->count++;
	}
	json_decref(json);
}

/* Absent: left as it is; null: taken away. */
static bool merge_text(const json_t *json, char *text, size_t size)
{
	if (json)
		snprintf(text, size, "%s", json_is_null(json) ? "" : json_string_value(json));
	return *text != '\0';
}

static void merge_metadata(const json_t *metadata, struct object *object)
{
	const json_t *annotations = json_object_get(metadata, "annotations");

	if (json_object_get(metadata, "finalizers"))
		object->finalizer = true;
	if (json_object_get(metadata, "$deleteFromPrimitiveList/finalizers"))
		object->finalizer = false;
	object->has_assigned = merge_text(json_object_get(annotations, ANNOTATION_ASSIGNED),
		object->assigned, sizeof(object->assigned));
	merge_text(json_object_get(annotations, ANNOTATION_SHARED_AS), object->shared_as,
		sizeof(object->shared_as));
	merge_text(json_object_get(annotations, ANNOTATION_MOVES), object->moves,
		sizeof(object->moves));
}

static void merge_condition(const json_t *condition, struct object *object)
{
	if (json_object_get(condition, "$patch")) {
		object->has_condition = false;
		return;
	}
	/* A server wants this one whenever there was no condition before. */
	if (!object->has_condition && !json_object_get(condition, "lastTransitionTime"))
		DIE("a condition is written without lastTransitionTime");
	object->has_condition = true;
	object->condition_true =
		strcmp(json_string_value(json_object_get(condition, "status")), "True") == 0;
	snprintf(object->reason, sizeof(object->reason), "%s",
		json_string_value(json_object_get(condition, "reason")));
	snprintf(object->message, sizeof(object->message), "%s",
		json_string_value(json_object_get(condition, "message")));
}

void patch_apply(const char *body, struct object *object)
{
	json_t *json = load(body), *status = json_object_get(json, "status");
	json_t *condition = json_array_get(json_object_get(status, "conditions"), 0);
	struct patch patch;

	patch_read(body, &patch);
	if (patch.count > 0 && !object->spec.load_balancer)
		DIE("an address is written to a Service that is no LoadBalancer (K24)");
	merge_metadata(json_object_get(json, "metadata"), object);
	if (condition)
		merge_condition(condition, object);
	if (patch.ingress) {
		memcpy(object->status, patch.addresses, sizeof(object->status));
		object->count = patch.count;
	}
	object->written = object->spec;
	object->strayed = false;
	json_decref(json);
}

long server_patch(struct server *server, const char *path, const char *body)
{
	unsigned slot = server_slot(path);
	struct object *object = &server->objects[slot];
	struct patch patch;

	if (!server_has(server, path))
		return 404;
	patch_read(body, &patch);
	if (patch.version != object->version || strtoul(patch.uid + 1, NULL, 10) != object->uid)
		return 409;
	patch_apply(body, object);
	server_touch(server, slot);
	return 200;
}
