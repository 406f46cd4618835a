// SPDX-License-Identifier: Apache-2.0
/*
 * The shell around responder, announcements and ownership. In: plans, frames, changes of
 * interfaces, the time. Out: frames, counters, and a call for each thing done. Decides
 * nothing itself: the rooms in core do.
 */
#include "layer2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "announcer.h"
#include "herald/core/announce.h"
#include "solicited.h"

struct place {
	struct ip ip;
	struct plan_where where; /* its texts belong to the plan */
};

struct layer2 {
	struct program *program;
	struct layer2_sink sink;
	void *context;
	struct ports *ports;
	struct ownership *ownership;
	struct announce *announce;
	struct timer *timer;
	struct place *places; /* of the plan in force, sorted */
	size_t place_count;
	struct responder_address *addresses; /* of the table */
	struct responder_table table;
	struct announcer announcer;
	struct solicited *solicited;
	struct metric *owned, *conflicts, *yields;
	struct metric *arp_dropped[ARP_REASON_COUNT], *ndp_dropped[NDP_REASON_COUNT];
};

static struct ownership_now ownership_now(const struct layer2 *l)
{
	return (struct ownership_now){
		.time = loop_now(l->program->loop),
		.lapsed = l->sink.has_lapsed(l->context),
	};
}

static int compare_ip(const void *key, const void *place)
{
	return ip_compare(key, &((const struct place *)place)->ip);
}

static uint64_t slots_of(const struct layer2 *l, const struct ip *ip)
{
	const struct place *place = l->place_count ? bsearch(ip, l->places, l->place_count,
							     sizeof(*l->places), compare_ip)
						   : NULL;
	uint64_t slots = 0;

	for (uint64_t left = place ? ports_open(l->ports) : 0; left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(left);

		if (plan_where_allows(&place->where, &ports_at(l->ports, slot)->interface))
			slots |= UINT64_C(1) << slot;
	}
	return slots;
}

/* An address that is being handed over stays where it was answered, even where no rule
   selects this node any more. */
static uint64_t slots_to_answer(const struct layer2 *l, const struct ip *ip)
{
	uint64_t slots = slots_of(l, ip);
	const struct responder_address *before = responder_find(&l->table, ip);

	if (slots == 0 && before && ownership_state_of(l->ownership, ip) == OWNERSHIP_HANDING_OVER)
		slots = before->slots & ports_open(l->ports);
	return slots;
}

static void rebuild_table(struct layer2 *l)
{
	struct responder_address *fresh = xcalloc(l->place_count, sizeof(*fresh));
	size_t count = 0;

	for (size_t i = 0; i < l->place_count; i++) {
		const struct ip *ip = &l->places[i].ip;
		enum ownership_state state = ownership_state_of(l->ownership, ip);

		if (state != OWNERSHIP_HELD && state != OWNERSHIP_HANDING_OVER)
			continue;
		fresh[count++] =
			(struct responder_address){.ip = *ip, .slots = slots_to_answer(l, ip)};
	}
	free(l->addresses);
	l->addresses = fresh;
	l->table = (struct responder_table){.addresses = fresh, .address_count = count};
	l->table.used_slots = ports_open(l->ports);
	for (uint64_t left = l->table.used_slots; left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(left);

		memcpy(l->table.macs[slot], ports_at(l->ports, slot)->mac, MAC_SIZE);
	}
	metric_set(l->owned, (double)ownership_count(l->ownership, OWNERSHIP_HELD));
}

static void announce_all_due(struct layer2 *l)
{
	struct ip ips[ANNOUNCE_BATCH];
	size_t count = announce_due(l->announce, loop_now(l->program->loop), ips);

	for (size_t i = 0; i < count; i++)
		announcer_announce(&l->announcer, l->ports, &l->table, &ips[i]);
}

static void schedule(struct layer2 *l)
{
	struct monotime now = loop_now(l->program->loop), next, other;
	bool wanted = announce_next(l->announce, &next);

	if (ownership_next(l->ownership, &other) && (!wanted || other.ns < next.ns)) {
		next = other;
		wanted = true;
	}
	if (wanted)
		timer_start(l->timer, monotime_ms_until(now, next));
	else
		timer_stop(l->timer);
}

static void carry_out(struct layer2 *l, const struct ownership_effect *effect, bool quiet)
{
	struct monotime now = loop_now(l->program->loop);

	switch (effect->action) {
	case OWNERSHIP_TAKE:
		if (quiet)
			announce_adopt(l->announce, &effect->ip, now);
		else
			announce_start(l->announce, &effect->ip, now);
		break;
	case OWNERSHIP_DEFEND:
		metric_add(l->conflicts, 1);
		announce_once(l->announce, &effect->ip, now);
		break;
	case OWNERSHIP_YIELD:
		metric_add(l->yields, 1);
		announce_stop(l->announce, &effect->ip);
		break;
	case OWNERSHIP_HAND_OVER:
	case OWNERSHIP_RELEASE:
		announce_stop(l->announce, &effect->ip);
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
	solicited_follow(l->solicited, &l->table, l->ports);
	for (size_t i = 0; i < effects->count; i++) {
		if (!quiet || effects->items[i].action != OWNERSHIP_TAKE)
			l->sink.acted(l->context, &effects->items[i]);
	}
	ownership_effects_done(effects);
}

static void on_timer(void *context)
{
	struct layer2 *l = context;
	struct ownership_effects effects = {0};
	struct ownership_now now = ownership_now(l);

	ownership_step(l->ownership, &now, &effects);
	if (effects.count > 0) {
		apply_effects(l, &effects, false);
		return;
	}
	announce_all_due(l);
	schedule(l);
}

static void on_claim(struct layer2 *l, const struct responder_result *result)
{
	struct ownership_effects effects = {0};
	struct ownership_now now = ownership_now(l);

	ownership_claim(l->ownership, &result->ip, result->claimant, &now, &effects);
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

static void on_frame(void *context, unsigned slot, const uint8_t *bytes, size_t length)
{
	struct layer2 *l = context;
	struct responder_result result;

	responder_handle(&l->table, slot, bytes, length, &result);
	switch (result.verdict) {
	case RESPONDER_REPLY:
		reply(l, slot, &result);
		break;
	case RESPONDER_CLAIM:
		on_claim(l, &result);
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

static void on_ports_changed(void *context, uint64_t fresh)
{
	struct layer2 *l = context;
	struct monotime now = loop_now(l->program->loop);

	rebuild_table(l);
	/* Whoever is behind a link that was away may know nothing, or an old MAC. */
	for (size_t i = 0; i < l->table.address_count; i++) {
		const struct responder_address *address = &l->table.addresses[i];

		if ((address->slots & fresh) != 0 &&
			ownership_state_of(l->ownership, &address->ip) == OWNERSHIP_HELD)
			announce_start(l->announce, &address->ip, now);
	}
	announce_all_due(l);
	schedule(l);
	solicited_follow(l->solicited, &l->table, l->ports);
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
		"Addresses given up to another station's claim while our Lease had lapsed.", NULL);
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
	announcer_init(&l->announcer, program->metrics);
	make_metrics(l);
	r = ports_new(program, driver, &ports_sink, l, &l->ports, e);
	if (r != 0) {
		layer2_free(l);
		return r;
	}
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
	free(layer2->places);
	free(layer2->addresses);
	free(layer2);
}

void layer2_set_config(struct layer2 *layer2, const struct config *config)
{
	struct announce_timing timing = {
		.repeat = config->announce.repeat,
		.spacing_ms = config->announce.spacing_ms,
		.refresh_s = config->announce.refresh_s,
	};

	announce_set_timing(layer2->announce, &timing);
	layer2->announcer.reply_form = config->announce.reply_form;
	ports_set_config(layer2->ports, config);
}

static enum ownership_wish_kind wish_of(const struct plan_vip *vip)
{
	if (vip->ours)
		return OWNERSHIP_OURS;
	return vip->owner ? OWNERSHIP_THEIRS : OWNERSHIP_NOBODYS;
}

void layer2_apply(struct layer2 *layer2, const struct plan *plan, uint32_t hand_over_ms, bool quiet)
{
	AUTO_FREE struct ownership_wish *wishes = xcalloc(plan->vip_count, sizeof(*wishes));
	struct ownership_effects effects = {0};
	struct ownership_now now = ownership_now(layer2);

	free(layer2->places);
	layer2->places = xcalloc(plan->vip_count, sizeof(*layer2->places));
	layer2->place_count = plan->vip_count;
	for (size_t i = 0; i < plan->vip_count; i++) {
		const struct plan_vip *vip = &plan->vips[i];

		wishes[i] = (struct ownership_wish){.ip = vip->address, .kind = wish_of(vip)};
		layer2->places[i] = (struct place){.ip = vip->address, .where = vip->where};
	}
	ownership_plan(layer2->ownership, wishes, plan->vip_count, &now, hand_over_ms, &effects);
	apply_effects(layer2, &effects, quiet);
}

const struct ports *layer2_ports(const struct layer2 *layer2)
{
	return layer2->ports;
}

enum ownership_state layer2_state_of(const struct layer2 *layer2, const struct ip *address)
{
	return ownership_state_of(layer2->ownership, address);
}

size_t layer2_count(const struct layer2 *layer2, enum ownership_state state)
{
	return ownership_count(layer2->ownership, state);
}

char *layer2_interfaces_of(const struct layer2 *layer2, const struct ip *address)
{
	const struct responder_address *found = responder_find(&layer2->table, address);
	char *text = xstrdup("");

	for (uint64_t left = found ? found->slots : 0; left; left &= left - 1) {
		const struct port *port = ports_at(layer2->ports, (unsigned)__builtin_ctzll(left));
		char *longer = xasprintf("%s%s%s", text, *text ? "," : "", port->interface.name);

		free(text);
		text = longer;
	}
	return text;
}
