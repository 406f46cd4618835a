// SPDX-License-Identifier: Apache-2.0
/*
 * coordination/v1 Lease to struct lease. renewTime stays a text: it tells whether the
 * record changed, never how old it is (K58).
 */
#include <stddef.h>

#include "decode_field.h"
#include "herald/kube/decode.h"

static const char *const kept_annotations[] = {"herald.io/", NULL};

static void fill_lease(
	struct decode_block *block, const json_t *object, const void *context, void *ret)
{
	const json_t *meta = json_object_get(object, "metadata");
	const json_t *spec = json_object_get(object, "spec");
	struct lease *lease = ret;

	(void)context;
	field_keep_meta(block, object, &lease->meta);
	lease->holder = field_keep(block, spec, "holderIdentity", FIELD_NAME_MAX);
	lease->renew_time = field_keep(block, spec, "renewTime", FIELD_ID_MAX);
	lease->duration_s = field_number(spec, "leaseDurationSeconds", INT32_MAX);
	lease->transitions = field_number(spec, "leaseTransitions", INT32_MAX);
	lease->labels = field_keep_map(block, json_object_get(meta, "labels"), NULL);
	lease->annotations =
		field_keep_map(block, json_object_get(meta, "annotations"), kept_annotations);
}

int kube_decode_lease(const json_t *object, struct lease **ret, struct err *e)
{
	int r = field_check_object(object, "Lease", e);

	if (r < 0)
		return r;
	*ret = decode_build(sizeof(**ret), fill_lease, object, NULL);
	return 0;
}
