// SPDX-License-Identifier: Apache-2.0
/*
 * The shell around responder, announcements, probes and ownership. In: plans, frames,
 * changes of interfaces, the time. Out: frames, counters, and a call for each thing done.
 * Decides nothing itself: the rooms in core do.
 */
#include "layer2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "announcer.h"
#include "answers.h"
#include "herald/core/announce.h"
#include "herald/core/cover.h"
#include "herald/core/warmup.h"
#include "prober.h"
#include "solicited.h"
#include "steering.h"

/* A planned move: until the next owner is heard. It may wait for WARMUP_MS, and must first be
   told where we stop. */
#define HAND_OVER_MS 4000u

struct layer2 {
	struct program *program;
	struct layer2_sink sink;
	void *context;
	struct ports *ports;
	struct ownership *ownership;
	struct announce *announce;
	struct timer *timer;
	struct ownership_wish *wishes; /* of the plan in force, sorted */
	size_t wish_count;
	struct warmup *warmup;
	struct prober prober;
	struct conflict_list told; /* the conflicts that other nodes tell of */
	struct answers answers;
	struct announcer announcer;
	struct solicited *solicited;
	struct steering steering;
	struct metric *owned, *conflicts, *yields;
	struct metric *arp_dropped[ARP_REASON_COUNT], *ndp_dropped[NDP_REASON_COUNT];
};

static struct ownership_now ownership_now(const struct layer2 *l)
{
	return (struct ownership_now){
		.time = loop_now(l->program->loop),
		.lapsed = l->sink.has_lapsed(l->context),
		.proven = l->sink.proven(l->context),
	};
}

/* The kernel keeps from us what is for nobody of ours. */
static void heed_table(struct layer2 *l)
{
	const struct responder_table *table = &l->answers.table;
	struct ip_prefix networks[2 * WIRE_FILTER_NETWORKS];
	struct ip *ips = xcalloc(table->address_count, sizeof(*ips));
	size_t count = 0, four = 0;

	for (size_t i = 0; i < table->address_count; i++) {
		ips[i] = table->addresses[i].ip;
		four += ips[i].family == IP_V4;
	}
	count = cover_make(ips, four, networks, WIRE_FILTER_NETWORKS);
	count += cover_make(
		ips + four, table->address_count - four, networks + count, WIRE_FILTER_NETWORKS);
	ports_heed(l->ports, networks, count);
	free(ips);
}

static void rebuild_table(struct layer2 *l)
{
	answers_rebuild(&l->answers);
	heed_table(l);
	for (size_t i = 0; i < l->answers.gained_count; i++) {
		if (ownership_state_of(l->ownership, &l->answers.gained[i]) == OWNERSHIP_HELD)
			announce_start(
				l->announce, &l->answers.gained[i], loop_now(l->program->loop));
	}
	metric_set(l->owned, (double)ownership_count(l->ownership, OWNERSHIP_HELD));
}

static struct steering_scene scene_of(struct layer2 *l)
{
	return (struct steering_scene){
		.ports = l->ports,
		.table = &l->answers.table,
		.lapsed = l->sink.has_lapsed(l->context),
	};
}

/* Where each node has its own clients, telling all would lead all of them to us. */
static void announce(struct layer2 *l, const struct ip *ip)
{
	const struct responder_address *address = responder_find(&l->answers.table, ip);
	const struct steering_scene scene = scene_of(l);

	if (address && address->spread)
		steering_claim(&l->steering, &scene, ip, NULL);
	else
		announcer_announce(&l->announcer, l->ports, &l->answers.table, ip);
}

static void announce_all_due(struct layer2 *l)
{
	struct ip ips[ANNOUNCE_BATCH];
	size_t count = announce_due(l->announce, loop_now(l->program->loop), ips);
	const struct steering_scene scene = scene_of(l);

	for (size_t i = 0; i < count; i++) {
		announce(l, &ips[i]);
		/* While lapsed, whoever answers would be yielded to. */
		if (announce_is_settled(l->announce, &ips[i]) && !l->sink.has_lapsed(l->context))
			prober_verify(&l->prober, l->ports, &l->answers.table, &ips[i]);
	}
	steering_step(&l->steering, &scene, loop_now(l->program->loop));
}

static void schedule(struct layer2 *l)
{
	struct monotime now = loop_now(l->program->loop), next, other;
	bool wanted = announce_next(l->announce, &next);

	if (ownership_next(l->ownership, &other) && (!wanted || other.ns < next.ns)) {
		next = other;
		wanted = true;
	}
	if (warmup_next(l->warmup, &other) && (!wanted || other.ns < next.ns)) {
		next = other;
		wanted = true;
	}
	if (probe_next(l->prober.probe, &other) && (!wanted || other.ns < next.ns)) {
		next = other;
		wanted = true;
	}
	if (steering_next(&l->steering, &other) && (!wanted || other.ns < next.ns)) {
		next = other;
		wanted = true;
	}
	if (sharing_next(l->steering.sharing, &other) && (!wanted || other.ns < next.ns)) {
		next = other;
		wanted = true;
	}
	if (wanted)
		timer_start(l->timer, monotime_ms_until(now, next));
	else
		timer_stop(l->timer);
}

static void defend(struct layer2 *l, const struct ownership_effect *effect)
{
	const struct sharing_place *place = sharing_find(l->steering.sharing, &effect->ip);
	const struct steering_scene scene = scene_of(l);

	metric_add(l->conflicts, 1);
	if (!place || !place->per_client) {
		announce_once(l->announce, &effect->ip, loop_now(l->program->loop));
		return;
	}
	steering_claim(&l->steering, &scene, &effect->ip, effect->mac);
	steering_defend(&l->steering, &effect->ip);
}

static void carry_out(struct layer2 *l, const struct ownership_effect *effect, bool quiet)
{
	struct monotime now = loop_now(l->program->loop);

	switch (effect->action) {
	case OWNERSHIP_TAKE:
		if (quiet) {
			announce_adopt(l->announce, &effect->ip, now);
		} else {
			announce_start(l->announce, &effect->ip, now);
			steering_took(&l->steering, &effect->ip);
		}
		break;
	case OWNERSHIP_DEFEND:
		defend(l, effect);
		break;
	case OWNERSHIP_INSIST:
		metric_add(l->conflicts, 1);
		announce_start(l->announce, &effect->ip, now);
		break;
	case OWNERSHIP_YIELD:
		metric_add(l->yields, 1);
		announce_stop(l->announce, &effect->ip);
		l->sink.asks_for_proof(l->context);
		break;
	case OWNERSHIP_HAND_OVER:
	case OWNERSHIP_RELEASE:
		announce_stop(l->announce, &effect->ip);
		break;
	case OWNERSHIP_ASK:
		l->sink.asks_for_proof(l->context);
		break;
	}
}

static void apply_effects(struct layer2 *l, struct ownership_effects *effects, bool quiet)
{
	for (size_t i = 0; i < effects->count; i++)
		carry_out(l, &effects->items[i], quiet);
	rebuild_table(l);
	announce_all_due(l);
	schedule(l);
	solicited_follow(l->solicited, &l->answers.table, l->ports);
	for (size_t i = 0; i < effects->count; i++) {
		if (!quiet || effects->items[i].action != OWNERSHIP_TAKE)
			l->sink.acted(l->context, &effects->items[i]);
	}
	ownership_effects_done(effects);
}

/* The plan in force, but for what can't be announced yet. */
static void plan_ownership(
	struct layer2 *l, const struct ownership_now *now, struct ownership_effects *effects)
{
	AUTO_FREE struct ownership_wish *wishes = xcalloc(l->wish_count, sizeof(*wishes));

	if (l->wish_count > 0)
		memcpy(wishes, l->wishes, l->wish_count * sizeof(*wishes));
	warmup_hold_back(l->warmup, wishes, l->wish_count);
	probe_plan(l->prober.probe, wishes, l->wish_count, &l->told, now->time);
	ownership_plan(l->ownership, wishes, l->wish_count, now, HAND_OVER_MS, effects);
}

static void conflicts_changed(struct layer2 *l)
{
	prober_count(&l->prober);
	l->sink.conflicts_changed(l->context);
}

static void on_timer(void *context)
{
	struct layer2 *l = context;
	struct ownership_effects effects = {0};
	struct ownership_now now = ownership_now(l);
	bool passed = prober_step(&l->prober, l->ports, &l->answers.table, now.time);
	bool warm = warmup_step(l->warmup, now.time);

	if (sharing_step(l->steering.sharing, now.time))
		l->sink.plan_again(l->context);

	ownership_step(l->ownership, &now, &effects);
	if (passed || warm)
		plan_ownership(l, &now, &effects);
	if (passed || warm || effects.count > 0) {
		apply_effects(l, &effects, false);
	} else {
		announce_all_due(l);
		schedule(l);
	}
	if (passed)
		conflicts_changed(l);
}

/* Of one that we ask for. Others of us who have it, or ask as well, leave it to the plan. */
static void on_asked_claim(struct layer2 *l, unsigned slot, const struct responder_result *result)
{
	struct conflict conflict = {.ip = result->ip};

	if (l->sink.is_one_of_us(l->context, result->claimant) ||
		!prober_heard(
			&l->prober, &result->ip, result->claimant, loop_now(l->program->loop)))
		return;
	memcpy(conflict.mac, result->claimant, MAC_SIZE);
	schedule(l);
	l->sink.conflict_found(l->context, &conflict, ports_at(l->ports, slot));
	conflicts_changed(l);
}

/* A claim by one of those who serve the address with us is none. */
static bool serves_too(const struct layer2 *l, const struct responder_result *result,
	const struct ownership_now *now)
{
	const struct responder_address *address = responder_find(&l->answers.table, &result->ip);

	return address->spread && !now->lapsed &&
	       ownership_state_of(l->ownership, &result->ip) == OWNERSHIP_HELD &&
	       (spread_has_mac(address->spread, result->claimant) ||
		       l->sink.is_one_of_us(l->context, result->claimant));
}

static void on_claim(struct layer2 *l, unsigned slot, const struct responder_result *result)
{
	struct ownership_effects effects = {0};
	struct ownership_now now = ownership_now(l);
	struct ownership_claim claim = {
		.ip = result->ip, .by = l->sink.claimant(l->context, result->claimant)};

	if (responder_find(&l->answers.table, &result->ip)->asked) {
		on_asked_claim(l, slot, result);
		return;
	}
	if (serves_too(l, result, &now))
		return;
	memcpy(claim.mac, result->claimant, MAC_SIZE);
	ownership_claim(l->ownership, &claim, &now, &effects);
	if (effects.count > 0)
		apply_effects(l, &effects, false);
	else
		schedule(l);
}

static void reply(struct layer2 *l, unsigned slot, const struct responder_result *result)
{
	const struct port *port = ports_at(l->ports, slot);
	const bool arp = result->family == IP_V4;

	metric_add(arp ? port->arp_requests : port->ndp_solicitations, 1);
	if (ports_send(l->ports, slot, result->reply, result->reply_length))
		metric_add(arp ? port->arp_replies : port->ndp_advertisements, 1);
}

static void on_others(struct layer2 *l, unsigned slot, const struct responder_result *result)
{
	const struct responder_address *address = responder_find(&l->answers.table, &result->ip);
	const struct steering_scene scene = scene_of(l);

	steering_note(&l->steering, slot, result);
	/* To all: who is asked hears it. To us alone: nobody else does. */
	if (address->spread && result->asker.directly)
		steering_redirect(&l->steering, &scene, slot, result);
}

static void on_frame(void *context, unsigned slot, const uint8_t *bytes, size_t length)
{
	struct layer2 *l = context;
	struct responder_result result;

	responder_handle(&l->answers.table, slot, bytes, length, &result);
	switch (result.verdict) {
	case RESPONDER_REPLY:
		reply(l, slot, &result);
		steering_note(&l->steering, slot, &result);
		break;
	case RESPONDER_OTHERS:
		on_others(l, slot, &result);
		break;
	case RESPONDER_CLAIM:
		on_claim(l, slot, &result);
		break;
	case RESPONDER_DROP:
		metric_add(result.family == IP_V4 ? l->arp_dropped[result.arp_reason]
						  : l->ndp_dropped[result.ndp_reason],
			1);
		break;
	case RESPONDER_IGNORE:
		break;
	}
}

/* Whoever is behind a link that was away may know nothing, or an old MAC. */
static void announce_held_on(struct layer2 *l, uint64_t slots)
{
	for (size_t i = 0; i < l->answers.table.address_count; i++) {
		const struct responder_address *address = &l->answers.table.addresses[i];

		if ((address->slots & slots) == 0 ||
			ownership_state_of(l->ownership, &address->ip) != OWNERSHIP_HELD)
			continue;
		announce_start(l->announce, &address->ip, loop_now(l->program->loop));
		steering_took(&l->steering, &address->ip);
	}
}

void layer2_announce_again(struct layer2 *layer2)
{
	announce_held_on(layer2, UINT64_MAX);
	announce_all_due(layer2);
	schedule(layer2);
}

static void on_ports_changed(void *context, uint64_t fresh)
{
	struct layer2 *l = context;

	rebuild_table(l);
	announce_held_on(l, fresh);
	announce_all_due(l);
	schedule(l);
	solicited_follow(l->solicited, &l->answers.table, l->ports);
	l->sink.interfaces_changed(l->context);
}

static void make_metrics(struct layer2 *l)
{
	struct metrics *m = l->program->metrics;

	l->owned = metric_gauge(
		m, "herald_speaker_addresses_owned", "Addresses that this node answers for.", NULL);
	l->conflicts = metric_counter(m, "herald_speaker_conflicts_total",
		"Claims of other stations for addresses of ours that were answered by a defence.",
		NULL);
	l->yields = metric_counter(m, "herald_speaker_yields_total",
		"Addresses given up to another speaker's claim.", NULL);
	for (unsigned i = ARP_OK + 1; i < ARP_REASON_COUNT; i++)
		l->arp_dropped[i] = metric_counter(m, "herald_speaker_arp_dropped_total",
			"Received ARP frames that were refused.", "reason",
			arp_reason_text((enum arp_reason)i), NULL);
	for (unsigned i = NDP_OK + 1; i < NDP_REASON_COUNT; i++)
		l->ndp_dropped[i] = metric_counter(m, "herald_speaker_ndp_dropped_total",
			"Received frames of neighbour discovery that were refused.", "reason",
			ndp_reason_text((enum ndp_reason)i), NULL);
}

int layer2_new(struct program *program, const struct wire_driver *driver, const char *self,
	const struct layer2_sink *sink, void *context, struct layer2 **ret, struct err *e)
{
	static const struct ports_sink ports_sink = {
		.frame = on_frame, .changed = on_ports_changed};
	struct layer2 *l = xcalloc(1, sizeof(*l));
	int r;

	l->program = program;
	l->sink = *sink;
	l->context = context;
	l->ownership = ownership_new();
	l->announce = announce_new(XXH64(self, strlen(self), 0));
	l->timer = timer_new(program->loop, on_timer, l);
	l->solicited = solicited_new(program);
	l->warmup = warmup_new(self);
	announcer_init(&l->announcer, program->metrics);
	prober_init(&l->prober, program->metrics, XXH64(self, strlen(self), 1));
	steering_init(&l->steering, program->metrics, self);
	l->answers.ownership = l->ownership;
	l->answers.probe = l->prober.probe;
	l->answers.sharing = l->steering.sharing;
	make_metrics(l);
	r = ports_new(program, driver, &ports_sink, l, &l->ports, e);
	if (r != 0) {
		layer2_free(l);
		return r;
	}
	l->answers.ports = l->ports;
	rebuild_table(l);
	*ret = l;
	return 0;
}

void layer2_free(struct layer2 *layer2)
{
	if (!layer2)
		return;
	solicited_free(layer2->solicited);
	ports_free(layer2->ports);
	timer_free(layer2->timer);
	announce_free(layer2->announce);
	ownership_free(layer2->ownership);
	warmup_free(layer2->warmup);
	prober_done(&layer2->prober);
	steering_done(&layer2->steering);
	conflict_list_done(&layer2->told);
	answers_done(&layer2->answers);
	free(layer2->wishes);
	free(layer2);
}

static uint64_t take_back_ms(const struct config_membership *membership)
{
	switch (membership->take_back) {
	case CONFIG_TAKE_BACK_NOW:
		return 0;
	case CONFIG_TAKE_BACK_NEVER:
		return UINT64_MAX;
	default:
		return membership->take_back_ms;
	}
}

void layer2_set_config(struct layer2 *layer2, const struct config *config)
{
	struct announce_timing timing = {
		.repeat = config->announce.repeat,
		.spacing_ms = config->announce.spacing_ms,
		.refresh_s = config->announce.refresh_s,
	};
	const struct probe_timing probe_timing = {
		.count = config->announce.probe.count,
		.spacing_ms = config->announce.probe.spacing_ms,
	};

	announce_set_timing(layer2->announce, &timing);
	probe_set_timing(layer2->prober.probe, &probe_timing);
	layer2->steering.repeat = config->announce.repeat;
	layer2->steering.spacing_ms = config->announce.spacing_ms;
	layer2->steering.take_back_ms = take_back_ms(&config->membership);
	layer2->announcer.reply_form = config->announce.reply_form;
	ports_set_config(layer2->ports, config);
}

static enum ownership_wish_kind wish_of(const struct plan_vip *vip)
{
	if (vip->ours)
		return OWNERSHIP_OURS;
	return vip->owner ? OWNERSHIP_THEIRS : OWNERSHIP_NOBODYS;
}

void layer2_recall(struct layer2 *layer2, const struct conflict_list *conflicts)
{
	for (size_t i = 0; i < conflicts->count; i++)
		probe_recall(layer2->prober.probe, &conflicts->items[i],
			loop_now(layer2->program->loop));
	prober_count(&layer2->prober);
}

/* `told` is taken. */
static void take_plan(struct layer2 *l, const struct plan *plan, struct conflict_list *told)
{
	conflict_list_done(&l->told);
	l->told = *told;
	answers_set_plan(&l->answers, plan);
	free(l->wishes);
	l->wishes = xcalloc(plan->vip_count, sizeof(*l->wishes));
	l->wish_count = plan->vip_count;
	for (size_t i = 0; i < plan->vip_count; i++) {
		const struct plan_vip *vip = &plan->vips[i];

		l->wishes[i] = (struct ownership_wish){.ip = vip->address, .kind = wish_of(vip)};
	}
}

/* What is held on, but by other nodes with us or alone now: those who served are to hear of
   it, and where it was served per client and is not any more, everybody. */
static void announce_changes(struct layer2 *l, const struct sharing_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct ip *ip = &changes->items[i].place->ip;

		if (ownership_state_of(l->ownership, ip) == OWNERSHIP_HELD)
			announce_start(l->announce, ip, loop_now(l->program->loop));
	}
}

void layer2_apply_take(struct layer2 *layer2, const struct layer2_plan *plan)
{
	struct ownership_effects effects = {0};
	struct ownership_now now = ownership_now(layer2);
	struct sharing_changes changes;

	take_plan(layer2, plan->plan, plan->told);
	steering_follow(&layer2->steering, plan->plan, plan->members, now.time, &changes);
	warmup_follow(layer2->warmup, plan->plan, now.time);
	plan_ownership(layer2, &now, &effects);
	announce_changes(layer2, &changes);
	sharing_changes_done(&changes);
	apply_effects(layer2, &effects, plan->quiet);
	conflicts_changed(layer2);
}

const struct ports *layer2_ports(const struct layer2 *layer2)
{
	return layer2->ports;
}

const char *layer2_state_text_of(const struct layer2 *layer2, const struct ip *address)
{
	const char *text = probe_state_text(probe_state_of(layer2->prober.probe, address));

	return text ? text : ownership_state_text(ownership_state_of(layer2->ownership, address));
}

void layer2_conflicts(const struct layer2 *layer2, struct conflict_list *ret)
{
	probe_conflicts(layer2->prober.probe, ret);
}

size_t layer2_count(const struct layer2 *layer2, enum ownership_state state)
{
	return ownership_count(layer2->ownership, state);
}

struct mac_text layer2_mac_of(const struct layer2 *layer2, const struct ip *address)
{
	const struct responder_address *found = responder_find(&layer2->answers.table, address);
	uint64_t slots =
		found && !found->noted ? found->slots : answers_slots_of(&layer2->answers, address);

	if (slots == 0)
		return (struct mac_text){""};
	return mac_text(ports_at(layer2->ports, (unsigned)__builtin_ctzll(slots))->mac);
}

char *layer2_interfaces_of(const struct layer2 *layer2, const struct ip *address)
{
	const struct responder_address *found = responder_find(&layer2->answers.table, address);
	char *text = xstrdup("");

	for (uint64_t left = found && !found->noted ? found->slots : 0; left; left &= left - 1) {
		const struct port *port = ports_at(layer2->ports, (unsigned)__builtin_ctzll(left));
		char *longer = xasprintf("%s%s%s", text, *text ? "," : "", port->interface.name);

		free(text);
		text = longer;
	}
	return text;
}
