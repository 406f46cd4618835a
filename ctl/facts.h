// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_FACTS_H
#define HERALDCTL_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "herald/core/objects.h"
#include "herald/kube/kubeconfig.h"

/*
 * What the controller sees of a cluster, as one picture: from the API server, or from a
 * file that kubectl wrote. Each object is a malloc'ed block (core/objects.h).
 */
struct fact_list {
	void **items;
	size_t count;
};

struct facts {
	struct fact_list services;   /* struct service */
	struct fact_list nodes;	     /* struct node */
	struct fact_list namespaces; /* struct namespace */
	struct config_map *config;   /* the one in force; NULL: there is none */
};
void facts_done(struct facts *facts);

/* The kinds that matter; others are FACT_OTHER. */
enum fact_kind { FACT_SERVICE, FACT_NODE, FACT_NAMESPACE, FACT_CONFIG_MAP, FACT_OTHER };

/* Keeps the object; a ConfigMap only of this name. */
int facts_add(struct facts *facts, enum fact_kind kind, const json_t *object,
	const char *config_map, struct err *e);
void facts_clear(struct facts *facts, enum fact_kind kind);

/* From a file: one object, or a List of them, as JSON. */
int facts_from_file(const char *name, const char *config_map, struct facts *ret, struct err *e);

struct facts_cluster {
	struct kubeconfig_options where;
	const char *namespace, *config_map; /* of the configuration in force */
	uint32_t timeout_ms;
};
/* From the API server: all that is there at one time, or an error within the bound. */
int facts_from_cluster(const struct facts_cluster *options, struct facts *ret, struct err *e);

#endif
