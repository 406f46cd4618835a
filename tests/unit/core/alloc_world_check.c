// SPDX-License-Identifier: Apache-2.0
/*
 * Was it right? Each decision, each write, and the world at rest against the naive rules:
 * nobody is given what it may not have, nobody loses what it may keep, nobody waits in
 * vain, and no two show one address who may not share it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_world.h"

/* For whoever has to find out why: what the controller knows when a check fails. */
void world_print(const struct world *w)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *slot = &w->slots[i];
		const struct spec *spec = &slot->cache.spec;
		struct ip held[2] = {{0}};

		alloc_held(&slot->holder, IP_V4, &held[0]);
		alloc_held(&slot->holder, IP_V6, &held[1]);
		if (slot->cache.exists)
			print_error(
				"%s: lb %d ours %d deleting %d families %u,%u policy %d asked %u "
				"pool %u key %u port %u local %d selector %u namespace %u; "
				"holds %s %s; shows %s %s; remembers `%s`\n",
				slot->name, spec->load_balancer, spec->ours, spec->deleting,
				spec->families[0], spec->families[1], (int)spec->policy,
				spec->asked, spec->pool, spec->key, spec->port, spec->local,
				spec->selector, spec->namespace, ip_text(&held[0]).s,
				ip_text(&held[1]).s,
				slot->cache.count > 0 ? ip_text(&slot->cache.status[0]).s : "-",
				slot->cache.count > 1 ? ip_text(&slot->cache.status[1]).s : "-",
				slot->cache.has_assigned ? slot->cache.assigned : "");
	}
	for (size_t i = 0; i < MODEL_CONFIGS; i++) {
		if (w->config == w->configs[i])
			print_error("config: %s\n", model_configs[i]);
	}
}

static bool others_allow(
	struct world *w, const struct slot *slot, const struct ip *ip, bool newcomer, bool anywhere)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *other = &w->slots[i];
		struct ip held;
		bool there = newcomer ? alloc_holds(&other->holder, ip)
				      : alloc_held(&other->holder, ip->family, &held) &&
						ip_equal(&held, ip);

		if (other != slot && there &&
			!specs_may_share(&slot->cache.spec, &other->decided, anywhere))
			return false;
	}
	return true;
}

static bool somebody_holds(struct world *w, const struct slot *slot, const struct ip *ip)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (&w->slots[i] != slot && alloc_holds(&w->slots[i].holder, ip))
			return true;
	}
	return false;
}

/* May this Service be given this address anew? */
bool world_may_have(struct world *w, const struct slot *slot, const struct ip *ip)
{
	const struct spec *spec = &slot->cache.spec;
	const struct config_pool *pool = model_pool(w->config, ip);
	bool malformed;
	struct ip asked = spec_asked(spec, ip->family, &malformed);

	return model_serves(pool, spec, ip) && !pool->disabled && !w->blocked[model_index(ip)] &&
	       (pool->auto_assign || spec->pool || ip_equal(&asked, ip) ||
		       somebody_holds(w, slot, ip)) &&
	       others_allow(w, slot, ip, true, pool->share_across_namespaces);
}

bool world_lists(const struct ip *ips, size_t count, const struct ip *ip)
{
	for (size_t i = 0; i < count; i++) {
		if (ip_equal(&ips[i], ip))
			return true;
	}
	return false;
}

static bool is_in_text(const char *text, const struct ip *ip)
{
	struct ip ips[2];
	char unused[160];

	return assign_ips_parse(text, ips, unused, sizeof(unused)) && world_lists(ips, 2, ip);
}

static bool remembers(const struct object *object, const struct ip *ip)
{
	return object->has_assigned && is_in_text(object->assigned, ip);
}

static bool lists_family(const struct assign_decision *decision, uint8_t family)
{
	for (uint8_t i = 0; i < decision->address_count; i++) {
		if (decision->addresses[i].family == family)
			return true;
	}
	return false;
}

/* Another shows it that was changed to and fro, or was to leave it before the last crash: what
   stands in the objects does not tell who of the two has to go. */
static bool is_in_doubt(const struct world *w, const struct slot *slot, const struct ip *ip)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *other = &w->slots[i];

		if (other != slot && other->cache.exists &&
			world_lists(other->cache.status, other->cache.count, ip) &&
			(other->cache.strayed || other->left & UINT32_C(1) << model_index(ip)))
			return true;
	}
	return false;
}

/* Is there a good reason that it no longer has what it showed? */
static bool may_lose(struct world *w, const struct slot *slot, const struct ip *ip,
	const struct assign_decision *decision)
{
	const struct spec *spec = &slot->cache.spec;
	const struct config_pool *pool = model_pool(w->config, ip);
	bool malformed, moves;
	struct ip asked = spec_asked(spec, ip->family, &malformed);

	if (!spec_is_active(spec) || !spec_has_family(spec, ip->family))
		return true;
	if (asked.family && world_lists(decision->addresses, decision->address_count, &asked))
		return true;
	/* Of two sharers it is the one that was changed (A06). */
	if (!others_allow(w, slot, ip, false, true))
		return !w->calm || slot->cache.strayed || is_in_doubt(w, slot, ip) ||
		       !specs_share_alike(spec, &slot->decided_before);
	/* From here on it has another of the family, or there would have been no reason. */
	if (!lists_family(decision, ip->family))
		return false;
	if (spec->pool && (!pool || strcmp(pool->name, model_pools[spec->pool]) != 0))
		return true;
	moves = pool ? pool->move_when_removed
		     : w->config->move_when_removed || w->moves[model_index(ip)] ||
				is_in_text(slot->cache.moves, ip);
	return moves && (!model_serves(pool, spec, ip) ||
				!others_allow(w, slot, ip, false, pool->share_across_namespaces));
}

void world_check_decision(struct world *w, struct slot *slot, const struct ip *before,
	const struct assign_decision *decision)
{
	for (size_t i = 0; i < slot->cache.count; i++) {
		const struct ip *ip = &slot->cache.status[i];

		if (world_lists(before, 2, ip) &&
			!world_lists(decision->addresses, decision->address_count, ip))
			REQUIRE(w, may_lose(w, slot, ip, decision), "%s loses %s needlessly: %s",
				slot->name, ip_text(ip).s, decision->condition_message);
	}
	for (size_t i = 0; i < decision->address_count; i++) {
		const struct ip *ip = &decision->addresses[i];

		if (world_lists(before, 2, ip))
			continue;
		if (world_lists(slot->cache.status, slot->cache.count, ip) ||
			remembers(&slot->cache, ip))
			REQUIRE(w, others_allow(w, slot, ip, true, true), "%s takes %s back",
				slot->name, ip_text(ip).s);
		else
			REQUIRE(w, world_may_have(w, slot, ip), "%s is given %s", slot->name,
				ip_text(ip).s);
	}
}

/* In a calm history there is no address of two, so that whoever was not changed has its own. */
void world_check_adopted(struct world *w)
{
	for (size_t i = 0; i < SLOTS && w->calm; i++) {
		const struct slot *slot = &w->slots[i];
		const struct object *cache = &slot->cache;

		if (!cache->exists || !spec_is_active(&cache->spec) || cache->strayed)
			continue;
		for (uint8_t j = 0; j < cache->count; j++) {
			const struct ip *ip = &cache->status[j];
			struct ip held;

			REQUIRE(w,
				!spec_has_family(&cache->spec, ip->family) ||
					is_in_doubt(w, slot, ip) ||
					(alloc_held(&slot->holder, ip->family, &held) &&
						ip_equal(&held, ip)),
				"%s is not left its %s", slot->name, ip_text(ip).s);
		}
	}
}

/* It must go, which was decided after the write under way: that one is the next to go. */
static bool is_leaving(const struct slot *slot, const struct ip *ip)
{
	struct ip held = {0};

	alloc_held(&slot->holder, ip->family, &held);
	return alloc_holds(&slot->holder, ip) && !ip_equal(&held, ip);
}

/* In a calm history nobody is given what another shows and can't share, not for a moment. */
void world_check_published(struct world *w, struct slot *slot, const struct object *before)
{
	for (size_t i = 0; i < slot->truth.count && w->calm; i++) {
		const struct ip *ip = &slot->truth.status[i];

		if (world_lists(before->status, before->count, ip) || is_leaving(slot, ip))
			continue;
		for (size_t j = 0; j < SLOTS; j++) {
			struct slot *other = &w->slots[j];

			if (other == slot || !other->truth.exists ||
				!world_lists(other->truth.status, other->truth.count, ip) ||
				is_leaving(other, ip))
				continue;
			REQUIRE(w, specs_may_share(&slot->decided, &other->decided, true),
				"%s and %s both show %s", slot->name, other->name, ip_text(ip).s);
		}
	}
}

static bool could_be_had(struct world *w, const struct slot *slot, uint8_t family)
{
	bool malformed;
	struct ip asked = spec_asked(&slot->cache.spec, family, &malformed);

	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);

		if (ip.family == family && (!asked.family || ip_equal(&asked, &ip)) &&
			world_may_have(w, slot, &ip))
			return true;
	}
	return false;
}

static void check_missing(struct world *w, const struct slot *slot)
{
	const struct spec *spec = &slot->cache.spec;
	bool malformed, reason_to_wait = false, missing = false;

	spec_asked(spec, IP_V4, &malformed);
	for (size_t i = 0; i < 2; i++) {
		bool has = false;

		if (spec->families[i] == IP_NONE)
			continue;
		for (size_t j = 0; j < slot->cache.count; j++)
			has |= slot->cache.status[j].family == spec->families[i];
		if (has)
			continue;
		missing = true;
		reason_to_wait |= spec->policy == FAMILY_REQUIRE_DUAL &&
				  !could_be_had(w, slot, spec->families[i]);
		if (spec->policy != FAMILY_REQUIRE_DUAL)
			REQUIRE(w, malformed || !could_be_had(w, slot, spec->families[i]),
				"%s waits in vain for IPv%u: %s", slot->name, spec->families[i],
				slot->cache.message);
	}
	REQUIRE(w, !missing || malformed || spec->policy != FAMILY_REQUIRE_DUAL || reason_to_wait,
		"%s waits in vain for both: %s", slot->name, slot->cache.message);
}

static void check_slot_at_rest(struct world *w, struct slot *slot)
{
	const struct object *truth = &slot->truth;

	if (!spec_is_active(&truth->spec)) {
		REQUIRE(w, !alloc_holds_any(&slot->holder), "%s still holds something", slot->name);
		REQUIRE(w, !truth->finalizer || (truth->spec.load_balancer && !truth->spec.ours),
			"%s is not let go", slot->name);
		return;
	}
	for (size_t i = 0; i < truth->count; i++) {
		struct ip held;

		REQUIRE(w,
			alloc_held(&slot->holder, truth->status[i].family, &held) &&
				ip_equal(&held, &truth->status[i]),
			"%s shows %s and does not hold it", slot->name,
			ip_text(&truth->status[i]).s);
		for (size_t j = 0; j < SLOTS; j++) {
			const struct slot *other = &w->slots[j];

			if (other != slot && other->truth.exists &&
				spec_is_active(&other->truth.spec) &&
				world_lists(
					other->truth.status, other->truth.count, &truth->status[i]))
				REQUIRE(w, specs_may_share(&truth->spec, &other->truth.spec, true),
					"%s and %s have %s", slot->name, other->name,
					ip_text(&truth->status[i]).s);
		}
	}
	check_missing(w, slot);
}

void world_check_at_rest(struct world *w)
{
	uint64_t in_use = 0, counted = 0;

	for (size_t i = 0; i < SLOTS; i++) {
		if (w->slots[i].truth.exists)
			check_slot_at_rest(w, &w->slots[i]);
		else
			REQUIRE(w, !alloc_holds_any(&w->slots[i].holder),
				"a ghost holds something");
	}
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);

		counted += model_pool(w->config, &ip) && somebody_holds(w, NULL, &ip);
	}
	for (size_t i = 0; i < alloc_pool_count(w->alloc); i++) {
		struct alloc_pool_usage usage = alloc_pool_usage(w->alloc, i);

		in_use += usage.in_use[0] + usage.in_use[1];
	}
	REQUIRE(w, in_use == counted, "%llu addresses are counted as in use",
		(unsigned long long)in_use);
}
