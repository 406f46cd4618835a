// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_PROGRAM_H
#define HERALD_KUBE_PROGRAM_H

#include <argp.h>

#include "herald/base/log.h"
#include "herald/io/loop.h"
#include "herald/io/metrics.h"
#include "herald/io/process_metrics.h"
#include "herald/io/status_server.h"
#include "herald/kube/client.h"
#include "herald/kube/event.h"

/*
 * What every long-running program of Herald has: its options, the loop, the log, metrics
 * with their server, the API client, Events, and signals. A program's main parses,
 * builds, runs and tears down; this is the part that both would write alike.
 */
struct program_options {
	const char *kubeconfig, *context, *server; /* --kubeconfig, --context, --server */
	const char *namespace;	    /* --namespace, $POD_NAMESPACE, else "herald-system" */
	const char *config_map;	    /* --config-map, default "herald-config" */
	const char *listen;	    /* --listen, e.g. "127.0.0.1:7472" */
	bool metallb_metrics;	    /* --metallb-metrics */
	enum log_level log_level;   /* --log-level */
	enum log_format log_format; /* --log-format */
};
/* Defaults; then used as an argp child: the parent's parser sets state->child_inputs[i] to
   the struct program_options on ARGP_KEY_INIT. Bad values end in argp_error. */
void program_options_init(struct program_options *options, const char *listen);
extern const struct argp program_argp;

struct program {
	const char *name; /* "herald-controller" */
	struct program_options options;
	struct log *log;
	struct loop *loop;
	struct metrics *metrics;
	struct process_metrics *process;
	struct status_server *status;
	struct kubeconfig *kubeconfig;
	struct kube_client *client;
	struct kube_events *events;
};

/* `name` static; `instance`: the node's or pod's name for Events. Logs nothing. */
int program_start(struct program *program, const char *name, const char *instance,
	const struct program_options *options, struct err *e);
/*
 * Runs the loop. On the first SIGTERM or SIGINT `stop` is called once and must lead to
 * loop_stop; if that has not happened after bound_ms, or on a second signal, the loop is
 * stopped anyway. SIGHUP does no harm. Returns the exit code: 0, or 1 where the bound
 * was exceeded.
 */
int program_run(
	struct program *program, void (*stop)(void *context), void *context, uint32_t bound_ms);
void program_done(struct program *program); /* half-built is allowed */

#endif
