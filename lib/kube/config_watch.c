// SPDX-License-Identifier: Apache-2.0
/*
 * From the watched ConfigMap to the configuration in force. Only a text that parses
 * without a problem replaces what is in force; anything else is told once and kept out.
 * Texts are compared by their hash, so that a ConfigMap touched without change, or listed
 * again, says and does nothing.
 */
#include "herald/kube/config_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "herald/kube/decode.h"
#include "herald/kube/watch.h"

enum { FAILING_BURST = 1, FAILING_INTERVAL_MS = 60000 };

/* What the ConfigMap was found to be when last looked at. */
enum state { STATE_UNKNOWN, STATE_MISSING, STATE_KEYLESS, STATE_REJECTED, STATE_ACCEPTED };

struct config_watch {
	struct program *program;
	enum config_watch_voice voice;
	config_changed_fn *changed;
	void (*on_synced)(void *context); /* may be NULL */
	void *context;
	struct kube_watch *watch;
	struct config *current;
	XXH128_hash_t current_hash, rejected_hash;
	enum state state;
	bool listed; /* put since list_begin */
	bool synced;
	char *uid; /* of the ConfigMap as last seen; "" before */
	struct metric *valid, *loaded;
	struct log_limit failing_limit;
};

static void record(struct config_watch *watch, enum kube_event_type type, const char *reason,
	const char *message)
{
	const struct program_options *options = &watch->program->options;
	struct kube_object_ref about = {
		"v1", "ConfigMap", options->namespace, options->config_map, watch->uid};

	if (watch->voice == CONFIG_WATCH_EVENTS)
		kube_event_record(watch->program->events, &about, type, reason, message);
}

static const char *consequence(const struct config_watch *watch)
{
	return watch->current ? "the configuration before it stays in force"
			      : "no configuration is in force";
}

static void set_state(struct config_watch *watch, enum state state)
{
	watch->state = state;
	if (watch->voice == CONFIG_WATCH_SILENT)
		return;
	metric_set(watch->valid, state == STATE_ACCEPTED);
	metric_set(watch->loaded, watch->current != NULL);
}

/* Missing, or without the key: told when it becomes so. */
static void lack(struct config_watch *watch, enum state state, const char *what)
{
	const struct program_options *options = &watch->program->options;
	AUTO_FREE char *message = NULL;

	if (watch->state == state)
		return;
	set_state(watch, state);
	if (watch->voice == CONFIG_WATCH_SILENT)
		return;
	message = xasprintf("%s; %s", what, consequence(watch));
	log_warn(watch->program->log, message, "namespace", options->namespace, "configmap",
		options->config_map, "key", CONFIG_MAP_KEY, "mend",
		"create it with the configuration under that key; config/ has examples", NULL);
	record(watch, KUBE_EVENT_WARNING, "ConfigRejected", message);
}

static void log_problem(struct config_watch *watch, const struct config_problem *problem)
{
	const struct program_options *options = &watch->program->options;
	char line[16] = "", column[16] = "";

	if (problem->line) {
		snprintf(line, sizeof(line), "%u", problem->line);
		snprintf(column, sizeof(column), "%u", problem->column);
	}
	log_error(watch->program->log, "the configuration is refused", "namespace",
		options->namespace, "configmap", options->config_map, "line", line, "column",
		column, "field", problem->field, "problem", problem->text, NULL);
}

static void reject(struct config_watch *watch, const struct config_problems *problems)
{
	const struct config_problem *first = &problems->items[0];
	size_t more = problems->count + problems->omitted - 1;
	AUTO_FREE char *message = NULL;
	char others[64] = "";

	set_state(watch, STATE_REJECTED);
	if (watch->voice == CONFIG_WATCH_SILENT)
		return;
	for (size_t i = 0; i < problems->count; i++)
		log_problem(watch, &problems->items[i]);
	if (more)
		snprintf(others, sizeof(others), " (and %zu more problems)", more);
	message = xasprintf("%s line %u: %s%s%s%s; %s", CONFIG_MAP_KEY, first->line, first->field,
		*first->field ? ": " : "", first->text, others, consequence(watch));
	record(watch, KUBE_EVENT_WARNING, "ConfigRejected", message);
}

static void accept_config(struct config_watch *watch)
{
	bool mended = watch->state != STATE_ACCEPTED && watch->state != STATE_UNKNOWN;

	set_state(watch, STATE_ACCEPTED);
	if (!mended || watch->voice == CONFIG_WATCH_SILENT)
		return;
	log_info(watch->program->log, "the configuration is accepted", NULL);
	record(watch, KUBE_EVENT_NORMAL, "ConfigAccepted", "the configuration is in force");
}

static void put_in_force(struct config_watch *watch, struct config *config, XXH128_hash_t hash)
{
	struct config *before = watch->current;

	watch->current = config;
	watch->current_hash = hash;
	accept_config(watch);
	watch->changed(watch->context, config);
	config_free(before);
}

static void take_text(struct config_watch *watch, const char *text, size_t length)
{
	XXH128_hash_t hash = XXH3_128bits(text, length);
	struct config_problems problems = {0};
	struct config *config;

	if (watch->current && XXH128_isEqual(hash, watch->current_hash)) {
		if (watch->state != STATE_ACCEPTED)
			accept_config(watch);
		return;
	}
	if (watch->state == STATE_REJECTED && XXH128_isEqual(hash, watch->rejected_hash))
		return;
	config = config_parse(text, length, &problems);
	if (config) {
		put_in_force(watch, config, hash);
	} else {
		watch->rejected_hash = hash;
		reject(watch, &problems);
	}
	config_problems_done(&problems);
}

static void on_put(void *context, const json_t *object)
{
	struct config_watch *watch = context;
	AUTO_FREE struct config_map *map = NULL;
	struct err e;

	if (kube_decode_config_map(object, CONFIG_MAP_KEY, &map, &e) < 0) {
		log_warn(watch->program->log, "the API server sent no ConfigMap", "error", e.text,
			NULL);
		return;
	}
	if (strcmp(map->meta.name, watch->program->options.config_map) != 0)
		return;
	watch->listed = true;
	free(watch->uid);
	watch->uid = xstrdup(map->meta.uid);
	if (map->text)
		take_text(watch, map->text, map->length);
	else
		lack(watch, STATE_KEYLESS, "the ConfigMap has no such key");
}

static void on_gone(void *context, const json_t *object)
{
	struct config_watch *watch = context;
	const json_t *name = json_object_get(json_object_get(object, "metadata"), "name");
	const char *text = json_string_value(name);

	if (text && !strcmp(text, watch->program->options.config_map))
		lack(watch, STATE_MISSING, "the ConfigMap was deleted");
}

static void on_list_begin(void *context)
{
	struct config_watch *watch = context;

	watch->listed = false;
}

static void on_list_end(void *context)
{
	struct config_watch *watch = context;

	watch->synced = true;
	if (!watch->listed)
		lack(watch, STATE_MISSING, "the ConfigMap is missing");
	if (watch->on_synced)
		watch->on_synced(watch->context);
}

static void on_failing(void *context, const struct err *error)
{
	struct config_watch *watch = context;
	uint64_t suppressed;
	char count[24];

	if (watch->voice == CONFIG_WATCH_SILENT ||
		!log_limit_pass(
			&watch->failing_limit, loop_now(watch->program->loop).ns, &suppressed))
		return;
	snprintf(count, sizeof(count), "%llu", (unsigned long long)suppressed);
	log_warn(watch->program->log, "the ConfigMap cannot be watched", "error", error->text,
		"suppressed", count, NULL);
}

struct config_watch *config_watch_new(struct program *program, enum config_watch_voice voice,
	config_changed_fn *changed, void *context)
{
	static const struct kube_watch_sink sink = {
		.list_begin = on_list_begin,
		.put = on_put,
		.gone = on_gone,
		.list_end = on_list_end,
		.failing = on_failing,
	};
	struct config_watch *watch = xcalloc(1, sizeof(*watch));
	AUTO_FREE char *namespace = kube_escape(program->options.namespace);
	AUTO_FREE char *path = xasprintf("/api/v1/namespaces/%s/configmaps", namespace);
	AUTO_FREE char *fields = xasprintf("metadata.name=%s", program->options.config_map);
	struct kube_watch_options options = {.path = path, .field_selector = fields};

	watch->program = program;
	watch->voice = voice;
	watch->changed = changed;
	watch->context = context;
	watch->uid = xstrdup("");
	watch->failing_limit =
		(struct log_limit){.burst = FAILING_BURST, .interval_ms = FAILING_INTERVAL_MS};
	watch->valid = metric_gauge(program->metrics, "herald_config_valid",
		"1 while the ConfigMap as it is now is in force.", NULL);
	watch->loaded = metric_gauge(program->metrics, "herald_config_loaded",
		"1 once a configuration is in force.", NULL);
	watch->watch = kube_watch_new(program->client, &options, &sink, watch);
	return watch;
}

void config_watch_set_synced(struct config_watch *watch, void (*synced)(void *context))
{
	watch->on_synced = synced;
}

const struct config *config_watch_current(const struct config_watch *watch)
{
	return watch->current;
}

bool config_watch_is_valid(const struct config_watch *watch)
{
	return watch->state == STATE_ACCEPTED;
}

bool config_watch_is_synced(const struct config_watch *watch)
{
	return watch->synced;
}

void config_watch_free(struct config_watch *watch)
{
	if (!watch)
		return;
	kube_watch_free(watch->watch);
	config_free(watch->current);
	free(watch->uid);
	free(watch);
}
