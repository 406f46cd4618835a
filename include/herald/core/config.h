// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_CONFIG_H
#define HERALD_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/core/selector.h"

/*
 * Herald's configuration: one YAML document (docs/configuration.md, config/schema.json).
 * A parsed config is immutable; it is freed as a whole. Parsing is pure: text in, config
 * or the list of ALL problems out (A02).
 */
#define CONFIG_API_VERSION "herald.io/v1"
#define CONFIG_TEXT_MAX (1024u * 1024u) /* what a ConfigMap can hold */

struct config_string_list {
	const char **items;
	size_t count;
};

struct config_pool {
	const char *name;
	struct ip_range *ranges; /* `addresses`, as written, disjoint; both families may mix */
	size_t range_count;
	struct ip_range *reserved; /* never given out (A03) */
	size_t reserved_count;
	bool auto_assign;	      /* default true; false: only on request */
	bool avoid_buggy_ips;	      /* no .0 and .255 of IPv4 */
	bool disabled;		      /* gives nothing new; what it gave stays */
	bool share_across_namespaces; /* default false (A06) */
	bool spread;		      /* allocationOrder: spread instead of first-free */
	bool move_when_removed;	      /* whenRemoved: move; default keep (A08) */
	bool per_client;	      /* spread: per-client (core/spread.h) instead of one-node */
	int32_t priority; /* lower is tried first, as in MetalLB; ties by name; default 0 */
	struct config_string_list namespaces; /* empty: all (with namespace_selectors empty) */
	struct selector_list namespace_selectors;
	struct selector_list service_selectors; /* alternatives; empty: every Service */
	struct config_string_list classes;	/* loadBalancerClass values; empty: all ours */
	unsigned line;				/* where it begins in the text, from 1 */
};

/* Nodes with such labels are liked better than others (L13). */
struct config_preference {
	uint32_t weight; /* 1 to 100; those of all that match add up */
	struct selector selector;
};

/* One layer 2 advertisement rule. No rule at all in the file: one that matches all. */
struct config_layer2 {
	const char *name;		       /* "" when not given */
	struct config_string_list pools;       /* empty: every pool */
	struct config_string_list interfaces;  /* names or shell patterns; empty: all suitable */
	struct selector_list node_selectors;   /* alternatives; empty: every node */
	struct config_preference *preferences; /* among the selected nodes */
	size_t preference_count;
	struct selector_list service_selectors; /* L14 */
	unsigned line;
};

/* What is asked before the first announcement (L09, core/probe.h). */
struct config_probe {
	uint32_t count;	     /* 0: nothing; default 3 */
	uint32_t spacing_ms; /* after each; default 100 */
};

/* How gratuitous announcements are made (L04, C17). Times in milliseconds. */
struct config_announce {
	uint32_t repeat;     /* frames on taking over; default 5 */
	uint32_t spacing_ms; /* between them; default 200 */
	uint32_t refresh_s;  /* periodic repeat; 0: off; default 60 */
	bool reply_form;     /* also send the ARP reply form; default true */
	struct config_probe probe;
};

/* How a node that comes back gets its addresses back (C20, core/holds.h). */
enum config_take_back { CONFIG_TAKE_BACK_STAGGERED, CONFIG_TAKE_BACK_NEVER, CONFIG_TAKE_BACK_NOW };

/* BFD between nodes (core/suspicion.h). */
struct config_bfd {
	bool on;	      /* the section is there */
	uint32_t interval_ms; /* between packets; default 50 */
	uint32_t multiplier;  /* so many missing ones are a death; default 3 */
	uint32_t watchers;    /* in either direction (core/bfd_ring.h); default 3 */
};

/* Lease timing of the speakers, and what their coming and going moves. */
struct config_membership {
	uint32_t lease_duration_ms; /* default 3000 */
	uint32_t renew_interval_ms; /* default 1000 */
	uint32_t take_back;	    /* enum config_take_back; default staggered */
	uint32_t take_back_ms;	    /* takeBackTime; default 60000 */
	struct config_bfd bfd;
};

struct arena;
struct config_bgp; /* parsed and checked; see core/config_bgp.h */

struct config {
	struct config_pool *pools; /* in the file's order */
	size_t pool_count;
	struct config_layer2 *layer2;
	size_t layer2_count;
	struct config_announce announce;
	struct config_membership membership;
	struct config_bgp *bgp;	   /* NULL: none */
	bool metallb_annotations;  /* compatibility.metallbAnnotations (A10) */
	bool ignore_exclude_label; /* nodes.ignoreExcludeLabel (C22) */
	bool move_on_cordon;	   /* nodes.moveOnCordon (C21) */
	/* addresses.whenRemoved: of addresses whose pool is gone; each pool's default too */
	bool move_when_removed;
	/* addresses.announceExternalIPs: which of any Service's spec.externalIPs are announced.
	   Whoever may write a Service may name any address there (CVE-2020-8554), hence none
	   unless the administrator allows it. */
	struct ip_range *external;
	size_t external_count;
	struct arena *memory; /* holds all of the above; config_parse's and config_free's */
};

struct config_problem {
	unsigned line, column; /* from 1; 0: the whole document */
	char field[128];       /* "pools[2].addresses[0]" */
	char text[640];	       /* what is wrong with which value, and how to mend it */
};

struct config_problems {
	struct config_problem *items; /* ordered by line; at most CONFIG_PROBLEMS_MAX */
	size_t count;
	size_t omitted; /* further ones that were not kept */
};
#define CONFIG_PROBLEMS_MAX 64

/*
 * Returns the config, or NULL with at least one problem in *problems (which the caller
 * passes zeroed and frees with config_problems_done in both cases).
 */
struct config *config_parse(const char *text, size_t length, struct config_problems *problems);
void config_free(struct config *config); /* NULL is allowed */
void config_problems_done(struct config_problems *problems);

/* NULL when there is none of this name. */
const struct config_pool *config_pool_find(const struct config *config, const char *name);

#endif
