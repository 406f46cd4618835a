// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_TESTS_UNIT_CONTROLLER_RECONCILE_SERVER_H
#define HERALD_TESTS_UNIT_CONTROLLER_RECONCILE_SERVER_H

#include <jansson.h>

#include "alloc_model.h"

/*
 * An API server that has Services and nothing else: all their versions, from which lists
 * and watches are made, and what PATCH does to one.
 */
#define SLOTS 12 /* Services by name, "s0" and so on; one at a time of each name */

struct happening {
	unsigned slot;
	struct object object; /* as it is then; !exists: deleted in that state */
};

struct server {
	struct object objects[SLOTS];
	struct happening *history; /* the version of each is its index + 1 */
	size_t count, capacity;
};

void server_done(struct server *server);
/* The object is as the caller made it: it gets a version, and ends where it is to end. */
void server_touch(struct server *server, unsigned slot);
/* What was there at a version; !exists: nothing. */
struct object server_at(const struct server *server, unsigned slot, size_t version);

json_t *server_json(unsigned slot, const struct object *object); /* new reference */
/* The slot that the path of a Service names. */
unsigned server_slot(const char *path);
bool server_has(const struct server *server, const char *path);

/* A PATCH as it was sent, read. */
struct patch {
	char uid[16];
	uint32_t version;
	bool ingress;
	struct ip addresses[2];
	uint8_t count;
};
void patch_read(const char *body, struct patch *ret);
/* The object after the PATCH; a body that Kubernetes would not take ends the test. */
void patch_apply(const char *body, struct object *object);
/* 200, 404 or 409. */
long server_patch(struct server *server, const char *path, const char *body);

#endif
