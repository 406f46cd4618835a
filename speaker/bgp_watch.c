// SPDX-License-Identifier: Apache-2.0
/*
 * Asking BIRD. In: the plan, BIRD's tables. Out: the state of each session, and what it
 * exports. Decides nothing.
 *
 * BIRD does not tell of changes by itself. The table of sessions is short. The one of routes
 * is not: where the plan and what is known differ in a few prefixes only, these are asked
 * for one by one.
 */
#include "bgp_watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_MS 500u
#define COMMAND "show protocols all \"herald_*\""
#define SPAWNED_MAX 64u	  /* of sessions with whoever connects */
#define SINGLES_MAX 8u	  /* prefixes that are asked for one by one */
#define LISTED_MAX 40000u /* more routes do not fit into a reply: they are counted only */
#define ROUTES_MS 5000u	  /* the longest that BIRD may take over its routes */

struct session {
	struct bgp_peer peer;
	struct bgp_exports exports;
	bool dirty; /* may export something else than is known */
};

struct bgp_watch {
	struct program *program;
	struct bird *bird;
	struct bgp_watch_sink sink;
	void *context;
	const struct bgp_plan *plan;
	struct session *sessions; /* as many as the plan has */
	size_t count;
	struct timer *timer;
	bool asking; /* an answer is awaited */
	bool again;  /* look once more when it has come */
	size_t at;   /* the session whose routes are asked for */
	struct ip_prefix singles[SINGLES_MAX];
	size_t single_count;
};

static void look(struct bgp_watch *w);
static void ask_routes(struct bgp_watch *w);

const char *bgp_state_text(enum bgp_state state)
{
	static const char *const texts[] = {"unknown", "down", "up"};

	return texts[state];
}

/* Out of all that BIRD has for a session one that is up, if any; routes add up. */
static void fold(struct session *ret, const struct bird_bgp *found)
{
	enum bgp_state state = found->up ? BGP_UP : BGP_DOWN;
	uint32_t exported = ret->peer.bird.exported;

	if (state > ret->peer.state) {
		ret->peer.state = state;
		ret->peer.bird = *found;
		ret->peer.bird.exported = exported;
	}
	if (found->up)
		ret->peer.bird.exported += found->exported;
}

static void follow(struct bgp_watch *w, struct session *session, const struct session *seen)
{
	enum bgp_state was = session->peer.state;
	bool first = !session->peer.known;

	if (session->peer.bird.exported != seen->peer.bird.exported)
		session->dirty = true;
	session->peer.bird = seen->peer.bird;
	session->peer.state = seen->peer.state;
	session->peer.known |= seen->peer.state != BGP_UNKNOWN;
	if (session->peer.state != BGP_UP && session->exports.known) {
		bgp_exports_done(&session->exports);
		w->sink.exported(w->context);
	}
	if (session->peer.state == was)
		return;
	session->peer.since_unix = time(NULL);
	w->sink.changed(w->context, &session->peer, was, first);
}

static void end_look(struct bgp_watch *w)
{
	if (w->again) {
		w->again = false;
		look(w);
	} else {
		timer_start(w->timer, LOOK_MS);
	}
}

static bool ask(struct bgp_watch *w, const char *command, uint32_t ms, bird_reply_fn *fn)
{
	w->asking = bird_ask(w->bird, command, ms, fn, w);
	return w->asking;
}

static void on_one_route(void *context, const struct bird_reply *reply)
{
	struct bgp_watch *w = context;
	struct session *session = w->at < w->count ? &w->sessions[w->at] : NULL;
	const struct ip_prefix *asked = &w->singles[w->single_count - 1];
	AUTO_FREE struct ip_prefix *found = NULL;
	size_t count = 0;

	w->asking = false;
	if (!reply || !session || w->again) {
		end_look(w);
		return;
	}
	found = bird_bgp_prefixes(reply, &count);
	bgp_exports_put(&session->exports, asked, count > 0);
	w->single_count--;
	ask_routes(w);
}

static void on_routes(void *context, const struct bird_reply *reply)
{
	struct bgp_watch *w = context;
	struct session *session = w->at < w->count ? &w->sessions[w->at] : NULL;
	struct ip_prefix *found;
	size_t count;

	w->asking = false;
	if (!reply || !session || w->again) {
		end_look(w);
		return;
	}
	found = bird_bgp_prefixes(reply, &count);
	bgp_exports_set_take(&session->exports, found, count);
	w->sink.exported(w->context);
	w->at++;
	ask_routes(w);
}

static bool ask_one(struct bgp_watch *w, const struct session *session)
{
	const struct ip_prefix *prefix = &w->singles[w->single_count - 1];
	AUTO_FREE char *command = xasprintf("show route %s/%u export %s",
		ip_text(&prefix->address).s, prefix->length, session->peer.bird.name);

	return ask(w, command, ROUTES_MS, on_one_route);
}

/* False: nothing had to be asked about it, or could be. */
static bool ask_about(struct bgp_watch *w, struct session *session)
{
	AUTO_FREE char *command = xasprintf("show route export %s", session->peer.bird.name);
	size_t doubtful;

	if (session->peer.state != BGP_UP || !session->dirty ||
		session->peer.bird.exported > LISTED_MAX)
		return false;
	session->dirty = false;
	doubtful = bgp_exports_doubtful(&session->exports, w->plan, w->at, w->singles, SINGLES_MAX);
	if (doubtful == 0 && session->exports.count == session->peer.bird.exported)
		return false;
	if (doubtful > 0 && doubtful <= SINGLES_MAX) {
		w->single_count = doubtful;
		return ask_one(w, session);
	}
	return ask(w, command, ROUTES_MS, on_routes);
}

static void ask_routes(struct bgp_watch *w)
{
	if (w->single_count > 0 && w->at < w->count && ask_one(w, &w->sessions[w->at]))
		return;
	if (w->at < w->count && w->single_count == 0 && w->sessions[w->at].exports.known)
		w->sink.exported(w->context);
	for (w->single_count = 0; w->at < w->count; w->at++) {
		if (ask_about(w, &w->sessions[w->at]))
			return;
	}
	end_look(w);
}

static void take_sessions(struct bgp_watch *w, const struct bird_reply *reply)
{
	size_t room = w->count + SPAWNED_MAX;
	AUTO_FREE struct bird_bgp *found = xcalloc(room, sizeof(*found));
	AUTO_FREE struct session *seen = xcalloc(w->count, sizeof(*seen));
	size_t count = bird_bgp_sessions(reply, found, room);

	for (size_t i = 0; i < count; i++) {
		const struct bgp_session *session = bgp_plan_session_of(w->plan, found[i].name);

		if (session)
			fold(&seen[session - w->plan->sessions], &found[i]);
	}
	for (size_t i = 0; i < w->count; i++)
		follow(w, &w->sessions[i], &seen[i]);
}

static void on_protocols(void *context, const struct bird_reply *reply)
{
	struct bgp_watch *w = context;

	w->asking = false;
	if (!reply || w->again || w->count == 0) {
		end_look(w);
		return;
	}
	/* An error: BIRD has none of ours. */
	take_sessions(w, reply);
	w->at = 0;
	w->single_count = 0;
	ask_routes(w);
}

static void look(struct bgp_watch *w)
{
	if (w->asking) {
		w->again = true;
		return;
	}
	timer_stop(w->timer);
	if (w->count > 0 && bird_is_at_work(w->bird) &&
		!ask(w, COMMAND, BIRD_ANSWER_MS, on_protocols))
		timer_start(w->timer, LOOK_MS);
}

static void on_timer(void *context)
{
	look(context);
}

/* What is known of a session goes with the peer's name. */
static struct session *take_session(struct bgp_watch *w, const char *name)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->sessions[i].peer.name && strcmp(w->sessions[i].peer.name, name) == 0)
			return &w->sessions[i];
	}
	return NULL;
}

void bgp_watch_set_plan(struct bgp_watch *watch, const struct bgp_plan *plan)
{
	size_t count = plan ? plan->session_count : 0;
	struct session *sessions = xcalloc(count + 1, sizeof(*sessions));

	for (size_t i = 0; i < count; i++) {
		struct session *before = take_session(watch, plan->sessions[i].peer);

		if (before) {
			sessions[i] = *before;
			*before = (struct session){0};
		}
		sessions[i].peer.name = plan->sessions[i].peer;
		sessions[i].dirty = true;
	}
	for (size_t i = 0; i < watch->count; i++)
		bgp_exports_done(&watch->sessions[i].exports);
	free(watch->sessions);
	watch->sessions = sessions;
	watch->count = count;
	watch->plan = plan;
	look(watch);
}

void bgp_watch_bird_changed(struct bgp_watch *watch)
{
	static const struct session unknown;

	for (size_t i = 0; i < watch->count; i++) {
		watch->sessions[i].dirty = true;
		if (!bird_is_at_work(watch->bird))
			follow(watch, &watch->sessions[i], &unknown);
	}
	look(watch);
}

const struct bgp_peer *bgp_watch_at(const struct bgp_watch *watch, size_t session)
{
	return &watch->sessions[session].peer;
}

bool bgp_watch_announces(
	const struct bgp_watch *watch, size_t session, const struct ip_prefix *prefix)
{
	const struct session *s = &watch->sessions[session];

	if (s->peer.state != BGP_UP)
		return false;
	return s->peer.bird.exported > LISTED_MAX || bgp_exports_has(&s->exports, prefix);
}

bool bgp_watch_is_settled(const struct bgp_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		const struct session *s = &watch->sessions[i];

		if (s->peer.state == BGP_UNKNOWN ||
			(s->peer.state == BGP_UP && (s->dirty || !s->exports.known) &&
				s->peer.bird.exported <= LISTED_MAX))
			return false;
	}
	return true;
}

struct bgp_watch *bgp_watch_new(struct program *program, struct bird *bird,
	const struct bgp_watch_sink *sink, void *context)
{
	struct bgp_watch *w = xcalloc(1, sizeof(*w));

	w->program = program;
	w->bird = bird;
	w->sink = *sink;
	w->context = context;
	w->timer = timer_new(program->loop, on_timer, w);
	return w;
}

void bgp_watch_free(struct bgp_watch *watch)
{
	if (!watch)
		return;
	for (size_t i = 0; i < watch->count; i++)
		bgp_exports_done(&watch->sessions[i].exports);
	free(watch->sessions);
	timer_free(watch->timer);
	free(watch);
}
