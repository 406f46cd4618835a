// SPDX-License-Identifier: Apache-2.0
/*
 * MetalLB's names for our metrics. Theirs tell of layer 2 by address, which has no bound;
 * ours are for all addresses together, so that sums over theirs go on working.
 */
#include "herald/io/metallb_metrics.h"

static const struct metrics_alias aliases[] = {
	{.name = "metallb_allocator_addresses_total",
		.of = "herald_controller_pool_addresses",
		.by_first_label = true},
	{.name = "metallb_allocator_addresses_in_use_total",
		.of = "herald_controller_pool_addresses_in_use",
		.by_first_label = true},
	{.name = "metallb_k8s_client_config_loaded_bool", .of = "herald_config_loaded"},
	{.name = "metallb_k8s_client_config_stale_bool",
		.of = "herald_config_valid",
		.negated = true},
	{.name = "metallb_layer2_requests_received",
		.of = "herald_speaker_arp_requests_total",
		.and_of = "herald_speaker_ndp_solicitations_total"},
	{.name = "metallb_layer2_responses_sent",
		.of = "herald_speaker_arp_replies_total",
		.and_of = "herald_speaker_ndp_advertisements_total"},
	{.name = "metallb_layer2_gratuitous_sent",
		.of = "herald_speaker_arp_gratuitous_total",
		.and_of = "herald_speaker_ndp_unsolicited_total"},
};

void metallb_metrics_add(struct metrics *metrics)
{
	metrics_set_aliases(metrics, aliases, sizeof(aliases) / sizeof(aliases[0]));
}
