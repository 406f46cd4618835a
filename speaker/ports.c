// SPDX-License-Identifier: Apache-2.0
/*
 * From the kernel's links to the interfaces in use. In: links as they come and go, the
 * configuration's patterns. Out: slots with open wires, frames that come in there.
 * Reads no frame.
 */
#include "ports.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 1000u

struct ports;

struct slot {
	struct ports *ports;
	unsigned number;
	struct port port;
};

struct ports {
	struct program *program;
	const struct wire_driver *driver;
	struct ports_sink sink;
	void *context;
	struct netlink *netlink;
	struct timer *retry;
	struct slot slots[RESPONDER_SLOTS];
	char **patterns; /* all that rules name, copied */
	size_t pattern_count;
	bool full_told;
	struct log_limit send_limit;
	struct ip_prefix heeded[2 * WIRE_FILTER_NETWORKS];
	size_t heeded_count;
};

static bool is_used(const struct slot *slot)
{
	return slot->port.interface.name[0] != '\0';
}

static bool is_named(const struct ports *ports, const char *name)
{
	for (size_t i = 0; i < ports->pattern_count; i++) {
		if (fnmatch(ports->patterns[i], name, 0) == 0)
			return true;
	}
	return false;
}

static bool is_usable(const struct ports *ports, const struct netlink_link *link, bool *ret_by_name)
{
	if (!link->ethernet || link->loopback || !link->up || !link->carrier)
		return false;
	*ret_by_name = link->enslaved || link->twin || interface_name_is_internal(link->name);
	return !*ret_by_name || is_named(ports, link->name);
}

static void on_frame(void *context, const uint8_t *bytes, size_t length)
{
	struct slot *slot = context;

	slot->ports->sink.frame(slot->ports->context, slot->number, bytes, length);
}

static void on_down(void *context, const struct err *why)
{
	struct slot *slot = context;

	log_warn(slot->ports->program->log, "capture ended, opening it again", "interface",
		slot->port.interface.name, "error", why->text, NULL);
	slot->ports->driver->close(slot->port.wire);
	slot->port.wire = NULL;
	slot->port.failed = true;
	timer_start(slot->ports->retry, RETRY_MS);
	slot->ports->sink.changed(slot->ports->context, 0);
}

static void heed(struct slot *slot)
{
	struct ports *ports = slot->ports;
	struct err e;

	if (ports->driver->heed(slot->port.wire, ports->heeded, ports->heeded_count, &e) != 0)
		log_warn(ports->program->log, "all ARP and neighbour discovery wakes the speaker",
			"interface", slot->port.interface.name, "error", e.text, NULL);
}

/* True where the wire is open now. */
static bool open_wire(struct slot *slot)
{
	struct ports *ports = slot->ports;
	const struct wire_sink sink = {.frame = on_frame, .down = on_down, .context = slot};
	struct err e;

	if (ports->driver->open(ports->program->loop, slot->port.interface.name, &sink,
		    &slot->port.wire, &e) == 0) {
		log_info(ports->program->log, "interface in use", "interface",
			slot->port.interface.name, NULL);
		slot->port.failed = false;
		heed(slot);
		return true;
	}
	if (!slot->port.failed)
		log_error(ports->program->log, "interface can't be used, trying again", "interface",
			slot->port.interface.name, "error", e.text, NULL);
	slot->port.wire = NULL;
	slot->port.failed = true;
	timer_start(ports->retry, RETRY_MS);
	return false;
}

static void close_slot(struct slot *slot)
{
	log_info(slot->ports->program->log, "interface no longer in use", "interface",
		slot->port.interface.name, NULL);
	slot->ports->driver->close(slot->port.wire);
	slot->port = (struct port){0};
}

static struct slot *slot_for(struct ports *ports, const char *name)
{
	struct slot *unused = NULL;

	for (unsigned i = RESPONDER_SLOTS; i-- > 0;) {
		if (strcmp(ports->slots[i].port.interface.name, name) == 0)
			return &ports->slots[i];
		if (!is_used(&ports->slots[i]))
			unused = &ports->slots[i];
	}
	if (!unused && !ports->full_told) {
		ports->full_told = true;
		log_warn(ports->program->log, "more interfaces than can be used", "left_out", name,
			NULL);
	}
	return unused;
}

static struct interface interface_from(const struct netlink_link *link, bool by_name)
{
	struct interface interface = {.only_by_name = by_name};

	memcpy(interface.name, link->name, sizeof(interface.name));
	memcpy(interface.mac, link->mac, MAC_SIZE);
	for (size_t i = 0; i < link->network_count; i++)
		interface.networks[interface.network_count++] = link->networks[i];
	return interface;
}

static struct metric *count_on(const struct slot *slot, const char *name, const char *help)
{
	return metric_counter(slot->ports->program->metrics, name, help, "interface",
		slot->port.interface.name, NULL);
}

static void make_counters(struct slot *slot)
{
	slot->port.arp_requests = count_on(slot, "herald_speaker_arp_requests_total",
		"ARP requests received for addresses that this node answers.");
	slot->port.arp_replies =
		count_on(slot, "herald_speaker_arp_replies_total", "ARP replies sent.");
	slot->port.ndp_solicitations = count_on(slot, "herald_speaker_ndp_solicitations_total",
		"Neighbour solicitations received for addresses that this node answers.");
	slot->port.ndp_advertisements = count_on(slot, "herald_speaker_ndp_advertisements_total",
		"Neighbour advertisements sent in answer to solicitations.");
}

/* Brings one slot to what the link is now; true where it is freshly usable. */
static bool adopt_link(struct slot *slot, const struct netlink_link *link, bool by_name)
{
	struct port *port = &slot->port;
	struct interface interface = interface_from(link, by_name);
	bool other = is_used(slot) && port->index != link->index;
	bool mac_changed = memcmp(port->mac, link->mac, MAC_SIZE) != 0;

	if (other) {
		slot->ports->driver->close(port->wire);
		port->wire = NULL;
	}
	port->interface = interface;
	port->index = link->index;
	memcpy(port->mac, link->mac, MAC_SIZE);
	port->link_local = link->link_local;
	if (!port->arp_requests)
		make_counters(slot);
	if (!port->wire)
		return open_wire(slot);
	return mac_changed;
}

static bool same_interface(const struct interface *a, const struct interface *b)
{
	if (strcmp(a->name, b->name) != 0 || a->only_by_name != b->only_by_name ||
		memcmp(a->mac, b->mac, MAC_SIZE) != 0 || a->network_count != b->network_count)
		return false;
	for (size_t i = 0; i < a->network_count; i++) {
		if (a->networks[i].length != b->networks[i].length ||
			!ip_equal(&a->networks[i].address, &b->networks[i].address))
			return false;
	}
	return true;
}

/* True where anything that a user of the ports can see has changed. */
static bool follow_links(struct ports *ports, uint64_t *ret_fresh)
{
	size_t count;
	const struct netlink_link *links = netlink_links(ports->netlink, &count);
	uint64_t present = 0;
	bool changed = false;

	*ret_fresh = 0;
	for (size_t i = 0; i < count; i++) {
		bool by_name = false;
		struct slot *slot = is_usable(ports, &links[i], &by_name)
					    ? slot_for(ports, links[i].name)
					    : NULL;
		struct interface before;

		if (!slot)
			continue;
		before = slot->port.interface;
		present |= UINT64_C(1) << slot->number;
		if (adopt_link(slot, &links[i], by_name))
			*ret_fresh |= UINT64_C(1) << slot->number;
		changed = changed || !same_interface(&before, &slot->port.interface);
	}
	for (unsigned i = 0; i < RESPONDER_SLOTS; i++) {
		if (is_used(&ports->slots[i]) && (present >> i & 1u) == 0) {
			close_slot(&ports->slots[i]);
			changed = true;
		}
	}
	return changed || *ret_fresh != 0;
}

static void on_links_changed(void *context)
{
	struct ports *ports = context;
	uint64_t fresh;

	if (follow_links(ports, &fresh))
		ports->sink.changed(ports->context, fresh);
}

static void on_retry(void *context)
{
	struct ports *ports = context;
	uint64_t fresh = 0;

	for (unsigned i = 0; i < RESPONDER_SLOTS; i++) {
		struct slot *slot = &ports->slots[i];

		if (is_used(slot) && !slot->port.wire && open_wire(slot))
			fresh |= UINT64_C(1) << i;
	}
	if (fresh)
		ports->sink.changed(ports->context, fresh);
}

int ports_new(struct program *program, const struct wire_driver *driver,
	const struct ports_sink *sink, void *context, struct ports **ret, struct err *e)
{
	struct ports *ports = xcalloc(1, sizeof(*ports));
	uint64_t fresh;
	int r;

	ports->program = program;
	ports->driver = driver;
	ports->sink = *sink;
	ports->context = context;
	ports->send_limit = (struct log_limit){.burst = 5, .interval_ms = 60000};
	ports->retry = timer_new(program->loop, on_retry, ports);
	for (unsigned i = 0; i < RESPONDER_SLOTS; i++)
		ports->slots[i] = (struct slot){.ports = ports, .number = i};
	r = netlink_new(program->loop, on_links_changed, ports, &ports->netlink, e);
	if (r != 0) {
		ports_free(ports);
		return r;
	}
	follow_links(ports, &fresh);
	*ret = ports;
	return 0;
}

static void drop_patterns(struct ports *ports)
{
	for (size_t i = 0; i < ports->pattern_count; i++)
		free(ports->patterns[i]);
	free(ports->patterns);
	ports->patterns = NULL;
	ports->pattern_count = 0;
}

void ports_free(struct ports *ports)
{
	if (!ports)
		return;
	for (unsigned i = 0; i < RESPONDER_SLOTS; i++)
		ports->driver->close(ports->slots[i].port.wire);
	netlink_free(ports->netlink);
	timer_free(ports->retry);
	drop_patterns(ports);
	free(ports);
}

void ports_set_config(struct ports *ports, const struct config *config)
{
	drop_patterns(ports);
	for (size_t r = 0; r < config->layer2_count; r++) {
		const struct config_string_list *names = &config->layer2[r].interfaces;

		ports->patterns = xrealloc(ports->patterns, ports->pattern_count + names->count,
			sizeof(*ports->patterns));
		for (size_t i = 0; i < names->count; i++)
			ports->patterns[ports->pattern_count++] = xstrdup(names->items[i]);
	}
	on_links_changed(ports);
}

const struct port *ports_at(const struct ports *ports, unsigned slot)
{
	if (slot >= RESPONDER_SLOTS || !is_used(&ports->slots[slot]))
		return NULL;
	return &ports->slots[slot].port;
}

uint64_t ports_open(const struct ports *ports)
{
	uint64_t open = 0;

	for (unsigned i = 0; i < RESPONDER_SLOTS; i++) {
		if (ports->slots[i].port.wire)
			open |= UINT64_C(1) << i;
	}
	return open;
}

bool ports_send(struct ports *ports, unsigned slot, const uint8_t *bytes, size_t length)
{
	struct port *port = &ports->slots[slot].port;
	uint64_t suppressed;
	struct err e;

	if (!port->wire)
		return false;
	if (ports->driver->send(port->wire, bytes, length, &e) == 0)
		return true;
	if (log_limit_pass(&ports->send_limit, loop_now(ports->program->loop).ns, &suppressed))
		log_warn(ports->program->log, "frame not sent", "error", e.text, NULL);
	return false;
}

void ports_heed(struct ports *ports, const struct ip_prefix *networks, size_t count)
{
	if (count == ports->heeded_count &&
		(count == 0 || memcmp(networks, ports->heeded, count * sizeof(*networks)) == 0))
		return;
	memcpy(ports->heeded, networks, count * sizeof(*networks));
	ports->heeded_count = count;
	for (unsigned i = 0; i < RESPONDER_SLOTS; i++) {
		if (ports->slots[i].port.wire)
			heed(&ports->slots[i]);
	}
}

char *ports_text(const struct ports *ports)
{
	struct interface items[RESPONDER_SLOTS];
	struct interface_list list = {.items = items};

	for (unsigned i = 0; i < RESPONDER_SLOTS; i++) {
		if (ports->slots[i].port.wire)
			items[list.count++] = ports->slots[i].port.interface;
	}
	return interface_list_text(&list);
}
