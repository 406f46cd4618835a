// SPDX-License-Identifier: Apache-2.0
/*
 * Was it right? Each write before it is sent, and the world at rest, against the naive rules:
 * nothing is written for nothing, nobody is given what it may not have or loses what it may
 * keep, nobody waits in vain, and no two have one address who may not share it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/kube/decode.h"
#include "reconcile_world.h"

#define RECENT 100u /* versions */

static void print_object(const char *who, unsigned slot, const struct object *object)
{
	const struct spec *spec = &object->spec;

	fprintf(stderr,
		"%s s%u: version %u lb %d ours %d deleting %d families %u,%u policy %d asked %u "
		"pool "
		"%u key %u port %u local %d selector %u namespace %u; shows %s %s; remembers `%s`; "
		"`%s`\n",
		who, slot, object->version, spec->load_balancer, spec->ours, spec->deleting,
		spec->families[0], spec->families[1], (int)spec->policy, spec->asked, spec->pool,
		spec->key, spec->port, spec->local, spec->selector, spec->namespace,
		object->count > 0 ? ip_text(&object->status[0]).s : "-",
		object->count > 1 ? ip_text(&object->status[1]).s : "-", object->assigned,
		object->message);
}

void world_fail(const struct world *w, const char *format, ...)
{
	va_list arguments;

	for (unsigned slot = 0; slot < SLOTS; slot++) {
		if (w->server.objects[slot].exists)
			print_object("has", slot, &w->server.objects[slot]);
	}
	for (size_t i = 0; i < MODEL_CONFIGS; i++) {
		if (w->config == w->configs[i])
			fprintf(stderr, "config: %s\n", model_configs[i]);
	}
	fprintf(stderr, "HERALD_SEED=%llu, step %llu: ", (unsigned long long)w->seed,
		(unsigned long long)w->step);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

static bool lists(const struct ip *ips, size_t count, const struct ip *ip)
{
	for (size_t i = 0; i < count; i++) {
		if (ip_equal(&ips[i], ip))
			return true;
	}
	return false;
}

static bool shows(const struct object *object, const struct ip *ip)
{
	return object->exists && lists(object->status, object->count, ip);
}

static bool is_in_text(const char *text, const struct ip *ip)
{
	struct ip ips[2];
	char unused[160];

	return assign_ips_parse(text, ips, unused, sizeof(unused)) && lists(ips, 2, ip);
}

static bool remembers(const struct object *object, const struct ip *ip)
{
	return object->has_assigned && is_in_text(object->assigned, ip);
}

/* ---- a write ---- */

static bool is_same(const struct object *a, const struct object *b)
{
	return a->finalizer == b->finalizer && a->has_assigned == b->has_assigned &&
	       (!a->has_assigned || strcmp(a->assigned, b->assigned) == 0) &&
	       strcmp(a->shared_as, b->shared_as) == 0 && strcmp(a->moves, b->moves) == 0 &&
	       a->has_condition == b->has_condition &&
	       (!a->has_condition || (a->condition_true == b->condition_true &&
					     strcmp(a->reason, b->reason) == 0 &&
					     strcmp(a->message, b->message) == 0)) &&
	       a->count == b->count && memcmp(a->status, b->status, sizeof(a->status)) == 0;
}

/* The version before this one, as long as it may have been what was decided on last. */
static bool step_back(
	const struct world *w, const struct replica *r, unsigned slot, struct object *object)
{
	uint32_t uid = object->uid;

	if (object->version <= r->settled_at)
		return false;
	*object = server_at(&w->server, slot, object->version - 1);
	return object->version > 0 && object->uid == uid;
}

/* Whether two could share as they are, or as they were when they were decided on. */
static bool could_share(const struct world *w, const struct replica *r, unsigned slot,
	const struct object *as, unsigned other)
{
	struct object a = *as, b;

	do {
		b = server_at(&w->server, other, r->newest[other]);
		do {
			if (specs_may_share(&a.spec, &b.spec, true))
				return true;
		} while (step_back(w, r, other, &b));
	} while (step_back(w, r, slot, &a));
	return false;
}

/* Somebody has it, or is about to, with whom it may be shared. */
static bool anybody_has(const struct replica *r, const struct ip *ip)
{
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		bool malformed;
		struct ip asked = spec_asked(&r->seen[slot].spec, ip->family, &malformed);

		if (shows(&r->seen[slot], ip) || ip_equal(&asked, ip) ||
			r->granted[slot] & (UINT32_C(1) << model_index(ip)))
			return true;
	}
	return false;
}

static bool pool_gives(const struct world *w, const struct replica *r, const struct object *object,
	const struct ip *ip)
{
	const struct config_pool *pool = model_pool(w->config, ip);
	bool malformed;
	struct ip asked = spec_asked(&object->spec, ip->family, &malformed);

	return model_serves(pool, &object->spec, ip) && !pool->disabled &&
	       !w->blocked[model_index(ip)] &&
	       (pool->auto_assign || object->spec.pool || ip_equal(&asked, ip) ||
		       remembers(object, ip) || anybody_has(r, ip));
}

/* As it is, or as it was in a version that may have been decided on without being written; or it
   has gone from being a LoadBalancer and come back since. */
static bool was_given(const struct world *w, const struct replica *r, unsigned slot,
	const struct object *object, const struct ip *ip)
{
	struct object before = *object;

	do {
		if (shows(&before, ip) || pool_gives(w, r, &before, ip))
			return true;
	} while (step_back(w, r, slot, &before));
	return false;
}

static void check_given(struct world *w, struct replica *r, unsigned slot,
	const struct object *object, const struct ip *ip)
{
	uint32_t bit = UINT32_C(1) << model_index(ip);

	/* Or it has it since before the config changed. */
	REQUIRE(w,
		(r->granted[slot] & bit) || w->disturbed_step > r->settled_step ||
			was_given(w, r, slot, object, ip),
		"s%u is given %s", slot, ip_text(ip).s);
	for (unsigned other = 0; other < SLOTS; other++)
		REQUIRE(w,
			other == slot || !shows(&w->server.objects[other], ip) ||
				!shows(&r->seen[other], ip) ||
				could_share(w, r, slot, object, other),
			"s%u is given %s, which s%u has", slot, ip_text(ip).s, other);
	r->granted[slot] |= bit;
}

/* What it shares, or how, was changed not long ago. */
static bool shared_otherwise(const struct world *w, unsigned slot, const struct object *object)
{
	struct object before = *object;

	if (!specs_share_alike(&object->spec, &object->written))
		return true;
	while (before.version > 0 && before.uid == object->uid &&
		before.version + RECENT > object->version) {
		if (!specs_share_alike(&object->spec, &before.spec))
			return true;
		before = server_at(&w->server, slot, before.version - 1);
	}
	return false;
}

/* With one of another namespace, which the pool does not allow (any longer). */
static bool is_shared_too_widely(
	const struct world *w, unsigned slot, const struct ip *ip, const struct config_pool *pool)
{
	const struct object *object = &w->server.objects[slot];

	for (unsigned other = 0; other < SLOTS && !pool->share_across_namespaces; other++) {
		if (other != slot && shows(&w->server.objects[other], ip) &&
			w->server.objects[other].spec.namespace != object->spec.namespace)
			return true;
	}
	return false;
}

/* Another that has it was changed to and fro: see struct object. */
static bool is_of_a_strayer(
	const struct world *w, const struct replica *r, unsigned slot, const struct ip *ip)
{
	for (unsigned other = 0; other < SLOTS; other++) {
		struct object object = w->server.objects[other];

		if (other == slot)
			continue;
		do {
			if (shows(&object, ip) && object.strayed)
				return true;
		} while (step_back(w, r, other, &object));
	}
	return false;
}

static bool may_lose(const struct world *w, unsigned slot, const struct object *object,
	const struct object *after, const struct ip *ip)
{
	const struct spec *spec = &object->spec;
	const struct config_pool *pool = model_pool(w->config, ip);
	bool malformed, has_another = false;
	struct ip asked = spec_asked(spec, ip->family, &malformed);

	if (!spec_is_active(spec) || !spec_has_family(spec, ip->family) ||
		lists(after->status, after->count, &asked) || shared_otherwise(w, slot, object))
		return true;
	for (uint8_t i = 0; i < after->count; i++)
		has_another |= after->status[i].family == ip->family;
	if (!has_another)
		return false;
	if (spec->pool && (!pool || strcmp(pool->name, model_pools[spec->pool]) != 0))
		return true;
	/* Also because of a config that was in force for a while. */
	return w->disturbed_step + RECENT > w->step ||
	       (pool ? pool->move_when_removed && (!model_serves(pool, spec, ip) ||
							  is_shared_too_widely(w, slot, ip, pool))
		     : w->config->move_when_removed || w->moves[model_index(ip)]);
}

void world_check_write(struct world *w, struct replica *r, const struct writer_job *job)
{
	unsigned slot = server_slot(job->path);
	struct object object, after;
	struct patch patch;

	patch_read(job->body, &patch);
	REQUIRE(w, patch.version > 0 && patch.version <= w->server.count, "of no version: %s",
		job->body);
	object = w->server.history[patch.version - 1].object;
	after = object;
	patch_apply(job->body, &after);
	REQUIRE(w, !is_same(&object, &after), "s%u is written as it is: %s", slot, job->body);
	REQUIRE(w, after.count == 0 || (after.finalizer && after.has_assigned),
		"s%u is half written: %s", slot, job->body);
	REQUIRE(w, !patch.ingress || !object.spec.load_balancer || object.spec.ours,
		"s%u is another's: %s", slot, job->body);
	/* One that was decided on old news comes to nothing. */
	if (!w->calm || object.version != w->server.objects[slot].version)
		return;
	for (uint8_t i = 0; i < object.count; i++)
		REQUIRE(w,
			shows(&after, &object.status[i]) ||
				may_lose(w, slot, &object, &after, &object.status[i]) ||
				is_of_a_strayer(w, r, slot, &object.status[i]),
			"s%u loses %s needlessly: %s", slot, ip_text(&object.status[i]).s,
			job->body);
	for (uint8_t i = 0; i < after.count; i++) {
		if (!shows(&object, &after.status[i]))
			check_given(w, r, slot, &object, &after.status[i]);
	}
}

/* ---- at rest ---- */

/* Could this Service be given this address now? */
static bool could_have(const struct world *w, unsigned slot, const struct ip *ip)
{
	const struct spec *spec = &w->server.objects[slot].spec;
	const struct config_pool *pool = model_pool(w->config, ip);
	bool malformed, asked_for, shared = false;
	struct ip asked = spec_asked(spec, ip->family, &malformed);

	asked_for = ip_equal(&asked, ip);
	if ((asked.family && !asked_for) || !model_serves(pool, spec, ip) || pool->disabled ||
		w->blocked[model_index(ip)])
		return false;
	for (unsigned other = 0; other < SLOTS; other++) {
		const struct object *object = &w->server.objects[other];

		if (other == slot || !shows(object, ip))
			continue;
		shared = true;
		if (!specs_may_share(spec, &object->spec, pool->share_across_namespaces))
			return false;
	}
	return pool->auto_assign || spec->pool || asked_for || shared;
}

static bool could_have_any(const struct world *w, unsigned slot, uint8_t family)
{
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);

		if (ip.family == family && could_have(w, slot, &ip))
			return true;
	}
	return false;
}

static bool has_family(const struct object *object, uint8_t family)
{
	for (uint8_t i = 0; i < object->count; i++) {
		if (object->status[i].family == family)
			return true;
	}
	return false;
}

static void check_missing(const struct world *w, unsigned slot)
{
	const struct object *object = &w->server.objects[slot];
	const struct spec *spec = &object->spec;
	bool malformed, all = true, in_vain = false;

	spec_asked(spec, IP_V4, &malformed);
	for (size_t i = 0; i < 2; i++) {
		bool could;

		if (spec->families[i] == IP_NONE || has_family(object, spec->families[i]))
			continue;
		could = could_have_any(w, slot, spec->families[i]);
		all &= could;
		in_vain |= could;
	}
	/* Both or none: one that could be had is none. */
	if (spec->policy == FAMILY_REQUIRE_DUAL)
		in_vain &= all;
	REQUIRE(w, malformed || !in_vain, "s%u waits in vain: %s", slot, object->message);
}

/* A08: it remembers what its address's pool says, and obeys once no pool has the address. */
static void check_moves(const struct world *w, unsigned slot, const struct ip *ip)
{
	const struct object *object = &w->server.objects[slot];
	const struct config_pool *pool = model_pool(w->config, ip);
	bool malformed, moves = is_in_text(object->moves, ip);
	struct ip asked = spec_asked(&object->spec, ip->family, &malformed);

	if (pool)
		REQUIRE(w, moves == pool->move_when_removed, "s%u remembers `%s` of %s", slot,
			object->moves, ip_text(ip).s);
	else
		REQUIRE(w,
			!moves || malformed || asked.family != IP_NONE ||
				!could_have_any(w, slot, ip->family),
			"s%u is not moved off %s", slot, ip_text(ip).s);
}

static void check_active(const struct world *w, unsigned slot)
{
	const struct object *object = &w->server.objects[slot];

	for (uint8_t i = 0; i < object->count; i++) {
		const struct ip *ip = &object->status[i];

		REQUIRE(w, spec_has_family(&object->spec, ip->family), "s%u shows %s for no family",
			slot, ip_text(ip).s);
		check_moves(w, slot, ip);
		for (unsigned other = 0; other < SLOTS; other++)
			REQUIRE(w,
				other == slot || !shows(&w->server.objects[other], ip) ||
					specs_may_share(&object->spec,
						&w->server.objects[other].spec, true),
				"s%u and s%u have %s", slot, other, ip_text(ip).s);
	}
	REQUIRE(w, object->has_condition, "s%u has no condition", slot);
	check_missing(w, slot);
}

/* Decided once more, nothing is to be written: it was judged by all that holds now. */
static void check_judged(const struct world *w, unsigned slot)
{
	const struct replica *r = &w->replicas[w->leader];
	const struct object *object = &w->server.objects[slot];
	json_t *json = server_json(slot, object);
	struct service *service = NULL;
	struct assign_decision decision;
	struct record *record;

	REQUIRE(w, kube_decode_service(json, &service, NULL) == 0, "s%u can't be read", slot);
	record = record_find(&r->assigner->records, service->meta.namespace, service->meta.name);
	REQUIRE(w, record || !assigner_is_of_interest(service), "s%u is not known", slot);
	/* One that came later may move this one, where the pool says so, when next it is judged. */
	for (uint8_t i = 0; i < object->count; i++) {
		const struct config_pool *pool = model_pool(w->config, &object->status[i]);

		if (pool && is_shared_too_widely(w, slot, &object->status[i], pool))
			record = NULL;
	}
	if (record) {
		const struct assign_input input = {.service = service,
			.holder = &record->holder,
			.ours = object->spec.load_balancer && object->spec.ours};

		assign_decide(r->assigner->alloc, &input, &decision);
		/* The words of a condition may be those of a minute ago. */
		REQUIRE(w,
			!decision.ingress && decision.finalizer == ASSIGN_KEEP &&
				decision.annotation == ASSIGN_KEEP &&
				decision.shared_as == ASSIGN_KEEP &&
				decision.moves == ASSIGN_KEEP && !decision.condition_flips,
			"s%u is not as it should be: %s", slot, decision.condition_message);
	}
	free(service);
	json_decref(json);
}

void world_check_at_rest(struct world *w)
{
	const struct replica *r = &w->replicas[w->leader];
	uint64_t in_use = 0, shown = 0;

	for (unsigned slot = 0; slot < SLOTS; slot++) {
		const struct object *object = &w->server.objects[slot];

		if (!object->exists)
			continue;
		check_judged(w, slot);
		if (spec_is_active(&object->spec))
			check_active(w, slot);
		else
			REQUIRE(w,
				(!object->finalizer && !object->has_assigned) ||
					(object->spec.load_balancer && !object->spec.ours),
				"s%u is not let go", slot);
	}
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);
		bool somebody = false;

		for (unsigned slot = 0; slot < SLOTS; slot++)
			somebody |= shows(&w->server.objects[slot], &ip) &&
				    spec_is_active(&w->server.objects[slot].spec);
		shown += somebody && model_pool(w->config, &ip);
	}
	for (size_t i = 0; i < alloc_pool_count(r->assigner->alloc); i++) {
		struct alloc_pool_usage usage = alloc_pool_usage(r->assigner->alloc, i);

		in_use += usage.in_use[0] + usage.in_use[1];
	}
	REQUIRE(w, in_use == shown, "%llu addresses are taken and %llu shown",
		(unsigned long long)in_use, (unsigned long long)shown);
}
