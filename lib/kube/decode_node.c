// SPDX-License-Identifier: Apache-2.0
/*
 * core/v1 Node to struct node: the few conditions, taints and addresses that decide
 * whether a node may announce. A node that shuts down gracefully is told by the text
 * that the kubelet puts into the Ready condition (pkg/kubelet/nodeshutdown), since no
 * field says it.
 */
#include <string.h>
#include <strings.h>

#include "decode_field.h"
#include "herald/kube/decode.h"

enum { LIST_MAX = 1000 }; /* conditions, taints, addresses that are looked at */

static void read_conditions(const json_t *status, struct node *ret)
{
	const json_t *conditions = json_object_get(status, "conditions");

	for (size_t i = 0; i < field_count(conditions, LIST_MAX); i++) {
		const json_t *condition = json_array_get(conditions, i);
		bool is_true = field_is(condition, "status", "True");

		if (field_is(condition, "type", "NetworkUnavailable"))
			ret->network_unavailable = is_true;
		if (!field_is(condition, "type", "Ready"))
			continue;
		ret->ready = is_true;
		ret->shutting_down =
			field_is(condition, "status", "False") &&
			(strcasestr(field_text(condition, "message"), "node is shutting down") ||
				strcasestr(field_text(condition, "reason"), "NodeShutdown"));
	}
}

static void read_taints(const json_t *spec, struct node *ret)
{
	const json_t *taints = json_object_get(spec, "taints");

	for (size_t i = 0; i < field_count(taints, LIST_MAX); i++) {
		const json_t *taint = json_array_get(taints, i);

		if (field_is(taint, "key", "ToBeDeletedByClusterAutoscaler"))
			ret->to_be_deleted = true;
		if (field_is(taint, "key", "node.kubernetes.io/out-of-service"))
			ret->out_of_service = true;
	}
}

static bool parse_address(const json_t *entry, struct ip *ret)
{
	return (field_is(entry, "type", "InternalIP") || field_is(entry, "type", "ExternalIP")) &&
	       ip_parse(field_text(entry, "address"), ret);
}

static void keep_addresses(struct decode_block *block, const json_t *status, struct node *ret)
{
	const json_t *array = json_object_get(status, "addresses");
	size_t total = field_count(array, LIST_MAX);
	struct ip *addresses, ip;

	for (size_t i = 0; i < total; i++)
		if (parse_address(json_array_get(array, i), &ip))
			ret->address_count++;
	addresses = DECODE_TAKE(block, ret->address_count, struct ip);
	ret->addresses = addresses;
	for (size_t i = 0, kept = 0; addresses && i < total; i++)
		if (parse_address(json_array_get(array, i), &ip))
			addresses[kept++] = ip;
}

static void fill_node(
	struct decode_block *block, const json_t *object, const void *context, void *ret)
{
	const json_t *spec = json_object_get(object, "spec");
	const json_t *status = json_object_get(object, "status");
	struct node *node = ret;

	(void)context;
	field_keep_meta(block, object, &node->meta);
	node->unschedulable = field_bool(spec, "unschedulable", false);
	read_conditions(status, node);
	read_taints(spec, node);
	keep_addresses(block, status, node);
	node->labels = field_keep_map(
		block, json_object_get(json_object_get(object, "metadata"), "labels"), NULL);
}

int kube_decode_node(const json_t *object, struct node **ret, struct err *e)
{
	int r = field_check_object(object, "Node", e);

	if (r < 0)
		return r;
	*ret = decode_build(sizeof(**ret), fill_node, object, NULL);
	return 0;
}
