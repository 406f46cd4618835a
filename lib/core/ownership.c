// SPDX-License-Identifier: Apache-2.0
/*
 * The state of each address on this node: held, handed over, yielded. In: the plan's
 * wishes, claims heard on the wire, the time. Out: effects for the shell to carry out.
 * The rules stand in the header. Builds no frame and knows no interface.
 */
#include "herald/core/ownership.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

#define LOOK_AGAIN_MS 100u

/* What is to come of a claim on an address that is held. */
enum doubt {
	DOUBT_NONE,
	DOUBT_STRANGER,	  /* waits for the plan to settle, and for the next defence */
	DOUBT_SETTLES,	  /* of another speaker: waits for the plan */
	DOUBT_ASKED,	  /* waits for proof */
	DOUBT_CHALLENGED, /* without proof: waits for an answer */
};

struct holding {
	struct ip ip;
	uint8_t claimant[MAC_SIZE]; /* of `doubt` */
	enum ownership_state state;
	enum doubt doubt;
	struct monotime check_at; /* of `doubt` */
	struct monotime since;	  /* when a speaker's claim began it */
	bool gives_way;		  /* to a node whose name sorts before ours */
	unsigned challenges;
	bool claimed; /* by another speaker, at last_claim */
	struct monotime last_claim;
	bool defended; /* against a stranger, at last_defence */
	struct monotime last_defence;
	struct monotime end; /* of HANDING_OVER */
};

struct ownership {
	struct holding *holdings; /* sorted by ip; none is in state NONE */
	size_t count;
};

const char *ownership_state_text(enum ownership_state state)
{
	static const char *const texts[] = {"none", "held", "handing-over", "yielded"};

	return texts[state];
}

void ownership_effects_done(struct ownership_effects *effects)
{
	free(effects->items);
	*effects = (struct ownership_effects){0};
}

struct ownership *ownership_new(void)
{
	return xcalloc(1, sizeof(struct ownership));
}

void ownership_free(struct ownership *ownership)
{
	if (!ownership)
		return;
	free(ownership->holdings);
	free(ownership);
}

static void effect(
	struct ownership_effects *effects, const struct holding *h, enum ownership_action action)
{
	struct ownership_effect *item;

	if (effects->count == effects->capacity) {
		effects->capacity = effects->capacity ? 2 * effects->capacity : 16;
		effects->items =
			xrealloc(effects->items, effects->capacity, sizeof(*effects->items));
	}
	item = &effects->items[effects->count++];
	item->action = action;
	item->ip = h->ip;
	memcpy(item->mac, h->claimant, sizeof(item->mac));
}

static void take(struct holding *h, struct ownership_effects *effects)
{
	h->state = OWNERSHIP_HELD;
	h->claimed = false;
	h->doubt = DOUBT_NONE;
	h->challenges = 0;
	effect(effects, h, OWNERSHIP_TAKE);
}

static void release(struct holding *h, struct ownership_effects *effects)
{
	if (h->state == OWNERSHIP_HELD || h->state == OWNERSHIP_HANDING_OVER)
		effect(effects, h, OWNERSHIP_RELEASE);
	h->state = OWNERSHIP_NONE;
}

static void yield_to_claimant(struct holding *h, struct ownership_effects *effects)
{
	h->state = OWNERSHIP_YIELDED;
	h->doubt = DOUBT_NONE;
	h->challenges = 0;
	effect(effects, h, OWNERSHIP_YIELD);
}

static bool claimed_recently(const struct holding *h, struct monotime now)
{
	return h->claimed &&
	       !monotime_reached(now, monotime_add_ms(h->last_claim, OWNERSHIP_RECENT_CLAIM_MS));
}

static void wish_ours(
	struct holding *h, const struct ownership_now *now, struct ownership_effects *effects)
{
	bool has_proof = !now->lapsed && now->proven.ns > h->last_claim.ns;

	if (h->state == OWNERSHIP_HELD || (h->state == OWNERSHIP_YIELDED && !has_proof))
		return;
	take(h, effects);
}

static void wish_theirs(struct holding *h, const struct ownership_now *now, uint32_t hand_over_ms,
	struct ownership_effects *effects)
{
	if (h->state == OWNERSHIP_HANDING_OVER)
		return;
	if (h->state != OWNERSHIP_HELD || claimed_recently(h, now->time))
		release(h, effects);
	if (h->state != OWNERSHIP_HELD)
		return;
	h->state = OWNERSHIP_HANDING_OVER;
	h->doubt = DOUBT_NONE;
	h->end = monotime_add_ms(now->time, hand_over_ms);
	effect(effects, h, OWNERSHIP_HAND_OVER);
}

void ownership_plan(struct ownership *ownership, const struct ownership_wish *wishes, size_t count,
	const struct ownership_now *now, uint32_t hand_over_ms, struct ownership_effects *effects)
{
	struct holding *fresh = xcalloc(count, sizeof(*fresh));
	size_t kept = 0, old = 0;

	for (size_t i = 0; i < count; i++) {
		struct holding h = {.ip = wishes[i].ip, .state = OWNERSHIP_NONE};

		while (old < ownership->count &&
			ip_compare(&ownership->holdings[old].ip, &h.ip) < 0)
			release(&ownership->holdings[old++], effects);
		if (old < ownership->count && ip_equal(&ownership->holdings[old].ip, &h.ip))
			h = ownership->holdings[old++];
		if (wishes[i].kind == OWNERSHIP_OURS)
			wish_ours(&h, now, effects);
		else if (wishes[i].kind == OWNERSHIP_THEIRS)
			wish_theirs(&h, now, hand_over_ms, effects);
		else
			release(&h, effects);
		if (h.state != OWNERSHIP_NONE)
			fresh[kept++] = h;
	}
	while (old < ownership->count)
		release(&ownership->holdings[old++], effects);
	free(ownership->holdings);
	ownership->holdings = fresh;
	ownership->count = kept;
}

static int compare_ip(const void *key, const void *holding)
{
	return ip_compare(key, &((const struct holding *)holding)->ip);
}

static struct holding *find(const struct ownership *o, const struct ip *ip)
{
	if (o->count == 0)
		return NULL;
	return bsearch(ip, o->holdings, o->count, sizeof(*o->holdings), compare_ip);
}

static void drop_ended(struct ownership *o)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->count; i++) {
		if (o->holdings[i].state != OWNERSHIP_NONE)
			o->holdings[kept++] = o->holdings[i];
	}
	o->count = kept;
}

/* When a stranger's claim heard now is to be answered. */
static struct monotime defence_time(const struct holding *h, struct monotime now)
{
	struct monotime settled = monotime_add_ms(now, OWNERSHIP_SETTLE_MS);
	struct monotime allowed = monotime_add_ms(h->last_defence, DEFEND_INTERVAL_MS);

	return h->defended && allowed.ns > settled.ns ? allowed : settled;
}

static void hear_stranger(
	struct holding *h, const struct ownership_claim *claim, const struct ownership_now *now)
{
	if (h->state != OWNERSHIP_HELD || h->doubt != DOUBT_NONE)
		return;
	memcpy(h->claimant, claim->mac, sizeof(h->claimant));
	h->doubt = DOUBT_STRANGER;
	h->check_at = defence_time(h, now->time);
}

/* Of a speaker, on what we hold. */
static void contest(struct holding *h, const struct ownership_claim *claim,
	const struct ownership_now *now, struct ownership_effects *effects)
{
	bool is_contested = h->doubt != DOUBT_NONE && h->doubt != DOUBT_STRANGER;

	memcpy(h->claimant, claim->mac, sizeof(h->claimant));
	h->gives_way = claim->by == OWNERSHIP_EARLIER_NODE || (is_contested && h->gives_way);
	if (now->lapsed || h->challenges > 1) {
		yield_to_claimant(h, effects);
	} else if (!is_contested) {
		h->doubt = DOUBT_SETTLES;
		h->since = now->time;
		h->check_at = monotime_add_ms(now->time, OWNERSHIP_ASK_MS);
	}
}

void ownership_claim(struct ownership *ownership, const struct ownership_claim *claim,
	const struct ownership_now *now, struct ownership_effects *effects)
{
	struct holding *h = find(ownership, &claim->ip);

	if (!h)
		return;
	if (claim->by == OWNERSHIP_STRANGER) {
		hear_stranger(h, claim, now);
		return;
	}
	h->claimed = true;
	h->last_claim = now->time;
	if (h->state == OWNERSHIP_HANDING_OVER) {
		release(h, effects);
		drop_ended(ownership);
	} else if (h->state == OWNERSHIP_HELD) {
		contest(h, claim, now, effects);
	}
}

static void defend(
	struct holding *h, struct ownership_effects *effects, enum ownership_action action)
{
	h->doubt = DOUBT_NONE;
	h->challenges = 0;
	effect(effects, h, action);
}

static bool defended_recently(const struct holding *h, struct monotime now)
{
	return h->defended &&
	       !monotime_reached(now, monotime_add_ms(h->last_defence, DEFEND_INTERVAL_MS));
}

static void defend_from_stranger(
	struct holding *h, struct monotime now, struct ownership_effects *effects)
{
	h->defended = true;
	h->last_defence = now;
	defend(h, effects, OWNERSHIP_DEFEND);
}

/* Once the other has heard it, it yields. Two that have proof might go on for long. */
static void insist(struct holding *h, struct monotime now, struct ownership_effects *effects)
{
	if (defended_recently(h, now)) {
		defend(h, effects, OWNERSHIP_DEFEND);
		return;
	}
	h->defended = true;
	h->last_defence = now;
	defend(h, effects, OWNERSHIP_INSIST);
}

static void look_again(struct holding *h, struct monotime now)
{
	struct monotime end = monotime_add_ms(h->since, OWNERSHIP_CONTEST_MS);
	struct monotime soon = monotime_add_ms(now, LOOK_AGAIN_MS);

	h->doubt = DOUBT_ASKED;
	h->check_at = soon.ns < end.ns ? soon : end;
}

/* We have no proof, and ours is the earlier name. Frames get lost: not once. */
static void challenge(struct holding *h, struct monotime now, struct ownership_effects *effects)
{
	bool often = h->challenges < OWNERSHIP_CHALLENGES;
	unsigned challenges = h->challenges + often;

	defend(h, effects, OWNERSHIP_DEFEND);
	h->challenges = challenges;
	h->doubt = DOUBT_CHALLENGED;
	h->check_at = monotime_add_ms(now, often ? OWNERSHIP_CONTEST_MS : DEFEND_INTERVAL_MS);
}

/* Proof counts from the second look on: the plan had time for what came with it. */
static void judge_contest(
	struct holding *h, const struct ownership_now *now, struct ownership_effects *effects)
{
	bool has_proof = now->proven.ns > h->since.ns;
	bool is_over = monotime_reached(now->time, monotime_add_ms(h->since, OWNERSHIP_CONTEST_MS));

	if (h->doubt == DOUBT_SETTLES && !has_proof)
		effect(effects, h, OWNERSHIP_ASK);
	if (h->doubt != DOUBT_SETTLES && has_proof)
		insist(h, now->time, effects);
	else if (!is_over)
		look_again(h, now->time);
	else if (h->gives_way)
		yield_to_claimant(h, effects);
	else
		challenge(h, now->time, effects);
}

static void step_held(
	struct holding *h, const struct ownership_now *now, struct ownership_effects *effects)
{
	if (h->doubt == DOUBT_NONE || !monotime_reached(now->time, h->check_at))
		return;
	if (h->doubt == DOUBT_STRANGER)
		defend_from_stranger(h, now->time, effects);
	else
		judge_contest(h, now, effects);
}

void ownership_step(struct ownership *ownership, const struct ownership_now *now,
	struct ownership_effects *effects)
{
	for (size_t i = 0; i < ownership->count; i++) {
		struct holding *h = &ownership->holdings[i];

		if (h->state == OWNERSHIP_HELD)
			step_held(h, now, effects);
		else if (h->state == OWNERSHIP_HANDING_OVER && monotime_reached(now->time, h->end))
			release(h, effects);
	}
	drop_ended(ownership);
}

bool ownership_next(const struct ownership *ownership, struct monotime *ret)
{
	struct monotime first = {UINT64_MAX};

	for (size_t i = 0; i < ownership->count; i++) {
		const struct holding *h = &ownership->holdings[i];

		if (h->state == OWNERSHIP_HANDING_OVER && h->end.ns < first.ns)
			first = h->end;
		if (h->state == OWNERSHIP_HELD && h->doubt != DOUBT_NONE &&
			h->check_at.ns < first.ns)
			first = h->check_at;
	}
	*ret = first;
	return first.ns != UINT64_MAX;
}

enum ownership_state ownership_state_of(const struct ownership *ownership, const struct ip *ip)
{
	const struct holding *h = find(ownership, ip);

	return h ? h->state : OWNERSHIP_NONE;
}

size_t ownership_count(const struct ownership *ownership, enum ownership_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < ownership->count; i++)
		count += ownership->holdings[i].state == state;
	return count;
}
