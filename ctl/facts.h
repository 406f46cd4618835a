// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_FACTS_H
#define HERALDCTL_FACTS_H

#include <jansson.h>
#include <stdbool.h>

#include "herald/base/err.h"
#include "herald/core/members.h"
#include "herald/core/objects.h"
#include "herald/kube/store.h"

/*
 * What Herald's programs see of a cluster, as one picture: from the API server (gather.h),
 * or from a file that kubectl wrote.
 */
enum fact_kind {
	FACT_SERVICE,
	FACT_NODE,
	FACT_NAMESPACE,
	FACT_CONFIG_MAP, /* only the one of the configuration in force */
	FACT_SLICE,
	FACT_LEASE, /* of Herald's own namespace */
	FACT_KIND_COUNT
};

struct facts {
	struct store of[FACT_KIND_COUNT]; /* each of one kind of core/objects.h, sorted */
	struct members *members;	  /* NULL: Leases were not asked for */
	bool controller_alive;		  /* the controller's Lease is being renewed */
};
void facts_done(struct facts *facts);

/* NULL: there is none. */
const struct config_map *facts_config_map(const struct facts *facts);

/* An object of a kind, decoded; NULL and *e: unreadable. */
void *fact_decode(enum fact_kind kind, const json_t *object, struct err *e);

/* From a file: one object, or a List of them, as JSON; only the ConfigMap of this name. */
int facts_from_file(const char *name, const char *config_map, struct facts *ret, struct err *e);

#endif
