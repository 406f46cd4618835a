// SPDX-License-Identifier: Apache-2.0
/*
 * A memory of bounded size. In: who asked for what; which of them are to be told. Out: who
 * is to be told now. Sends nothing and knows nobody's owner.
 *
 * All records lie in one array, and belong to lists by index: the hash of address and
 * station, to find one; the hash of the address, to find all of it; the order in which
 * they asked, to forget the oldest; and one of two queues of those to be told: for the first
 * time, and again, where all wait equally long. The first goes before the second, so that
 * nobody who lost its node waits for repeats.
 */
#include "herald/core/clients.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "herald/base/err.h"

#define NONE UINT32_MAX
#define FOR_GOOD UINT64_MAX
#define PARTS 256u /* of the time within which guests are let go */

enum list { BY_STATION, BY_ADDRESS, BY_AGE, TO_TELL, LISTS };

enum queue { FIRST_TIME, AGAIN, QUEUES };

struct link {
	uint32_t next, previous;
};

struct record {
	struct client client;
	struct link links[LISTS];
	uint32_t left; /* times that it is still to be told; 0: in no queue */
	enum queue queue;
	struct monotime due; /* of AGAIN */
	struct monotime end; /* of a guest; 0: it is none */
};

struct ends {
	uint32_t first, last;
};

struct clients {
	struct record *records;
	uint32_t room, count; /* records[count..room-1] were never used */
	uint32_t buckets;     /* of each hash; a power of two */
	struct ends *by_station, *by_address;
	uint64_t seed; /* of the hashes: nobody can make them meet */
	struct ends by_age, queues[QUEUES];
	struct monotime not_before; /* the pause after a full batch */
	uint32_t ending;	    /* guests that are not for good */
	struct monotime let_go_at;  /* ending > 0: to look whose time is over */
};

static struct ends *make_buckets(uint32_t count)
{
	struct ends *buckets = xcalloc(count, sizeof(*buckets));

	for (uint32_t i = 0; i < count; i++)
		buckets[i] = (struct ends){NONE, NONE};
	return buckets;
}

struct clients *clients_new(uint32_t room, uint64_t seed)
{
	struct clients *c = xcalloc(1, sizeof(*c));

	c->room = room;
	c->seed = seed;
	c->buckets = 1;
	while (c->buckets < room)
		c->buckets *= 2;
	c->records = xcalloc(room, sizeof(*c->records));
	c->by_station = make_buckets(c->buckets);
	c->by_address = make_buckets(c->buckets);
	c->by_age = c->queues[FIRST_TIME] = c->queues[AGAIN] = (struct ends){NONE, NONE};
	return c;
}

void clients_free(struct clients *clients)
{
	if (!clients)
		return;
	free(clients->records);
	free(clients->by_station);
	free(clients->by_address);
	free(clients);
}

size_t clients_count(const struct clients *clients)
{
	return clients->count;
}

static void append(struct clients *c, struct ends *ends, enum list list, uint32_t at)
{
	c->records[at].links[list] = (struct link){.next = NONE, .previous = ends->last};
	if (ends->last == NONE)
		ends->first = at;
	else
		c->records[ends->last].links[list].next = at;
	ends->last = at;
}

static void detach(struct clients *c, struct ends *ends, enum list list, uint32_t at)
{
	const struct link link = c->records[at].links[list];

	if (link.previous == NONE)
		ends->first = link.next;
	else
		c->records[link.previous].links[list].next = link.next;
	if (link.next == NONE)
		ends->last = link.previous;
	else
		c->records[link.next].links[list].previous = link.previous;
}

static struct ends *bucket_of_address(const struct clients *c, const struct ip *vip)
{
	return &c->by_address[XXH64(vip, sizeof(*vip), c->seed) & (c->buckets - 1)];
}

static struct ends *bucket_of_station(const struct clients *c, const struct client *client)
{
	uint64_t hash =
		XXH64(client->mac, MAC_SIZE, XXH64(&client->vip, sizeof(client->vip), c->seed));

	return &c->by_station[hash & (c->buckets - 1)];
}

static uint32_t find(const struct clients *c, const struct client *client)
{
	uint32_t at = bucket_of_station(c, client)->first;

	while (at != NONE) {
		const struct record *record = &c->records[at];

		if (memcmp(record->client.mac, client->mac, MAC_SIZE) == 0 &&
			ip_equal(&record->client.vip, &client->vip))
			break;
		at = record->links[BY_STATION].next;
	}
	return at;
}

static void enqueue(struct clients *c, enum queue queue, uint32_t at)
{
	c->records[at].queue = queue;
	append(c, &c->queues[queue], TO_TELL, at);
}

static void end_telling(struct clients *c, uint32_t at)
{
	struct record *record = &c->records[at];

	if (record->left == 0)
		return;
	detach(c, &c->queues[record->queue], TO_TELL, at);
	record->left = 0;
}

static void end_visit(struct clients *c, struct record *record)
{
	c->ending -= record->end.ns != 0 && record->end.ns != FOR_GOOD;
	record->end.ns = 0;
}

/* The place of the one that asked longest ago, forgotten, or one that was never used. */
static uint32_t make_place(struct clients *c)
{
	uint32_t at = c->by_age.first;
	struct client *client;

	if (c->count < c->room)
		return c->count++;
	client = &c->records[at].client;
	end_telling(c, at);
	end_visit(c, &c->records[at]);
	detach(c, &c->by_age, BY_AGE, at);
	detach(c, bucket_of_station(c, client), BY_STATION, at);
	detach(c, bucket_of_address(c, &client->vip), BY_ADDRESS, at);
	return at;
}

void clients_note(struct clients *clients, const struct client *client, bool directly)
{
	uint32_t at = find(clients, client);

	if (at != NONE) {
		detach(clients, &clients->by_age, BY_AGE, at);
		clients->records[at].client = *client;
		if (!directly)
			end_visit(clients, &clients->records[at]);
	} else {
		at = make_place(clients);
		clients->records[at] = (struct record){.client = *client};
		append(clients, bucket_of_station(clients, client), BY_STATION, at);
		append(clients, bucket_of_address(clients, &client->vip), BY_ADDRESS, at);
	}
	append(clients, &clients->by_age, BY_AGE, at);
}

static struct monotime end_of_visit(const struct clients *c, const struct client *client,
	uint64_t within_ms, struct monotime now)
{
	uint64_t part = XXH64(client->mac, MAC_SIZE, c->seed) % PARTS + 1;

	if (within_ms == UINT64_MAX)
		return (struct monotime){FOR_GOOD};
	return monotime_add_ms(now, part * within_ms / PARTS);
}

void clients_host(struct clients *clients, const struct ip *vip, clients_judge_fn *judge,
	void *context, uint64_t within_ms, struct monotime now)
{
	uint32_t at = bucket_of_address(clients, vip)->first;

	for (; at != NONE; at = clients->records[at].links[BY_ADDRESS].next) {
		struct record *record = &clients->records[at];

		if (record->end.ns != 0 || !ip_equal(&record->client.vip, vip) ||
			!judge(context, &record->client))
			continue;
		record->end = end_of_visit(clients, &record->client, within_ms, now);
		if (record->end.ns == FOR_GOOD)
			continue;
		if (clients->ending++ == 0)
			clients->let_go_at = monotime_add_ms(now, CLIENTS_LET_GO_MS);
	}
}

bool clients_is_guest(
	const struct clients *clients, const struct ip *vip, const uint8_t mac[static MAC_SIZE])
{
	struct client client = {.vip = *vip};
	uint32_t at;

	memcpy(client.mac, mac, MAC_SIZE);
	at = find(clients, &client);
	return at != NONE && clients->records[at].end.ns != 0;
}

static void begin_telling(struct clients *c, uint32_t at, uint32_t repeat)
{
	end_telling(c, at);
	c->records[at].left = repeat > 0 ? repeat : 1;
	enqueue(c, FIRST_TIME, at);
}

void clients_let_go(struct clients *clients, uint32_t repeat, struct monotime now)
{
	if (clients->ending == 0 || !monotime_reached(now, clients->let_go_at))
		return;
	clients->let_go_at = monotime_add_ms(now, CLIENTS_LET_GO_MS);
	for (uint32_t at = 0; at < clients->count; at++) {
		struct record *record = &clients->records[at];

		if (record->end.ns == 0 || !monotime_reached(now, record->end))
			continue;
		end_visit(clients, record);
		begin_telling(clients, at, repeat);
	}
}

void clients_tell(struct clients *clients, const struct ip *vip, clients_judge_fn *judge,
	void *context, uint32_t repeat)
{
	uint32_t at = bucket_of_address(clients, vip)->first;

	for (; at != NONE; at = clients->records[at].links[BY_ADDRESS].next) {
		struct record *record = &clients->records[at];

		if (!ip_equal(&record->client.vip, vip) || !judge(context, &record->client))
			continue;
		end_visit(clients, record);
		begin_telling(clients, at, repeat);
	}
}

/* The next to be told; NONE: nobody is due. */
static uint32_t next_due(const struct clients *c, struct monotime now)
{
	uint32_t at = c->queues[AGAIN].first;

	if (c->queues[FIRST_TIME].first != NONE)
		return c->queues[FIRST_TIME].first;
	return at != NONE && monotime_reached(now, c->records[at].due) ? at : NONE;
}

size_t clients_due(struct clients *clients, struct monotime now, uint32_t spacing_ms,
	struct client ret[static CLIENTS_BATCH])
{
	size_t taken = 0;
	uint32_t at;

	if (!monotime_reached(now, clients->not_before))
		return 0;
	while (taken < CLIENTS_BATCH && (at = next_due(clients, now)) != NONE) {
		struct record *record = &clients->records[at];

		ret[taken++] = record->client;
		detach(clients, &clients->queues[record->queue], TO_TELL, at);
		if (--record->left == 0)
			continue;
		record->due = monotime_add_ms(now, spacing_ms > 0 ? spacing_ms : 1);
		enqueue(clients, AGAIN, at);
	}
	if (taken == CLIENTS_BATCH)
		clients->not_before = monotime_add_ms(now, CLIENTS_PAUSE_MS);
	return taken;
}

/* When somebody is to be told. */
static bool next_telling(const struct clients *c, struct monotime *ret)
{
	uint32_t again = c->queues[AGAIN].first;

	if (c->queues[FIRST_TIME].first != NONE)
		*ret = c->not_before;
	else if (again != NONE)
		*ret = c->records[again].due;
	else
		return false;
	if (c->not_before.ns > ret->ns)
		*ret = c->not_before;
	return true;
}

bool clients_next(const struct clients *clients, struct monotime *ret)
{
	bool telling = next_telling(clients, ret);

	if (clients->ending > 0 && (!telling || clients->let_go_at.ns < ret->ns))
		*ret = clients->let_go_at;
	return telling || clients->ending > 0;
}
