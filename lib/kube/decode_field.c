// SPDX-License-Identifier: Apache-2.0
/*
 * Reading members of API objects that nobody has checked: types may be wrong, texts
 * endless, maps huge. Every reader has a default and every count a cap; what is dropped
 * that way could not have come from a server that validates.
 */
#include "decode_field.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "herald/base/utf8.h"

static const char *const json_kinds[] = {
	[JSON_OBJECT] = "an object",
	[JSON_ARRAY] = "an array",
	[JSON_STRING] = "a string",
	[JSON_INTEGER] = "a number",
	[JSON_REAL] = "a number",
	[JSON_TRUE] = "true",
	[JSON_FALSE] = "false",
	[JSON_NULL] = "null",
};

const char *field_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

bool field_is(const json_t *object, const char *member, const char *value)
{
	return strcmp(field_text(object, member), value) == 0;
}

bool field_bool(const json_t *object, const char *member, bool otherwise)
{
	const json_t *value = json_object_get(object, member);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

uint32_t field_number(const json_t *object, const char *member, uint32_t max)
{
	json_int_t value = json_integer_value(json_object_get(object, member));

	return value > 0 && value <= max ? (uint32_t)value : 0;
}

size_t field_count(const json_t *array, size_t max)
{
	size_t count = json_array_size(array);

	return count < max ? count : max;
}

const char *field_keep(
	struct decode_block *block, const json_t *object, const char *member, size_t max)
{
	const char *text = field_text(object, member);

	return decode_keep(block, text, utf8_length_within(text, max));
}

/* meta/v1 Time is RFC 3339 in UTC without fraction; anything else counts as absent. */
static int64_t parse_time(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	return end && !*end ? (int64_t)timegm(&tm) : 0;
}

/* As in Kubernetes, a name is one path segment: it could not be addressed otherwise. */
static bool is_path_segment(const char *name)
{
	size_t length = strnlen(name, FIELD_NAME_MAX + 1);

	if (!length || length > FIELD_NAME_MAX || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '/' || name[i] == '%')
			return false;
	return true;
}

int field_check_object(const json_t *object, const char *kind, struct err *e)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *namespace = field_text(meta, "namespace");
	const char *name = field_text(meta, "name");

	if (!json_is_object(object))
		return err_set(e, -EINVAL, "expected a %s, got %s", kind,
			object ? json_kinds[json_typeof(object)] : "nothing");
	if (!*name)
		return err_set(e, -EINVAL,
			"a %s of namespace \"%.63s\" (uid \"%.64s\") has no metadata.name", kind,
			namespace, field_text(meta, "uid"));
	if (!is_path_segment(name))
		return err_set(e, -EINVAL,
			"a %s of namespace \"%.63s\" has the metadata.name \"%.80s\", which is no "
			"object name (at most 253 printable characters without / and %%)",
			kind, namespace, name);
	if (*namespace && !is_path_segment(namespace))
		return err_set(e, -EINVAL,
			"%s \"%.80s\" has the metadata.namespace \"%.80s\", which is no namespace",
			kind, name, namespace);
	return 0;
}

void field_keep_meta(struct decode_block *block, const json_t *object, struct object_meta *ret)
{
	const json_t *meta = json_object_get(object, "metadata");

	ret->namespace = field_keep(block, meta, "namespace", FIELD_NAME_MAX);
	ret->name = field_keep(block, meta, "name", FIELD_NAME_MAX);
	ret->uid = field_keep(block, meta, "uid", FIELD_ID_MAX);
	ret->resource_version = field_keep(block, meta, "resourceVersion", FIELD_ID_MAX);
	ret->created_unix = parse_time(field_text(meta, "creationTimestamp"));
	ret->deleting = json_is_string(json_object_get(meta, "deletionTimestamp"));
}

static bool is_wanted(const char *key, const json_t *value, const char *const *prefixes)
{
	if (!json_is_string(value) || strnlen(key, FIELD_KEY_MAX + 1) > FIELD_KEY_MAX)
		return false;
	if (!prefixes)
		return true;
	for (; *prefixes; prefixes++)
		if (!strncmp(key, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

static int compare_keys(const void *a, const void *b)
{
	const struct string_pair *pair_a = a, *pair_b = b;

	return strcmp(pair_a->key, pair_b->key);
}

/* jansson's iterators take no const although they change nothing. */
static json_t *iterable(const json_t *object)
{
	json_t *same;

	memcpy(&same, &object, sizeof(same));
	return same;
}

struct string_map field_keep_map(
	struct decode_block *block, const json_t *map, const char *const *prefixes)
{
	struct string_pair *pairs;
	uint32_t count = 0, kept = 0;
	const char *key;
	json_t *value;

	json_object_foreach (iterable(map), key, value)
		if (count < FIELD_LIST_MAX && is_wanted(key, value, prefixes))
			count++;
	pairs = DECODE_TAKE(block, count, struct string_pair);
	json_object_foreach (iterable(map), key, value) {
		struct string_pair pair;
		const char *text = json_string_value(value);

		if (kept == count)
			break;
		if (!is_wanted(key, value, prefixes))
			continue;
		pair.key = decode_keep(block, key, strlen(key));
		pair.value = decode_keep(block, text, utf8_length_within(text, FIELD_VALUE_MAX));
		if (pairs)
			pairs[kept] = pair;
		kept++;
	}
	if (pairs)
		qsort(pairs, count, sizeof(*pairs), compare_keys);
	return (struct string_map){pairs, count};
}

enum ip_family field_family(const char *text)
{
	if (!strcmp(text, "IPv4"))
		return IP_V4;
	if (!strcmp(text, "IPv6"))
		return IP_V6;
	return IP_NONE;
}
