// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_ADOPTION_H
#define HERALDCTL_ADOPTION_H

#include "facts.h"
#include "herald/core/assign.h"
#include "herald/core/config.h"

/*
 * The controller's start played through on a picture of the cluster: who holds which
 * address under a configuration. Pure; by the same rooms as the controller, asked in the
 * same order.
 */
struct adopted {
	const struct service *service;
	char *name; /* namespace/name */
	struct alloc_holder holder;
	struct assign_input input;
};

struct adoption {
	struct alloc *alloc;
	struct adopted **items; /* our Services, oldest first */
	size_t count;
	struct conflict_list strangers; /* as the speakers' Leases tell */
};

/* `config` NULL: none is in force. Facts and config are borrowed. */
void adoption_make(const struct facts *facts, const struct assign_rules *rules,
	const struct config *config, struct adoption *ret);
void adoption_done(struct adoption *adoption);

/* NULL: it is not ours. */
struct adopted *adoption_find(const struct adoption *adoption, const struct service *service);

#endif
