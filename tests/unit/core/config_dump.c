// SPDX-License-Identifier: Apache-2.0
/*
 * What the configuration's parser makes of documents (standard input, a NUL after each),
 * for the tests in tests/config. Of each it tells "taken" and every member of the config,
 * one a line, or "refused" and all problems as "LINE:COLUMN: FIELD: TEXT"; then a NUL.
 * Places in the text are left out of the config, so that two spellings of one
 * configuration compare equal.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/core/config_bgp.h"

static void show_number(const char *name, int64_t value)
{
	printf("%s=%" PRId64 "\n", name, value);
}

static void show_text(const char *name, const char *value)
{
	printf("%s=\"%s\"\n", name, value);
}

static void show_ip(const char *name, const struct ip *ip)
{
	show_text(name, ip_text(ip).s);
}

static void show_texts(const char *name, const struct config_string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		show_text(name, list->items[i]);
}

static void show_ranges(const char *name, const struct ip_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%s=%s-%s\n", name, ip_text(&ranges[i].first).s, ip_text(&ranges[i].last).s);
}

static void show_selector(const char *name, const struct selector *selector)
{
	static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist"};

	printf("%s:", name);
	for (size_t k = 0; k < selector->requirement_count; k++) {
		const struct selector_requirement *requirement = &selector->requirements[k];

		printf(" [%s %s", requirement->key, operators[requirement->operator]);
		for (size_t v = 0; v < requirement->value_count; v++)
			printf(" \"%s\"", requirement->values[v]);
		printf("]");
	}
	printf("\n");
}

static void show_selectors(const char *name, const struct selector_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		show_selector(name, &list->items[i]);
}

static void show_pool(const struct config_pool *pool)
{
	show_text("pool", pool->name);
	show_ranges(" addresses", pool->ranges, pool->range_count);
	show_ranges(" reserved", pool->reserved, pool->reserved_count);
	show_number(" autoAssign", pool->auto_assign);
	show_number(" avoidBuggyIPs", pool->avoid_buggy_ips);
	show_number(" disabled", pool->disabled);
	show_number(" shareAcrossNamespaces", pool->share_across_namespaces);
	show_number(" spread", pool->spread);
	show_number(" perClient", pool->per_client);
	show_number(" move", pool->move_when_removed);
	show_number(" priority", pool->priority);
	show_texts(" namespaces", &pool->namespaces);
	show_selectors(" namespaceSelectors", &pool->namespace_selectors);
	show_selectors(" serviceSelectors", &pool->service_selectors);
	show_texts(" classes", &pool->classes);
}

static void show_layer2(const struct config_layer2 *layer2)
{
	show_text("layer2", layer2->name);
	show_texts(" pools", &layer2->pools);
	show_texts(" interfaces", &layer2->interfaces);
	show_selectors(" nodeSelectors", &layer2->node_selectors);
	for (size_t i = 0; i < layer2->preference_count; i++) {
		show_number(" weight", layer2->preferences[i].weight);
		show_selector(" preference", &layer2->preferences[i].selector);
	}
	show_selectors(" serviceSelectors", &layer2->service_selectors);
}

static void show_bfd_profile(const struct config_bfd_profile *profile)
{
	show_text("bfdProfile", profile->name);
	show_number(" receiveInterval", profile->receive_interval_ms);
	show_number(" transmitInterval", profile->transmit_interval_ms);
	show_number(" detectMultiplier", profile->detect_multiplier);
	show_number(" minimumTTL", profile->minimum_ttl);
	show_number(" passiveMode", profile->passive);
}

static void show_community(const char *name, const struct config_community_value *value)
{
	printf("%s=%s %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", name,
		value->kind == COMMUNITY_LARGE ? "large" : "standard", value->parts[0],
		value->parts[1], value->parts[2]);
}

static void show_peer(const struct config_bgp_peer *peer)
{
	show_text("peer", peer->name);
	show_number(" myASN", peer->my_asn);
	show_number(" localASN", peer->local_asn);
	show_number(" peerASN", peer->peer_asn);
	show_number(" dynamicASN", peer->dynamic_asn);
	show_ip(" peerAddress", &peer->address);
	show_ip(" peerRange", &peer->range.address);
	show_number(" /", peer->range.length);
	show_text(" interface", peer->interface);
	show_ip(" sourceAddress", &peer->source_address);
	show_number(" peerPort", peer->port);
	show_number(" localPort", peer->local_port);
	show_number(" holdTime", peer->hold_time_s);
	show_number(" keepaliveTime", peer->keepalive_time_s);
	show_number(" connectTime", peer->connect_time_s);
	show_number(" ebgpMultiHop", peer->multihop);
	show_number(" hops", peer->hops);
	show_number(" ttlSecurity", peer->ttl_security);
	show_number(" passive", peer->passive);
	show_number(" gracefulRestart", peer->graceful_restart);
	show_number(" gracefulRestartTime", peer->restart_time_s);
	show_number(" longLivedTime", peer->long_lived_time_s);
	show_number(" ipv4", peer->ipv4);
	show_number(" ipv6", peer->ipv6);
	show_text(" password", peer->password);
	show_text(" passwordSecret", peer->password_secret);
	show_ip(" routerID", &peer->router_id);
	show_text(" bfdProfile", peer->bfd_profile);
	show_text(" vrf", peer->vrf);
	show_text(" birdConfig", peer->extra);
	show_selectors(" nodeSelectors", &peer->node_selectors);
}

static void show_advertisement(const struct config_bgp_advertisement *advertisement)
{
	show_text("advertisement", advertisement->name);
	show_number(" aggregationLength", advertisement->aggregation_length);
	show_number(" aggregationLengthV6", advertisement->aggregation_length_v6);
	if (advertisement->has_local_pref)
		show_number(" localPref", advertisement->local_pref);
	if (advertisement->has_med)
		show_number(" med", advertisement->med);
	show_number(" prepend", advertisement->prepend);
	show_number(" nextHop", advertisement->next_hop);
	show_ip(" nextHop", &advertisement->next_hop_address);
	show_number(" weight", advertisement->weight);
	for (size_t i = 0; i < advertisement->community_count; i++)
		show_community(" community", &advertisement->communities[i]);
	show_texts(" pools", &advertisement->pools);
	show_texts(" peers", &advertisement->peers);
	show_selectors(" nodeSelectors", &advertisement->node_selectors);
	show_selectors(" serviceSelectors", &advertisement->service_selectors);
}

static void show_bgp(const struct config_bgp *bgp)
{
	show_number("bgp.asn", bgp->asn);
	show_ip("bgp.routerID", &bgp->router_id);
	show_number("bgp.drainTime", bgp->drain_time_s);
	show_text("bgp.birdConfig", bgp->extra);
	show_ranges("bgp.cluster", bgp->cluster, bgp->cluster_count);
	for (size_t i = 0; i < bgp->bfd_profile_count; i++)
		show_bfd_profile(&bgp->bfd_profiles[i]);
	for (size_t i = 0; i < bgp->community_count; i++) {
		show_text("community", bgp->communities[i].name);
		show_community(" value", &bgp->communities[i].value);
	}
	for (size_t i = 0; i < bgp->peer_count; i++)
		show_peer(&bgp->peers[i]);
	for (size_t i = 0; i < bgp->advertisement_count; i++)
		show_advertisement(&bgp->advertisements[i]);
}

static void show_config(const struct config *config)
{
	show_number("move", config->move_when_removed);
	show_ranges("external", config->external, config->external_count);
	for (size_t i = 0; i < config->pool_count; i++)
		show_pool(&config->pools[i]);
	for (size_t i = 0; i < config->layer2_count; i++)
		show_layer2(&config->layer2[i]);
	show_number("announce.repeat", config->announce.repeat);
	show_number("announce.spacing", config->announce.spacing_ms);
	show_number("announce.refresh", config->announce.refresh_s);
	show_number("announce.replyForm", config->announce.reply_form);
	show_number("announce.probe.count", config->announce.probe.count);
	show_number("announce.probe.spacing", config->announce.probe.spacing_ms);
	show_number("membership.leaseDuration", config->membership.lease_duration_ms);
	show_number("membership.renewInterval", config->membership.renew_interval_ms);
	show_number("membership.takeBack", config->membership.take_back);
	show_number("membership.takeBackTime", config->membership.take_back_ms);
	show_number("membership.bfd", config->membership.bfd.on);
	show_number("membership.bfd.interval", config->membership.bfd.interval_ms);
	show_number("membership.bfd.multiplier", config->membership.bfd.multiplier);
	show_number("membership.bfd.watchers", config->membership.bfd.watchers);
	show_number("nodes.ignoreExcludeLabel", config->ignore_exclude_label);
	show_number("nodes.moveOnCordon", config->move_on_cordon);
	show_number("compatibility.metallbAnnotations", config->metallb_annotations);
	if (config->bgp)
		show_bgp(config->bgp);
}

static void answer(const char *text, size_t length)
{
	struct config_problems problems = {0};
	struct config *config = config_parse(text, length, &problems);

	printf(config ? "taken\n" : "refused\n");
	if (config)
		show_config(config);
	for (size_t i = 0; i < problems.count; i++)
		printf("%u:%u: %s: %s\n", problems.items[i].line, problems.items[i].column,
			problems.items[i].field, problems.items[i].text);
	if (problems.omitted)
		printf("0:0: and %zu more\n", problems.omitted);
	putchar('\0');
	config_problems_done(&problems);
	config_free(config);
}

int main(void)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t length;

	while ((length = getdelim(&text, &size, '\0', stdin)) > 0)
		answer(text, (size_t)length - (text[length - 1] == '\0'));
	free(text);
	return 0;
}
