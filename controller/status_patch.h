// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_STATUS_PATCH_H
#define HERALD_CONTROLLER_STATUS_PATCH_H

#include <time.h>

#include "herald/core/assign.h"

/*
 * The one PATCH that carries a decision out (K14), as a strategic merge patch for
 * services/status: others' finalizers and conditions stay without being known, the
 * ingress list is sent whole (K16), and uid and resourceVersion are preconditions (K11).
 */

/* The body; malloc'ed. `now`: a condition that flips gets it as lastTransitionTime. */
char *status_patch_body(
	const struct service *service, const struct assign_decision *decision, time_t now);
/* "/api/v1/namespaces/NAMESPACE/services/NAME"; malloc'ed. */
char *service_path(const struct service *service);

#endif
