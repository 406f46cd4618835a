// SPDX-License-Identifier: Apache-2.0
/*
 * Which addresses are to be announced by anybody, and for whom. In: configuration and
 * Services. Out: a claim for each address of each Service, sorted by address, so that
 * those who share one stand together. Says nothing of nodes.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/config_bgp.h"
#include "plan_parts.h"

bool plan_class_matches(const struct plan_class *class, const struct service *service)
{
	if (!service->load_balancer_class)
		return !class->name || class->handle_unset;
	return class->name && strcmp(class->name, service->load_balancer_class) == 0;
}

static const struct config_pool *pool_of(const struct config *config, const struct ip *address)
{
	for (size_t p = 0; p < config->pool_count; p++) {
		for (size_t r = 0; r < config->pools[p].range_count; r++) {
			if (ip_range_contains(&config->pools[p].ranges[r], address))
				return &config->pools[p];
		}
	}
	return NULL;
}

static int compare_claims(const void *a, const void *b)
{
	const struct plan_claim *x = a, *y = b;
	int order = ip_compare(&x->address, &y->address);

	if (order == 0)
		order = strcmp(x->service->meta.namespace, y->service->meta.namespace);
	return order ? order : strcmp(x->service->meta.name, y->service->meta.name);
}

static bool is_ours(const struct plan_input *input, const struct service *service)
{
	return service->type == SERVICE_LOAD_BALANCER && !service->meta.deleting &&
	       plan_class_matches(&input->class, service);
}

static void claim_ingress(
	struct plan_claims *claims, const struct plan_input *input, const struct service *service)
{
	if (!is_ours(input, service))
		return;
	for (size_t n = 0; n < service->ingress_count; n++) {
		struct plan_claim claim = {.address = service->ingress[n].ip,
			.service = service,
			.local = service->traffic_local};

		if (claim.address.family == IP_NONE)
			continue;
		claim.pool = pool_of(input->config, &claim.address);
		if (claim.pool)
			claims->items[claims->count++] = claim;
	}
}

static bool is_in(const struct ip_range *ranges, size_t count, const struct ip *address)
{
	for (size_t i = 0; i < count; i++) {
		if (ip_range_contains(&ranges[i], address))
			return true;
	}
	return false;
}

/* Of whatever type and class: kube-proxy takes traffic for these of every Service. */
static void claim_external(
	struct plan_claims *claims, const struct config *config, const struct service *service)
{
	if (service->meta.deleting)
		return;
	for (size_t n = 0; n < service->external_ip_count; n++) {
		const struct ip *address = &service->external_ips[n];

		if (is_in(config->external, config->external_count, address) &&
			!pool_of(config, address))
			claims->items[claims->count++] = (struct plan_claim){.address = *address,
				.service = service,
				.local = service->traffic_local};
	}
}

static void sort_claims(struct plan_claims *claims)
{
	if (claims->count)
		qsort(claims->items, claims->count, sizeof(*claims->items), compare_claims);
}

struct plan_claims plan_claims_collect(const struct plan_input *input)
{
	struct plan_claims claims = {0};
	size_t room = 0;

	for (size_t i = 0; i < input->service_count; i++)
		room += (size_t)input->services[i]->ingress_count +
			input->services[i]->external_ip_count;
	claims.items = xcalloc(room, sizeof(*claims.items));
	for (size_t i = 0; i < input->service_count; i++) {
		claim_ingress(&claims, input, input->services[i]);
		claim_external(&claims, input->config, input->services[i]);
	}
	sort_claims(&claims);
	return claims;
}

/* Of whatever type: what these addresses reach is kube-proxy's business, by the policy for
   traffic inside the cluster. */
void plan_claims_add_cluster(struct plan_claims *claims, const struct plan_input *input)
{
	const struct config_bgp *bgp = input->config->bgp;
	size_t room = claims->count;

	if (bgp->cluster_count == 0)
		return;
	for (size_t i = 0; i < input->service_count; i++)
		room += input->services[i]->cluster_ip_count;
	claims->items = xrealloc(claims->items, room + 1, sizeof(*claims->items));
	for (size_t i = 0; i < input->service_count; i++) {
		const struct service *service = input->services[i];

		for (size_t n = 0; n < service->cluster_ip_count; n++) {
			const struct ip *address = &service->cluster_ips[n];

			if (!service->meta.deleting &&
				is_in(bgp->cluster, bgp->cluster_count, address) &&
				!pool_of(input->config, address))
				claims->items[claims->count++] =
					(struct plan_claim){.address = *address,
						.service = service,
						.local = service->internal_local};
		}
	}
	sort_claims(claims);
}

void plan_claims_done(struct plan_claims *claims)
{
	free(claims->items);
	*claims = (struct plan_claims){0};
}

size_t plan_claims_end(const struct plan_claims *claims, size_t begin)
{
	size_t end = begin + 1;

	while (end < claims->count &&
		ip_equal(&claims->items[begin].address, &claims->items[end].address))
		end++;
	return end;
}
