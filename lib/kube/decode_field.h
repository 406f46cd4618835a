// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_DECODE_FIELD_H
#define HERALD_KUBE_DECODE_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode_block.h"
#include "herald/base/err.h"
#include "herald/core/objects.h"

/*
 * Members of API objects, read tolerantly: a member that is absent or of a wrong type
 * gives the default; NULL for an object is an object without members.
 */
enum {
	FIELD_NAME_MAX = 253, /* DNS-1123 subdomain, the longest of Kubernetes' names */
	FIELD_KEY_MAX = 317,  /* qualified name: prefix 253, "/", 63 */
	FIELD_ID_MAX = 128,   /* uid, resourceVersion, small enumerations */
	FIELD_TEXT_MAX = 1024,
	FIELD_VALUE_MAX = 65536, /* one annotation's value */
	/* More than fit into the 1.5 MiB that etcd takes: none of these may hide another. */
	FIELD_LIST_MAX = 262144,
};

/* -EINVAL unless it is an object with a usable name; `kind` is for the error's text. */
int field_check_object(const json_t *object, const char *kind, struct err *e);

/* "" when absent. Borrowed from the JSON. */
const char *field_text(const json_t *object, const char *member);
bool field_is(const json_t *object, const char *member, const char *value);
bool field_bool(const json_t *object, const char *member, bool otherwise);
/* 0 when absent or outside 0..max. */
uint32_t field_number(const json_t *object, const char *member, uint32_t max);

/* At most `max` elements of an array; 0 when it is none. */
size_t field_count(const json_t *array, size_t max);

/* Kept in the block, cut after `max` bytes but not inside a character. */
const char *field_keep(
	struct decode_block *block, const json_t *object, const char *member, size_t max);
void field_keep_meta(struct decode_block *block, const json_t *object, struct object_meta *ret);
/* `prefixes`: only keys that begin with one of these, NULL-terminated; NULL: all keys. */
struct string_map field_keep_map(
	struct decode_block *block, const json_t *map, const char *const *prefixes);

/* "IPv4" or "IPv6"; IP_NONE for anything else. */
enum ip_family field_family(const char *text);

#endif
