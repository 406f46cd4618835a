// SPDX-License-Identifier: Apache-2.0
/*
 * One watch for each Secret that is wanted. In: names; objects from the API server. Out: a
 * password or the reason why there is none. What a password may look like is judged by who
 * uses it.
 */
#include "herald/kube/secret_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode_field.h"
#include "herald/base/base64.h"
#include "herald/kube/watch.h"

struct secret {
	struct secret_watches *all;
	struct secret *next;
	char *name;
	struct kube_watch *watch;
	char *password; /* NULL: there never was one */
	char problem[sizeof(((struct err *)NULL)->text)];
	bool known;  /* the password, or the problem */
	bool listed; /* put since list_begin */
	bool wanted; /* while what is wanted changes */
};

struct secret_watches {
	struct program *program;
	void (*changed)(void *context);
	void *context;
	struct secret *first;
};

static void wipe(char *password)
{
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
}

static void free_secret(struct secret *secret)
{
	kube_watch_free(secret->watch);
	wipe(secret->password);
	free(secret->name);
	free(secret);
}

/* Takes the password; NULL: there is none, and `problem` says why. One that was there stays, or
   whoever makes the Secret anew would end a session. */
static void set_take(struct secret *secret, char *password, const char *problem)
{
	bool stays = !password || (secret->password && strcmp(secret->password, password) == 0);

	wipe(stays ? password : secret->password);
	if (!stays)
		secret->password = password;
	if (stays && secret->known && strcmp(secret->problem, problem) == 0)
		return;
	strncpy(secret->problem, problem, sizeof(secret->problem) - 1);
	secret->known = true;
	if (*problem)
		log_warn(secret->all->program->log, "a Secret has no password for us", "secret",
			secret->name, "problem", problem, NULL);
	secret->all->changed(secret->all->context);
}

static void set_missing(struct secret *secret)
{
	AUTO_FREE char *problem = xasprintf("which does not exist in the namespace \"%s\"",
		secret->all->program->options.namespace);

	set_take(secret, NULL, problem);
}

static bool is_about(const struct secret *secret, const json_t *object)
{
	return field_is(json_object_get(object, "metadata"), "name", secret->name);
}

static void on_put(void *context, const json_t *object)
{
	struct secret *secret = context;
	const char *encoded =
		json_string_value(json_object_get(json_object_get(object, "data"), SECRET_KEY));
	char *password;

	if (!is_about(secret, object))
		return;
	secret->listed = true;
	if (!field_is(object, "type", SECRET_TYPE)) {
		set_take(secret, NULL,
			"which is not of type " SECRET_TYPE ": make it anew with that type");
		return;
	}
	password = encoded ? base64_decode_text(encoded) : NULL;
	if (!password || !*password) {
		wipe(password);
		set_take(secret, NULL, "which has no text under the key \"" SECRET_KEY "\"");
		return;
	}
	set_take(secret, password, "");
}

static void on_gone(void *context, const json_t *object)
{
	struct secret *secret = context;

	if (is_about(secret, object))
		set_missing(secret);
}

static void on_list_begin(void *context)
{
	struct secret *secret = context;

	secret->listed = false;
}

static void on_list_end(void *context)
{
	struct secret *secret = context;

	if (!secret->listed)
		set_missing(secret);
}

/* What is known stays. That we may not read it is known, too; all else will pass. */
static void on_failing(void *context, const struct err *error)
{
	struct secret *secret = context;
	AUTO_FREE char *problem = xasprintf("which cannot be read: %s", error->text);

	if (!secret->password && error->code == -EPERM)
		set_take(secret, NULL, problem);
	else
		log_warn(secret->all->program->log, "a Secret cannot be watched", "secret",
			secret->name, "error", error->text, NULL);
}

static struct secret *find(const struct secret_watches *watches, const char *name)
{
	struct secret *secret = watches->first;

	while (secret && strcmp(secret->name, name) != 0)
		secret = secret->next;
	return secret;
}

static struct secret *add(struct secret_watches *watches, const char *name)
{
	static const struct kube_watch_sink sink = {
		.list_begin = on_list_begin,
		.put = on_put,
		.gone = on_gone,
		.list_end = on_list_end,
		.failing = on_failing,
	};
	AUTO_FREE char *namespace = kube_escape(watches->program->options.namespace);
	AUTO_FREE char *path = xasprintf("/api/v1/namespaces/%s/secrets", namespace);
	AUTO_FREE char *fields = xasprintf("metadata.name=%s", name);
	const struct kube_watch_options options = {.path = path, .field_selector = fields};
	struct secret *secret = xcalloc(1, sizeof(*secret));

	secret->all = watches;
	secret->name = xstrdup(name);
	secret->next = watches->first;
	watches->first = secret;
	secret->watch = kube_watch_new(watches->program->client, &options, &sink, secret);
	return secret;
}

struct secret_watches *secret_watches_new(
	struct program *program, void (*changed)(void *context), void *context)
{
	struct secret_watches *watches = xcalloc(1, sizeof(*watches));

	watches->program = program;
	watches->changed = changed;
	watches->context = context;
	return watches;
}

void secret_watches_free(struct secret_watches *watches)
{
	if (!watches)
		return;
	secret_watches_want(watches, NULL, 0);
	free(watches);
}

void secret_watches_want(struct secret_watches *watches, const char *const *names, size_t count)
{
	struct secret **at = &watches->first;

	for (struct secret *secret = watches->first; secret; secret = secret->next)
		secret->wanted = false;
	for (size_t i = 0; i < count; i++) {
		struct secret *secret = find(watches, names[i]);

		if (!secret)
			secret = add(watches, names[i]);
		secret->wanted = true;
	}
	while (*at) {
		struct secret *secret = *at;

		if (secret->wanted) {
			at = &secret->next;
			continue;
		}
		*at = secret->next;
		free_secret(secret);
	}
}

bool secret_watches_are_known(const struct secret_watches *watches)
{
	for (const struct secret *secret = watches->first; secret; secret = secret->next) {
		if (!secret->known)
			return false;
	}
	return true;
}

const char *secret_watches_password(
	const struct secret_watches *watches, const char *name, const char **ret_problem)
{
	const struct secret *secret = find(watches, name);

	if (secret && secret->password && !*secret->problem)
		return secret->password;
	*ret_problem = secret && *secret->problem ? secret->problem : "which has not been read yet";
	return secret ? secret->password : NULL;
}
