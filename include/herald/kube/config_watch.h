// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_CONFIG_WATCH_H
#define HERALD_KUBE_CONFIG_WATCH_H

#include "herald/core/config.h"
#include "herald/kube/program.h"

/*
 * The configuration in force: the ConfigMap's key "config.yaml", watched. A bad, emptied
 * or deleted ConfigMap keeps the last good one in force and says so: one log line a
 * problem, an Event on the ConfigMap (reason ConfigRejected; ConfigAccepted when mended)
 * and the gauges herald_config_valid (0/1) and herald_config_loaded (0/1).
 * Never called: no good config was seen yet.
 */
#define CONFIG_MAP_KEY "config.yaml"

struct config_watch;
/* `changed`: a new config is in force, other than the one before; `config` stays valid
   until the next call of `changed` has returned. */
typedef void config_changed_fn(void *context, const struct config *config);

/* Whom it tells of what becomes of the ConfigMap, besides `changed`. */
enum config_watch_voice {
	CONFIG_WATCH_EVENTS, /* Events, the log and the gauges: one program of a cluster */
	CONFIG_WATCH_LOGS,   /* the log and the gauges */
	CONFIG_WATCH_SILENT  /* nobody: another one of this program tells */
};

/* `program` is borrowed. */
struct config_watch *config_watch_new(struct program *program, enum config_watch_voice voice,
	config_changed_fn *changed, void *context);
/* `synced`: called whenever the ConfigMap's state has become known by a whole list. */
void config_watch_set_synced(struct config_watch *watch, void (*synced)(void *context));
/* The config in force, or NULL. */
const struct config *config_watch_current(const struct config_watch *watch);
/* The ConfigMap as it is now is in force. */
bool config_watch_is_valid(const struct config_watch *watch);
/* True once the ConfigMap's state is known: it was read, or is known to be missing. */
bool config_watch_is_synced(const struct config_watch *watch);
void config_watch_free(struct config_watch *watch);

#endif
