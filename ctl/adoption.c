// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses in use are adopted under the configuration in force, oldest Service first;
 * those of nodes, of externalIPs and of strangers are given to nobody.
 */
#include "adoption.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

static int compare_age(const void *a, const void *b)
{
	const struct adopted *x = *(struct adopted *const *)a;
	const struct adopted *y = *(struct adopted *const *)b;
	int64_t first = x->service->meta.created_unix, second = y->service->meta.created_unix;

	if (first != second)
		return first < second ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void block_addresses(struct alloc *alloc, const struct facts *facts)
{
	const struct store *nodes = &facts->of[FACT_NODE], *services = &facts->of[FACT_SERVICE];

	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *node = nodes->items[i];

		for (uint16_t k = 0; k < node->address_count; k++)
			(void)alloc_block(alloc, &node->addresses[k]);
	}
	for (size_t i = 0; i < services->count; i++) {
		const struct service *service = services->items[i];

		for (uint32_t k = 0; k < service->external_ip_count; k++)
			(void)alloc_block(alloc, &service->external_ips[k]);
	}
}

static struct adopted *new_item(const struct service *service, const struct facts *facts)
{
	const struct namespace *namespace =
		store_find(&facts->of[FACT_NAMESPACE], "", service->meta.namespace);
	struct adopted *item = xcalloc(1, sizeof(*item));

	item->service = service;
	item->name = xasprintf("%s/%s", service->meta.namespace, service->meta.name);
	item->holder.name = item->name;
	item->input = (struct assign_input){.service = service,
		.namespace_labels = namespace ? &namespace->labels : NULL,
		.holder = &item->holder,
		.ours = true};
	return item;
}

static void collect(
	struct adoption *adoption, const struct facts *facts, const struct assign_rules *rules)
{
	const struct store *services = &facts->of[FACT_SERVICE];

	adoption->items = xcalloc(services->count + 1, sizeof(*adoption->items));
	for (size_t i = 0; i < services->count; i++) {
		const struct service *service = services->items[i];

		if (assign_is_ours(rules, service) && !service->meta.deleting)
			adoption->items[adoption->count++] = new_item(service, facts);
	}
	if (adoption->count)
		qsort(adoption->items, adoption->count, sizeof(*adoption->items), compare_age);
}

static void adopt(struct adoption *adoption)
{
	for (unsigned pass = 0; pass < ASSIGN_PASSES; pass++) {
		for (size_t i = 0; i < adoption->count; i++) {
			const struct assign_input *input = &adoption->items[i]->input;

			if (assign_pass_of(adoption->alloc, input) == pass)
				assign_adopt_status(adoption->alloc, input);
		}
	}
	for (size_t i = 0; i < adoption->count; i++) {
		if (!alloc_holds_any(&adoption->items[i]->holder))
			assign_adopt_annotation(adoption->alloc, &adoption->items[i]->input);
	}
}

void adoption_make(const struct facts *facts, const struct assign_rules *rules,
	const struct config *config, struct adoption *ret)
{
	*ret = (struct adoption){.alloc = alloc_new()};
	collect(ret, facts, rules);
	alloc_configure(ret->alloc, config);
	block_addresses(ret->alloc, facts);
	if (facts->members)
		conflicts_collect(facts->members, NULL, &ret->strangers);
	(void)alloc_set_strangers(ret->alloc, &ret->strangers);
	adopt(ret);
}

void adoption_done(struct adoption *adoption)
{
	for (size_t i = 0; i < adoption->count; i++) {
		struct adopted *item = adoption->items[i];

		alloc_release(adoption->alloc, &item->holder);
		free(item->name);
		free(item);
	}
	free(adoption->items);
	conflict_list_done(&adoption->strangers);
	alloc_free(adoption->alloc);
	*adoption = (struct adoption){0};
}

struct adopted *adoption_find(const struct adoption *adoption, const struct service *service)
{
	for (size_t i = 0; i < adoption->count; i++) {
		if (adoption->items[i]->service == service)
			return adoption->items[i];
	}
	return NULL;
}
