// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_SESSION_H
#define HERALDCTL_SESSION_H

#include <jansson.h>

#include "cluster_options.h"
#include "herald/kube/client.h"

/*
 * A connection to the API server for the time of one verb, by the user's own rights, and
 * single requests that are waited for.
 */
struct session {
	struct cluster_options *options;
	struct loop *loop;
	struct log *log;
	struct kubeconfig *kubeconfig;
	struct kube_client *client;
	char *class; /* learnt */
};

int session_open(struct session *session, struct cluster_options *options, struct err *e);
void session_close(struct session *session); /* half-open is allowed */

/* GET; *ret is the object. -ENOENT: there is none of that name. */
int session_get(struct session *session, const char *path, json_t **ret, struct err *e);
/* GET of what is no JSON; malloc'ed. */
int session_get_text(struct session *session, const char *path, char **ret, struct err *e);
/* Merge patch; `body` is borrowed. */
int session_patch(struct session *session, const char *path, const char *body, struct err *e);

/*
 * Where the command line does not say it: which Services are Herald's, by the arguments of
 * the controller's Deployment. Without one, or without the right to see it, those without
 * a class are. What is learnt lives as long as the session.
 */
void session_learn_rules(struct session *session);

/* Adds to an error what somebody at a terminal can do about it; returns e->code. */
int session_advise(const struct session *session, struct err *e);

#endif
