// SPDX-License-Identifier: Apache-2.0
/*
 * Conflicts as lists and as text. In and out: values. Finds none: probe.c does, and
 * draws no conclusion: that is for the allocator and for probe.c again.
 */
#include "herald/core/conflicts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

void conflict_list_done(struct conflict_list *list)
{
	free(list->items);
	*list = (struct conflict_list){0};
}

/* By address; the earlier node first, so that all agree on whom to believe. */
static int compare(const void *a, const void *b)
{
	const struct conflict *left = a, *right = b;
	int order = ip_compare(&left->ip, &right->ip);

	if (order != 0 || !left->node || !right->node)
		return order;
	return strcmp(left->node, right->node);
}

static void make_set(struct conflict_list *list)
{
	size_t kept = 0;

	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof(*list->items), compare);
	for (size_t i = 0; i < list->count; i++) {
		if (kept == 0 || !ip_equal(&list->items[kept - 1].ip, &list->items[i].ip))
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

static int compare_ip(const void *key, const void *conflict)
{
	return ip_compare(key, &((const struct conflict *)conflict)->ip);
}

const struct conflict *conflict_find(const struct conflict_list *list, const struct ip *ip)
{
	if (list->count == 0)
		return NULL;
	return bsearch(ip, list->items, list->count, sizeof(*list->items), compare_ip);
}

char *conflicts_text(const struct conflict_list *list)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	if (list->count == 0)
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		DIE("out of memory");
	for (size_t i = 0; i < list->count && i < CONFLICTS_MAX; i++)
		fprintf(out, "%s%s=%s", i > 0 ? " " : "", ip_text(&list->items[i].ip).s,
			mac_text(list->items[i].mac).s);
	fclose(out);
	return text;
}

static bool parse_one(const char *word, size_t length, struct conflict *ret)
{
	char text[IP_TEXT_MAX + sizeof(struct mac_text)];
	char *equals;

	if (length >= sizeof(text))
		return false;
	memcpy(text, word, length);
	text[length] = '\0';
	equals = strchr(text, '=');
	if (!equals)
		return false;
	*equals = '\0';
	return ip_parse(text, &ret->ip) && mac_parse(equals + 1, ret->mac) &&
	       mac_is_station(ret->mac);
}

static void append(struct conflict_list *list, const char *text, const char *node)
{
	size_t words = 0;

	while (text && *text && words < CONFLICTS_MAX) {
		size_t length = strcspn(text, " ");
		struct conflict conflict = {.node = node};

		if (length > 0 && parse_one(text, length, &conflict)) {
			list->items = xrealloc(list->items, list->count + 1, sizeof(*list->items));
			list->items[list->count++] = conflict;
		}
		words += length > 0;
		text += length;
		text += *text == ' ';
	}
}

void conflicts_parse(const char *text, const char *node, struct conflict_list *ret)
{
	struct conflict_list list = {0};

	append(&list, text, node);
	make_set(&list);
	*ret = list;
}

void conflicts_collect(const struct members *members, const char *except, struct conflict_list *ret)
{
	struct conflict_list list = {0};

	for (size_t i = 0; i < members_count(members); i++) {
		const struct member *member = members_at(members, i);

		if (member->state == MEMBER_ALIVE && !(except && strcmp(member->node, except) == 0))
			append(&list, member->conflicts, member->node);
	}
	make_set(&list);
	*ret = list;
}
