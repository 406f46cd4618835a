// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl bug-report: what somebody needs who is to find out what is wrong, in one archive
 * or folder, without secrets: versions, the configuration, objects, Leases, Events, logs,
 * and the programs' own status and metrics where they can be reached.
 *
 * The configuration comes first, so that its passwords are known when all else is written.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cluster_options.h"
#include "redact.h"
#include "session.h"
#include "verb.h"

#define PAGE "500"
#define PAGES_MAX 1000u
#define LOG_LINES "5000"

struct arguments {
	struct cluster_options cluster;
	const char *file; /* NULL: named after the time */
};

struct report {
	const struct arguments *arguments;
	struct session session;
	struct redaction redaction;
	char *folder;
	FILE *missing; /* what could not be had */
	size_t missing_count;
	bool cannot_write, unreached;
};

static FILE *begin_file(struct report *r, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", r->folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!file) {
		complain("cannot write %s: %s", path, strerror(errno));
		r->cannot_write = true;
	}
	return file;
}

static void end_file(struct report *r, FILE *file)
{
	bool failed = ferror(file) != 0;

	failed = fclose(file) != 0 || failed;
	if (failed && !r->cannot_write)
		complain("cannot write into %s: %s", r->folder, strerror(errno));
	r->cannot_write = r->cannot_write || failed;
}

static void miss(struct report *r, const struct err *e)
{
	AUTO_FREE char *text = redact_text(&r->redaction, e->text);

	fprintf(r->missing, "%s\n", text);
	r->missing_count++;
}

static void write_text(struct report *r, const char *name, const char *text)
{
	AUTO_FREE char *clean = redact_text(&r->redaction, text);
	FILE *file = begin_file(r, name);

	if (!file)
		return;
	fputs(clean, file);
	end_file(r, file);
}

static void write_json(struct report *r, FILE *file, const json_t *value)
{
	char *text = json_dumps(value, JSON_INDENT(1));
	AUTO_FREE char *clean = redact_text(&r->redaction, text ? text : "null");

	free(text);
	fprintf(file, "%s\n", clean);
}

/* Page by page, so that memory does not grow with the cluster: a JSON array of objects.
   `each` may be NULL. */
static void add_list(struct report *r, const char *name, const char *path, const char *query,
	void (*each)(struct report *r, const json_t *object))
{
	AUTO_FREE char *next = xstrdup("");
	FILE *file = begin_file(r, name);
	bool first = true;

	if (!file)
		return;
	fputs("[\n", file);
	for (unsigned page = 0; page < PAGES_MAX; page++) {
		AUTO_FREE char *escaped = kube_escape(next);
		AUTO_FREE char *whole = xasprintf("%s?limit=" PAGE "%s%s%s%s", path,
			*query ? "&" : "", query, *next ? "&continue=" : "", escaped);
		const json_t *token;
		json_t *list = NULL, *object;
		struct err e;
		size_t i;

		if (session_get(&r->session, whole, &list, &e) < 0) {
			miss(r, &e);
			break;
		}
		json_array_foreach (json_object_get(list, "items"), i, object) {
			redact_object(&r->redaction, object);
			fputs(first ? "" : ",\n", file);
			first = false;
			write_json(r, file, object);
			if (each)
				each(r, object);
		}
		token = json_object_get(json_object_get(list, "metadata"), "continue");
		free(next);
		next = xstrdup(json_is_string(token) ? json_string_value(token) : "");
		json_decref(list);
		if (!*next)
			break;
	}
	fputs("]\n", file);
	end_file(r, file);
}

static void add_text(struct report *r, const char *name, const char *path)
{
	char *text = NULL;
	struct err e;

	if (session_get_text(&r->session, path, &text, &e) < 0) {
		miss(r, &e);
		return;
	}
	write_text(r, name, text);
	free(text);
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

/* As part of a file's name: whatever the API server says, it stays in the folder. */
static char *name_part(const char *text)
{
	char *part = xstrdup(text);

	for (char *c = part; *c; c++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", *c) ||
			(*c == '.' && c == part))
			*c = '_';
	}
	return part;
}

static void add_port(struct report *r, const char *pod, const char *file, json_int_t port)
{
	static const char *const pages[] = {"metrics", "status"};
	AUTO_FREE char *home = kube_escape(r->arguments->cluster.home);

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		AUTO_FREE char *path = xasprintf("/api/v1/namespaces/%s/pods/%s:%lld/proxy/%s",
			home, pod, (long long)port, pages[i]);
		AUTO_FREE char *name = xasprintf("%s-%s.txt", file, pages[i]);

		add_text(r, name, path);
	}
}

/* Its logs, and its port named "metrics". */
static void add_pod(struct report *r, const json_t *object)
{
	const char *text = text_of(json_object_get(object, "metadata"), "name");
	AUTO_FREE char *home = kube_escape(r->arguments->cluster.home);
	AUTO_FREE char *pod = kube_escape(text), *part = name_part(text);
	AUTO_FREE char *file = xasprintf("pod-%s", part);
	const json_t *container, *port;
	size_t i, k;

	json_array_foreach (
		json_object_get(json_object_get(object, "spec"), "containers"), i, container) {
		AUTO_FREE char *escaped = kube_escape(text_of(container, "name"));
		AUTO_FREE char *path = xasprintf("/api/v1/namespaces/%s/pods/%s/log?container=%s"
						 "&tailLines=" LOG_LINES,
			home, pod, escaped);
		AUTO_FREE char *container_part = name_part(text_of(container, "name"));
		AUTO_FREE char *name = xasprintf("%s-%s.log", file, container_part);

		add_text(r, name, path);
		json_array_foreach (json_object_get(container, "ports"), k, port) {
			if (strcmp(text_of(port, "name"), "metrics") == 0)
				add_port(r, pod, file,
					json_integer_value(json_object_get(port, "containerPort")));
		}
	}
}

/* False, and told: nobody answers at all. */
static bool add_versions(struct report *r)
{
	char *text = NULL;
	struct err e;

	if (session_get_text(&r->session, "/version", &text, &e) < 0) {
		miss(r, &e);
		session_advise(&r->session, &e);
		complain("%s", e.text);
		return e.code != -EHOSTUNREACH;
	}
	write_text(r, "version-api-server.json", text);
	free(text);
	write_text(r, "version-heraldctl.txt", "heraldctl " HERALD_VERSION "\n");
	return true;
}

static void add_everything(struct report *r)
{
	static const char herald[] = "labelSelector=app.kubernetes.io%2Fname%3Dherald";
	AUTO_FREE char *home = kube_escape(r->arguments->cluster.home);
	AUTO_FREE char *core = xasprintf("/api/v1/namespaces/%s", home);
	AUTO_FREE char *maps = xasprintf("%s/configmaps", core);
	AUTO_FREE char *map_name = kube_escape(r->arguments->cluster.config_map);
	AUTO_FREE char *map_query = xasprintf("fieldSelector=metadata.name%%3D%s", map_name);
	AUTO_FREE char *pods = xasprintf("%s/pods", core);
	AUTO_FREE char *own_events = xasprintf("%s/events", core);
	AUTO_FREE char *apps = xasprintf("/apis/apps/v1/namespaces/%s", home);
	AUTO_FREE char *deployments = xasprintf("%s/deployments", apps);
	AUTO_FREE char *daemon_sets = xasprintf("%s/daemonsets", apps);
	AUTO_FREE char *leases =
		xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases", home);

	add_list(r, "configmap.json", maps, map_query, NULL);
	add_list(r, "services.json", "/api/v1/services", "", NULL);
	add_list(r, "endpointslices.json", "/apis/discovery.k8s.io/v1/endpointslices", "", NULL);
	add_list(r, "nodes.json", "/api/v1/nodes", "", NULL);
	add_list(r, "namespaces.json", "/api/v1/namespaces", "", NULL);
	add_list(r, "leases.json", leases, "", NULL);
	add_list(r, "events-services.json", "/api/v1/events",
		"fieldSelector=involvedObject.kind%3DService", NULL);
	add_list(r, "events-herald.json", own_events, "", NULL);
	add_list(r, "deployments.json", deployments, herald, NULL);
	add_list(r, "daemonsets.json", daemon_sets, herald, NULL);
	add_list(r, "pods.json", pods, herald, add_pod);
}

/* ---- where it goes ---- */

static bool is_archive(const char *name)
{
	size_t length = strlen(name);

	return (length > 7 && strcmp(name + length - 7, ".tar.gz") == 0) ||
	       (length > 4 && strcmp(name + length - 4, ".tgz") == 0);
}

static void remove_folder(const char *folder)
{
	DIR *directory = opendir(folder);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(directory), entry->d_name, 0);
	}
	if (directory)
		closedir(directory);
	rmdir(folder);
}

/* By the system's own tar. The archive is for its owner alone, as the folder is. */
static int pack(const char *folder, const char *file)
{
	const char *slash = strrchr(folder, '/');
	AUTO_FREE char *parent = xstrndup(folder, (size_t)(slash - folder));
	AUTO_FREE char *name = xstrdup(slash + 1), *target = xstrdup(file);
	char tar[] = "tar", create[] = "-czf", change[] = "-C", end[] = "--";
	char *const argv[] = {tar, create, target, change, parent, end, name, NULL};
	mode_t mask = umask(077);
	int status = 0, r;
	pid_t pid;

	r = posix_spawnp(&pid, "tar", NULL, NULL, argv, environ);
	umask(mask);
	if (r == 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return 0;
	complain("cannot make %s%s%s: give --file a name that does not end in .tar.gz or .tgz to "
		 "have a folder instead",
		file, r ? ": tar: " : "", r ? strerror(r) : "");
	return -1;
}

/* A folder of a telling name within one that is ours alone. */
static char *make_folder(const char *file, const char *name)
{
	const char *temporary = getenv("TMPDIR");
	AUTO_FREE char *parent = NULL;
	char *folder;

	if (!is_archive(file)) {
		if (mkdir(file, 0700) == 0)
			return xstrdup(file);
		complain("cannot make the folder %s: %s", file, strerror(errno));
		return NULL;
	}
	parent = xasprintf("%s/heraldctl.XXXXXX", temporary && *temporary ? temporary : "/tmp");
	if (!mkdtemp(parent)) {
		complain("cannot make a folder %s: %s", parent, strerror(errno));
		return NULL;
	}
	folder = xasprintf("%s/%s", parent, name);
	if (mkdir(folder, 0700) == 0)
		return folder;
	complain("cannot make the folder %s: %s", folder, strerror(errno));
	free(folder);
	return NULL;
}

static int deliver(struct report *r, const char *file)
{
	int code = r->missing_count > 0 ? VERB_LEFT_OUT : VERB_GOOD;

	if (is_archive(file)) {
		char *slash;

		if (!r->cannot_write && !r->unreached && pack(r->folder, file) < 0)
			r->cannot_write = true;
		remove_folder(r->folder);
		slash = strrchr(r->folder, '/');
		*slash = '\0';
		rmdir(r->folder);
	}
	if (r->cannot_write || r->unreached)
		return VERB_UNKNOWN;
	puts(file);
	if (r->missing_count > 0)
		complain("%zu things could not be had: missing.txt in it lists them",
			r->missing_count);
	complain("look through it before you give it to others: passwords and the values of "
		 "environment variables are left out, names and addresses are not");
	return code;
}

static int run(struct arguments *arguments)
{
	struct report r = {.arguments = arguments};
	char name[64];
	time_t now = time(NULL);
	AUTO_FREE char *file = NULL;
	struct tm utc;
	struct err e;
	int code = VERB_UNKNOWN;

	gmtime_r(&now, &utc);
	strftime(name, sizeof(name), "herald-bug-report-%Y%m%dT%H%M%SZ", &utc);
	file = arguments->file ? xstrdup(arguments->file) : xasprintf("%s.tar.gz", name);
	if (session_open(&r.session, &arguments->cluster, &e) < 0) {
		session_advise(&r.session, &e);
		complain("%s", e.text);
	} else if ((r.folder = make_folder(file, name))) {
		r.missing = begin_file(&r, "missing.txt");
		if (r.missing) {
			bool reached = add_versions(&r);

			if (reached)
				add_everything(&r);
			end_file(&r, r.missing);
			r.unreached = !reached;
		}
		code = deliver(&r, file);
	}
	free(r.folder);
	redaction_done(&r.redaction);
	session_close(&r.session);
	return code;
}

static const struct argp_option options[] = {
	{"file", 'f', "FILE", 0,
		"Where to; a name that ends in neither .tar.gz nor .tgz is that of a folder "
		"(default: "
		"an archive in this folder, named after the time)",
		0},
	{0}};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->cluster;
		return 0;
	case 'f':
		arguments->file = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Gathers what somebody needs who is to find out what is wrong: versions, the "
	"configuration, "
	"Services, EndpointSlices, nodes, Leases, Events, Herald's pods with their logs, status "
	"and "
	"metrics. Passwords, values of environment variables and other programs' annotations are "
	"left out. Prints the archive's name."
	"\vExit codes: 0 all is in it, 2 it could not be written, or no API server was found, 3 "
	"something could not be had, which it lists, 64 wrong command line.";

const struct argp bug_report_argp = {options, parse, NULL, doc, cluster_children, NULL, NULL};

int bug_report_main(int argc, char **argv)
{
	struct arguments arguments = {0};

	cluster_options_init(&arguments.cluster);
	argp_parse(&bug_report_argp, argc, argv, 0, NULL, &arguments);
	return run(&arguments);
}
