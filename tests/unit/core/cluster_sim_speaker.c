// SPDX-License-Identifier: Apache-2.0
/*
 * One speaker of the simulation: what speaker/ does with the pure rooms, with events of
 * simulated time in the place of the loop, the watch, the Lease and the wire.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_sim_private.h"
#include "herald/base/err.h"

#define HAND_OVER_MS 1000u	/* as in speaker/speaker.c */
#define STOP_HAND_OVER_MS 3000u /* the same */
#define RETRY_MS 250u
#define RARE_MS 4000u

static const struct member_timing configured = {3000, 1000};

static struct monotime now_of(const struct speaker *s)
{
	return (struct monotime){s->sim->now};
}

static const char *name_of(const struct speaker *s)
{
	return s->sim->names[s->index];
}

static void touch(struct speaker *s)
{
	uint64_t at = s->sim->now > s->plan_not_before ? s->sim->now : s->plan_not_before;

	if (at < s->plan_at)
		s->plan_at = at;
}

void speaker_begin(struct speaker *s)
{
	const struct announce_timing timing = {5, 200, 60};

	s->runs = true;
	s->life++;
	s->members = members_new();
	s->holds = holds_new();
	s->ownership = ownership_new();
	s->announce = announce_new(s->index * 7919 + s->life);
	announce_set_timing(s->announce, &timing);
	s->timing = configured;
	s->leaving = s->wrote_release = s->released = s->synced = s->adopted = s->valid_at_start =
		s->writing = false;
	s->nudged = false;
	s->heard_until = s->plan_not_before = s->proven_ns = 0;
	s->sent_renew_ms = 0;
	s->turn = (struct turn){0};
	s->failures = 0;
	s->wake_at = s->plan_at = s->judge_at = s->holds_at = s->write_at = s->turn_at = NEVER;
}

void speaker_end(struct speaker *s)
{
	for (size_t vip = 0; vip < s->sim->rules.vips; vip++)
		count_answer(s->sim, s, vip, false);
	s->runs = s->listens = false;
	s->life++;
	s->stream++;
	members_free(s->members);
	holds_free(s->holds);
	ownership_free(s->ownership);
	announce_free(s->announce);
	plan_free(s->plan);
	s->members = NULL;
	s->holds = NULL;
	s->ownership = NULL;
	s->announce = NULL;
	s->plan = NULL;
}

static const struct member *own_member(const struct speaker *s)
{
	return members_find(s->members, name_of(s));
}

static struct ownership_now ownership_time(const struct speaker *s)
{
	const struct member *own = own_member(s);
	bool lapsed = !own ||
		      monotime_reached(now_of(s), monotime_add_ms(own->renewed, own->duration_ms));

	return (struct ownership_now){now_of(s), lapsed, {s->proven_ns}};
}

static size_t vip_of(const struct ip *ip)
{
	return (size_t)ip->bytes[3] - 1;
}

/* Renew now, for what else the write carries, or proves. */
static void nudge(struct speaker *s)
{
	s->nudged = s->writing;
	if (!s->writing)
		s->write_at = s->sim->now;
}

static void carry_out(struct speaker *s, const struct ownership_effect *effect, bool quiet)
{
	size_t vip = vip_of(&effect->ip);

	switch (effect->action) {
	case OWNERSHIP_TAKE:
		count_answer(s->sim, s, vip, true);
		s->sim->counts.takes += !quiet;
		if (quiet)
			announce_adopt(s->announce, &effect->ip, now_of(s));
		else
			announce_start(s->announce, &effect->ip, now_of(s));
		break;
	case OWNERSHIP_DEFEND:
		announce_once(s->announce, &effect->ip, now_of(s));
		break;
	case OWNERSHIP_INSIST:
		announce_start(s->announce, &effect->ip, now_of(s));
		break;
	case OWNERSHIP_HAND_OVER:
		announce_stop(s->announce, &effect->ip);
		break;
	case OWNERSHIP_YIELD:
		nudge(s);
		count_answer(s->sim, s, vip, false);
		announce_stop(s->announce, &effect->ip);
		break;
	case OWNERSHIP_RELEASE:
		count_answer(s->sim, s, vip, false);
		announce_stop(s->announce, &effect->ip);
		break;
	case OWNERSHIP_ASK:
		nudge(s);
		break;
	}
}

static void carry_out_all(struct speaker *s, struct ownership_effects *effects, bool quiet)
{
	for (size_t i = 0; i < effects->count; i++)
		carry_out(s, &effects->items[i], quiet);
	ownership_effects_done(effects);
}

static struct plan_input input_of(const struct speaker *s)
{
	const struct sim *sim = s->sim;

	return (struct plan_input){
		.config = &sim->config,
		.services = sim->service_list,
		.service_count = sim->rules.vips,
		.nodes = sim->node_list,
		.node_count = sim->rules.nodes,
		.members = s->members,
		.self = name_of(s),
		.self_leaving = s->leaving,
	};
}

static void follow_plan(struct speaker *s)
{
	struct ownership_wish wishes[250] = {0};
	struct ownership_effects effects = {0};
	struct ownership_now now = ownership_time(s);
	bool quiet = !s->adopted && s->valid_at_start;

	for (size_t i = 0; i < s->plan->vip_count; i++) {
		const struct plan_vip *vip = &s->plan->vips[i];

		wishes[i].ip = vip->address;
		wishes[i].kind = !vip->owner ? OWNERSHIP_NOBODYS
				 : vip->ours ? OWNERSHIP_OURS
					     : OWNERSHIP_THEIRS;
	}
	s->adopted = true;
	ownership_plan(s->ownership, wishes, s->plan->vip_count, &now,
		s->leaving ? STOP_HAND_OVER_MS : HAND_OVER_MS, &effects);
	carry_out_all(s, &effects, quiet);
}

static void tell_holds_soon(struct speaker *s, size_t moved)
{
	uint64_t at = s->sim->now + holds_publish_ms(moved, sim_draw(s->sim, UINT32_MAX)) * MS;

	if (moved > 0 && !s->writing && at < s->write_at && s->write_at != NEVER)
		s->write_at = at;
}

static void make_plan(struct speaker *s)
{
	struct plan_input input = input_of(s);
	struct plan *before = s->plan;
	struct monotime next;

	s->plan = plan_make(&input);
	s->plan_at = NEVER;
	s->plan_not_before = s->sim->now + s->sim->rules.plan_pause_ms * MS;
	follow_plan(s);
	if (holds_follow(s->holds, s->plan, &input, now_of(s)) && before)
		tell_holds_soon(s, plan_moved(before, s->plan));
	plan_free(before);
	s->holds_at = holds_next(s->holds, &next) ? next.ns : NEVER;
}

static void members_changed(struct speaker *s)
{
	s->timing = member_timing_for(&configured, members_alive(s->members) + s->turn.waiting);
	members_set_timing(s->members, &s->timing);
	touch(s);
}

static void judge_members(struct speaker *s)
{
	struct monotime next;

	if (members_judge(s->members, now_of(s)))
		members_changed(s);
	s->judge_at = members_next(s->members, now_of(s), &next) ? next.ns : NEVER;
}

void speaker_see_lease(struct speaker *s, const struct lease_version *lease)
{
	struct string_pair pairs[] = {{MEMBER_HOLDS_ANNOTATION, lease->holds},
		{MEMBER_INTERFACES_ANNOTATION, "eth0=10.0.0.0/24"}};
	char name[64], version[24], renewal[24];
	struct lease object = {.holder = lease->released ? "" : s->sim->names[lease->node],
		.renew_time = renewal,
		.duration_s = lease->duration_s,
		.annotations = {lease->holds ? pairs : pairs + 1, lease->holds ? 2 : 1}};
	uint64_t deadline = s->sim->now + lease->duration_s * 1000 * MS;

	snprintf(name, sizeof(name), MEMBER_LEASE_PREFIX "%s", s->sim->names[lease->node]);
	snprintf(version, sizeof(version), "%llu", (unsigned long long)lease->version);
	snprintf(renewal, sizeof(renewal), "%llu", (unsigned long long)lease->renewal);
	object.meta = (struct object_meta){.name = name, .resource_version = version};
	if (members_put(s->members, &object, now_of(s)))
		members_changed(s);
	if (s->judge_at == NEVER)
		judge_members(s);
	else if (deadline < s->judge_at)
		s->judge_at = deadline;
	if (lease->node == s->index && lease->life == s->life)
		s->proven_ns = lease->sent_ns;
	if (lease->node == s->index && ownership_count(s->ownership, OWNERSHIP_YIELDED) > 0)
		touch(s);
}

static void follow_turn(struct speaker *s)
{
	members_changed(s);
	s->turn_at = s->turn.waiting > 0 ? s->turn.next.ns : NEVER;
	if (s->turn.ours && s->write_at == NEVER && !s->writing && s->sent_renew_ms == 0)
		s->write_at = s->sim->now;
}

void speaker_see_list(struct speaker *s)
{
	struct sim *sim = s->sim;
	const struct lease_version *own = sim->leases[s->index];

	members_list_begin(s->members);
	for (size_t n = 0; n < sim->rules.nodes; n++) {
		if (sim->leases[n])
			speaker_see_lease(s, sim->leases[n]);
	}
	members_list_end(s->members);
	if (!s->synced) {
		s->valid_at_start = own && !own->released &&
				    sim->now - own->written_ns < own->duration_s * 1000 * MS;
		if (s->valid_at_start)
			holds_adopt(s->holds, own->holds);
		turn_begin(&s->turn, s->index * 7919 + sim_draw(sim, UINT32_MAX), sim->rules.nodes,
			now_of(s));
		follow_turn(s);
	}
	s->synced = true;
}

void speaker_hear(struct speaker *s, size_t vip, size_t sender)
{
	struct ownership_now now = ownership_time(s);
	struct ownership_effects effects = {0};
	struct ownership_claim claim = {.ip = sim_vip(vip),
		.mac = {2, 0, 0, 0, (uint8_t)(sender >> 8), (uint8_t)sender},
		.by = strcmp(s->sim->names[sender], name_of(s)) < 0 ? OWNERSHIP_EARLIER_NODE
								    : OWNERSHIP_LATER_NODE};

	if (!s->answers[vip])
		return;
	if (s->sim->speakers[sender].answers[vip])
		count_claim(s->sim, s, vip);
	ownership_claim(s->ownership, &claim, &now, &effects);
	carry_out_all(s, &effects, false);
}

static void announce_all(struct speaker *s)
{
	struct ip ips[ANNOUNCE_BATCH];
	size_t count = announce_due(s->announce, now_of(s), ips);

	for (size_t i = 0; i < count && s->plugged; i++)
		sim_push(s->sim, &(struct event){
					 .at = s->sim->now +
					       (1 + sim_draw(s->sim, s->sim->rules.wire_ms)) * MS,
					 .kind = EVENT_FRAME,
					 .node = s->index,
					 .vip = vip_of(&ips[i]),
				 });
}

static void end_where_done(struct speaker *s)
{
	if (s->leaving && s->released && ownership_count(s->ownership, OWNERSHIP_HANDING_OVER) == 0)
		sim_kill(s->sim, s->index);
}

void speaker_wake(struct speaker *s)
{
	uint64_t now = s->sim->now;
	struct ownership_now time = ownership_time(s);
	struct ownership_effects effects = {0};

	if (now >= s->judge_at)
		judge_members(s);
	if (now >= s->holds_at) {
		s->holds_at = NEVER;
		touch(s);
	}
	if (now >= s->turn_at) {
		turn_step(&s->turn, members_starting(s->members), now_of(s));
		follow_turn(s);
	}
	if (now >= s->plan_at && s->synced)
		make_plan(s);
	else if (now >= s->plan_at)
		s->plan_at = NEVER; /* the first list will ask for it */
	ownership_step(s->ownership, &time, &effects);
	carry_out_all(s, &effects, false);
	announce_all(s);
	if (now >= s->write_at && !s->writing) {
		s->write_at = NEVER;
		sim_write(s);
	}
	end_where_done(s);
}

void speaker_schedule(struct speaker *s)
{
	uint64_t next = s->plan_at;
	struct monotime other;

	if (!s->runs)
		return;
	next = s->judge_at < next ? s->judge_at : next;
	next = s->holds_at < next ? s->holds_at : next;
	next = s->turn_at < next ? s->turn_at : next;
	if (!s->writing && s->write_at < next)
		next = s->write_at;
	if (ownership_next(s->ownership, &other) && other.ns < next)
		next = other.ns;
	if (announce_next(s->announce, &other) && other.ns < next)
		next = other.ns;
	if (next >= s->wake_at)
		return;
	s->wake_at = next > s->sim->now ? next : s->sim->now;
	sim_push(s->sim,
		&(struct event){
			.at = s->wake_at, .kind = EVENT_WAKE, .node = s->index, .of = s->life});
}

struct lease_version *speaker_lease(struct speaker *s)
{
	struct lease_version *lease = xcalloc(1, sizeof(*lease));
	const char *holds = holds_text(s->holds);

	lease->node = s->index;
	lease->life = s->life;
	lease->sent_ns = s->sim->now;
	lease->duration_s = s->leaving ? 1 : s->timing.duration_ms / 1000;
	lease->released = s->wrote_release = s->leaving;
	lease->holds = holds ? xstrdup(holds) : NULL;
	return lease;
}

/* As lib/kube/lease_machine.c does it. */
static uint32_t next_interval(struct speaker *s)
{
	uint32_t renew = s->timing.renew_ms, before = s->sent_renew_ms, spread = renew / 5;

	s->sent_renew_ms = renew;
	if (before > 0 && renew > before + before / 2)
		return 1 + sim_draw(s->sim, renew);
	return renew - spread / 2 + sim_draw(s->sim, spread);
}

/* As lib/kube/lease_machine.c does it: at first soon, and where renewals are rare no more often
   than these, or the API server's return would meet all at once. */
static uint32_t retry_interval(struct speaker *s)
{
	uint32_t renew = s->timing.renew_ms;

	if (s->failures++ > 0 && renew > RARE_MS)
		return renew - renew / 10 + sim_draw(s->sim, renew / 5);
	return RETRY_MS;
}

void speaker_written(struct speaker *s, bool done)
{
	s->writing = false;
	if (s->leaving && !s->released) {
		s->released = s->wrote_release || !sim_is_reached(s);
		s->write_at = s->released ? NEVER : s->sim->now;
		touch(s);
		return;
	}
	if (done)
		s->failures = 0;
	s->write_at = s->sim->now + (done ? next_interval(s) : retry_interval(s)) * MS;
	if (s->nudged)
		nudge(s);
}
