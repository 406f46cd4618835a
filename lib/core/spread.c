// SPDX-License-Identifier: Apache-2.0
/*
 * Which of several nodes answers which station. In: the nodes' names, what their Leases say
 * of their interfaces, an address, a station. Out: a node, and how it is reached. Does not
 * know why a node serves or does not: that is plan.c.
 */
#include "herald/core/spread.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "herald/base/err.h"
#include "herald/core/elect.h"

static const char *interfaces_of(const struct members *members, const char *name)
{
	const struct member *member = members ? members_find(members, name) : NULL;

	return member ? member->interfaces : "";
}

struct spread *spread_new(
	const char *const *names, size_t count, const struct members *members, const char *self)
{
	struct spread *spread = xcalloc(1, sizeof(*spread) + count * sizeof(*spread->nodes));

	spread->uses = 1;
	spread->self = SPREAD_NONE;
	spread->count = count;
	for (size_t n = 0; n < count; n++) {
		struct spread_node *node = &spread->nodes[n];

		node->name = xstrdup(names[n]);
		node->hash = elect_node_hash(names[n]);
		interface_list_parse(interfaces_of(members, names[n]), &node->interfaces);
		if (strcmp(names[n], self) == 0)
			spread->self = n;
	}
	return spread;
}

struct spread *spread_use(struct spread *spread)
{
	spread->uses++;
	return spread;
}

void spread_drop(struct spread *spread)
{
	if (!spread || --spread->uses > 0)
		return;
	for (size_t n = 0; n < spread->count; n++) {
		free(spread->nodes[n].name);
		interface_list_done(&spread->nodes[n].interfaces);
	}
	free(spread);
}

static uint64_t score(const uint8_t *key, size_t size, const struct spread_node *node)
{
	return XXH64(key, size, node->hash);
}

size_t spread_owner(const struct spread *spread, const struct ip *address,
	const uint8_t station[static MAC_SIZE])
{
	uint8_t key[1 + sizeof(address->bytes) + MAC_SIZE];
	size_t best = SPREAD_NONE;
	uint64_t best_score = 0;

	key[0] = address->family;
	memcpy(key + 1, address->bytes, sizeof(address->bytes));
	memcpy(key + 1 + sizeof(address->bytes), station, MAC_SIZE);
	for (size_t n = 0; n < spread->count; n++) {
		uint64_t own = score(key, sizeof(key), &spread->nodes[n]);

		if (best != SPREAD_NONE &&
			(own < best_score ||
				(own == best_score && strcmp(spread->nodes[n].name,
							      spread->nodes[best].name) > 0)))
			continue;
		best = n;
		best_score = own;
	}
	return best;
}

bool spread_is_ours(const struct spread *spread, const struct ip *address,
	const uint8_t station[static MAC_SIZE])
{
	return spread->self != SPREAD_NONE &&
	       spread_owner(spread, address, station) == spread->self;
}

size_t spread_find(const struct spread *spread, const char *name)
{
	for (size_t n = 0; n < spread->count; n++) {
		if (strcmp(spread->nodes[n].name, name) == 0)
			return n;
	}
	return SPREAD_NONE;
}

bool spread_same(const struct spread *a, const struct spread *b)
{
	if (a == b)
		return true;
	for (size_t n = 0; a->count == b->count && n < a->count; n++) {
		if (strcmp(a->nodes[n].name, b->nodes[n].name) != 0)
			return false;
	}
	return a->count == b->count;
}

bool spread_has_mac(const struct spread *spread, const uint8_t mac[static MAC_SIZE])
{
	for (size_t n = 0; n < spread->count; n++) {
		const struct interface_list *list = &spread->nodes[n].interfaces;

		for (size_t i = 0; i < list->count; i++) {
			if (memcmp(list->items[i].mac, mac, MAC_SIZE) == 0)
				return true;
		}
	}
	return false;
}

const uint8_t *spread_mac(const struct spread *spread, size_t node, const struct interface *here,
	const struct ip *address)
{
	const struct interface_list *list = &spread->nodes[node].interfaces;
	const struct interface *best = NULL;
	int best_length = -1;

	for (size_t i = 0; i < list->count; i++) {
		const struct interface *item = &list->items[i];
		int length = interface_network_length(item, address);

		if (!mac_is_station(item->mac) || !interface_shares_network(item, here))
			continue;
		if (!best || length > best_length) {
			best = item;
			best_length = length;
		}
	}
	return best ? best->mac : NULL;
}
