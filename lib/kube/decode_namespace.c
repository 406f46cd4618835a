// SPDX-License-Identifier: Apache-2.0
/*
 * core/v1 Namespace to struct namespace: its labels, for pools that select by them.
 */
#include "decode_field.h"
#include "herald/kube/decode.h"

static void fill_namespace(
	struct decode_block *block, const json_t *object, const void *context, void *ret)
{
	struct namespace *namespace = ret;

	(void)context;
	field_keep_meta(block, object, &namespace->meta);
	namespace->labels = field_keep_map(
		block, json_object_get(json_object_get(object, "metadata"), "labels"), NULL);
}

int kube_decode_namespace(const json_t *object, struct namespace **ret, struct err *e)
{
	int r = field_check_object(object, "Namespace", e);

	if (r < 0)
		return r;
	*ret = decode_build(sizeof(**ret), fill_namespace, object, NULL);
	return 0;
}
