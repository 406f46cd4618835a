// SPDX-License-Identifier: Apache-2.0
/*
 * BFD of this node. In: the members of the ring, our own address, BIRD's table of sessions.
 * Out: BIRD's include, and what the Lease says.
 *
 * BIRD does not tell of a session's end by itself, so it is asked, which costs it and us
 * some ten microseconds (docs/decisions.md).
 */
#include "bfd.h"

#include <stdlib.h>
#include <string.h>

#include "herald/core/bfd_ring.h"

#define ASK_MIN_MS 5u
#define ASK_COMMAND "show bfd sessions " BIRD_BFD_NAME

struct bfd {
	struct program *program;
	const char *self;
	struct bfd_sink sink;
	void *context;
	struct bird_include *include; /* NULL: there is no BIRD on this node */
	struct bird *bird;	      /* its, or NULL */
	struct config_bfd config;
	struct bfd_watch *watch;
	struct interface interface; /* where the sessions are */
	struct ip local;	    /* IP_NONE: none of the node's addresses is on an interface */
	struct timer *ask;
	bool asking;
	bool followed; /* bfd_follow was called */
	bool told_problem;
	struct metric *sessions, *up, *suspected;
};

static bool takes_part(const struct bfd *b)
{
	return b->config.on && b->bird && bird_is_at_work(b->bird) && b->local.family != IP_NONE;
}

static const char *problem_of(const struct bfd *b)
{
	if (!b->config.on)
		return "";
	if (!b->bird)
		return "the configuration has membership.bfd, but this speaker has no BIRD: give "
		       "--bird-socket and --bird-include";
	if (*bird_problem(b->bird))
		return bird_problem(b->bird);
	if (b->local.family == IP_NONE)
		return "none of the node's addresses is in a network of an interface in use";
	return "";
}

static size_t count_watched(const struct bfd *b, enum bfd_opinion opinion)
{
	size_t count = 0;

	for (size_t i = 0; i < bfd_watch_count(b->watch); i++) {
		const struct bfd_peer *peer = bfd_watch_at(b->watch, i);

		count += peer->watched && peer->opinion == opinion;
	}
	return count;
}

static void count(struct bfd *b)
{
	size_t up = count_watched(b, BFD_UP), suspected = count_watched(b, BFD_SUSPECTED);

	metric_set(b->sessions, (double)(count_watched(b, BFD_UNKNOWN) + up + suspected));
	metric_set(b->up, (double)up);
	metric_set(b->suspected, (double)suspected);
}

static void tell_suspects(struct bfd *b)
{
	AUTO_FREE char *suspects = bfd_watch_suspects(b->watch);

	log_warn(b->program->log, "BFD: suspected nodes", "nodes", *suspects ? suspects : "none",
		NULL);
	count(b);
	b->sink.changed(b->context);
}

static void ask_again(struct bfd *b)
{
	uint32_t ms = b->config.interval_ms / 2;

	if (takes_part(b) && bfd_watch_count(b->watch) > 0 && !b->asking &&
		!timer_is_running(b->ask))
		timer_start(b->ask, ms > ASK_MIN_MS ? ms : ASK_MIN_MS);
}

static void on_sessions(void *context, const struct bird_reply *reply)
{
	struct bfd *b = context;
	struct bird_session sessions[2 * BFD_PEERS_MAX];
	size_t found;
	bool alone = count_watched(b, BFD_SUSPECTED) > 0 && count_watched(b, BFD_UP) == 0;

	b->asking = false;
	if (!reply)
		return; /* bird_changed follows, or did */
	found = bird_reply_sessions(reply, sessions, 2 * BFD_PEERS_MAX);
	/* The others end their sessions with one whose Lease has lapsed: that is no death. */
	if (b->sink.has_lapsed(b->context) ? bfd_watch_forget(b->watch)
					   : bfd_watch_see(b->watch, sessions, found))
		tell_suspects(b);
	if (alone && count_watched(b, BFD_UP) > 0)
		b->sink.peer_returned(b->context);
	count(b);
	ask_again(b);
}

static void on_ask(void *context)
{
	struct bfd *b = context;

	if (takes_part(b) && bird_ask(b->bird, ASK_COMMAND, BIRD_ANSWER_MS, on_sessions, b))
		b->asking = true;
}

void bfd_bird_changed(struct bfd *b)
{
	if (!bird_is_at_work(b->bird))
		bfd_watch_forget(b->watch);
	count(b);
	ask_again(b);
	b->sink.changed(b->context);
}

/* The first of the node's addresses that is on an interface in use; IPv4 before IPv6. */
static void find_place(struct bfd *b, const struct bfd_facts *facts)
{
	static const uint8_t families[] = {IP_V4, IP_V6};

	b->local = (struct ip){0};
	for (size_t f = 0; f < 2 && facts->node; f++) {
		for (size_t a = 0; a < facts->node->address_count; a++) {
			const struct ip *address = &facts->node->addresses[a];

			for (unsigned slot = 0; slot < RESPONDER_SLOTS; slot++) {
				const struct port *port = ports_at(facts->ports, slot);

				if (address->family != families[f] || !port || !port->wire ||
					!interface_has_network_of(&port->interface, address))
					continue;
				b->interface = port->interface;
				b->local = *address;
				return;
			}
		}
	}
}

static bool read_peer(const struct bfd *b, const struct member *member, struct bfd_peer *ret)
{
	*ret = (struct bfd_peer){.node = member->node};
	return ip_parse(member->bfd, &ret->address) && ret->address.family == b->local.family &&
	       !ip_equal(&ret->address, &b->local) &&
	       interface_has_network_of(&b->interface, &ret->address);
}

/* Our peers on the ring, in the order of their names. */
static size_t find_peers(
	const struct bfd *b, const struct members *members, struct bfd_peer ret[BFD_PEERS_MAX])
{
	size_t total = members_count(members), on_ring = 0, own = SIZE_MAX, found = 0;
	const char **names = xcalloc(total + 1, sizeof(*names));
	bool *is_peer = xcalloc(total + 1, sizeof(*is_peer));
	size_t peers[BFD_PEERS_MAX], count = 0;
	struct bfd_ring *ring;

	for (size_t i = 0; i < total; i++) {
		const struct member *member = members_at(members, i);

		if (!member_has_bfd(member))
			continue;
		if (strcmp(member->node, b->self) == 0)
			own = on_ring;
		names[on_ring++] = member->node;
	}
	ring = bfd_ring_new(names, on_ring, b->config.watchers);
	if (own != SIZE_MAX)
		count = bfd_ring_peers(ring, own, peers);
	for (size_t i = 0; i < count; i++)
		is_peer[peers[i]] = true;
	for (size_t i = 0; i < on_ring; i++)
		found += is_peer[i] && read_peer(b, members_find(members, names[i]), &ret[found]);
	bfd_ring_free(ring);
	free(names);
	free(is_peer);
	return found;
}

static void want(struct bfd *b, const struct bfd_peer *peers, size_t count)
{
	struct ip addresses[BFD_PEERS_MAX];
	struct bird_bfd bfd = {
		.interface = b->interface.name,
		.local = b->local,
		.interval_ms = b->config.interval_ms,
		.multiplier = b->config.multiplier,
		.peers = addresses,
		.peer_count = count,
	};

	for (size_t i = 0; i < count; i++)
		addresses[i] = peers[i].address;
	bird_include_set_bfd(b->include, b->config.on && b->local.family != IP_NONE ? &bfd : NULL);
}

static void tell_problem(struct bfd *b)
{
	bool is_problem = b->config.on && !b->bird;

	if (is_problem && !b->told_problem)
		log_warn(b->program->log, "BFD is not in force", "problem", problem_of(b), NULL);
	b->told_problem = is_problem;
}

void bfd_follow(struct bfd *bfd, const struct bfd_facts *facts)
{
	struct ip before = bfd->local;
	bool was_on = bfd->config.on;
	struct bfd_peer peers[BFD_PEERS_MAX];
	size_t found = 0;

	bfd->config = *facts->config;
	bfd->followed = true;
	tell_problem(bfd);
	if (!bfd->bird)
		return;
	find_place(bfd, facts);
	if (bfd->config.on && bfd->local.family != IP_NONE)
		found = find_peers(bfd, facts->members, peers);
	if (bfd_watch_set_peers(bfd->watch, peers, found, facts->members))
		tell_suspects(bfd);
	want(bfd, peers, found);
	if (!ip_equal(&before, &bfd->local) || was_on != bfd->config.on)
		bfd->sink.changed(bfd->context);
	count(bfd);
	ask_again(bfd);
}

void bfd_annotate(const struct bfd *bfd, json_t *annotations)
{
	AUTO_FREE char *suspects = bfd_watch_suspects(bfd->watch);
	bool is_known = bfd->followed && (!bfd->bird || bird_is_known(bfd->bird));

	json_object_set_new(annotations, SUSPECTS_ANNOTATION,
		takes_part(bfd) && *suspects ? json_string(suspects) : json_null());
	/* Before that, what our last run's Lease says stands: BIRD has gone on. */
	if (is_known)
		json_object_set_new(annotations, MEMBER_BFD_ANNOTATION,
			takes_part(bfd) ? json_string(ip_text(&bfd->local).s) : json_null());
}

json_t *bfd_status(const struct bfd *bfd)
{
	json_t *sessions = json_array();

	for (size_t i = 0; i < bfd_watch_count(bfd->watch); i++) {
		const struct bfd_peer *peer = bfd_watch_at(bfd->watch, i);

		if (peer->watched)
			json_array_append_new(
				sessions, json_pack("{s:s,s:s,s:s}", "node", peer->node, "address",
						  ip_text(&peer->address).s, "state",
						  bfd_opinion_text(peer->opinion)));
	}
	return json_pack("{s:b,s:b,s:s,s:s,s:o}", "configured", bfd->config.on, "takesPart",
		takes_part(bfd), "address", ip_text(&bfd->local).s, "problem", problem_of(bfd),
		"sessions", sessions);
}

struct bfd *bfd_new(struct program *program, const char *self, struct bird_include *include,
	const struct bfd_sink *sink, void *context)
{
	struct bfd *b = xcalloc(1, sizeof(*b));

	b->program = program;
	b->self = self;
	b->sink = *sink;
	b->context = context;
	b->watch = bfd_watch_new();
	b->ask = timer_new(program->loop, on_ask, b);
	b->sessions = metric_gauge(program->metrics, "herald_speaker_bfd_sessions",
		"BFD sessions that this node ought to have with other nodes.", NULL);
	b->up = metric_gauge(program->metrics, "herald_speaker_bfd_sessions_up",
		"Those of them that are up.", NULL);
	b->suspected = metric_gauge(program->metrics, "herald_speaker_bfd_suspected",
		"Nodes that this node suspects, their sessions being lost.", NULL);
	b->include = include;
	b->bird = include ? bird_include_bird(include) : NULL;
	return b;
}

void bfd_free(struct bfd *bfd)
{
	if (!bfd)
		return;
	bfd_watch_free(bfd->watch);
	timer_free(bfd->ask);
	free(bfd);
}
