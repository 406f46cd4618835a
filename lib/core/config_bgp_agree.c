// SPDX-License-Identifier: Apache-2.0
/*
 * What several advertisements of one route must agree on, field by field: what each says,
 * and whether two say the same (B10). Whether two meet at all is others' business.
 */
#include <stdio.h>

#include "herald/base/err.h"
#include "herald/core/config_bgp.h"

const char *config_agreed_name(enum config_agreed field)
{
	static const char *const names[] = {"localPref", "med", "prepend", "nextHop", "weight"};

	return names[field];
}

bool config_advertisement_sets(const struct config_bgp_advertisement *advertisement,
	enum config_agreed field, uint8_t family)
{
	switch (field) {
	case AGREED_LOCAL_PREF:
		return advertisement->has_local_pref;
	case AGREED_MED:
		return advertisement->has_med;
	case AGREED_PREPEND:
		return advertisement->prepend > 0;
	case AGREED_NEXT_HOP:
		return advertisement->next_hop == NEXT_HOP_NODE ||
		       (advertisement->next_hop == NEXT_HOP_GIVEN &&
			       advertisement->next_hop_address.family == family);
	case AGREED_WEIGHT:
		return advertisement->weight != WEIGHT_NONE;
	case AGREED_COUNT:
		break;
	}
	DIE("no such field");
}

/* What both set, as a number; next hops have their addresses besides. */
static uint32_t value_of(
	const struct config_bgp_advertisement *advertisement, enum config_agreed field)
{
	switch (field) {
	case AGREED_LOCAL_PREF:
		return advertisement->local_pref;
	case AGREED_MED:
		return advertisement->med;
	case AGREED_PREPEND:
		return advertisement->prepend;
	case AGREED_NEXT_HOP:
		return advertisement->next_hop;
	case AGREED_WEIGHT:
		return advertisement->weight;
	case AGREED_COUNT:
		break;
	}
	DIE("no such field");
}

bool config_advertisements_agree(const struct config_bgp_advertisement *a,
	const struct config_bgp_advertisement *b, enum config_agreed field, uint8_t family)
{
	if (!config_advertisement_sets(a, field, family) ||
		!config_advertisement_sets(b, field, family))
		return true;
	return value_of(a, field) == value_of(b, field) &&
	       (field != AGREED_NEXT_HOP || a->next_hop != NEXT_HOP_GIVEN ||
		       ip_equal(&a->next_hop_address, &b->next_hop_address));
}

struct ip_text config_agreed_text(
	const struct config_bgp_advertisement *advertisement, enum config_agreed field)
{
	static const char *const weights[] = {"none", "bandwidth", "prepend"};
	struct ip_text text;

	if (field == AGREED_WEIGHT)
		snprintf(text.s, sizeof(text.s), "%s", weights[advertisement->weight]);
	else if (field != AGREED_NEXT_HOP)
		snprintf(text.s, sizeof(text.s), "%u", value_of(advertisement, field));
	else if (advertisement->next_hop == NEXT_HOP_GIVEN)
		text = ip_text(&advertisement->next_hop_address);
	else
		snprintf(text.s, sizeof(text.s), "node");
	return text;
}
