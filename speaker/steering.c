// SPDX-License-Identifier: Apache-2.0
/*
 * Builds and sends what single stations are told. In: plans, who asked, what is due. Out:
 * frames to one station each. Who serves whom is core/sharing's business, whom to tell
 * core/clients'.
 *
 * In IPv4 a station is told in two ways: by an answer as if it had just asked, for those that
 * heed no gratuitous ARP, and by a gratuitous request, for those (Linux) that take no second
 * answer within a second of the first (its locktime).
 */
#include "steering.h"

#include <string.h>
#include <sys/random.h>

/* Where an address is, and who is to know. */
struct news {
	const struct ip *vip;
	struct ip to; /* no family: a node of ours, which knows what to make of it */
	const uint8_t *station;
	const uint8_t *mac; /* who has the address now */
	bool solicited;
};

void steering_init(struct steering *steering, struct metrics *metrics, const char *self)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		DIE("cannot get a random number from the kernel");
	*steering = (struct steering){
		.sharing = sharing_new(self),
		.clients = clients_new(CLIENTS_MAX, seed),
		.known = metric_gauge(metrics, "herald_speaker_clients_known",
			"Stations that asked for an address, by address, as far as remembered.",
			NULL),
		.told = metric_counter(metrics, "herald_speaker_clients_told_total",
			"Times that a single station was told where an address is now.", NULL),
		.redirected = metric_counter(metrics, "herald_speaker_clients_redirected_total",
			"Refreshes answered with the MAC address of another node, which serves the "
			"client.",
			NULL),
	};
}

void steering_done(struct steering *steering)
{
	sharing_free(steering->sharing);
	clients_free(steering->clients);
	*steering = (struct steering){0};
}

static bool send_arp(
	struct ports *ports, unsigned slot, const struct news *news, enum arp_operation form)
{
	struct arp_frame frame = {.operation = form};
	uint8_t bytes[ARP_FRAME_SIZE];

	memcpy(frame.destination, news->station, MAC_SIZE);
	memcpy(frame.source, ports_at(ports, slot)->mac, MAC_SIZE);
	memcpy(frame.sender_mac, news->mac, MAC_SIZE);
	memcpy(frame.sender_ip, news->vip->bytes, sizeof(frame.sender_ip));
	if (form == ARP_REPLY)
		memcpy(frame.target_mac, news->station, MAC_SIZE);
	memcpy(frame.target_ip, form == ARP_REPLY ? news->to.bytes : news->vip->bytes,
		sizeof(frame.target_ip));
	arp_build(&frame, bytes);
	return ports_send(ports, slot, bytes, sizeof(bytes));
}

static bool send_ndp(struct ports *ports, unsigned slot, const struct news *news)
{
	struct ndp_message message = ndp_unsolicited(news->vip, news->mac);
	uint8_t bytes[NDP_FRAME_SIZE];
	size_t length;

	memcpy(message.destination, news->station, MAC_SIZE);
	memcpy(message.source, ports_at(ports, slot)->mac, MAC_SIZE);
	if (news->to.family == IP_V6)
		message.to = news->to;
	message.solicited = news->solicited;
	length = ndp_build(&message, bytes);
	return ports_send(ports, slot, bytes, length);
}

static bool tell(struct ports *ports, unsigned slot, const struct news *news)
{
	bool sent;

	if (news->vip->family == IP_V6)
		return send_ndp(ports, slot, news);
	sent = news->to.family == IP_V4 && send_arp(ports, slot, news, ARP_REPLY);
	return (!news->solicited && send_arp(ports, slot, news, ARP_REQUEST)) || sent;
}

struct judge {
	const struct sharing_place *place;
	const struct spread *old; /* NULL: all that are ours now */
	bool gently;		  /* who is back takes its clients back in time */
	bool lost;		  /* some of `old` serve no more */
	const struct clients *clients;
};

static const char *owner_of(const struct spread *spread, const struct client *client)
{
	size_t owner = spread_owner(spread, &client->vip, client->mac);

	return owner == SPREAD_NONE ? "" : spread->nodes[owner].name;
}

/* Whether the node that had it serves on: then it is that node's to move it. */
static bool is_hosted(const struct judge *judge, const struct client *client)
{
	return judge->gently && judge->old && judge->place->per_client &&
	       spread_find(judge->place->set, owner_of(judge->old, client)) != SPREAD_NONE;
}

/* Of one that is ours now. Where a node is gone, it may have been its guest. */
static bool is_ours_to_tell(const struct judge *judge, const struct client *client)
{
	if (!judge->old)
		return true;
	if (is_hosted(judge, client) && !(judge->gently && judge->lost))
		return false;
	return (judge->gently && judge->lost) ||
	       strcmp(owner_of(judge->old, client), owner_of(judge->place->set, client)) != 0;
}

/* Told by who has it now, and where it is served per client by who had it, too: one of
   the two may not know the station. */
static bool is_to_be_told(void *context, const struct client *client)
{
	const struct judge *judge = context;
	const struct spread *set = judge->place->set;

	if (spread_is_ours(set, &client->vip, client->mac))
		return is_ours_to_tell(judge, client);
	if (!judge->old || !judge->place->per_client)
		return false;
	if (set->self == SPREAD_NONE && clients_is_guest(judge->clients, &client->vip, client->mac))
		return true;
	return spread_is_ours(judge->old, &client->vip, client->mac) && !is_hosted(judge, client);
}

/* Ours until now, and another node's from now on. */
static bool is_to_be_hosted(void *context, const struct client *client)
{
	const struct judge *judge = context;

	return spread_is_ours(judge->old, &client->vip, client->mac) &&
	       !spread_is_ours(judge->place->set, &client->vip, client->mac) &&
	       is_hosted(judge, client);
}

static void tell_those(struct steering *steering, const struct judge *judge, uint32_t repeat)
{
	struct judge copy = *judge;

	clients_tell(steering->clients, &judge->place->ip, is_to_be_told, &copy, repeat);
}

static bool has_lost(const struct spread *old, const struct spread *set)
{
	for (size_t n = 0; n < old->count; n++) {
		if (spread_find(set, old->nodes[n].name) == SPREAD_NONE)
			return true;
	}
	return false;
}

void steering_follow(struct steering *steering, const struct plan *plan,
	const struct members *members, struct monotime now, struct sharing_changes *ret)
{
	sharing_follow(steering->sharing, plan, members, now, ret);
	for (size_t i = 0; i < ret->count; i++) {
		struct judge judge = {.place = ret->items[i].place,
			.old = ret->items[i].old,
			.gently = steering->take_back_ms > 0 && ret->items[i].place->per_client,
			.lost = has_lost(ret->items[i].old, ret->items[i].place->set),
			.clients = steering->clients};

		tell_those(steering, &judge, steering->repeat);
		clients_host(steering->clients, &judge.place->ip, is_to_be_hosted, &judge,
			steering->take_back_ms, now);
	}
}

void steering_note(struct steering *steering, unsigned slot, const struct responder_result *result)
{
	struct client client = {.vip = result->ip, .ip = result->asker.ip, .slot = (uint8_t)slot};

	if (client.ip.family == IP_NONE)
		return;
	memcpy(client.mac, result->asker.mac, MAC_SIZE);
	clients_note(steering->clients, &client, result->asker.directly);
	metric_set(steering->known, (double)clients_count(steering->clients));
}

static void tell_ours(struct steering *steering, const struct ip *ip, uint32_t repeat)
{
	const struct sharing_place *place = sharing_find(steering->sharing, ip);

	if (place)
		tell_those(steering, &(struct judge){.place = place}, repeat);
}

void steering_took(struct steering *steering, const struct ip *ip)
{
	const struct sharing_place *place = sharing_find(steering->sharing, ip);

	/* Of those some may be guests of the others, who move them. */
	if (place && place->per_client && place->set->count > 1 && steering->take_back_ms > 0)
		return;
	tell_ours(steering, ip, steering->repeat);
}

void steering_defend(struct steering *steering, const struct ip *ip)
{
	tell_ours(steering, ip, 1);
}

/* Who answers a station now, as we can say it on a port; NULL: nothing to be said. */
static const uint8_t *mac_for(const struct steering *steering, const struct steering_scene *scene,
	unsigned slot, const struct ip *vip, const uint8_t station[static MAC_SIZE])
{
	const struct sharing_place *place = sharing_find(steering->sharing, vip);
	const struct port *port = ports_at(scene->ports, slot);
	size_t owner = place ? spread_owner(place->set, vip, station) : SPREAD_NONE;

	if (!port || owner == SPREAD_NONE)
		return NULL;
	if (owner == place->set->self || (place->set->self != SPREAD_NONE &&
						 clients_is_guest(steering->clients, vip, station)))
		return port->mac;
	/* What we knew of the others may be long past. */
	if (!place->per_client || scene->lapsed)
		return NULL;
	return spread_mac(place->set, owner, &port->interface, vip);
}

void steering_redirect(struct steering *steering, const struct steering_scene *scene, unsigned slot,
	const struct responder_result *result)
{
	const struct news news = {
		.vip = &result->ip,
		.to = result->asker.ip,
		.station = result->asker.mac,
		.mac = mac_for(steering, scene, slot, &result->ip, result->asker.mac),
		.solicited = true,
	};

	if (news.mac && tell(scene->ports, slot, &news) &&
		memcmp(news.mac, ports_at(scene->ports, slot)->mac, MAC_SIZE) != 0)
		metric_add(steering->redirected, 1);
}

static void claim_on(const struct steering_scene *scene, unsigned slot, const struct ip *ip,
	const struct sharing_place *place, const uint8_t *claimant)
{
	const struct port *port = ports_at(scene->ports, slot);
	struct news news = {.vip = ip, .mac = port->mac, .station = claimant};

	if (claimant)
		tell(scene->ports, slot, &news);
	for (size_t n = 0; place->left && n < place->left->count; n++) {
		news.station = spread_mac(place->left, n, &port->interface, ip);
		if (news.station)
			tell(scene->ports, slot, &news);
	}
}

void steering_claim(const struct steering *steering, const struct steering_scene *scene,
	const struct ip *ip, const uint8_t *claimant)
{
	const struct responder_address *address = responder_find(scene->table, ip);
	const struct sharing_place *place = sharing_find(steering->sharing, ip);

	for (uint64_t left = address && place ? address->slots : 0; left; left &= left - 1)
		claim_on(scene, (unsigned)__builtin_ctzll(left), ip, place, claimant);
}

static void tell_client(const struct steering *steering, const struct steering_scene *scene,
	const struct client *client)
{
	const struct responder_address *address = responder_find(scene->table, &client->vip);
	struct news news = {.vip = &client->vip, .to = client->ip, .station = client->mac};

	if (!address || address->asked || address->noted ||
		(address->slots >> client->slot & 1u) == 0)
		return;
	news.mac = mac_for(steering, scene, client->slot, &client->vip, client->mac);
	if (news.mac && tell(scene->ports, client->slot, &news))
		metric_add(steering->told, 1);
}

void steering_step(
	struct steering *steering, const struct steering_scene *scene, struct monotime now)
{
	struct client due[CLIENTS_BATCH];
	size_t count;

	clients_let_go(steering->clients, steering->repeat, now);
	count = clients_due(steering->clients, now, steering->spacing_ms, due);

	for (size_t i = 0; i < count; i++)
		tell_client(steering, scene, &due[i]);
}

bool steering_next(const struct steering *steering, struct monotime *ret)
{
	return clients_next(steering->clients, ret);
}
