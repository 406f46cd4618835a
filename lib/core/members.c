// SPDX-License-Identifier: Apache-2.0
/*
 * Life and death of speakers, judged from their Leases. In: Leases as they are seen and
 * the time. Out: a state for each node. Reads no clock, asks no server; the rule and
 * its reasons are in the header.
 */
#include "herald/core/members.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "herald/base/err.h"

#define LEASE_NAME_MAX 253u
#define HASH_LENGTH 16u

struct record {
	struct member member; /* its strings are owned here */
	char *renew_time;
	struct monotime since; /* its duration runs from here: renewal, or grace */
	bool wrote;	       /* since the first list */
	bool gone;	       /* its Lease was deleted */
	bool unseen;	       /* in the list that goes on */
};

struct members {
	struct record *records; /* sorted by node */
	size_t count, capacity;
	struct member_timing timing;
	uint32_t shortest_ms;	  /* duration of those alive; UINT32_MAX: none is */
	struct monotime evidence; /* when any Lease was last seen to change */
	bool has_evidence;
	unsigned watchers;
	uint64_t bgp_generation;
	bool listed;	  /* once */
	bool was_cut_off; /* judged while out of contact: grace is due when it returns */
};

const char *member_state_text(enum member_state state)
{
	static const char *const texts[] = {"unknown", "alive", "leaving", "dead"};

	return texts[state];
}

struct members *members_new(void)
{
	struct members *m = xcalloc(1, sizeof(*m));

	m->timing = (struct member_timing){3000, 1000};
	m->shortest_ms = UINT32_MAX;
	return m;
}

static void record_done(struct record *r)
{
	free_pointer(&r->member.node);
	free_pointer(&r->member.version);
	free_pointer(&r->member.interfaces);
	free_pointer(&r->member.holds);
	free_pointer(&r->member.conflicts);
	free_pointer(&r->member.bfd);
	free_pointer(&r->member.suspects);
	free_pointer(&r->member.bgp);
	free(r->renew_time);
}

void members_free(struct members *members)
{
	if (!members)
		return;
	for (size_t i = 0; i < members->count; i++)
		record_done(&members->records[i]);
	free(members->records);
	free(members);
}

struct member_timing member_timing_for(const struct member_timing *configured, size_t alive)
{
	struct member_timing timing = *configured;
	uint64_t least_ms =
		(alive * UINT64_C(1000) + MEMBER_WRITES_PER_SECOND - 1) / MEMBER_WRITES_PER_SECOND;
	uint64_t duration_ms;

	if (least_ms <= timing.renew_ms)
		return timing;
	if (least_ms > MEMBER_DURATION_MAX_MS / 3)
		least_ms = MEMBER_DURATION_MAX_MS / 3;
	duration_ms = (least_ms * timing.duration_ms + timing.renew_ms - 1) / timing.renew_ms;
	if (duration_ms > 3 * least_ms)
		duration_ms = 3 * least_ms;
	duration_ms = (duration_ms + 999) / 1000 * 1000;
	timing.renew_ms = (uint32_t)least_ms;
	if (duration_ms > timing.duration_ms)
		timing.duration_ms = (uint32_t)duration_ms;
	return timing;
}

void members_set_timing(struct members *members, const struct member_timing *timing)
{
	members->timing = *timing;
}

/* A Lease that lasts for another time than ours is renewed in proportion. */
static struct monotime contact_until(const struct members *m)
{
	uint64_t duration = m->shortest_ms == UINT32_MAX ? m->timing.duration_ms : m->shortest_ms;
	uint64_t margin = duration * m->timing.renew_ms * 5 / 4 / m->timing.duration_ms;

	return monotime_add_ms(m->evidence, duration > margin ? duration - margin : 1);
}

static void find_shortest(struct members *m)
{
	m->shortest_ms = UINT32_MAX;
	for (size_t i = 0; i < m->count; i++) {
		const struct member *member = &m->records[i].member;

		if (member->state == MEMBER_ALIVE && member->duration_ms < m->shortest_ms)
			m->shortest_ms = member->duration_ms;
	}
}

bool members_in_contact(const struct members *members, struct monotime now)
{
	return members->has_evidence && !monotime_reached(now, contact_until(members));
}

static size_t place_of(const struct members *m, const char *node, bool *ret_found)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(m->records[middle].member.node, node);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = false;
	return low;
}

static struct record *insert(struct members *m, size_t place, const char *node)
{
	if (m->count == m->capacity) {
		m->capacity = m->capacity ? 2 * m->capacity : 8;
		m->records = xrealloc(m->records, m->capacity, sizeof(*m->records));
	}
	memmove(&m->records[place + 1], &m->records[place],
		(m->count - place) * sizeof(*m->records));
	m->count++;
	m->records[place] = (struct record){
		.member = {.node = xstrdup(node),
			.version = xstrdup(""),
			.interfaces = xstrdup("")},
		.renew_time = xstrdup(""),
	};
	return &m->records[place];
}

/* Replaces an owned text; true where it differs. */
static bool replace(char **text, const char *by)
{
	if (strcmp(*text, by) == 0)
		return false;
	free(*text);
	*text = xstrdup(by);
	return true;
}

static bool replace_shown(const char **text, const char *by)
{
	if (*text && by ? strcmp(*text, by) == 0 : *text == by)
		return false;
	free_pointer(text);
	*text = by ? xstrdup(by) : NULL;
	return true;
}

static bool replace_annotations(struct record *r, const struct string_map *annotations)
{
	const char *interfaces = string_map_get(annotations, MEMBER_INTERFACES_ANNOTATION);
	const char *holds = string_map_get(annotations, MEMBER_HOLDS_ANNOTATION);
	const char *conflicts = string_map_get(annotations, MEMBER_CONFLICTS_ANNOTATION);
	const char *bfd = string_map_get(annotations, MEMBER_BFD_ANNOTATION);
	const char *suspects = string_map_get(annotations, SUSPECTS_ANNOTATION);
	bool changed = replace_shown(&r->member.interfaces, interfaces ? interfaces : "");

	changed = replace_shown(&r->member.conflicts, conflicts) || changed;
	changed = replace_shown(&r->member.bfd, bfd) || changed;
	changed = replace_shown(&r->member.suspects, suspects) || changed;
	return replace_shown(&r->member.holds, holds) || changed;
}

/* True: the state changed. */
static bool renew(struct members *m, struct record *r, const struct lease *lease, bool proven)
{
	enum member_state state = lease->holder[0] != '\0' ? MEMBER_ALIVE : MEMBER_LEAVING;
	uint64_t duration_ms = lease->duration_s * UINT64_C(1000);
	bool changed = r->member.state != state;

	if (duration_ms == 0)
		duration_ms = m->timing.duration_ms;
	if (duration_ms > MEMBER_DURATION_MAX_MS)
		duration_ms = MEMBER_DURATION_MAX_MS;
	r->member.state = state;
	r->member.proven = proven && state == MEMBER_ALIVE;
	if (changed || r->member.duration_ms != duration_ms) {
		r->member.duration_ms = (uint32_t)duration_ms;
		find_shortest(m);
	}
	return changed;
}

/* What we missed while cut off may have been renewals: all start a new duration. */
static void give_grace(struct members *m, struct monotime now)
{
	for (size_t i = 0; i < m->count; i++)
		m->records[i].since = now;
	m->was_cut_off = false;
}

static void note_evidence(struct members *m, struct monotime now)
{
	if (m->was_cut_off || (m->has_evidence && !members_in_contact(m, now)))
		give_grace(m, now);
	m->evidence = now;
	m->has_evidence = true;
}

/* Where the whole does not fit, a hash tells those apart that begin alike. */
char *member_lease_name(const char *node)
{
	size_t length = strlen(node);

	if (length <= LEASE_NAME_MAX - strlen(MEMBER_LEASE_PREFIX))
		return xasprintf(MEMBER_LEASE_PREFIX "%s", node);
	length = LEASE_NAME_MAX - strlen(MEMBER_LEASE_PREFIX) - HASH_LENGTH - 1;
	while (length > 0 && (node[length - 1] == '.' || node[length - 1] == '-'))
		length--;
	return xasprintf(MEMBER_LEASE_PREFIX "%.*s-%016" PRIx64, (int)length, node,
		XXH64(node, strlen(node), 0));
}

static bool is_lease_of(const char *name, const char *node)
{
	AUTO_FREE char *right = member_lease_name(node);

	return strcmp(name, right) == 0;
}

/* The annotation is believed where the Lease's name agrees with it. */
static const char *node_of(const struct lease *lease)
{
	const char *told = string_map_get(&lease->annotations, MEMBER_NODE_ANNOTATION);
	size_t prefix = strlen(MEMBER_LEASE_PREFIX);

	if (strncmp(lease->meta.name, MEMBER_LEASE_PREFIX, prefix) != 0)
		return NULL;
	if (told && is_lease_of(lease->meta.name, told))
		return told;
	return lease->meta.name[prefix] != '\0' ? lease->meta.name + prefix : NULL;
}

bool member_has_bfd(const struct member *member)
{
	return member->state == MEMBER_ALIVE && member->bfd;
}

/* What the nodes say of each other; true where somebody's fate is another than before. */
static bool agree(struct members *m)
{
	struct suspicion_node *nodes = xcalloc(m->count + 1, sizeof(*nodes));
	struct suspicion_verdict *verdicts = xcalloc(m->count + 1, sizeof(*verdicts));
	size_t count = 0, next = 0;
	bool changed = false;

	for (size_t i = 0; m->watchers > 0 && i < m->count; i++) {
		const struct member *member = &m->records[i].member;

		if (member_has_bfd(member))
			nodes[count++] = (struct suspicion_node){member->node, member->suspects};
	}
	suspicion_decide(nodes, count, m->watchers, members_alive(m), verdicts);
	for (size_t i = 0; i < m->count; i++) {
		struct member *member = &m->records[i].member;
		struct suspicion_verdict verdict = {0};

		if (m->watchers > 0 && member_has_bfd(member))
			verdict = verdicts[next++];
		changed = changed || member->suspicion.dead != verdict.dead;
		member->suspicion = verdict;
	}
	free(nodes);
	free(verdicts);
	return changed;
}

bool members_set_watchers(struct members *members, unsigned watchers)
{
	members->watchers = watchers;
	return agree(members);
}

static bool take_lease(struct members *members, const struct lease *lease, struct monotime now)
{
	const char *node = node_of(lease);
	struct record *r;
	size_t place;
	bool found, visible;

	if (!node)
		return false;
	place = place_of(members, node, &found);
	r = found ? &members->records[place] : insert(members, place, node);
	r->gone = r->unseen = false;
	if (!replace_shown(&r->member.version, lease->meta.resource_version))
		return false; /* a relist shows the same object again: no sign of life */
	r->wrote = members->listed;
	visible = replace_annotations(r, &lease->annotations);
	members->bgp_generation += replace_shown(
		&r->member.bgp, string_map_get(&lease->annotations, MEMBER_BGP_ANNOTATION));
	note_evidence(members, now);
	/* A write that did not renew (a label, an annotation by hand) revives nobody. */
	if (!replace(&r->renew_time, lease->renew_time) && found && lease->holder[0] != '\0')
		return visible;
	visible = renew(members, r, lease, found) || visible;
	r->member.renewed = now;
	r->since = now;
	return visible;
}

bool members_put(struct members *members, const struct lease *lease, struct monotime now)
{
	bool changed = take_lease(members, lease, now);

	if (changed)
		agree(members);
	return changed;
}

uint64_t members_bgp_generation(const struct members *members)
{
	return members->bgp_generation;
}

void members_list_begin(struct members *members)
{
	for (size_t i = 0; i < members->count; i++)
		members->records[i].unseen = true;
}

void members_list_end(struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		struct record *r = &members->records[i];

		r->gone = r->gone || r->unseen;
		r->unseen = false;
	}
	members->listed = true;
}

void members_gone(struct members *members, const char *lease_name)
{
	for (size_t i = 0; i < members->count; i++) {
		if (is_lease_of(lease_name, members->records[i].member.node))
			members->records[i].gone = true;
	}
}

bool members_forget(struct members *members, bool (*exists)(const void *context, const char *node),
	const void *context)
{
	size_t kept = 0, before = members->count;

	for (size_t i = 0; i < before; i++) {
		struct record *r = &members->records[i];

		bool stays =
			exists ? exists(context, r->member.node) : r->member.state == MEMBER_ALIVE;

		if (r->gone && !stays)
			record_done(r);
		else
			members->records[kept++] = *r;
	}
	members->count = kept;
	if (kept == before)
		return false;
	members->bgp_generation++;
	find_shortest(members);
	agree(members);
	return true;
}

static struct monotime deadline_of(const struct record *r)
{
	return monotime_add_ms(r->since, r->member.duration_ms);
}

static void record_death(struct record *r)
{
	r->member.state = MEMBER_DEAD;
	r->member.proven = false;
}

void members_bury(struct members *members, const char *node)
{
	bool found;
	size_t place = place_of(members, node, &found);

	if (!found || members->records[place].member.state != MEMBER_ALIVE)
		return;
	record_death(&members->records[place]);
	find_shortest(members);
	agree(members);
}

bool members_judge(struct members *members, struct monotime now)
{
	bool changed = false;

	if (!members_in_contact(members, now)) {
		members->was_cut_off = members->has_evidence;
		return false;
	}
	for (size_t i = 0; i < members->count; i++) {
		struct record *r = &members->records[i];

		if (r->member.state == MEMBER_ALIVE && monotime_reached(now, deadline_of(r))) {
			record_death(r);
			changed = true;
		}
	}
	if (changed) {
		find_shortest(members);
		agree(members);
	}
	return changed;
}

bool members_next(const struct members *members, struct monotime now, struct monotime *ret)
{
	struct monotime first = {UINT64_MAX};

	if (!members_in_contact(members, now))
		return false;
	for (size_t i = 0; i < members->count; i++) {
		const struct record *r = &members->records[i];

		if (r->member.state == MEMBER_ALIVE && deadline_of(r).ns < first.ns)
			first = deadline_of(r);
	}
	*ret = first;
	return first.ns != UINT64_MAX;
}

size_t members_alive(const struct members *members)
{
	size_t alive = 0;

	for (size_t i = 0; i < members->count; i++)
		alive += members->records[i].member.state == MEMBER_ALIVE;
	return alive;
}

size_t members_starting(const struct members *members)
{
	size_t starting = 0;

	for (size_t i = 0; i < members->count; i++) {
		const struct record *r = &members->records[i];

		starting += r->wrote && r->member.state == MEMBER_ALIVE && !r->member.holds;
	}
	return starting;
}

size_t members_count(const struct members *members)
{
	return members->count;
}

const struct member *members_at(const struct members *members, size_t index)
{
	return &members->records[index].member;
}

const struct member *members_find(const struct members *members, const char *node)
{
	bool found;
	size_t place = place_of(members, node, &found);

	return found ? &members->records[place].member : NULL;
}
