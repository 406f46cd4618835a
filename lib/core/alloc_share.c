// SPDX-License-Identifier: Apache-2.0
/*
 * Sharing one address among Services (A06): they name the same key, no protocol and port
 * is asked for twice, they are in one namespace unless the pool allows otherwise, and
 * their traffic policies go together. Under externalTrafficPolicy Local an address must
 * lead to the same nodes for all of them, hence the same selector.
 */
#include "alloc_private.h"

#include <string.h>

static uint64_t selector_hash(const struct string_map *selector)
{
	uint64_t hash = 0;

	for (uint32_t i = 0; selector && i < selector->count; i++) {
		const char *key = selector->pairs[i].key, *value = selector->pairs[i].value;

		hash = XXH3_64bits_withSeed(key, strlen(key) + 1, hash);
		hash = XXH3_64bits_withSeed(value, strlen(value) + 1, hash);
	}
	return hash;
}

static bool ports_collide(const struct alloc_request *request, const struct alloc_sharing *other)
{
	for (uint16_t i = 0; i < request->port_count; i++) {
		for (uint16_t j = 0; j < other->port_count; j++) {
			if (request->ports[i].port == other->ports[j].port &&
				request->ports[i].protocol == other->ports[j].protocol)
				return true;
		}
	}
	return false;
}

static bool same_ports(const struct service_port *a, const struct service_port *b, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		if (a[i].port != b[i].port || a[i].protocol != b[i].protocol)
			return false;
	}
	return true;
}

static bool has_key(const struct alloc_request *request)
{
	return request->sharing_key && *request->sharing_key;
}

uint64_t alloc_sharing_mark(const struct alloc_request *request)
{
	uint64_t mark;

	if (!has_key(request))
		return 0;
	mark = XXH3_64bits(request->sharing_key, strlen(request->sharing_key));
	for (uint16_t i = 0; i < request->port_count; i++) {
		const struct service_port *port = &request->ports[i];
		const uint8_t bytes[] = {
			port->protocol, (uint8_t)(port->port >> 8), (uint8_t)port->port};

		mark = XXH3_64bits_withSeed(bytes, sizeof(bytes), mark);
	}
	return request->traffic_local ? mark ^ ~selector_hash(request->selector) : mark;
}

enum alloc_reason share_check(const struct alloc_request *request, const struct alloc_holder *other,
	const struct pool *pool)
{
	const struct alloc_sharing *sharing = other->sharing;

	if (!has_key(request) || !sharing || strcmp(request->sharing_key, sharing->group->key) != 0)
		return ALLOC_IN_USE;
	if (ports_collide(request, sharing))
		return ALLOC_SHARED_PORT;
	if (request->traffic_local != sharing->traffic_local)
		return ALLOC_SHARED_POLICY;
	if (request->traffic_local && selector_hash(request->selector) != sharing->selector_hash)
		return ALLOC_SHARED_POLICY;
	/* Last, since those who share already are let off this one. */
	if (!(pool && pool->config->share_across_namespaces) &&
		strcmp(request->namespace, sharing->namespace) != 0)
		return ALLOC_SHARED_NAMESPACE;
	return ALLOC_OK;
}

struct share_group *share_group_find(const struct alloc *alloc, const char *key)
{
	struct share_group *group = NULL;

	HASH_FIND(hh, alloc->groups, key, strlen(key), group);
	return group;
}

static struct share_group *group_get(struct alloc *alloc, const char *key)
{
	struct share_group *group = share_group_find(alloc, key);
	size_t length = strlen(key);

	if (group)
		return group;
	group = xcalloc(1, sizeof(*group) + length + 1);
	memcpy(group->key, key, length + 1);
	HASH_ADD_KEYPTR(hh, alloc->groups, group->key, length, group);
	return group;
}

static void forget(struct alloc *alloc, struct alloc_holder *holder)
{
	struct alloc_sharing *sharing = holder->sharing;

	if (!sharing)
		return;
	holder->sharing = NULL;
	if (sharing->next)
		sharing->next->previous = sharing->previous;
	if (sharing->previous)
		sharing->previous->next = sharing->next;
	else
		sharing->group->members = sharing->next;
	if (!sharing->group->members) {
		HASH_DEL(alloc->groups, sharing->group);
		free(sharing->group);
	}
	free(sharing);
}

void share_joined(struct alloc *alloc, const struct alloc_holder *holder)
{
	const struct alloc_sharing *sharing = holder->sharing;

	if (sharing && (sharing->previous || sharing->next))
		alloc->generation++;
}

static bool is_described_by(
	const struct alloc_sharing *sharing, const struct alloc_request *request)
{
	return strcmp(sharing->group->key, request->sharing_key) == 0 &&
	       strcmp(sharing->namespace, request->namespace) == 0 &&
	       sharing->traffic_local == request->traffic_local &&
	       sharing->selector_hash == selector_hash(request->selector) &&
	       sharing->port_count == request->port_count &&
	       same_ports(sharing->ports, request->ports, request->port_count);
}

void alloc_describe(
	struct alloc *alloc, struct alloc_holder *holder, const struct alloc_request *request)
{
	size_t ports_size = request->port_count * sizeof(struct service_port);
	size_t namespace_size = strlen(request->namespace) + 1;
	struct alloc_sharing *sharing;
	struct share_group *group;

	if (!has_key(request)) {
		forget(alloc, holder);
		return;
	}
	if (holder->sharing && is_described_by(holder->sharing, request))
		return;
	/* Others may fit beside it now. */
	alloc->generation += holder->holdings != NULL;
	group = group_get(alloc, request->sharing_key);
	sharing = xcalloc(1, sizeof(*sharing) + ports_size + namespace_size);
	sharing->group = group;
	sharing->holder = holder;
	sharing->selector_hash = selector_hash(request->selector);
	sharing->traffic_local = request->traffic_local;
	sharing->port_count = request->port_count;
	if (ports_size)
		memcpy(sharing->ports, request->ports, ports_size);
	sharing->namespace =
		memcpy((char *)sharing->ports + ports_size, request->namespace, namespace_size);
	sharing->next = group->members;
	if (group->members)
		group->members->previous = sharing;
	group->members = sharing;
	/* After joining, so that leaving the same group does not free it. */
	forget(alloc, holder);
	holder->sharing = sharing;
}
