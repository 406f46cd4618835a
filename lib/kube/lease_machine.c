// SPDX-License-Identifier: Apache-2.0
/*
 * The state machine of one Lease (coordination/v1), after the algorithm of client-go's
 * leader election with these differences: our own validity counts from when the
 * renewal was SENT, so that it ends before anyone who saw the renewal later may take
 * over; a write whose outcome is unknown is followed by a read before anything is
 * decided; a Lease given up (holder "") is taken at once.
 *
 * Nothing here reads or compares wall clocks: renewTime is only looked at for change.
 * A holder's resourceVersion alone does not prolong its lease, for others may touch the
 * object, too.
 */
#include "lease_machine.h"

#include <stdio.h>
#include <string.h>

enum {
	RETRY_MIN_MS = 50,
	RETRY_MAX_MS = 1000,
	RETRY_AFTER_MAX_MS = 10000,
	BACK_OFF_MAX_MS = 5000,
	RARE_MS = 4000, /* renewals of 160 speakers and more */
};

void lease_state_init(
	struct lease_state *state, const char *identity, uint32_t duration_ms, uint32_t renew_ms)
{
	*state = (struct lease_state){.duration_ms = duration_ms, .renew_ms = renew_ms};
	snprintf(state->identity, sizeof(state->identity), "%s", identity);
}

void lease_state_set_timing(struct lease_state *state, uint32_t duration_ms, uint32_t renew_ms)
{
	state->duration_ms = duration_ms;
	state->renew_ms = renew_ms;
}

bool lease_state_is_valid(const struct lease_state *state, struct monotime now)
{
	return state->held && !monotime_reached(now, state->valid_until);
}

/* Room for a pause between our look at the clock and the write that relied on it. */
static uint32_t validity_ms(const struct lease_state *state)
{
	return state->sent_duration_ms - state->sent_duration_ms / 10;
}

/* 90% to 110%. */
static uint32_t jittered(uint32_t ms, uint32_t random)
{
	uint32_t spread = ms / 5;

	return ms - spread / 2 + (uint32_t)((uint64_t)spread * (random % 1001) / 1000);
}

/*
 * Many that start together renew together, and once the interval is long its jitter would
 * take long to part them. So where a write stretches it much, the next one may come at
 * any time within it.
 */
static uint32_t next_interval(const struct lease_state *state, uint32_t random)
{
	return state->stretched ? 1 + random % state->renew_ms : jittered(state->renew_ms, random);
}

static void note_sent(struct lease_state *state, struct monotime now)
{
	uint32_t before = state->sent_renew_ms;

	state->stretched = before > 0 && state->renew_ms > before + before / 2;
	state->sent_at = now;
	state->sent_duration_ms = state->duration_ms;
	state->sent_renew_ms = state->renew_ms;
}

static struct monotime earlier(struct monotime a, struct monotime b)
{
	return a.ns < b.ns ? a : b;
}

static bool is_ours(const struct lease_state *state)
{
	return state->knowledge == LEASE_SEEN && !strcmp(state->record.holder, state->identity);
}

/* Holders may use another duration than we do: theirs counts. */
static struct monotime expires_at(const struct lease_state *state)
{
	uint64_t ms =
		state->record.duration_s ? state->record.duration_s * 1000ull : state->duration_ms;

	return monotime_add_ms(state->changed_at, ms);
}

static void note_record(
	struct lease_state *state, const struct lease_record *record, struct monotime now)
{
	const struct lease_record *old = &state->record;

	if (!state->changed_at.ns || strcmp(old->holder, record->holder) != 0 ||
		strcmp(old->renew_time, record->renew_time) != 0 ||
		old->transitions != record->transitions)
		state->changed_at = now;
	state->record = *record;
	state->knowledge = LEASE_SEEN;
}

static void lose(struct lease_state *state, struct lease_action *action, const char *why)
{
	if (!state->held)
		return;
	state->held = false;
	action->lost = true;
	snprintf(action->why, sizeof(action->why), "%s", why);
}

static void lose_to_holder(struct lease_state *state, struct lease_action *action)
{
	char why[LEASE_WHY_SIZE];

	if (*state->record.holder)
		snprintf(why, sizeof(why), "\"%s\" holds it", state->record.holder);
	else
		snprintf(why, sizeof(why), "someone gave it up in our name");
	lose(state, action, why);
}

static void on_written(struct lease_state *state, struct lease_action *action, uint32_t random,
	struct monotime now)
{
	state->failures = 0;
	memcpy(state->written_version, state->record.resource_version,
		sizeof(state->written_version));
	state->written_at = state->sent_at;
	if (!is_ours(state)) { /* a release, or an admission hook's doing */
		lose_to_holder(state, action);
		state->next_at = monotime_add_ms(now, jittered(state->renew_ms, random));
		return;
	}
	state->valid_until = monotime_add_ms(state->sent_at, validity_ms(state));
	state->next_at = monotime_add_ms(state->sent_at, next_interval(state, random));
	if (state->releasing)
		state->next_at = now;
	if (monotime_reached(now, state->valid_until))
		return; /* the answer came too late to be of use; next_at is past as well */
	action->gained = !state->held && !state->releasing;
	state->held = !state->releasing;
}

static void on_read(struct lease_state *state, struct lease_action *action, uint32_t random,
	struct monotime now)
{
	state->next_at = now;
	if (is_ours(state))
		return;
	lose_to_holder(state, action);
	if (!*state->record.holder || monotime_reached(now, expires_at(state)))
		return;
	state->failures = 0;
	state->next_at =
		earlier(expires_at(state), monotime_add_ms(now, jittered(state->renew_ms, random)));
}

static void on_failed(
	struct lease_state *state, const struct lease_event *event, struct monotime now)
{
	uint32_t delay = state->renew_ms / 4;
	uint32_t max = state->held || state->releasing ? RETRY_MAX_MS : BACK_OFF_MAX_MS;

	if (delay < RETRY_MIN_MS)
		delay = RETRY_MIN_MS;
	/* A holder has little time and tries at a steady pace; others back off. */
	for (uint32_t i = 0; !state->held && i < state->failures && delay < max; i++)
		delay *= 2;
	if (delay > max)
		delay = max;
	/* Many renew rarely. They must not all ask at once for an API server to return, or they
	   meet it at once: after a second try each waits as long as between renewals. */
	if (!state->releasing && state->failures > 0 && state->renew_ms > RARE_MS)
		delay = state->renew_ms;
	if (delay < event->retry_after_ms)
		delay = event->retry_after_ms < RETRY_AFTER_MAX_MS ? event->retry_after_ms
								   : RETRY_AFTER_MAX_MS;
	if (state->failures < 16)
		state->failures++;
	state->knowledge = LEASE_UNREAD;
	state->next_at = monotime_add_ms(now, jittered(delay, event->random));
}

/* Whoever creates it next holds it; until then validity still bounds what we do. */
static void on_missing(struct lease_state *state, const struct lease_event *event,
	enum lease_request answered, struct monotime now)
{
	if (answered == LEASE_REQUEST_CREATE) { /* it is the namespace that is missing */
		on_failed(state, event, now);
		return;
	}
	state->knowledge = LEASE_ABSENT;
	state->next_at = now;
}

/* The first conflict is everyday life and read at once; a series of them backs off. */
static void on_conflict(
	struct lease_state *state, const struct lease_event *event, struct monotime now)
{
	bool first = !state->failures;

	on_failed(state, event, now);
	if (first)
		state->next_at = now;
}

static void on_answer(struct lease_state *state, const struct lease_event *event,
	struct lease_action *action, struct monotime now)
{
	enum lease_request answered = state->under_way;

	state->under_way = LEASE_REQUEST_NONE;
	switch (event->kind) {
	case LEASE_EVENT_WRITTEN:
		note_record(state, event->record, now);
		on_written(state, action, event->random, now);
		break;
	case LEASE_EVENT_READ:
		note_record(state, event->record, now);
		on_read(state, action, event->random, now);
		break;
	case LEASE_EVENT_MISSING:
		on_missing(state, event, answered, now);
		break;
	case LEASE_EVENT_CONFLICT:
		on_conflict(state, event, now);
		break;
	default:
		on_failed(state, event, now);
		break;
	}
}

static void on_release(struct lease_state *state, struct monotime now)
{
	if (state->releasing)
		return;
	state->releasing = true;
	state->held = false;
	state->release_by = monotime_add_ms(now, LEASE_RELEASE_MS);
	state->next_at = now;
}

static enum lease_request request_of(const struct lease_state *state, struct monotime now)
{
	switch (state->knowledge) {
	case LEASE_UNREAD:
		return LEASE_REQUEST_READ;
	case LEASE_ABSENT:
		return LEASE_REQUEST_CREATE;
	case LEASE_SEEN:
		break;
	}
	if (is_ours(state))
		return LEASE_REQUEST_RENEW;
	if (!*state->record.holder || monotime_reached(now, expires_at(state)))
		return LEASE_REQUEST_TAKE;
	return LEASE_REQUEST_READ;
}

/* Giving up: done when the Lease is known to be not ours, or time is up. */
static void decide_release(
	struct lease_state *state, struct lease_action *action, struct monotime now)
{
	bool known = state->knowledge != LEASE_UNREAD;
	bool busy = state->under_way != LEASE_REQUEST_NONE;

	if (monotime_reached(now, state->release_by) || (!busy && known && !is_ours(state))) {
		action->released = true;
		return;
	}
	if (!busy && monotime_reached(now, state->next_at))
		action->request = known ? LEASE_REQUEST_RELEASE : LEASE_REQUEST_READ;
	action->wake = true;
	action->wake_at = state->release_by;
	if (!busy && action->request == LEASE_REQUEST_NONE)
		action->wake_at = earlier(action->wake_at, state->next_at);
}

static void decide(struct lease_state *state, struct lease_action *action, struct monotime now)
{
	bool busy = state->under_way != LEASE_REQUEST_NONE;

	if (state->held && monotime_reached(now, state->valid_until))
		lose(state, action, "it could not be renewed in time");
	if (!busy && state->nudged && is_ours(state))
		state->next_at = now;
	if (!busy && monotime_reached(now, state->next_at)) {
		action->request = request_of(state, now);
		busy = true;
	}
	action->wake = !busy || state->held;
	action->wake_at = busy ? state->valid_until : state->next_at;
	if (state->held)
		action->wake_at = earlier(action->wake_at, state->valid_until);
}

struct lease_action lease_step(
	struct lease_state *state, const struct lease_event *event, struct monotime now)
{
	struct lease_action action = {0};

	switch (event->kind) {
	case LEASE_EVENT_TIMER:
		break;
	case LEASE_EVENT_NUDGE:
		state->nudged = true;
		break;
	case LEASE_EVENT_RELEASE:
		on_release(state, now);
		break;
	default:
		on_answer(state, event, &action, now);
		break;
	}
	if (state->releasing)
		decide_release(state, &action, now);
	else
		decide(state, &action, now);
	if (action.request != LEASE_REQUEST_NONE) {
		state->under_way = action.request;
		if (action.request != LEASE_REQUEST_READ)
			note_sent(state, now);
		state->nudged = state->nudged && action.request == LEASE_REQUEST_READ;
	}
	return action;
}
