// SPDX-License-Identifier: Apache-2.0
/*
 * Builds and sends announcements. In: an address that is due. Out: frames on the ports
 * where the table has it. When one is due is core/announce's business.
 */
#include "announcer.h"

void announcer_init(struct announcer *announcer, struct metrics *metrics)
{
	*announcer = (struct announcer){
		.reply_form = true,
		.gratuitous = metric_counter(metrics, "herald_speaker_arp_gratuitous_total",
			"Gratuitous ARP frames sent.", NULL),
		.unsolicited = metric_counter(metrics, "herald_speaker_ndp_unsolicited_total",
			"Unsolicited neighbour advertisements sent.", NULL),
	};
}

static size_t build_arp(enum arp_operation form, const struct ip *ip,
	const uint8_t mac[static MAC_SIZE], uint8_t ret[static NDP_FRAME_SIZE])
{
	struct arp_frame frame = arp_gratuitous(form, ip->bytes, mac);

	arp_build(&frame, ret);
	return ARP_FRAME_SIZE;
}

static size_t build_ndp(
	const struct ip *ip, const uint8_t mac[static MAC_SIZE], uint8_t ret[static NDP_FRAME_SIZE])
{
	struct ndp_message message = ndp_unsolicited(ip, mac);

	return ndp_build(&message, ret);
}

static void announce_on(
	const struct announcer *announcer, struct ports *ports, unsigned slot, const struct ip *ip)
{
	const uint8_t *mac = ports_at(ports, slot)->mac;
	uint8_t bytes[NDP_FRAME_SIZE];

	if (ip->family == IP_V6) {
		if (ports_send(ports, slot, bytes, build_ndp(ip, mac, bytes)))
			metric_add(announcer->unsolicited, 1);
		return;
	}
	if (ports_send(ports, slot, bytes, build_arp(ARP_REQUEST, ip, mac, bytes)))
		metric_add(announcer->gratuitous, 1);
	if (announcer->reply_form &&
		ports_send(ports, slot, bytes, build_arp(ARP_REPLY, ip, mac, bytes)))
		metric_add(announcer->gratuitous, 1);
}

void announcer_announce(const struct announcer *announcer, struct ports *ports,
	const struct responder_table *table, const struct ip *ip)
{
	const struct responder_address *address = responder_find(table, ip);

	for (uint64_t left = address ? address->slots : 0; left; left &= left - 1)
		announce_on(announcer, ports, (unsigned)__builtin_ctzll(left), ip);
}
