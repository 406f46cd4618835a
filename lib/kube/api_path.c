// SPDX-License-Identifier: Apache-2.0
/*
 * Method and path of a request in, the verb, group and resource that RBAC would have to
 * grant out. Pure text. Parts that are too long make it no resource request.
 */
#include "api_path.h"

#include <stdio.h>
#include <string.h>

#define PARTS_MAX 8

struct part {
	const char *text;
	size_t length;
};

static size_t split(const char *path, struct part parts[static PARTS_MAX])
{
	size_t count = 0;

	while (*path == '/' && count < PARTS_MAX) {
		size_t length = strcspn(++path, "/?");

		if (length == 0)
			break;
		parts[count++] = (struct part){path, length};
		path += length;
	}
	return count;
}

static bool part_is(const struct part *part, const char *text)
{
	return strlen(text) == part->length && memcmp(part->text, text, part->length) == 0;
}

static bool copy(char to[static API_PATH_PART_MAX], const struct part *part)
{
	if (part->length >= API_PATH_PART_MAX)
		return false;
	memcpy(to, part->text, part->length);
	to[part->length] = '\0';
	return true;
}

/* "/api/v1" and "/apis/GROUP/VERSION"; returns how many parts they take, 0: neither. */
static size_t group(const struct part *parts, size_t count, char to[static API_PATH_PART_MAX])
{
	to[0] = '\0';
	if (count > 2 && part_is(&parts[0], "api"))
		return 2;
	if (count > 3 && part_is(&parts[0], "apis") && copy(to, &parts[1]))
		return 3;
	return 0;
}

static bool asks_to_watch(const char *path)
{
	const char *query = strchr(path, '?');

	return query && (strstr(query, "watch=true") || strstr(query, "watch=1"));
}

static const char *verb(const char *method, const char *path, bool named)
{
	if (strcmp(method, "POST") == 0)
		return "create";
	if (strcmp(method, "PUT") == 0)
		return "update";
	if (strcmp(method, "PATCH") == 0)
		return "patch";
	if (strcmp(method, "DELETE") == 0)
		return named ? "delete" : "deletecollection";
	if (asks_to_watch(path))
		return "watch";
	return named ? "get" : "list";
}

/* The parts after a namespace; "namespaces/NS" alone, or with a subresource of its own,
   is the Namespace itself. */
static size_t skip_namespace(const struct part *parts, size_t count, size_t at)
{
	if (count - at < 3 || !part_is(&parts[at], "namespaces"))
		return at;
	if (part_is(&parts[at + 2], "status") || part_is(&parts[at + 2], "finalize"))
		return at;
	return at + 2;
}

bool api_path_parse(const char *method, const char *path, struct api_path *ret)
{
	struct part parts[PARTS_MAX];
	struct api_path made = {0};
	size_t count = split(path, parts);
	size_t at = group(parts, count, made.group);
	size_t resource;

	if (at == 0)
		return false;
	resource = skip_namespace(parts, count, at);
	if (resource > at && !copy(made.namespace, &parts[at + 1]))
		return false;
	if (!copy(made.resource, &parts[resource]))
		return false;
	if (count > resource + 2) {
		size_t used = strlen(made.resource);

		if (used + parts[resource + 2].length + 2 > sizeof(made.resource))
			return false;
		snprintf(made.resource + used, sizeof(made.resource) - used, "/%.*s",
			(int)parts[resource + 2].length, parts[resource + 2].text);
	}
	made.verb = verb(method, path, count > resource + 1);
	*ret = made;
	return true;
}
