// SPDX-License-Identifier: Apache-2.0
/*
 * One text for BIRD out of two parts. In: BFD's part, BGP's part, BIRD's refusals. Out: what
 * BIRD is to have in force.
 *
 * A BFD session with another node is removed a little later than it could be: the other end
 * must first have read in our Lease that it ends, or it would take that for our death. That
 * is so for the sessions of our last run, too, which the file has.
 */
#include "bird_include.h"

#include <stdlib.h>
#include <string.h>

#include "herald/io/small_file.h"

#define SETTLE_MS 1000u

struct refusal {
	struct refusal *next;
	char *peer, *extra, *why;
	bool vague;    /* nothing says that it was this one */
	bool innocent; /* without it BIRD refuses, too */
};

struct bird_include {
	struct bird *bird;
	struct bird_include_sink sink;
	void *context;
	bool bfd_known, bgp_known;
	bool bfd_on, bfd_ends; /* it ends once its last sessions may go */
	struct bird_bfd bfd;   /* of what follows */
	struct ip *peers;      /* those to go come last */
	char *interface;
	size_t going;
	struct bgp_plan *bgp; /* borrowed */
	char *before;	      /* what our last run left, until it may go; NULL: gone */
	struct timer *settle;
	struct refusal *refused;
};

static struct bird_wants wants_of(const struct bird_include *inc)
{
	return (struct bird_wants){.bfd = inc->bfd_on ? &inc->bfd : NULL, .bgp = inc->bgp};
}

/* A session between nodes stands in the one text and not in the other. */
static bool ends_sessions(const char *before, const char *after)
{
	static const char begin[] = "\tneighbor ", mark[] = " dev \"";

	while (*before) {
		size_t length = strcspn(before, "\n");
		AUTO_FREE char *line = xstrndup(before, length);

		if (strncmp(line, begin, strlen(begin)) == 0 && strstr(line, mark) &&
			!strstr(after, line))
			return true;
		before += length + (before[length] == '\n');
	}
	return false;
}

static void want(struct bird_include *inc)
{
	struct bird_wants wants = wants_of(inc);
	AUTO_FREE char *text = NULL;

	if (!inc->bfd_known || !inc->bgp_known)
		return;
	text = bird_config_text(&wants);
	if (inc->before && ends_sessions(inc->before, text)) {
		if (!timer_is_running(inc->settle))
			timer_start(inc->settle, SETTLE_MS);
		bird_want(inc->bird, inc->before);
		return;
	}
	free(inc->before);
	inc->before = NULL;
	bird_want(inc->bird, text);
}

static void forget_bfd(struct bird_include *inc)
{
	free(inc->peers);
	free(inc->interface);
	inc->peers = NULL;
	inc->interface = NULL;
	inc->bfd = (struct bird_bfd){0};
	inc->bfd_on = inc->bfd_ends = false;
	inc->going = 0;
}

static void on_settled(void *context)
{
	struct bird_include *inc = context;

	free(inc->before);
	inc->before = NULL;
	inc->bfd.peer_count -= inc->going;
	inc->going = 0;
	if (inc->bfd_ends)
		forget_bfd(inc);
	want(inc);
}

static bool has_peer(const struct bird_bfd *bfd, const struct ip *peer)
{
	for (size_t i = 0; i < bfd->peer_count; i++) {
		if (ip_equal(&bfd->peers[i], peer))
			return true;
	}
	return false;
}

static bool is_same_place(const struct bird_bfd *a, const struct bird_bfd *b)
{
	return strcmp(a->interface, b->interface) == 0 && ip_equal(&a->local, &b->local) &&
	       a->interval_ms == b->interval_ms && a->multiplier == b->multiplier;
}

static void keep_bfd(struct bird_include *inc, const struct bird_bfd *bfd)
{
	bool keeps = inc->bfd_on && is_same_place(&inc->bfd, bfd);
	struct ip *peers = xcalloc(bfd->peer_count + inc->bfd.peer_count + 1, sizeof(*peers));
	char *interface = xstrdup(bfd->interface);
	size_t going = 0, before = inc->going;

	if (bfd->peer_count > 0)
		memcpy(peers, bfd->peers, bfd->peer_count * sizeof(*peers));
	for (size_t i = 0; keeps && i < inc->bfd.peer_count; i++) {
		if (!has_peer(bfd, &inc->peers[i]))
			peers[bfd->peer_count + going++] = inc->peers[i];
	}
	forget_bfd(inc);
	inc->bfd = *bfd;
	inc->bfd.interface = inc->interface = interface;
	inc->bfd.peers = inc->peers = peers;
	inc->bfd.peer_count += going;
	inc->going = going;
	inc->bfd_on = true;
	if (going > before)
		timer_start(inc->settle, SETTLE_MS);
}

static void end_bfd(struct bird_include *inc)
{
	if (!inc->bfd_on || inc->bfd_ends)
		return;
	inc->bfd_ends = true;
	inc->going = inc->bfd.peer_count;
	timer_start(inc->settle, SETTLE_MS);
}

void bird_include_set_bfd(struct bird_include *include, const struct bird_bfd *bfd)
{
	if (bfd)
		keep_bfd(include, bfd);
	else
		end_bfd(include);
	include->bfd_known = true;
	want(include);
}

static const struct refusal *find_refusal(const struct bird_include *inc, const char *peer)
{
	const struct refusal *refusal = inc->refused;

	while (refusal && strcmp(refusal->peer, peer) != 0)
		refusal = refusal->next;
	return refusal;
}

static void drop_refusal(struct bird_include *inc, const struct refusal *which)
{
	for (struct refusal **at = &inc->refused; *at; at = &(*at)->next) {
		struct refusal *refusal = *at;

		if (refusal != which)
			continue;
		*at = refusal->next;
		free(refusal->peer);
		free(refusal->extra);
		free(refusal->why);
		free(refusal);
		return;
	}
}

/* What is left in force of an extra text: "" where it was refused as it is now. */
static const char *screen(struct bird_include *inc, const char *peer, const char *extra)
{
	const struct refusal *refusal = find_refusal(inc, peer);

	if (refusal && strcmp(refusal->extra, extra) == 0)
		return "";
	if (refusal)
		drop_refusal(inc, refusal);
	return extra;
}

void bird_include_set_bgp(struct bird_include *include, struct bgp_plan *plan)
{
	include->bgp = plan;
	include->bgp_known = true;
	if (plan)
		plan->extra = screen(include, "", plan->extra);
	for (size_t i = 0; plan && i < plan->session_count; i++)
		plan->sessions[i].extra =
			screen(include, plan->sessions[i].peer, plan->sessions[i].extra);
	want(include);
}

static void refuse(struct bird_include *inc, const char *peer, const char *extra, bool vague)
{
	struct refusal *refusal;

	if (!*extra || find_refusal(inc, peer))
		return;
	refusal = xcalloc(1, sizeof(*refusal));
	refusal->peer = xstrdup(peer);
	refusal->extra = xstrdup(extra);
	refusal->why = xstrdup(bird_problem(inc->bird));
	refusal->vague = vague;
	refusal->next = inc->refused;
	inc->refused = refusal;
}

/* The fault may be in BIRD's own file. */
static void acquit(struct bird_include *inc)
{
	for (struct refusal *refusal = inc->refused; refusal; refusal = refusal->next)
		refusal->innocent = refusal->vague;
}

/* Those are tried once more when the fault is mended. */
static void retry_innocent(struct bird_include *inc)
{
	bool any = false;

	for (struct refusal *refusal = inc->refused, *next; refusal; refusal = next) {
		next = refusal->next;
		any = any || refusal->innocent;
		if (refusal->innocent)
			drop_refusal(inc, refusal);
	}
	if (any)
		inc->sink.extra_refused(inc->context);
}

/* Where nobody's line is to blame, any extra text may be. */
static void on_refused(void *context, size_t line)
{
	struct bird_include *inc = context;
	const struct refusal *before = inc->refused;
	struct bird_wants wants = wants_of(inc);
	size_t whose = line > 0 ? bird_config_blame(&wants, line) : BIRD_BLAME_NONE;
	bool vague = whose == BIRD_BLAME_NONE;

	if (!inc->bgp || inc->before)
		return;
	if (whose == BIRD_BLAME_GLOBAL || vague)
		refuse(inc, "", inc->bgp->extra, vague);
	for (size_t i = 0; i < inc->bgp->session_count; i++) {
		if (whose == i || vague)
			refuse(inc, inc->bgp->sessions[i].peer, inc->bgp->sessions[i].extra, vague);
	}
	if (inc->refused != before)
		inc->sink.extra_refused(inc->context);
	else if (vague)
		acquit(inc);
}

static void on_changed(void *context)
{
	struct bird_include *inc = context;

	if (bird_is_at_work(inc->bird) && !*bird_problem(inc->bird))
		retry_innocent(inc);
	inc->sink.changed(inc->context);
}

struct bird_include *bird_include_new(struct program *program, const char *socket,
	const char *include, const struct bird_include_sink *sink, void *context)
{
	static const struct bird_sink bird_sink = {on_changed, on_refused};
	struct bird_include *inc = xcalloc(1, sizeof(*inc));

	inc->sink = *sink;
	inc->context = context;
	inc->settle = timer_new(program->loop, on_settled, inc);
	inc->bird = bird_new(program, socket, include, &bird_sink, inc);
	if (small_file_read(include, &inc->before, NULL) != 0)
		inc->before = NULL;
	return inc;
}

void bird_include_free(struct bird_include *include)
{
	if (!include)
		return;
	bird_free(include->bird);
	timer_free(include->settle);
	forget_bfd(include);
	while (include->refused)
		drop_refusal(include, include->refused);
	free(include->before);
	free(include);
}

struct bird *bird_include_bird(struct bird_include *include)
{
	return include->bird;
}

const char *bird_include_refusal(const struct bird_include *include, const char *peer)
{
	const struct refusal *refusal = find_refusal(include, peer);

	return refusal ? refusal->why : NULL;
}
