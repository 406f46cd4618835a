// SPDX-License-Identifier: Apache-2.0
/*
 * What a Service asks for: addresses, a pool and a sharing key from its spec and
 * annotations (K25, A05-A07), with MetalLB's annotations where the config reads them
 * (A10). What is malformed is told with the way to mend it, and never takes anything
 * from the Service.
 */
#include "herald/core/assign.h"

#include <stdio.h>
#include <string.h>

static size_t index_of(const struct ip *ip)
{
	return ip->family == IP_V6;
}

static bool add_ip(const char *word, struct ip ips[2], char *problem, size_t size)
{
	struct ip ip;

	if (!ip_parse(word, &ip)) {
		snprintf(problem, size, "`%s` is not an IP address", word);
		return false;
	}
	if (ips[index_of(&ip)].family != IP_NONE) {
		snprintf(problem, size,
			"two addresses of one family: give at most one IPv4 and one IPv6");
		return false;
	}
	ips[index_of(&ip)] = ip;
	return true;
}

bool assign_ips_parse(const char *text, struct ip ips[2], char *problem, size_t size)
{
	ips[0] = ips[1] = (struct ip){0};
	while (*text) {
		char word[IP_TEXT_MAX + 1];
		size_t length;

		text += strspn(text, ", \t");
		length = strcspn(text, ", \t");
		if (length == 0)
			break;
		snprintf(word, sizeof(word), "%.*s",
			(int)(length < IP_TEXT_MAX ? length : IP_TEXT_MAX), text);
		if (!add_ip(word, ips, problem, size))
			return false;
		text += length;
	}
	return true;
}

/* The keys of one annotation: Herald's, then MetalLB's where the config reads them. */
static const char *const ips_keys[] = {
	ANNOTATION_IPS, "metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs"};
static const char *const pool_keys[] = {
	ANNOTATION_POOL, "metallb.io/address-pool", "metallb.universe.tf/address-pool"};
static const char *const share_keys[] = {
	ANNOTATION_SHARE, "metallb.io/allow-shared-ip", "metallb.universe.tf/allow-shared-ip"};

/* The first that says anything; NULL: none. *ret_key is the key it stands under. */
static const char *annotation(const struct service *service, bool metallb,
	const char *const keys[static 3], const char **ret_key)
{
	for (size_t i = 0; i < (metallb ? 3 : 1); i++) {
		const char *value = string_map_get(&service->annotations, keys[i]);

		if (!value || value[strspn(value, ", \t")] == '\0')
			continue;
		*ret_key = keys[i];
		return value;
	}
	return NULL;
}

static void malformed(struct assign_wish *wish, const char *where, const char *why)
{
	wish->malformed = true;
	snprintf(wish->problem, sizeof(wish->problem), "%s: %s", where, why);
}

static void read_ips(const struct service *service, bool metallb, struct assign_wish *wish)
{
	const char *key, *text = annotation(service, metallb, ips_keys, &key);
	char where[64], why[160];
	struct ip ip;

	if (text && !assign_ips_parse(text, wish->ips, why, sizeof(why))) {
		snprintf(where, sizeof(where), "annotation %s", key);
		malformed(wish, where, why);
		return;
	}
	if (!*service->load_balancer_ip)
		return;
	if (!ip_parse(service->load_balancer_ip, &ip)) {
		snprintf(why, sizeof(why), "`%.100s` is not an IP address",
			service->load_balancer_ip);
		malformed(wish, "spec.loadBalancerIP", why);
		return;
	}
	if (text && !ip_equal(&wish->ips[index_of(&ip)], &ip)) {
		snprintf(why, sizeof(why), "differs from the annotation %s: remove one of them",
			key);
		malformed(wish, "spec.loadBalancerIP", why);
		return;
	}
	wish->ips[index_of(&ip)] = ip;
}

static void check_families(const struct service *service, struct assign_wish *wish)
{
	for (size_t i = 0; i < 2; i++) {
		char why[160];

		if (service->families[0] == IP_NONE || wish->ips[i].family == IP_NONE ||
			wish->ips[i].family == service->families[0] ||
			wish->ips[i].family == service->families[1])
			continue;
		snprintf(why, sizeof(why), "`%s` is of a family that spec.ipFamilies does not have",
			ip_text(&wish->ips[i]).s);
		malformed(wish, "address asked for", why);
	}
}

static void read_moves(const struct service *service, struct ip ret[2])
{
	const char *text = string_map_get(&service->annotations, ANNOTATION_MOVES);
	char unused[160];

	if (text && !assign_ips_parse(text, ret, unused, sizeof(unused)))
		ret[0] = ret[1] = (struct ip){0};
}

void assign_wish_read(
	const struct alloc *alloc, const struct assign_input *input, struct assign_wish *ret)
{
	const struct service *service = input->service;
	const struct config *config = alloc_config(alloc);
	bool metallb = config && config->metallb_annotations;
	const char *key;

	*ret = (struct assign_wish){
		.request = {
			.namespace = service->meta.namespace,
			.namespace_labels = input->namespace_labels,
			.labels = &service->labels,
			.class = service->load_balancer_class,
			.pool = annotation(service, metallb, pool_keys, &key),
			.sharing_key = annotation(service, metallb, share_keys, &key),
			.selector = &service->selector,
			.ports = service->ports,
			.port_count = service->port_count,
			.traffic_local = service->traffic_local,
		}};
	read_moves(service, ret->request.moves);
	read_ips(service, metallb, ret);
	if (!ret->malformed)
		check_families(service, ret);
}
