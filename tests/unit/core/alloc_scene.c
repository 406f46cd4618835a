// SPDX-License-Identifier: Apache-2.0
/*
 * The stage for the allocator's tests. Writing follows the API server: the PATCH that the
 * controller would send is applied whole, and a Service of another type has no ingress.
 */
#include "alloc_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct scene *scene_new(const char *pools_yaml)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->alloc = alloc_new();
	if (pools_yaml)
		scene_configure(scene, pools_yaml);
	return scene;
}

void scene_free(struct scene *scene)
{
	alloc_free(scene->alloc);
	for (size_t i = 0; i < scene->config_count; i++)
		config_free(scene->configs[i]);
	free(scene);
}

void scene_configure(struct scene *scene, const char *pools_yaml)
{
	struct config_problems problems = {0};
	char text[4096];
	struct config *config;

	assert_true(scene->config_count < SCENE_CONFIGS);
	snprintf(text, sizeof(text), "apiVersion: %s\n%s", CONFIG_API_VERSION, pools_yaml);
	config = config_parse(text, strlen(text), &problems);
	for (size_t i = 0; i < problems.count; i++)
		print_error("%u: %s: %s\n", problems.items[i].line, problems.items[i].field,
			problems.items[i].text);
	config_problems_done(&problems);
	assert_non_null(config);
	scene->configs[scene->config_count++] = config;
	alloc_configure(scene->alloc, config);
}

void scene_restart(struct scene *scene)
{
	const struct config *config = alloc_config(scene->alloc);

	alloc_free(scene->alloc);
	scene->alloc = alloc_new();
	alloc_configure(scene->alloc, config);
}

struct ip scene_ip(const char *text)
{
	struct ip ip;

	if (!ip_parse(text, &ip))
		fail_msg("`%s` is no address", text);
	return ip;
}

void subject_init(struct subject *subject, const char *namespace, const char *name)
{
	*subject = (struct subject){.ours = true, .namespace_labels = NULL};
	snprintf(subject->namespace, sizeof(subject->namespace), "%s", namespace);
	snprintf(subject->name, sizeof(subject->name), "%s", name);
	snprintf(subject->full_name, sizeof(subject->full_name), "%s/%s", namespace, name);
	subject->ports[0] = (struct service_port){.port = 80, .protocol = PROTOCOL_TCP};
	subject->holder.name = subject->full_name;
	subject->service = (struct service){
		.meta = {.namespace = subject->namespace, .name = subject->name, .uid = "1"},
		.type = SERVICE_LOAD_BALANCER,
		.load_balancer_ip = "",
		.families = {IP_V4, IP_NONE},
		.ports = subject->ports,
		.port_count = 1,
		.ingress = subject->ingress,
		.annotations = {subject->annotations, 0},
		.conditions = &subject->condition,
	};
}

void subject_done(struct scene *scene, struct subject *subject)
{
	alloc_release(scene->alloc, &subject->holder);
}

void subject_annotate(struct subject *subject, const char *key, const char *value)
{
	struct string_map *map = &subject->service.annotations;
	struct string_pair kept[SUBJECT_ANNOTATIONS + 1];
	char keys[SUBJECT_ANNOTATIONS][64], values[SUBJECT_ANNOTATIONS][SUBJECT_TEXT];
	uint32_t count = 0, at = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		if (strcmp(map->pairs[i].key, key) != 0)
			kept[count++] = map->pairs[i];
	}
	while (at < count && strcmp(kept[at].key, key) < 0)
		at++;
	if (value) {
		memmove(&kept[at + 1], &kept[at], (count - at) * sizeof(kept[0]));
		kept[at] = (struct string_pair){key, value};
		count++;
	}
	assert_true(count <= SUBJECT_ANNOTATIONS);
	for (uint32_t i = 0; i < count; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%s", kept[i].key);
		snprintf(values[i], sizeof(values[i]), "%s", kept[i].value);
	}
	memcpy(subject->keys, keys, sizeof(keys));
	memcpy(subject->values, values, sizeof(values));
	for (uint32_t i = 0; i < count; i++)
		subject->annotations[i] =
			(struct string_pair){subject->keys[i], subject->values[i]};
	map->count = count;
}

const char *subject_annotation(const struct subject *subject, const char *key)
{
	return string_map_get(&subject->service.annotations, key);
}

void subject_ask(struct subject *subject, const char *load_balancer_ip)
{
	snprintf(subject->asked, sizeof(subject->asked), "%s", load_balancer_ip);
	subject->service.load_balancer_ip = subject->asked;
}

void subject_families(
	struct subject *subject, uint8_t first, uint8_t second, enum family_policy policy)
{
	subject->service.families[0] = first;
	subject->service.families[1] = second;
	subject->service.family_policy = policy;
}

void subject_status(struct subject *subject, const char *first, const char *second)
{
	const char *texts[] = {first, second};

	subject->service.ingress_count = 0;
	for (size_t i = 0; i < 2 && texts[i]; i++)
		subject->ingress[subject->service.ingress_count++] =
			(struct service_ingress){.ip = scene_ip(texts[i]), .canonical = true};
}

struct assign_input subject_input(struct subject *subject)
{
	return (struct assign_input){.service = &subject->service,
		.namespace_labels = subject->namespace_labels,
		.holder = &subject->holder,
		.ours = subject->ours && subject->service.type == SERVICE_LOAD_BALANCER};
}

const struct assign_decision *subject_decide(struct scene *scene, struct subject *subject)
{
	struct assign_input input = subject_input(subject);

	assign_decide(scene->alloc, &input, &subject->decision);
	return &subject->decision;
}

static void apply_condition(struct subject *subject, const struct assign_decision *decision)
{
	if (decision->condition == ASSIGN_REMOVE)
		subject->service.condition_count = 0;
	if (decision->condition != ASSIGN_SET)
		return;
	memcpy(subject->condition_message, decision->condition_message,
		sizeof(subject->condition_message));
	subject->condition =
		(struct condition){CONDITION_ASSIGNED, decision->condition_true ? "True" : "False",
			decision->condition_reason, subject->condition_message};
	subject->service.condition_count = 1;
}

void subject_apply(struct subject *subject)
{
	const struct assign_decision *decision = &subject->decision;

	if (decision->ingress) {
		subject->service.ingress_count = decision->address_count;
		for (uint8_t i = 0; i < decision->address_count; i++)
			subject->ingress[i] = (struct service_ingress){
				.ip = decision->addresses[i], .canonical = true};
	}
	if (decision->finalizer != ASSIGN_KEEP)
		subject->service.has_finalizer = decision->finalizer == ASSIGN_SET;
	if (decision->annotation != ASSIGN_KEEP)
		subject_annotate(subject, ANNOTATION_ASSIGNED,
			decision->annotation == ASSIGN_SET ? decision->annotation_text : NULL);
	if (decision->shared_as != ASSIGN_KEEP)
		subject_annotate(subject, ANNOTATION_SHARED_AS,
			decision->shared_as == ASSIGN_SET ? decision->shared_as_text : NULL);
	if (decision->moves != ASSIGN_KEEP)
		subject_annotate(subject, ANNOTATION_MOVES,
			decision->moves == ASSIGN_SET ? decision->moves_text : NULL);
	apply_condition(subject, decision);
}

const struct assign_decision *subject_settle(struct scene *scene, struct subject *subject)
{
	struct assign_decision first;

	subject_decide(scene, subject);
	first = subject->decision;
	subject_apply(subject);
	if (subject_decide(scene, subject)->write)
		fail_msg("`%s` is written again: %s", subject->full_name,
			subject->decision.condition_message);
	if (subject->decision.state == ASSIGN_RELEASED)
		alloc_release(scene->alloc, &subject->holder);
	else
		alloc_settle(scene->alloc, &subject->holder);
	subject->decision = first;
	return &subject->decision;
}

const char *subject_shown(const struct subject *subject)
{
	static char text[4 * IP_TEXT_MAX];
	size_t used = 0;

	*text = '\0';
	for (uint16_t i = 0; i < subject->service.ingress_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "," : "",
			ip_text(&subject->ingress[i].ip).s);
	return text;
}
