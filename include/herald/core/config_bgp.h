// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_CONFIG_BGP_H
#define HERALD_CORE_CONFIG_BGP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/core/config.h"
#include "herald/core/selector.h"

/*
 * The `bgp` section: parsed and checked whole, part of struct config and freed with it.
 * Each member names its counterpart in MetalLB's resources (M:) and in BIRD 2 (B:).
 */

/* M: BFDProfile. B: the block `bfd { }` of a BGP protocol. Times in milliseconds. */
struct config_bfd_profile {
	const char *name;
	uint32_t receive_interval_ms;  /* B: min rx interval; default 300 */
	uint32_t transmit_interval_ms; /* B: min tx interval; default 300 */
	uint32_t detect_multiplier;    /* B: multiplier; default 3 */
	uint32_t minimum_ttl;	       /* M: minimumTtl, for multihop; default 254 */
	bool passive;		       /* B: passive */
	unsigned line;
};

/* RFC 1997 (a:b, 16 bits each) and RFC 8092 (three times 32 bits). */
enum config_community_kind { COMMUNITY_STANDARD, COMMUNITY_LARGE };

struct config_community_value {
	enum config_community_kind kind;
	uint32_t parts[3]; /* two of them for a standard one */
};

/* M: Community. B: define. */
struct config_community {
	const char *name;
	struct config_community_value value;
	unsigned line;
};

enum config_dynamic_asn { DYNAMIC_ASN_NONE, DYNAMIC_ASN_INTERNAL, DYNAMIC_ASN_EXTERNAL };

#define CONFIG_BGP_PORT 179
#define CONFIG_HOLD_TIME_S 90

/* M: BGPPeer. B: protocol bgp. Times in seconds. */
struct config_bgp_peer {
	const char *name;
	uint32_t my_asn;    /* M: myASN; B: local as; bgp.asn when not given */
	uint32_t local_asn; /* M: localASN; B: local as towards this peer only; 0: my_asn */
	uint32_t peer_asn;  /* M: peerASN; B: neighbor as; 0: dynamic_asn says the kind */
	enum config_dynamic_asn dynamic_asn; /* B: neighbor internal/external */
	struct ip address;		     /* M: peerAddress; IP_NONE: one of the next two */
	struct ip_prefix range;		     /* B: neighbor range; family IP_NONE: none */
	const char *interface;		     /* M: interface (unnumbered); "" none */
	struct ip source_address;	     /* B: source address; IP_NONE: chosen by the kernel */
	uint32_t port;			     /* M: peerPort; default 179 */
	uint32_t local_port;		     /* B: local port; default 179 */
	uint32_t hold_time_s;		     /* default 90; 0: no keepalives at all */
	uint32_t keepalive_time_s;	     /* default a third of the hold time */
	uint32_t connect_time_s;	     /* B: connect retry time; default 120 */
	bool multihop;			     /* M: ebgpMultiHop: any number of hops */
	uint32_t hops;			     /* B: multihop N; 0: not given */
	bool ttl_security;		     /* RFC 5082 */
	bool passive;			     /* the peer connects */
	bool graceful_restart;		     /* M: enableGracefulRestart */
	uint32_t restart_time_s;	     /* B: graceful restart time; default 120 */
	uint32_t long_lived_time_s;	     /* B: long lived stale time; 0: off (RFC 9494) */
	bool ipv4, ipv6;		     /* `families`; M: disableMP, dualStackAddressFamily */
	const char *password;	     /* RFC 2385; "" none. Never to be logged or shown (B07) */
	const char *password_secret; /* Secret of type kubernetes.io/basic-auth; "" none */
	struct ip router_id;	     /* IP_NONE: bgp.routerID */
	const char *bfd_profile;     /* "" no BFD; else the name of one that exists */
	const char *vrf;	     /* "" the default one */
	const char *extra;	     /* birdConfig: text for the protocol; "" none */
	struct selector_list node_selectors; /* alternatives; empty: every node */
	unsigned line;
};

/* Where the routes lead, if not to where the session comes from. */
enum config_next_hop { NEXT_HOP_SELF, NEXT_HOP_NODE, NEXT_HOP_GIVEN };

/* How a node tells how many endpoints of a Service with policy Local it has. */
enum config_weight { WEIGHT_NONE, WEIGHT_BANDWIDTH, WEIGHT_PREPEND };

#define CONFIG_PREPEND_MAX 10

/* M: BGPAdvertisement. B: the attributes of each static route, the export filter. */
struct config_bgp_advertisement {
	const char *name;		/* "" when not given */
	uint32_t aggregation_length;	/* default 32 */
	uint32_t aggregation_length_v6; /* default 128 */
	bool has_local_pref;
	uint32_t local_pref; /* internal peers only (RFC 4271 5.1.5) */
	bool has_med;
	uint32_t med;
	uint32_t prepend; /* our AS so many times more; external peers only */
	enum config_next_hop next_hop;
	struct ip next_hop_address; /* with NEXT_HOP_GIVEN, for routes of its family */
	uint32_t weight;	    /* enum config_weight */
	struct config_community_value *communities; /* names are looked up already */
	size_t community_count;
	struct config_string_list pools;	/* sorted; empty: every pool */
	struct config_string_list peers;	/* sorted; empty: every peer */
	struct selector_list node_selectors;	/* alternatives; empty: every node */
	struct selector_list service_selectors; /* alternatives; empty: every Service */
	unsigned line;
};

/* What advertisements of one route must agree on (B10), where they set it. */
enum config_agreed {
	AGREED_LOCAL_PREF,
	AGREED_MED,
	AGREED_PREPEND,
	AGREED_NEXT_HOP,
	AGREED_WEIGHT,
	AGREED_COUNT
};
const char *config_agreed_name(enum config_agreed field); /* of the field in the text */
bool config_advertisement_sets(const struct config_bgp_advertisement *advertisement,
	enum config_agreed field, uint8_t family);
bool config_advertisements_agree(const struct config_bgp_advertisement *a,
	const struct config_bgp_advertisement *b, enum config_agreed field, uint8_t family);
/* What it sets; to be asked only where it does. */
struct ip_text config_agreed_text(
	const struct config_bgp_advertisement *advertisement, enum config_agreed field);

#define CONFIG_BGP_ITEMS_MAX 1000 /* of each list of the section */

struct config_bgp {
	uint32_t asn;	       /* the default of the peers' my_asn; 0: none */
	uint32_t drain_time_s; /* with GRACEFUL_SHUTDOWN before a node withdraws; default 5 */
	const char *extra;     /* birdConfig: text beside the sessions; "" none */
	struct ip router_id;   /* IP_NONE: each node takes its own IPv4 address */
	/* announceClusterIPs: which of the Services' spec.clusterIPs are announced by BGP */
	struct ip_range *cluster;
	size_t cluster_count;
	struct config_bfd_profile *bfd_profiles;
	size_t bfd_profile_count;
	struct config_community *communities;
	size_t community_count;
	struct config_bgp_peer *peers;
	size_t peer_count;
	struct config_bgp_advertisement *advertisements; /* absent: one that matches all */
	size_t advertisement_count;
};

/* What BIRD can read between double quotes, and the kernel can take. */
#define CONFIG_PASSWORD_MAX 80 /* TCP_MD5SIG_MAXKEYLEN of the kernel */
bool config_is_bgp_password(const char *text, size_t length);

#endif
