// SPDX-License-Identifier: Apache-2.0
/*
 * Our opinion of each BFD peer. In: whom to watch, and one reading of BIRD's sessions
 * after the other. Out: whom we suspect. Asks nobody and decides nothing: that takes the
 * others' word, too (suspicion.c).
 */
#include "herald/core/bfd_watch.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

struct bfd_watch {
	struct bfd_peer *peers; /* names are owned */
	size_t count;
};

const char *bfd_opinion_text(enum bfd_opinion opinion)
{
	static const char *const texts[] = {"unknown", "up", "suspected"};

	return texts[opinion];
}

struct bfd_watch *bfd_watch_new(void)
{
	return xcalloc(1, sizeof(struct bfd_watch));
}

static void free_peers(struct bfd_peer *peers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free_pointer(&peers[i].node);
	free(peers);
}

void bfd_watch_free(struct bfd_watch *watch)
{
	if (!watch)
		return;
	free_peers(watch->peers, watch->count);
	free(watch);
}

static struct bfd_peer *find(struct bfd_peer *peers, size_t count, const char *node)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(peers[i].node, node) == 0)
			return &peers[i];
	}
	return NULL;
}

/* Whether a suspicion outlives that its node is not to be watched just now. */
static bool is_to_remember(const struct bfd_peer *peer, const struct members *members)
{
	const struct member *member = members_find(members, peer->node);

	return peer->opinion == BFD_SUSPECTED && member && member->state == MEMBER_DEAD;
}

bool bfd_watch_set_peers(struct bfd_watch *watch, const struct bfd_peer *peers, size_t count,
	const struct members *members)
{
	AUTO_FREE char *before = bfd_watch_suspects(watch);
	AUTO_FREE char *after = NULL;
	struct bfd_peer *fresh = xcalloc(count + watch->count + 1, sizeof(*fresh));
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct bfd_peer *old = find(watch->peers, watch->count, peers[i].node);
		bool same = old && ip_equal(&old->address, &peers[i].address);

		fresh[kept++] = (struct bfd_peer){
			.node = xstrdup(peers[i].node),
			.address = peers[i].address,
			.opinion = same ? old->opinion : BFD_UNKNOWN,
			.watched = true,
		};
	}
	for (size_t i = 0; i < watch->count; i++) {
		const struct bfd_peer *old = &watch->peers[i];

		if (find(fresh, kept, old->node) || !is_to_remember(old, members))
			continue;
		fresh[kept] = *old;
		fresh[kept].node = xstrdup(old->node);
		fresh[kept++].watched = false;
	}
	free_peers(watch->peers, watch->count);
	watch->peers = fresh;
	watch->count = kept;
	after = bfd_watch_suspects(watch);
	return strcmp(before, after) != 0;
}

static enum bfd_opinion opinion_after(enum bfd_opinion before, const struct bird_session *session)
{
	if (!session) /* not configured yet, or no more: what was suspected stays so */
		return before == BFD_SUSPECTED ? before : BFD_UNKNOWN;
	if (session->state == BIRD_BFD_ADMIN_DOWN)
		return BFD_UNKNOWN;
	if (session->state == BIRD_BFD_UP)
		return BFD_UP;
	return before == BFD_UP ? BFD_SUSPECTED : before;
}

bool bfd_watch_see(struct bfd_watch *watch, const struct bird_session *sessions, size_t count)
{
	bool changed = false;

	for (size_t i = 0; i < watch->count; i++) {
		struct bfd_peer *peer = &watch->peers[i];
		const struct bird_session *session = NULL;
		enum bfd_opinion before = peer->opinion;

		if (!peer->watched)
			continue;
		for (size_t s = 0; s < count && !session; s++) {
			if (ip_equal(&sessions[s].address, &peer->address))
				session = &sessions[s];
		}
		peer->opinion = opinion_after(before, session);
		changed = changed || (before == BFD_SUSPECTED) != (peer->opinion == BFD_SUSPECTED);
	}
	return changed;
}

bool bfd_watch_forget(struct bfd_watch *watch)
{
	bool changed = false;

	for (size_t i = 0; i < watch->count; i++) {
		changed = changed || watch->peers[i].opinion == BFD_SUSPECTED;
		watch->peers[i].opinion = BFD_UNKNOWN;
	}
	return changed;
}

size_t bfd_watch_count(const struct bfd_watch *watch)
{
	return watch->count;
}

const struct bfd_peer *bfd_watch_at(const struct bfd_watch *watch, size_t index)
{
	return &watch->peers[index];
}

char *bfd_watch_suspects(const struct bfd_watch *watch)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < watch->count; i++) {
		const struct bfd_peer *peer = &watch->peers[i];
		char *longer;

		if (peer->opinion != BFD_SUSPECTED || !peer->watched)
			continue;
		longer = xasprintf("%s%s%s", text, *text ? " " : "", peer->node);
		free(text);
		text = longer;
	}
	return text;
}
