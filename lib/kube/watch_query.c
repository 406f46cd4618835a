// SPDX-License-Identifier: Apache-2.0
/*
 * The paths of a reflector's requests, and the one comparison of versions that the API
 * allows. Pure text.
 */
#include "watch_query.h"
#include "herald/kube/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/kube/client.h"

/* Takes `query` and gives a longer one for it. */
static char *add(char *query, const char *key, const char *value)
{
	char *escaped, *longer;

	if (!value || !*value)
		return query;
	escaped = kube_escape(value);
	longer = xasprintf("%s%c%s=%s", query, strchr(query, '?') ? '&' : '?', key, escaped);
	free(escaped);
	free(query);
	return longer;
}

static char *add_number(char *query, const char *key, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return add(query, key, text);
}

static char *add_selectors(char *text, const struct watch_query *query)
{
	text = add(text, "fieldSelector", query->field_selector);
	return add(text, "labelSelector", query->label_selector);
}

char *watch_query_list(const struct watch_query *query)
{
	char *text = add_selectors(xstrdup(query->path), query);

	text = add_number(text, "limit", query->page_size);
	if (query->next)
		return add(text, "continue", query->next);
	if (!query->version)
		return text;
	text = add(text, "resourceVersion", query->version);
	return add(text, "resourceVersionMatch", "NotOlderThan");
}

char *watch_query_watch(const struct watch_query *query)
{
	char *text = add_selectors(xstrdup(query->path), query);

	text = add(text, "watch", "true");
	text = add(text, "allowWatchBookmarks", "true");
	text = add_number(text, "timeoutSeconds", query->seconds);
	text = add(text, "resourceVersion", query->version);
	if (!query->initial)
		return text;
	text = add(text, "sendInitialEvents", "true");
	return add(text, "resourceVersionMatch", "NotOlderThan");
}

static bool is_decimal(const char *text)
{
	return text && *text >= '1' && *text <= '9' && strspn(text, "0123456789") == strlen(text);
}

bool kube_version_is_older(const char *version, const char *known)
{
	size_t length, known_length;

	if (!is_decimal(version) || !is_decimal(known))
		return false;
	length = strlen(version);
	known_length = strlen(known);
	if (length != known_length)
		return length < known_length;
	return strcmp(version, known) < 0;
}
