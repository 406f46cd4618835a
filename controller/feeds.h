// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_FEEDS_H
#define HERALD_CONTROLLER_FEEDS_H

#include "assigner.h"

/*
 * The watches of the controller: Services go to the assigner as they come; the nodes'
 * addresses are blocked in it (K35); Namespaces are kept for their labels.
 */
struct feeds;

/* `synced`: called each time that a list is complete. `assigner` is borrowed. */
struct feeds *feeds_new(struct program *program, void (*synced)(void *context), void *context);
void feeds_start(struct feeds *feeds, struct assigner *assigner);
void feeds_free(struct feeds *feeds); /* before the assigner; NULL is allowed */

/* Each list was complete once. */
bool feeds_are_synced(const struct feeds *feeds);
/* For struct assigner_options: `feeds` is a struct feeds. */
void feeds_list_services_again(void *feeds);
const struct string_map *feeds_namespace_labels(void *feeds, const char *namespace);

#endif
