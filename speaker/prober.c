// SPDX-License-Identifier: Apache-2.0
/*
 * Builds and sends probes, and counts them. In: the table of what is asked for where, the
 * time. Out: frames, counters. When which is due is core/probe's business.
 */
#include "prober.h"

static struct metric *count_probes(struct metrics *metrics, const char *when)
{
	return metric_counter(metrics, "herald_speaker_probes_total",
		"Probes sent: frames that ask whether anybody has an address.", "when", when, NULL);
}

void prober_init(struct prober *prober, struct metrics *metrics, uint64_t seed)
{
	*prober = (struct prober){
		.probe = probe_new(seed),
		.first = count_probes(metrics, "before"),
		.later = count_probes(metrics, "after"),
		.conflicts = metric_counter(metrics, "herald_speaker_probe_conflicts_total",
			"Addresses found to be another station's before they were announced.",
			NULL),
		.withheld = metric_gauge(metrics, "herald_speaker_addresses_withheld",
			"Addresses that are not announced since another station has them.", NULL),
	};
}

void prober_done(struct prober *prober)
{
	probe_free(prober->probe);
	*prober = (struct prober){0};
}

static size_t build(
	const struct ip *ip, const uint8_t mac[static MAC_SIZE], uint8_t ret[static NDP_FRAME_SIZE])
{
	if (ip->family == IP_V6) {
		struct ndp_message message = ndp_probe(ip, mac);

		return ndp_build(&message, ret);
	}
	struct arp_frame frame = arp_probe(ip->bytes, mac);

	arp_build(&frame, ret);
	return ARP_FRAME_SIZE;
}

static void ask(struct ports *ports, const struct responder_table *table, const struct ip *ip,
	struct metric *count)
{
	const struct responder_address *address = responder_find(table, ip);

	for (uint64_t left = address ? address->slots : 0; left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(left);
		uint8_t bytes[NDP_FRAME_SIZE];

		if (ports_send(ports, slot, bytes, build(ip, ports_at(ports, slot)->mac, bytes)))
			metric_add(count, 1);
	}
}

bool prober_step(struct prober *prober, struct ports *ports, const struct responder_table *table,
	struct monotime now)
{
	struct probe_turn turn;

	probe_step(prober->probe, now, &turn);
	for (size_t i = 0; i < turn.count; i++)
		ask(ports, table, &turn.ips[i], prober->first);
	return turn.passed;
}

void prober_verify(const struct prober *prober, struct ports *ports,
	const struct responder_table *table, const struct ip *ip)
{
	ask(ports, table, ip, prober->later);
}

bool prober_heard(struct prober *prober, const struct ip *ip, const uint8_t mac[static MAC_SIZE],
	struct monotime now)
{
	if (!probe_heard(prober->probe, ip, mac, now))
		return false;
	metric_add(prober->conflicts, 1);
	return true;
}

void prober_count(const struct prober *prober)
{
	struct conflict_list list;

	probe_conflicts(prober->probe, &list);
	metric_set(prober->withheld, (double)list.count);
	conflict_list_done(&list);
}
