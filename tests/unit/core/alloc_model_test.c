// SPDX-License-Identifier: Apache-2.0
/*
 * Random histories of Services, configs, node addresses, lost answers, late writes and
 * crashes, and beside them the naive rules of alloc_model.c. A controller is played as the
 * real one works: it decides on what it last read, writes under a precondition, and frees
 * what is left only once it sees its decision. HERALD_MODEL_STEPS and HERALD_MODEL_SEED
 * say how far to go and where to begin; a failure names the seed of its history.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_model.h"

#define SLOTS 14
#define HISTORY_STEPS 1500u
#define SETTLE_EVERY 100u

static const char *const config_texts[] = {
	"pools: [{name: a, addresses: [10.0.0.0/30, fd00::-fd00::2]}, "
	"{name: b, addresses: [10.0.1.0/30], priority: 1}]",
	"pools: [{name: a, addresses: [10.0.0.0/31, fd00::-fd00::2]}, "
	"{name: c, addresses: [10.0.0.2/31]}, {name: b, addresses: [10.0.1.0/30], namespaces: "
	"[y]}]",
	"pools: [{name: a, addresses: [10.0.0.0/31], whenRemoved: move, "
	"shareAcrossNamespaces: true}, {name: b, addresses: [10.0.1.0/31], allocationOrder: "
	"spread}]",
	"pools: [{name: a, addresses: [10.0.0.0/30], reserved: [10.0.0.1]}, "
	"{name: b, addresses: [10.0.1.0/30, fd00::/125], disabled: true}, "
	"{name: d, addresses: [10.0.2.0/31], autoAssign: false}]",
	"pools: []",
	"pools: [{name: a, addresses: [10.0.0.0/29, fd00::/125], avoidBuggyIPs: true, "
	"shareAcrossNamespaces: true, whenRemoved: move}]",
	"addresses: {whenRemoved: move}\npools: [{name: b, addresses: [10.0.1.0/30, fd00::/126]}]",
};
#define CONFIGS (sizeof(config_texts) / sizeof(config_texts[0]))

struct write {
	bool under_way;
	uint32_t version; /* precondition */
	struct assign_decision decision;
};

struct slot {
	struct object truth, cache;
	struct write write, late; /* late: of a process that is gone */
	/* the controller's */
	struct alloc_holder holder;
	struct spec decided;
	bool dirty, waiting;
	bool stale; /* what became of a write is not known: to be read before it is decided */
	char name[16];
};

struct world {
	uint64_t random, seed, step;
	struct alloc *alloc;
	struct config *configs[CONFIGS];
	const struct config *config;
	struct slot slots[SLOTS];
	uint64_t judged; /* the generation when those waiting were last tried */
	uint32_t versions;
	bool blocked[UNIVERSE], moves[UNIVERSE]; /* moves: by the word of a pool that is gone */
	bool calm; /* no late writes and old readings in this history: stricter checks */
};

static void print_world(const struct world *w);

#define REQUIRE(w, condition, ...)                                                                 \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			print_world(w);                                                            \
			print_error("HERALD_MODEL_SEED=%llu, step %llu: ",                         \
				(unsigned long long)(w)->seed, (unsigned long long)(w)->step);     \
			fail_msg(__VA_ARGS__);                                                     \
		}                                                                                  \
	} while (0)

static uint32_t draw(struct world *w, uint32_t limit)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (uint32_t)((w->random * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % limit;
}

/* For whoever has to find out why: what the controller knows when a check fails. */
static void print_world(const struct world *w)
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
	for (size_t i = 0; i < CONFIGS; i++) {
		if (w->config == w->configs[i])
			print_error("config: %s\n", config_texts[i]);
	}
}

/* ---- the naive rules on what the controller holds ---- */

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
static bool may_have(struct world *w, const struct slot *slot, const struct ip *ip)
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

static bool lists(const struct ip *ips, size_t count, const struct ip *ip)
{
	for (size_t i = 0; i < count; i++) {
		if (ip_equal(&ips[i], ip))
			return true;
	}
	return false;
}

static bool remembers(const struct object *object, const struct ip *ip)
{
	struct ip ips[2];
	char unused[160];

	return object->has_assigned &&
	       assign_ips_parse(object->assigned, ips, unused, sizeof(unused)) && lists(ips, 2, ip);
}

static bool lists_family(const struct assign_decision *decision, uint8_t family)
{
	for (uint8_t i = 0; i < decision->address_count; i++) {
		if (decision->addresses[i].family == family)
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
	if (asked.family && lists(decision->addresses, decision->address_count, &asked))
		return true;
	if (!others_allow(w, slot, ip, false, true))
		return true;
	/* From here on it has another of the family, or there would have been no reason. */
	if (!lists_family(decision, ip->family))
		return false;
	if (spec->pool && (!pool || strcmp(pool->name, model_pools[spec->pool]) != 0))
		return true;
	moves = pool ? pool->move_when_removed
		     : w->config->move_when_removed || w->moves[model_index(ip)];
	return moves && (!model_serves(pool, spec, ip) ||
				!others_allow(w, slot, ip, false, pool->share_across_namespaces));
}

/* ---- the controller ---- */

static void decide(struct world *w, struct slot *slot);
static void deliver(struct world *w, struct slot *slot);

static void let_go(struct world *w, struct slot *slot)
{
	alloc_release(w->alloc, &slot->holder);
	slot->write.under_way = slot->dirty = slot->waiting = slot->stale = false;
	slot->decided = (struct spec){0};
}

static void try_waiting(struct world *w)
{
	if (w->judged == alloc_generation(w->alloc))
		return;
	w->judged = alloc_generation(w->alloc);
	for (size_t i = 0; i < SLOTS; i++) {
		if (w->slots[i].waiting && !w->slots[i].stale)
			decide(w, &w->slots[i]);
	}
}

static void check_decision(struct world *w, struct slot *slot, const struct ip *before,
	const struct assign_decision *decision)
{
	for (size_t i = 0; i < slot->cache.count; i++) {
		const struct ip *ip = &slot->cache.status[i];

		if (lists(before, 2, ip) &&
			!lists(decision->addresses, decision->address_count, ip))
			REQUIRE(w, may_lose(w, slot, ip, decision), "%s loses %s needlessly: %s",
				slot->name, ip_text(ip).s, decision->condition_message);
	}
	for (size_t i = 0; i < decision->address_count; i++) {
		const struct ip *ip = &decision->addresses[i];

		if (lists(before, 2, ip))
			continue;
		if (lists(slot->cache.status, slot->cache.count, ip) || remembers(&slot->cache, ip))
			REQUIRE(w, others_allow(w, slot, ip, true, true), "%s takes %s back",
				slot->name, ip_text(ip).s);
		else
			REQUIRE(w, may_have(w, slot, ip), "%s is given %s", slot->name,
				ip_text(ip).s);
	}
}

static struct assign_input input_of(struct slot *slot, struct view *view)
{
	view_make(view, &slot->cache);
	return (struct assign_input){.service = &view->service,
		.holder = &slot->holder,
		.ours = slot->cache.spec.ours && slot->cache.spec.load_balancer};
}

static void decide(struct world *w, struct slot *slot)
{
	struct assign_decision decision;
	struct ip before[2] = {{0}};
	struct view view;
	struct assign_input input;

	if (slot->stale)
		deliver(w, slot);
	slot->dirty = slot->waiting = slot->stale = false;
	if (!slot->cache.exists)
		return;
	input = input_of(slot, &view);
	alloc_held(&slot->holder, IP_V4, &before[0]);
	alloc_held(&slot->holder, IP_V6, &before[1]);
	/* What it shares by while it leaves is what it shared by before. */
	if (spec_is_active(&slot->cache.spec))
		slot->decided = slot->cache.spec;
	assign_decide(w->alloc, &input, &decision);
	check_decision(w, slot, before, &decision);
	slot->waiting = decision.state == ASSIGN_PENDING || decision.state == ASSIGN_KEPT ||
			(decision.state == ASSIGN_ASSIGNED && slot->cache.spec.families[1] &&
				decision.address_count < 2);
	if (slot->write.under_way)
		return;
	if (decision.write)
		slot->write = (struct write){true, slot->cache.version, decision};
	else if (decision.state == ASSIGN_RELEASED)
		alloc_release(w->alloc, &slot->holder);
	else
		alloc_settle(w->alloc, &slot->holder);
}

/* ---- the API server ---- */

static void touch(struct world *w, struct slot *slot)
{
	slot->truth.version = ++w->versions;
}

static void end_of_object(struct world *w, struct slot *slot)
{
	if (slot->truth.spec.deleting && !slot->truth.finalizer) {
		slot->truth.exists = false;
		touch(w, slot);
	}
}

static bool apply(struct world *w, struct slot *slot, const struct write *write)
{
	const struct assign_decision *decision = &write->decision;
	struct object *truth = &slot->truth;

	if (!truth->exists || truth->version != write->version)
		return false;
	if (decision->ingress) {
		truth->count = decision->address_count;
		memcpy(truth->status, decision->addresses, sizeof(truth->status));
	}
	if (decision->finalizer != ASSIGN_KEEP)
		truth->finalizer = decision->finalizer == ASSIGN_SET;
	if (decision->annotation != ASSIGN_KEEP) {
		truth->has_assigned = decision->annotation == ASSIGN_SET;
		memcpy(truth->assigned, decision->annotation_text, sizeof(truth->assigned));
	}
	if (decision->condition != ASSIGN_KEEP) {
		truth->has_condition = decision->condition == ASSIGN_SET;
		truth->condition_true = decision->condition_true;
		truth->reason = decision->condition_reason;
		memcpy(truth->message, decision->condition_message, sizeof(truth->message));
	}
	touch(w, slot);
	end_of_object(w, slot);
	return true;
}

/* Its Service changed so that it must go, after this one's write was decided. */
static bool is_leaving(const struct slot *slot, const struct ip *ip)
{
	struct ip held = {0};

	alloc_held(&slot->holder, ip->family, &held);
	return alloc_holds(&slot->holder, ip) && !ip_equal(&held, ip);
}

/* In a calm history nobody is given what another shows and can't share, not for a moment. */
static void check_published(struct world *w, struct slot *slot, const struct object *before)
{
	for (size_t i = 0; i < slot->truth.count && w->calm; i++) {
		const struct ip *ip = &slot->truth.status[i];

		if (lists(before->status, before->count, ip))
			continue;
		for (size_t j = 0; j < SLOTS; j++) {
			struct slot *other = &w->slots[j];

			if (other == slot || !other->truth.exists ||
				!lists(other->truth.status, other->truth.count, ip) ||
				is_leaving(other, ip))
				continue;
			REQUIRE(w, specs_may_share(&slot->decided, &other->decided, true),
				"%s and %s both show %s", slot->name, other->name, ip_text(ip).s);
		}
	}
}

static void deliver(struct world *w, struct slot *slot)
{
	if (slot->cache.version == slot->truth.version)
		return;
	if (slot->cache.uid != slot->truth.uid || !slot->truth.exists)
		let_go(w, slot);
	slot->cache = slot->truth;
	slot->dirty = slot->cache.exists;
	slot->stale = false;
}

static void end_write(struct world *w, struct slot *slot)
{
	struct object before = slot->truth;
	unsigned fate = draw(w, 10);

	if (!slot->write.under_way)
		return;
	slot->write.under_way = false;
	slot->dirty = slot->cache.exists;
	slot->stale = true;
	if (fate == 0)
		return; /* it never arrived */
	if (apply(w, slot, &slot->write))
		check_published(w, slot, &before);
	if (fate > 2) /* else the answer is lost, and what it did is read some time */
		deliver(w, slot);
}

static void crash(struct world *w)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &w->slots[i];

		if (slot->write.under_way && draw(w, 2) == 0)
			apply(w, slot, &slot->write);
		else if (slot->write.under_way && !w->calm)
			slot->late = slot->write;
		let_go(w, slot);
		if (w->calm || draw(w, 4))
			slot->cache = slot->truth; /* else an old reading */
	}
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);

		w->moves[i] = false;
		if (w->blocked[i])
			alloc_unblock(w->alloc, &ip);
	}
	alloc_free(w->alloc);
	w->alloc = alloc_new();
	alloc_configure(w->alloc, w->config);
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);

		if (w->blocked[i])
			alloc_block(w->alloc, &ip);
	}
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < SLOTS; i++) {
			struct slot *slot = &w->slots[i];
			struct view view;
			struct assign_input input = input_of(slot, &view);

			slot->dirty = slot->cache.exists;
			slot->decided = slot->cache.spec;
			if (slot->cache.exists && pass == 0)
				assign_adopt_status(w->alloc, &input);
			else if (slot->cache.exists && !alloc_holds_any(&slot->holder))
				assign_adopt_annotation(w->alloc, &input);
		}
	}
}

/* ---- what happens ---- */

static void draw_spec(struct world *w, struct spec *spec)
{
	static const uint8_t families[4][2] = {
		{IP_V4, 0}, {IP_V6, 0}, {IP_V4, IP_V6}, {IP_V6, IP_V4}};
	uint32_t pick = draw(w, 4);

	spec->families[0] = families[pick][0];
	spec->families[1] = families[pick][1];
	spec->policy = pick < 2	    ? FAMILY_SINGLE
		       : draw(w, 2) ? FAMILY_PREFER_DUAL
				    : FAMILY_REQUIRE_DUAL;
	spec->asked = draw(w, 3) ? 0 : (uint8_t)draw(w, MODEL_ASKED);
	spec->pool = draw(w, 4) ? 0 : (uint8_t)draw(w, 4);
	spec->key = (uint8_t)draw(w, 3);
	spec->port = (uint16_t)(80 + draw(w, 4));
	spec->local = draw(w, 5) == 0;
	spec->selector = (uint8_t)draw(w, 2);
}

static void user_acts(struct world *w, struct slot *slot)
{
	struct object *truth = &slot->truth;

	if (!truth->exists) {
		*truth = (struct object){.exists = true, .uid = w->versions + 1, .reason = ""};
		truth->spec.namespace = (uint8_t)draw(w, 2);
		truth->spec.load_balancer = true;
		truth->spec.ours = draw(w, 8) != 0;
		draw_spec(w, &truth->spec);
	} else if (truth->spec.deleting) {
		return;
	} else {
		struct spec changed = truth->spec;

		switch (draw(w, 8)) {
		case 0:
			truth->spec.deleting = true;
			break;
		case 1:
			truth->spec.load_balancer = !truth->spec.load_balancer;
			truth->spec.ours |= truth->spec.load_balancer && draw(w, 2);
			truth->count = truth->spec.load_balancer ? truth->count : 0;
			break;
		default:
			draw_spec(w, &changed);
			/* Mostly one thing at a time. */
			if (draw(w, 2)) {
				truth->spec.key = changed.key;
				truth->spec.port = changed.port;
			} else if (draw(w, 2)) {
				truth->spec.asked = changed.asked;
			} else {
				truth->spec = changed;
			}
		}
	}
	touch(w, slot);
	end_of_object(w, slot);
}

static void reconfigure(struct world *w)
{
	const struct config *old = w->config;

	w->config = w->configs[draw(w, CONFIGS)];
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);
		const struct config_pool *before = model_pool(old, &ip);

		if (model_pool(w->config, &ip))
			w->moves[i] = false;
		else if (before)
			w->moves[i] = before->move_when_removed;
	}
	alloc_configure(w->alloc, w->config);
	for (size_t i = 0; i < SLOTS; i++)
		w->slots[i].dirty = w->slots[i].cache.exists;
}

static void toggle_block(struct world *w)
{
	size_t index = draw(w, UNIVERSE);
	struct ip ip = model_ip(index);

	w->blocked[index] = !w->blocked[index];
	if (!w->blocked[index]) {
		alloc_unblock(w->alloc, &ip);
	} else if (alloc_block(w->alloc, &ip)) {
		for (size_t i = 0; i < SLOTS; i++)
			w->slots[i].dirty = w->slots[i].cache.exists;
	}
}

static void happen(struct world *w)
{
	struct slot *slot = &w->slots[draw(w, SLOTS)];
	uint32_t what = draw(w, 1000);

	if (what < 120)
		user_acts(w, slot);
	else if (what < 123)
		reconfigure(w);
	else if (what < 128)
		toggle_block(w);
	else if (what < 130)
		crash(w);
	else if (what < 160 && slot->late.under_way)
		slot->late.under_way = apply(w, slot, &slot->late) && false;
	else if (what < 400)
		deliver(w, slot);
	else if (what < 700)
		end_write(w, slot);
	else if (slot->dirty)
		decide(w, slot);
	try_waiting(w);
}

/* ---- once all has come to rest ---- */

static void come_to_rest(struct world *w)
{
	bool busy = true;

	for (unsigned turns = 0; busy; turns++) {
		REQUIRE(w, turns < 200, "it never comes to rest");
		busy = false;
		for (size_t i = 0; i < SLOTS; i++) {
			struct slot *slot = &w->slots[i];

			slot->late.under_way = false;
			if (slot->write.under_way) {
				struct object before = slot->truth;

				slot->write.under_way = false;
				slot->dirty = slot->cache.exists;
				if (apply(w, slot, &slot->write))
					check_published(w, slot, &before);
			}
			deliver(w, slot);
			busy |= slot->dirty;
			if (slot->dirty)
				decide(w, slot);
			try_waiting(w);
		}
		for (size_t i = 0; i < SLOTS; i++)
			busy |= w->slots[i].write.under_way;
	}
}

static bool could_be_had(struct world *w, const struct slot *slot, uint8_t family)
{
	bool malformed;
	struct ip asked = spec_asked(&slot->cache.spec, family, &malformed);

	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);

		if (ip.family == family && (!asked.family || ip_equal(&asked, &ip)) &&
			may_have(w, slot, &ip))
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
				lists(other->truth.status, other->truth.count, &truth->status[i]))
				REQUIRE(w, specs_may_share(&truth->spec, &other->truth.spec, true),
					"%s and %s have %s", slot->name, other->name,
					ip_text(&truth->status[i]).s);
		}
	}
	check_missing(w, slot);
}

static void check_at_rest(struct world *w)
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

/* ---- histories ---- */

static struct config *parse(const char *text)
{
	struct config_problems problems = {0};
	char whole[1024];
	struct config *config;

	snprintf(whole, sizeof(whole), "apiVersion: %s\n%s", CONFIG_API_VERSION, text);
	config = config_parse(whole, strlen(whole), &problems);
	if (problems.count)
		print_error("%s: %s\n", problems.items[0].field, problems.items[0].text);
	config_problems_done(&problems);
	assert_non_null(config);
	return config;
}

static void play(struct world *w, uint64_t seed)
{
	w->seed = seed;
	w->random = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
	w->calm = seed % 2;
	w->alloc = alloc_new();
	w->config = w->configs[0];
	w->versions = 0;
	w->judged = 0;
	memset(w->slots, 0, sizeof(w->slots));
	memset(w->blocked, 0, sizeof(w->blocked));
	memset(w->moves, 0, sizeof(w->moves));
	alloc_configure(w->alloc, w->config);
	for (size_t i = 0; i < SLOTS; i++) {
		snprintf(w->slots[i].name, sizeof(w->slots[i].name), "x/s%zu", i);
		w->slots[i].holder.name = w->slots[i].name;
	}
	for (w->step = 1; w->step <= HISTORY_STEPS; w->step++) {
		happen(w);
		if (w->step % SETTLE_EVERY == 0) {
			come_to_rest(w);
			check_at_rest(w);
		}
	}
	for (size_t i = 0; i < SLOTS; i++)
		alloc_release(w->alloc, &w->slots[i].holder);
	alloc_free(w->alloc);
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

/* K10, K11, K19, K59, A06-A09, A12, A14, C26: all of them at once, in no order. */
static void histories_keep_the_rules(void **state)
{
	uint64_t steps = number_of("HERALD_MODEL_STEPS", 1500000);
	uint64_t first = number_of("HERALD_MODEL_SEED", 1);
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	for (size_t i = 0; i < CONFIGS; i++)
		w->configs[i] = parse(config_texts[i]);
	for (uint64_t done = 0, seed = first; done < steps; done += HISTORY_STEPS, seed++)
		play(w, seed);
	for (size_t i = 0; i < CONFIGS; i++)
		config_free(w->configs[i]);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histories_keep_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
