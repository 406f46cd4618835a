// SPDX-License-Identifier: Apache-2.0
/*
 * The Lease's state machine: scripts of events and times, with what must come of each
 * (K58, K59, O06). Duration 3000 ms, renewal each 1000 ms, so validity is 2700 ms; the
 * jitter of random 500 is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lease_machine.h"

enum { DURATION_MS = 3000, RENEW_MS = 1000, START_MS = 5000, NO_JITTER = 500 };

struct step {
	uint32_t at_ms; /* since the start */
	enum lease_event_kind event;
	const char *holder, *renewed, *version; /* of the record, where there is one */
	enum lease_request request;		/* expected, as are the following */
	char change;				/* '+' gained, '-' lost, 'R' released, 0 none */
	int wake_ms;				/* since the start; -1: none */
};

#define RECORD(holder, renewed, version) holder, renewed, version
#define BARE NULL, NULL, NULL

struct script {
	const char *what;
	struct step steps[16];
	size_t count;
};

#define SCRIPT(what, ...)                                                                          \
	{                                                                                          \
		what, {__VA_ARGS__}, sizeof((struct step[]){__VA_ARGS__}) / sizeof(struct step)    \
	}

#define TIMER LEASE_EVENT_TIMER
#define READ LEASE_EVENT_READ
#define WRITTEN LEASE_EVENT_WRITTEN
#define MISSING LEASE_EVENT_MISSING
#define CONFLICT LEASE_EVENT_CONFLICT
#define FAILED LEASE_EVENT_FAILED
#define NUDGE LEASE_EVENT_NUDGE
#define RELEASE LEASE_EVENT_RELEASE
#define DO_NONE LEASE_REQUEST_NONE
#define DO_READ LEASE_REQUEST_READ
#define DO_CREATE LEASE_REQUEST_CREATE
#define DO_TAKE LEASE_REQUEST_TAKE
#define DO_RENEW LEASE_REQUEST_RENEW
#define DO_RELEASE LEASE_REQUEST_RELEASE

/* How we come to hold it, at 10 ms; valid until 5 + 2700. */
#define CREATED                                                                                    \
	{0, TIMER, BARE, DO_READ, 0, -1}, {5, MISSING, BARE, DO_CREATE, 0, -1},                    \
	{                                                                                          \
		10, WRITTEN, RECORD("me", "t1", "1"), DO_NONE, '+', 1005                           \
	}

static const struct script scripts[] = {
	SCRIPT("it is created when missing, and renewed from when it was sent", CREATED,
		{1005, TIMER, BARE, DO_RENEW, 0, 2705},
		{1300, WRITTEN, RECORD("me", "t2", "2"), DO_NONE, 0, 2005}),
	SCRIPT("a lost race for creating is read, not fought", {0, TIMER, BARE, DO_READ, 0, -1},
		{5, MISSING, BARE, DO_CREATE, 0, -1}, {10, CONFLICT, BARE, DO_READ, 0, -1},
		{15, READ, RECORD("other", "t1", "7"), DO_NONE, 0, 1015}),
	SCRIPT("K58: another's lease expires by our clock since its last change",
		{0, TIMER, BARE, DO_READ, 0, -1},
		{10, READ, RECORD("other", "t1", "7"), DO_NONE, 0, 1010},
		{1010, TIMER, BARE, DO_READ, 0, -1},
		{1020, READ, RECORD("other", "t2", "8"), DO_NONE, 0, 2020},
		{2020, TIMER, BARE, DO_READ, 0, -1},
		{2030, READ, RECORD("other", "t2", "8"), DO_NONE, 0, 3030},
		{3030, TIMER, BARE, DO_READ, 0, -1},
		{3040, READ, RECORD("other", "t2", "9"), DO_NONE, 0, 4020},
		{4019, TIMER, BARE, DO_NONE, 0, 4020}, {4020, TIMER, BARE, DO_TAKE, 0, -1},
		{4025, WRITTEN, RECORD("me", "t3", "10"), DO_NONE, '+', 5020}),
	SCRIPT("K59: a take-over that conflicts is read again and waits anew",
		{0, TIMER, BARE, DO_READ, 0, -1},
		{0, READ, RECORD("other", "t1", "7"), DO_NONE, 0, 1000},
		{3000, TIMER, BARE, DO_TAKE, 0, -1}, {3005, CONFLICT, BARE, DO_READ, 0, -1},
		{3010, READ, RECORD("third", "t2", "8"), DO_NONE, 0, 4010}),
	SCRIPT("a lease given up is taken at once", {0, TIMER, BARE, DO_READ, 0, -1},
		{5, READ, RECORD("", "t1", "7"), DO_TAKE, 0, -1},
		{9, WRITTEN, RECORD("me", "t2", "8"), DO_NONE, '+', 1005}),
	SCRIPT("our own from before a restart is renewed at once", {0, TIMER, BARE, DO_READ, 0, -1},
		{5, READ, RECORD("me", "t1", "7"), DO_RENEW, 0, -1},
		{9, WRITTEN, RECORD("me", "t2", "8"), DO_NONE, '+', 1005}),
	SCRIPT("a renewal that conflicts is read, and repeated if it is still ours", CREATED,
		{1005, TIMER, BARE, DO_RENEW, 0, 2705}, {1010, CONFLICT, BARE, DO_READ, 0, 2705},
		{1015, READ, RECORD("me", "t1", "3"), DO_RENEW, 0, 2705},
		{1020, WRITTEN, RECORD("me", "t2", "4"), DO_NONE, 0, 2015}),
	SCRIPT("a renewal that conflicts with another holder is the end", CREATED,
		{1005, TIMER, BARE, DO_RENEW, 0, 2705}, {1010, CONFLICT, BARE, DO_READ, 0, 2705},
		{1015, READ, RECORD("other", "t2", "3"), DO_NONE, '-', 2015}),
	SCRIPT("a lost answer is followed by a read before anything is decided", CREATED,
		{1005, TIMER, BARE, DO_RENEW, 0, 2705}, {1500, FAILED, BARE, DO_NONE, 0, 1750},
		{1750, TIMER, BARE, DO_READ, 0, 2705},
		{1760, READ, RECORD("me", "t2", "2"), DO_RENEW, 0, 2705},
		{1770, WRITTEN, RECORD("me", "t3", "3"), DO_NONE, 0, 2760}),
	SCRIPT("K58: not renewed in time it is lost, though a request is under way", CREATED,
		{1005, TIMER, BARE, DO_RENEW, 0, 2705}, {2005, FAILED, BARE, DO_NONE, 0, 2255},
		{2255, TIMER, BARE, DO_READ, 0, 2705}, {2705, TIMER, BARE, DO_NONE, '-', -1},
		{3255, FAILED, BARE, DO_NONE, 0, 3755}, {3755, TIMER, BARE, DO_READ, 0, -1},
		{3760, READ, RECORD("me", "t1", "1"), DO_RENEW, 0, -1},
		{3765, WRITTEN, RECORD("me", "t2", "2"), DO_NONE, '+', 4760}),
	SCRIPT("an answer after validity does not make it ours; it is renewed again", CREATED,
		{1005, TIMER, BARE, DO_RENEW, 0, 2705}, {2705, TIMER, BARE, DO_NONE, '-', -1},
		{3706, WRITTEN, RECORD("me", "t2", "2"), DO_RENEW, 0, -1},
		{3710, WRITTEN, RECORD("me", "t3", "3"), DO_NONE, '+', 4706}),
	SCRIPT("a Lease that someone deleted is created again", CREATED,
		{1005, TIMER, BARE, DO_RENEW, 0, 2705}, {1010, MISSING, BARE, DO_CREATE, 0, 2705},
		{1015, WRITTEN, RECORD("me", "t2", "20"), DO_NONE, 0, 2010}),
	SCRIPT("a missing namespace is tried at a slackening pace",
		{0, TIMER, BARE, DO_READ, 0, -1}, {5, MISSING, BARE, DO_CREATE, 0, -1},
		{10, MISSING, BARE, DO_NONE, 0, 260}, {260, TIMER, BARE, DO_READ, 0, -1},
		{265, MISSING, BARE, DO_CREATE, 0, -1}, {270, MISSING, BARE, DO_NONE, 0, 770}),
	SCRIPT("endless conflicts back off", {0, TIMER, BARE, DO_READ, 0, -1},
		{5, CONFLICT, BARE, DO_READ, 0, -1}, {6, CONFLICT, BARE, DO_NONE, 0, 506}),
	SCRIPT("a nudge renews at once, and one meanwhile renews again", CREATED,
		{20, NUDGE, BARE, DO_RENEW, 0, 2705}, {21, NUDGE, BARE, DO_NONE, 0, 2705},
		{25, WRITTEN, RECORD("me", "t2", "2"), DO_RENEW, 0, 2720},
		{30, WRITTEN, RECORD("me", "t3", "3"), DO_NONE, 0, 1025}),
	SCRIPT("a nudge does not disturb another's lease", {0, TIMER, BARE, DO_READ, 0, -1},
		{10, READ, RECORD("other", "t1", "7"), DO_NONE, 0, 1010},
		{20, NUDGE, BARE, DO_NONE, 0, 1010}),
	SCRIPT("it is released", CREATED, {20, RELEASE, BARE, DO_RELEASE, 0, 2020},
		{25, WRITTEN, RECORD("", "t1", "2"), DO_NONE, 'R', -1}),
	SCRIPT("a release waits for the renewal under way", CREATED,
		{1005, TIMER, BARE, DO_RENEW, 0, 2705}, {1010, RELEASE, BARE, DO_NONE, 0, 3010},
		{1015, WRITTEN, RECORD("me", "t2", "2"), DO_RELEASE, 0, 3010},
		{1020, WRITTEN, RECORD("", "t2", "3"), DO_NONE, 'R', -1}),
	SCRIPT("a release whose answer is lost is read again", CREATED,
		{20, RELEASE, BARE, DO_RELEASE, 0, 2020}, {30, FAILED, BARE, DO_NONE, 0, 280},
		{280, TIMER, BARE, DO_READ, 0, 2020},
		{285, READ, RECORD("", "t1", "2"), DO_NONE, 'R', -1}),
	SCRIPT("a release has a bound", CREATED, {20, RELEASE, BARE, DO_RELEASE, 0, 2020},
		{2020, TIMER, BARE, DO_NONE, 'R', -1}),
	SCRIPT("another's lease needs no release", {0, TIMER, BARE, DO_READ, 0, -1},
		{10, READ, RECORD("other", "t1", "7"), DO_NONE, 0, 1010},
		{20, RELEASE, BARE, DO_NONE, 'R', -1}),
};

static struct monotime at(uint32_t ms)
{
	return monotime_add_ms((struct monotime){0}, START_MS + ms);
}

static struct lease_action run_step(struct lease_state *state, const struct step *step)
{
	struct lease_record record = {.duration_s = 3};
	struct lease_event event = {.kind = step->event, .record = &record, .random = NO_JITTER};

	if (step->holder) {
		snprintf(record.holder, sizeof(record.holder), "%s", step->holder);
		snprintf(record.renew_time, sizeof(record.renew_time), "%s", step->renewed);
		snprintf(record.resource_version, sizeof(record.resource_version), "%s",
			step->version);
	}
	return lease_step(state, &event, at(step->at_ms));
}

static void check_step(const struct script *script, size_t i, const struct lease_action *action)
{
	const struct step *step = &script->steps[i];
	int wake = action->wake ? (int)(action->wake_at.ns / 1000000) - START_MS : -1;
	char change = (char)(action->gained	? '+'
			     : action->lost	? '-'
			     : action->released ? 'R'
						: 0);

	if (action->request != step->request || change != step->change || wake != step->wake_ms)
		fail_msg("%s: step %zu: request %d, change '%c', wake %d; expected %d, '%c', %d",
			script->what, i, action->request, change ? change : '0', wake,
			step->request, step->change ? step->change : '0', step->wake_ms);
	if (action->lost && !*action->why)
		fail_msg("%s: step %zu: lost without saying why", script->what, i);
}

static void test_scripts(void **unused)
{
	(void)unused;
	for (size_t s = 0; s < sizeof(scripts) / sizeof(scripts[0]); s++) {
		struct lease_state state;

		lease_state_init(&state, "me", DURATION_MS, RENEW_MS);
		for (size_t i = 0; i < scripts[s].count; i++) {
			struct lease_action action = run_step(&state, &scripts[s].steps[i]);

			check_step(&scripts[s], i, &action);
		}
	}
}

static void test_k58_validity_ends_with_the_clock_alone(void **unused)
{
	static const struct step created[] = {CREATED};
	struct lease_state state;

	(void)unused;
	lease_state_init(&state, "me", DURATION_MS, RENEW_MS);
	for (size_t i = 0; i < 3; i++)
		run_step(&state, &created[i]);
	assert_true(lease_state_is_valid(&state, at(2704)));
	assert_false(lease_state_is_valid(&state, at(2705)));
}

/* What a write under way says is what counts when it is answered. */
static void test_timing_changes_with_the_next_write(void **unused)
{
	static const struct script script = SCRIPT("timing", CREATED,
		{1005, TIMER, BARE, DO_RENEW, 0, 2705},
		{1300, WRITTEN, RECORD("me", "t2", "2"), DO_NONE, 0, 3505},
		{3505, TIMER, BARE, DO_RENEW, 0, 3705},
		/* Stretched, so at any time: after 1 + 500 of 2500 ms; then it is regular again. */
		{3600, WRITTEN, RECORD("me", "t3", "3"), DO_NONE, 0, 4006},
		{4006, TIMER, BARE, DO_RENEW, 0, 10705},
		{4010, WRITTEN, RECORD("me", "t4", "4"), DO_NONE, 0, 6506});
	struct lease_state state;

	(void)unused;
	lease_state_init(&state, "me", DURATION_MS, RENEW_MS);
	for (size_t i = 0; i < script.count; i++) {
		struct lease_action action = run_step(&state, &script.steps[i]);

		check_step(&script, i, &action);
		if (action.request == DO_RENEW)
			lease_state_set_timing(&state, 8000, 2500);
	}
	assert_true(lease_state_is_valid(&state, at(4006 + 7199)));
	assert_false(lease_state_is_valid(&state, at(4006 + 7200)));
}

static void test_retry_after_is_honoured_within_reason(void **unused)
{
	static const uint32_t said[] = {4000, 4000000}, waits[] = {4000, 10000};
	struct lease_event event = {.kind = TIMER, .random = NO_JITTER};

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		struct lease_state state;
		struct lease_action action;

		lease_state_init(&state, "me", DURATION_MS, RENEW_MS);
		event.kind = TIMER;
		lease_step(&state, &event, at(0));
		event.kind = FAILED;
		event.retry_after_ms = said[i];
		action = lease_step(&state, &event, at(0));
		assert_true(action.wake);
		assert_int_equal(monotime_ms_until(at(0), action.wake_at), waits[i]);
	}
}

/*
 * Several machines against a model of the server with lost answers, delays and foreign
 * deletions: never do two of them hold validly at one moment.
 */
struct model {
	bool exists;
	struct lease_record record;
	unsigned version, renewals;
};

struct candidate {
	struct lease_state state;
	struct lease_action action;
	uint32_t answer_at; /* 0: none under way */
	struct lease_event answer;
	struct lease_record answer_record;
};

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void serve(struct model *model, struct candidate *c, struct lease_event *ret)
{
	enum lease_request request = c->action.request;

	ret->kind = request == DO_READ ? READ : WRITTEN;
	if (!model->exists && request != DO_CREATE) {
		ret->kind = MISSING;
		return;
	}
	if ((model->exists && request == DO_CREATE) ||
		(request > DO_CREATE &&
			strcmp(model->record.resource_version, c->state.record.resource_version))) {
		ret->kind = CONFLICT;
		return;
	}
	if (request != DO_READ) {
		model->exists = true;
		snprintf(model->record.holder, sizeof(model->record.holder), "%.9s",
			request == DO_RELEASE ? "" : c->state.identity);
		snprintf(model->record.renew_time, sizeof(model->record.renew_time), "t%u",
			++model->renewals);
		snprintf(model->record.resource_version, sizeof(model->record.resource_version),
			"%u", ++model->version);
		model->record.duration_s = DURATION_MS / 1000;
		model->record.transitions += request == DO_TAKE;
	}
	c->answer_record = model->record;
}

static void act(struct model *model, struct candidate *c, uint32_t now, uint32_t *seed)
{
	uint32_t luck = next_random(seed) % 100;
	uint32_t delay = 1 + next_random(seed) % (luck < 15 ? 1500 : 30);

	if (c->action.request == DO_NONE)
		return;
	if (luck < 10) /* refused */
		c->answer.kind = FAILED;
	else
		serve(model, c, &c->answer);
	if (luck >= 10 && luck < 20) /* served, the answer lost */
		c->answer.kind = FAILED;
	c->answer.random = next_random(seed);
	c->answer.record = &c->answer_record;
	c->answer_at = now + delay;
}

/* One millisecond of one candidate; true if it won the lease in it. */
static bool tick(struct model *model, struct candidate *c, uint32_t ms, uint32_t *seed)
{
	struct lease_event timer = {.kind = TIMER, .random = next_random(seed)};
	bool answered = c->answer_at && c->answer_at <= ms;

	if (!answered && !(c->action.wake && monotime_reached(at(ms), c->action.wake_at)))
		return false;
	if (answered)
		c->answer_at = 0;
	c->action = lease_step(&c->state, answered ? &c->answer : &timer, at(ms));
	act(model, c, ms, seed);
	return c->action.gained;
}

static void test_k59_never_two_holders_at_once(void **unused)
{
	enum { CANDIDATES = 3, END_MS = 300000 };
	unsigned held_ms = 0, changes = 0;

	(void)unused;
	for (uint32_t seed0 = 1; seed0 <= 20; seed0++) {
		struct candidate candidates[CANDIDATES] = {0};
		struct model model = {0};
		uint32_t seed = seed0;

		for (int i = 0; i < CANDIDATES; i++) {
			char name[] = {(char)('a' + i), '\0'};

			lease_state_init(&candidates[i].state, name, DURATION_MS, RENEW_MS);
			candidates[i].action.wake = true;
		}
		for (uint32_t ms = 1; ms < END_MS; ms++) {
			int holders = 0;

			for (int i = 0; i < CANDIDATES; i++) {
				changes += tick(&model, &candidates[i], ms, &seed);
				holders += lease_state_is_valid(&candidates[i].state, at(ms));
			}
			if (holders > 1)
				fail_msg("seed %u: %d holders at %u ms", seed0, holders, ms);
			held_ms += holders == 1;
		}
	}
	assert_true(changes > 20);
	assert_true(held_ms > 20u * END_MS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_k58_validity_ends_with_the_clock_alone),
		cmocka_unit_test(test_retry_after_is_honoured_within_reason),
		cmocka_unit_test(test_timing_changes_with_the_next_write),
		cmocka_unit_test(test_k59_never_two_holders_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
