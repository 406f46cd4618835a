// SPDX-License-Identifier: Apache-2.0
/*
 * core/v1 ConfigMap to struct config_map: one key's text, whole and uncut, since a
 * configuration that was cut could still parse and mean something else. Its size is
 * bounded by the client's bound on answers and judged by the parser.
 */
#include "decode_field.h"
#include "herald/kube/decode.h"

static void fill_config_map(
	struct decode_block *block, const json_t *object, const void *context, void *ret)
{
	const char *key = context;
	const json_t *value = json_object_get(json_object_get(object, "data"), key);
	struct config_map *map = ret;

	field_keep_meta(block, object, &map->meta);
	if (!json_is_string(value))
		return;
	map->length = json_string_length(value);
	map->text = decode_keep(block, json_string_value(value), map->length);
}

int kube_decode_config_map(
	const json_t *object, const char *key, struct config_map **ret, struct err *e)
{
	int r = field_check_object(object, "ConfigMap", e);

	if (r < 0)
		return r;
	*ret = decode_build(sizeof(**ret), fill_config_map, object, key);
	return 0;
}
