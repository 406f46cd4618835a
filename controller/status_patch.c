// SPDX-License-Identifier: Apache-2.0
/*
 * A decision as JSON. ipMode is never sent: a server that knows the field fills in VIP by
 * itself, and one that does not would warn (K20). Values in, text out.
 */
#include "status_patch.h"

#include <jansson.h>
#include <stdlib.h>

#include "herald/base/err.h"
#include "herald/kube/client.h"

static void set_annotation(
	json_t *metadata, const char *key, enum assign_change change, const char *text)
{
	json_t *annotations = json_object_get(metadata, "annotations");

	if (change == ASSIGN_KEEP)
		return;
	if (!annotations) {
		annotations = json_object();
		json_object_set_new(metadata, "annotations", annotations);
	}
	json_object_set_new(
		annotations, key, change == ASSIGN_SET ? json_string(text) : json_null());
}

static json_t *metadata_json(const struct service *service, const struct assign_decision *decision)
{
	json_t *metadata = json_pack("{s:s,s:s}", "uid", service->meta.uid, "resourceVersion",
		service->meta.resource_version);

	if (decision->finalizer == ASSIGN_SET)
		json_object_set_new(metadata, "finalizers", json_pack("[s]", SERVICE_FINALIZER));
	if (decision->finalizer == ASSIGN_REMOVE)
		json_object_set_new(metadata, "$deleteFromPrimitiveList/finalizers",
			json_pack("[s]", SERVICE_FINALIZER));
	set_annotation(
		metadata, ANNOTATION_ASSIGNED, decision->annotation, decision->annotation_text);
	set_annotation(
		metadata, ANNOTATION_SHARED_AS, decision->shared_as, decision->shared_as_text);
	set_annotation(metadata, ANNOTATION_MOVES, decision->moves, decision->moves_text);
	return metadata;
}

static json_t *ingress_json(const struct assign_decision *decision)
{
	json_t *list;

	if (decision->address_count == 0)
		return json_null();
	list = json_array();
	for (uint8_t i = 0; i < decision->address_count; i++)
		json_array_append_new(
			list, json_pack("{s:s}", "ip", ip_text(&decision->addresses[i]).s));
	return list;
}

static json_t *condition_json(const struct assign_decision *decision, time_t now)
{
	json_t *condition;

	if (decision->condition == ASSIGN_REMOVE)
		return json_pack("{s:s,s:s}", "$patch", "delete", "type", CONDITION_ASSIGNED);
	condition = json_pack("{s:s,s:s,s:s,s:s}", "type", CONDITION_ASSIGNED, "status",
		decision->condition_true ? "True" : "False", "reason", decision->condition_reason,
		"message", decision->condition_message);
	if (decision->condition_flips) {
		char text[sizeof("2026-01-01T00:00:00Z") + 16];
		struct tm utc;

		gmtime_r(&now, &utc);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
		json_object_set_new(condition, "lastTransitionTime", json_string(text));
	}
	return condition;
}

char *status_patch_body(
	const struct service *service, const struct assign_decision *decision, time_t now)
{
	json_t *patch = json_pack("{s:o}", "metadata", metadata_json(service, decision));
	json_t *status = json_object();
	char *text;

	if (decision->ingress)
		json_object_set_new(status, "loadBalancer",
			json_pack("{s:o}", "ingress", ingress_json(decision)));
	if (decision->condition != ASSIGN_KEEP)
		json_object_set_new(
			status, "conditions", json_pack("[o]", condition_json(decision, now)));
	if (json_object_size(status) > 0)
		json_object_set(patch, "status", status);
	json_decref(status);
	text = json_dumps(patch, JSON_COMPACT);
	json_decref(patch);
	if (!text)
		DIE("a decision is not UTF-8");
	return text;
}

char *service_path(const struct service *service)
{
	AUTO_FREE char *namespace = kube_escape(service->meta.namespace);
	AUTO_FREE char *name = kube_escape(service->meta.name);

	return xasprintf("/api/v1/namespaces/%s/services/%s", namespace, name);
}
