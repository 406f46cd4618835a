// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_CONFIG_BGP_PRIVATE_H
#define HERALD_CORE_CONFIG_BGP_PRIVATE_H

#include "config_read.h"
#include "herald/core/config_bgp.h"

/*
 * What the files of the BGP section share. Private to lib/core/config*.c.
 */

/* "64512:100" or "large:1:2:3"; false: *ret_why says what to write. */
bool config_community_parse(
	const char *text, struct config_community_value *ret, const char **ret_why);
/* The well-known ones (RFC 1997, 3765, 7999, 8326) by their names. */
bool config_community_well_known(const char *name, struct config_community_value *ret);
bool config_community_equal(
	const struct config_community_value *a, const struct config_community_value *b);

/* A list of the section: at most CONFIG_BGP_ITEMS_MAX items. */
bool config_is_bgp_list(struct config_reader *r, const struct yaml_node *node);
/* An AS number that a speaker can have (uint32_t). */
extern const struct config_number_rule config_asn_rule;
config_read_fn config_read_router_id; /* struct ip */

/* BIRD's language, checked for what could end the block that it is put into: const char *. */
config_read_fn config_read_bird_text;

/* What must hold among the fields of one peer (config_bgp_peer_check.c). */
void config_check_peer(
	struct config_reader *r, const struct yaml_node *node, struct config_bgp_peer *peer);

/* The lists; ret is the struct config_bgp, whose earlier fields are read already. */
config_read_fn config_read_peers;
config_read_fn config_read_communities;
config_read_fn config_read_advertisements;

#endif
