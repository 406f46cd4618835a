// SPDX-License-Identifier: Apache-2.0
/*
 * Finds out where the API server is and who we are: the options, the pod's service
 * account, or a kubeconfig file, in this order. Reading such a file is
 * kubeconfig_file.c's.
 */
#include "herald/kube/kubeconfig.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kubeconfig_file.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"
#define FILE_MAX (1024u * 1024u)

int kubeconfig_read_file(
	const char *what, const char *path, char **ret, size_t *ret_length, struct err *e)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t length;
	int r = 0;

	if (!file)
		return err_set(e, -errno, "cannot read %s \"%s\": %s", what, path, strerror(errno));
	text = xcalloc(FILE_MAX + 1, 1);
	errno = 0;
	length = fread(text, 1, FILE_MAX + 1, file);
	if (ferror(file))
		r = err_set(e, -(errno ? errno : EIO), "cannot read %s \"%s\": %s", what, path,
			strerror(errno ? errno : EIO));
	else if (length > FILE_MAX)
		r = err_set(
			e, -EFBIG, "cannot read %s \"%s\": it is larger than 1 MiB", what, path);
	fclose(file);
	if (r < 0) {
		free(text);
		return r;
	}
	text[length] = '\0';
	*ret = xrealloc(text, length + 1, 1);
	*ret_length = length;
	return 0;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int load_service_account(struct kubeconfig *config, struct err *e)
{
	const char *host = environment("KUBERNETES_SERVICE_HOST");
	const char *port = environment("KUBERNETES_SERVICE_PORT");
	size_t length;
	int r = kubeconfig_read_file("the service account's namespace",
		SERVICE_ACCOUNT "/namespace", &config->namespace, &length, e);

	if (r < 0)
		return r;
	config->namespace[strcspn(config->namespace, " \r\n")] = '\0';
	config->server = strchr(host, ':') ? xasprintf("https://[%s]:%s", host, port)
					   : xasprintf("https://%s:%s", host, port);
	config->ca_file = xstrdup(SERVICE_ACCOUNT "/ca.crt");
	config->token_file = xstrdup(SERVICE_ACCOUNT "/token");
	return 0;
}

static bool in_cluster(void)
{
	return environment("KUBERNETES_SERVICE_HOST") && environment("KUBERNETES_SERVICE_PORT") &&
	       access(SERVICE_ACCOUNT "/token", R_OK) == 0;
}

/* $KUBECONFIG may be a list; files of it that are not there are passed over, and the
   first one that is there is taken: merging is kubectl's. */
static char *default_path(void)
{
	const char *list = environment("KUBECONFIG");
	const char *home = environment("HOME");

	while (list && *list) {
		size_t length = strcspn(list, ":");
		char *path = xstrndup(list, length);

		if (length > 0 && (access(path, F_OK) == 0 || list[length] == '\0'))
			return path;
		free(path);
		list += length + (list[length] == ':');
	}
	return xasprintf("%s/.kube/config", home ? home : "");
}

static int load_file(
	const struct kubeconfig_options *options, struct kubeconfig *config, struct err *e)
{
	AUTO_FREE char *path = options->path ? xstrdup(options->path) : default_path();
	char *text;
	size_t length;
	int r = kubeconfig_read_file("the kubeconfig", path, &text, &length, e);

	if (r < 0)
		return r;
	r = kubeconfig_parse(path, text, length, options->context, config, e);
	explicit_bzero(text, length);
	free(text);
	return r;
}

static int finish(
	const struct kubeconfig_options *options, struct kubeconfig *config, struct err *e)
{
	size_t length;

	if (options->server) {
		free(config->server);
		config->server = xstrdup(options->server);
	}
	length = strlen(config->server);
	while (length > 0 && config->server[length - 1] == '/')
		config->server[--length] = '\0';
	if (strncmp(config->server, "https://", 8) != 0)
		return err_set(e, -EINVAL,
			"the API server's address is \"%.200s\": it must begin "
			"with https://",
			config->server);
	return 0;
}

int kubeconfig_load(
	const struct kubeconfig_options *options, struct kubeconfig **ret, struct err *e)
{
	struct kubeconfig *config = xcalloc(1, sizeof(*config));
	int r;

	if (!options->path && !options->context && in_cluster())
		r = load_service_account(config, e);
	else
		r = load_file(options, config, e);
	if (r == 0)
		r = finish(options, config, e);
	if (r < 0) {
		kubeconfig_free(config);
		return r;
	}
	*ret = config;
	return 0;
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void kubeconfig_free(struct kubeconfig *config)
{
	if (!config)
		return;
	free(config->server);
	free(config->ca_file);
	free(config->ca_pem);
	free(config->cert_file);
	free(config->cert_pem);
	free(config->key_file);
	wipe(config->key_pem);
	wipe(config->token);
	free(config->token_file);
	free(config->tls_server_name);
	free(config->namespace);
	free(config);
}
