// SPDX-License-Identifier: Apache-2.0
/*
 * A finished plan as a value: its memory, looking up in it, and telling it to people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "plan_parts.h"

#define BLOCK_SIZE 4096u

struct plan_block {
	struct plan_block *next;
	size_t used, size;
	_Alignas(max_align_t) char bytes[];
};

static void *reserve(struct plan *plan, size_t size)
{
	struct plan_block *block = plan->memory;
	size_t aligned = (size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);

	if (!block || block->size - block->used < aligned) {
		size_t room = aligned > BLOCK_SIZE ? aligned : BLOCK_SIZE;

		block = xcalloc(1, sizeof(*block) + room);
		block->size = room;
		block->next = plan->memory;
		plan->memory = block;
	}
	block->used += aligned;
	return block->bytes + block->used - aligned;
}

void *plan_keep(struct plan *plan, const void *bytes, size_t size)
{
	void *copy = reserve(plan, size);

	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

const char *plan_keep_text(struct plan *plan, const char *text)
{
	return plan_keep(plan, text, strlen(text) + 1);
}

void plan_free(struct plan *plan)
{
	struct plan_block *next;

	if (!plan)
		return;
	for (struct plan_block *block = plan->memory; block; block = next) {
		next = block->next;
		free(block);
	}
	free(plan->vips);
	free(plan->nodes);
	free(plan->standing);
	free(plan);
}

static int compare_address(const void *address, const void *vip)
{
	return ip_compare(address, &((const struct plan_vip *)vip)->address);
}

const struct plan_vip *plan_find(const struct plan *plan, const struct ip *address)
{
	if (plan->vip_count == 0)
		return NULL;
	return bsearch(address, plan->vips, plan->vip_count, sizeof(*plan->vips), compare_address);
}

bool plan_serves(const struct plan *plan, const struct plan_vip *vip, const char *node)
{
	for (size_t i = 0; i < vip->serving_count; i++) {
		if (strcmp(plan->nodes[vip->serving[i]], node) == 0)
			return true;
	}
	return false;
}

static const char *refusal_text(uint8_t verdict)
{
	static const char *const texts[PLAN_REFUSAL_COUNT] = {
		[PLAN_NO_SPEAKER] = "no speaker runs there",
		[PLAN_LEASE_EXPIRED] = "its speaker's Lease has expired",
		[PLAN_SUSPECTED] = "the nodes that watch it by BFD have lost it",
		[PLAN_LEAVING] = "its speaker is stopping",
		[PLAN_NODE_DELETING] = "the node is being deleted",
		[PLAN_TO_BE_DELETED] = "tainted ToBeDeletedByClusterAutoscaler",
		[PLAN_OUT_OF_SERVICE] = "tainted node.kubernetes.io/out-of-service",
		[PLAN_SHUTTING_DOWN] = "the node is shutting down",
		[PLAN_DRAINED] = "labelled herald.io/drain",
		[PLAN_CORDONED] = "cordoned (nodes.moveOnCordon)",
		[PLAN_NETWORK_UNAVAILABLE] = "its network is unavailable",
		[PLAN_EXCLUDED] =
			"labelled node.kubernetes.io/exclude-from-external-load-balancers",
		[PLAN_NO_RULE] = "no layer2 rule covers this pool and Service",
		[PLAN_NOT_SELECTED] = "no layer2 rule's nodeSelectors select it",
		[PLAN_NO_INTERFACE] = "no suitable interface is up",
		[PLAN_NO_ENDPOINT] = "no endpoint there (externalTrafficPolicy Local)",
	};

	return texts[verdict];
}

const char *plan_verdict_text(uint8_t verdict)
{
	if (verdict < PLAN_REFUSAL_COUNT)
		return refusal_text(verdict);
	if (verdict & PLAN_WORSE_OFF_LINK)
		return "eligible, but the address is in none of its networks";
	if (verdict & PLAN_WORSE_NOT_READY)
		return "eligible, but not ready";
	if (verdict & PLAN_WORSE_TERMINATING)
		return "eligible, but its endpoints are terminating";
	return "eligible";
}

/* Both are sorted. What is new or gone has moved from nobody, or to nobody. */
size_t plan_moved(const struct plan *before, const struct plan *after)
{
	size_t moved = 0, old = 0;

	for (size_t i = 0; i < after->vip_count; i++) {
		const struct plan_vip *vip = &after->vips[i];
		const char *owner = NULL;

		while (old < before->vip_count &&
			ip_compare(&before->vips[old].address, &vip->address) < 0)
			old++;
		if (old < before->vip_count && ip_equal(&before->vips[old].address, &vip->address))
			owner = before->vips[old].owner;
		moved += owner && vip->owner ? strcmp(owner, vip->owner) != 0 : owner != vip->owner;
	}
	return moved;
}

char *plan_explain(const struct plan *plan, const struct plan_vip *vip, size_t limit)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		DIE("out of memory");
	for (size_t n = 0; n < plan->node_count && n < limit; n++) {
		fprintf(out, "%s%s: %s", n ? "; " : "", plan->nodes[n],
			plan_verdict_text(vip->verdicts[n]));
	}
	if (plan->node_count > limit)
		fprintf(out, " and %zu more", plan->node_count - limit);
	if (plan->node_count == 0)
		fprintf(out, "the cluster has no nodes");
	fclose(out);
	return text;
}
