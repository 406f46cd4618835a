// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_TESTS_UNIT_CORE_ALLOC_SCENE_H
#define HERALD_TESTS_UNIT_CORE_ALLOC_SCENE_H

#include "herald/core/assign.h"

/*
 * A stage for the tests of allocator and assignment: configs from YAML, Services as the
 * API server would keep them, and what writing a decision does to one.
 */
#define SCENE_CONFIGS 8

struct scene {
	struct alloc *alloc;
	struct config *configs[SCENE_CONFIGS]; /* all that were in force; the last one is */
	size_t config_count;
};
struct scene *scene_new(const char *pools_yaml); /* NULL: without a config */
void scene_free(struct scene *scene);
/* `pools_yaml`: the whole document but for its apiVersion. */
void scene_configure(struct scene *scene, const char *pools_yaml);
/* A new process: what was known is forgotten. Subjects must be scene_forget'd before. */
void scene_restart(struct scene *scene);

struct ip scene_ip(const char *text);

#define SUBJECT_ANNOTATIONS 8
#define SUBJECT_TEXT 160
struct subject {
	struct service service;
	struct alloc_holder holder;
	const struct string_map *namespace_labels;
	bool ours;
	struct assign_decision decision; /* the last one */
	/* what the service points to */
	char namespace[32], name[32], full_name[65];
	struct string_pair annotations[SUBJECT_ANNOTATIONS];
	char keys[SUBJECT_ANNOTATIONS][64], values[SUBJECT_ANNOTATIONS][SUBJECT_TEXT];
	struct service_ingress ingress[4];
	struct service_port ports[4];
	struct condition condition;
	char condition_message[ASSIGN_TEXT_MAX];
	char asked[SUBJECT_TEXT];
};

/* A LoadBalancer Service of ours, IPv4, TCP port 80; it must not move in memory. */
void subject_init(struct subject *subject, const char *namespace, const char *name);
void subject_done(struct scene *scene, struct subject *subject);
/* NULL: takes it away. */
void subject_annotate(struct subject *subject, const char *key, const char *value);
void subject_ask(struct subject *subject, const char *load_balancer_ip);
void subject_families(
	struct subject *subject, uint8_t first, uint8_t second, enum family_policy policy);
void subject_status(struct subject *subject, const char *first, const char *second);
const char *subject_annotation(const struct subject *subject, const char *key);

struct assign_input subject_input(struct subject *subject);
const struct assign_decision *subject_decide(struct scene *scene, struct subject *subject);
/* Puts the last decision into the Service, as a PATCH that the API server took. */
void subject_apply(struct subject *subject);
/* Decides, writes, and decides again, which must find nothing more to do (K15). */
const struct assign_decision *subject_settle(struct scene *scene, struct subject *subject);
/* The whole ingress list as "a,b"; static storage. */
const char *subject_shown(const struct subject *subject);

#endif
