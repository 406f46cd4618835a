// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_TESTS_UNIT_CORE_ALLOC_MODEL_H
#define HERALD_TESTS_UNIT_CORE_ALLOC_MODEL_H

#include "herald/core/assign.h"

/*
 * The rules of address management said naively: by looking at every address of a small
 * universe. What a Service asks for is a few numbers, so that it can be drawn at random.
 */
struct spec {
	uint8_t namespace; /* of model_namespaces */
	bool load_balancer, ours, deleting, local;
	uint8_t families[2];
	enum family_policy policy;
	uint8_t asked; /* of model_asked */
	uint8_t pool;  /* of model_pools */
	uint8_t key;   /* of model_keys */
	uint8_t selector;
	uint16_t port;
};

/* A Service as the API server has it. */
struct object {
	bool exists, finalizer, has_assigned, has_condition, condition_true;
	uint32_t version, uid;
	struct spec spec;
	struct ip status[2];
	uint8_t count;
	char reason[32];
	char assigned[2 * IP_TEXT_MAX];
	char shared_as[17];	     /* "": no such annotation */
	char moves[2 * IP_TEXT_MAX]; /* likewise */
	struct spec written;	     /* as it was when it was last written to */
	/* It has shared otherwise since, even if it is back to that by now: what stands in it and
	   in one it shared with does not tell who was changed, so that either may have to leave. */
	bool strayed;
	char message[ASSIGN_TEXT_MAX];
};

#define MODEL_ASKED 8
extern const char *const model_namespaces[2], *const model_asked[MODEL_ASKED],
						      *const model_pools[4], *const model_keys[3];

#define MODEL_CONFIGS 7
extern const char *const model_configs[MODEL_CONFIGS];
struct config *model_config(size_t index); /* new */

/* Repeatable: all that is drawn follows from the seed. */
uint64_t model_random(uint64_t seed);
uint32_t model_draw(uint64_t *random, uint32_t limit);
/* A number from the environment, of steps or a seed. */
uint64_t model_number(const char *variable, uint64_t otherwise);

#define UNIVERSE 22
struct ip model_ip(size_t index);
size_t model_index(const struct ip *ip);

/* The struct service of an object; all that it points to is in the view or the object. */
struct view {
	struct service service;
	struct string_pair annotations[6], selector;
	struct service_port port;
	struct service_ingress ingress[2];
	struct condition condition;
};
void view_make(struct view *view, const struct object *object);

/* A user makes, changes or deletes the Service; false: nothing was left to do. */
bool object_change(struct object *object, uint64_t *random, uint32_t uid);

/* The address asked for in a family; IP_NONE: any. *ret_malformed: for no family it has. */
struct ip spec_asked(const struct spec *spec, uint8_t family, bool *ret_malformed);
bool spec_is_active(const struct spec *spec);
bool spec_has_family(const struct spec *spec, uint8_t family);
/* Whether the same is shared in the same way. */
bool specs_share_alike(const struct spec *a, const struct spec *b);
/* Whether two may be on one address; `anywhere`: from any namespace. */
bool specs_may_share(const struct spec *a, const struct spec *b, bool anywhere);

const struct config_pool *model_pool(const struct config *config, const struct ip *ip);
/* Whether the pool gives this address to such a Service, if it is free. */
bool model_serves(const struct config_pool *pool, const struct spec *spec, const struct ip *ip);

#endif
