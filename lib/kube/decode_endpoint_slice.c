// SPDX-License-Identifier: Apache-2.0
/*
 * discovery/v1 EndpointSlice to struct endpoint_slice. Only where endpoints are and how
 * well they are is kept, and a hash of their addresses: announcing asks for nodes, and for
 * how many endpoints each has. Conditions that
 * are absent get the API's own defaults (K43).
 */
#include <string.h>
#include <xxhash.h>

#include "decode_field.h"
#include "herald/kube/decode.h"

enum { ENDPOINTS_MAX = 1000 }; /* the API's own limit for a slice */

static struct endpoint read_endpoint(const json_t *from)
{
	const json_t *conditions = json_object_get(from, "conditions");
	const char *address =
		json_string_value(json_array_get(json_object_get(from, "addresses"), 0));

	return (struct endpoint){
		.id = address ? XXH32(address, strlen(address), 0) : 0,
		.ready = field_bool(conditions, "ready", true),
		.serving = field_bool(conditions, "serving", true),
		.terminating = field_bool(conditions, "terminating", false),
	};
}

static void keep_endpoints(
	struct decode_block *block, const json_t *array, struct endpoint_slice *ret)
{
	const char *node_text = "", *node = "";
	struct endpoint *endpoints;

	ret->endpoint_count = (uint32_t)field_count(array, ENDPOINTS_MAX);
	endpoints = DECODE_TAKE(block, ret->endpoint_count, struct endpoint);
	ret->endpoints = endpoints;
	for (size_t i = 0; i < ret->endpoint_count; i++) {
		const json_t *from = json_array_get(array, i);
		struct endpoint endpoint = read_endpoint(from);

		/* Neighbours often stand on one node: they share its name. */
		if (!field_is(from, "nodeName", node_text)) {
			node_text = field_text(from, "nodeName");
			node = field_keep(block, from, "nodeName", FIELD_NAME_MAX);
		}
		endpoint.node = node;
		if (endpoints)
			endpoints[i] = endpoint;
	}
}

static void fill_slice(
	struct decode_block *block, const json_t *object, const void *context, void *ret)
{
	const json_t *labels = json_object_get(json_object_get(object, "metadata"), "labels");
	struct endpoint_slice *slice = ret;

	(void)context;
	field_keep_meta(block, object, &slice->meta);
	slice->service = field_keep(block, labels, "kubernetes.io/service-name", FIELD_NAME_MAX);
	slice->family = (uint8_t)field_family(field_text(object, "addressType"));
	keep_endpoints(block, json_object_get(object, "endpoints"), slice);
}

int kube_decode_endpoint_slice(const json_t *object, struct endpoint_slice **ret, struct err *e)
{
	int r = field_check_object(object, "EndpointSlice", e);

	if (r < 0)
		return r;
	*ret = decode_build(sizeof(**ret), fill_slice, object, NULL);
	return 0;
}
