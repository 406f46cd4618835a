// SPDX-License-Identifier: Apache-2.0
/*
 * The floor that Herald is measured against: a program that does what the protocol
 * demands and nothing else. It PATCHes as soon as the watch shows a Service without an
 * address. It decides nothing, remembers nothing, decodes nothing: it looks for words in
 * the lines that the server sends, and the body of its PATCH is a template of the size of
 * Herald's. Only Services named svc-NUMBER in the namespace "bench" are looked at.
 *
 *     kube_floor list   URL CA TOKEN            read all Services once
 *     kube_floor assign URL CA TOKEN N BODY     give N Services an address each
 *     kube_floor await  URL CA TOKEN N          watch until N Services have an address
 *     kube_floor create URL CA TOKEN N BODY     create N Services (no floor of anything)
 *
 * It says "ready" once it has seen what exists, and ends with a line of JSON: monotonic
 * times in seconds (first, last: of what is counted), counts, its own processor time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "floor_client.h"
#include "herald/base/err.h"

#define SERVICES_PATH "/api/v1/namespaces/bench/services"
#define NAME "\"name\":\"svc-"
#define HAS_ADDRESS "\"ingress\":["
#define NUMBERS_MAX 100000u

struct floor {
	struct floor_client *client;
	char *template;
	size_t wanted, done, objects;
	double listed_at, first_at, last_at;
	uint8_t seen[NUMBERS_MAX]; /* by the number in the name */
	bool finished;
};

struct floor_mode {
	const char *name;
	int arguments;
	bool watches;
	struct floor_sink sink;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count_done(void *context)
{
	struct floor *floor = context;

	floor->last_at = now();
	if (floor->done++ == 0)
		floor->first_at = floor->last_at;
	floor->finished = floor->done >= floor->wanted;
}

static void tell_listed(void *context)
{
	((struct floor *)context)->listed_at = now();
	puts("ready");
	fflush(stdout);
}

/* False: none of ours, or its number was seen before. */
static bool is_new(struct floor *floor, const char *line, unsigned long *ret_number)
{
	const char *name = strstr(line, NAME);
	unsigned long number = name ? strtoul(name + strlen(NAME), NULL, 10) : NUMBERS_MAX;

	if (number >= NUMBERS_MAX || floor->seen[number])
		return false;
	floor->seen[number] = 1;
	*ret_number = number;
	return true;
}

/* `template` with the values in the place of their @MARKS@. */
static char *filled(const char *template, const char *const values[][2], size_t count)
{
	char *text = xstrdup("");

	while (*template) {
		size_t plain = strcspn(template, "@"), i = 0;
		const char *mark = template + plain;
		char *longer;

		while (*mark && i < count && strncmp(mark, values[i][0], strlen(values[i][0])) != 0)
			i++;
		if (*mark && i == count)
			DIE("the body has a mark that is not known");
		longer = xasprintf(
			"%s%.*s%s", text, (int)plain, template, *mark ? values[i][1] : "");
		free(text);
		text = longer;
		template = mark + (*mark ? strlen(values[i][0]) : 0);
	}
	return text;
}

/* ---- list ---- */

static void count_object(void *context, const char *line)
{
	(void)line;
	((struct floor *)context)->objects++;
}

static void end_list(void *context)
{
	tell_listed(context);
	((struct floor *)context)->finished = true;
}

/* ---- assign ---- */

static void assign(void *context, const char *line)
{
	struct floor *floor = context;
	unsigned long n;

	if (strstr(line, HAS_ADDRESS) || !is_new(floor, line, &n))
		return;
	AUTO_FREE char *uid = floor_text_after(line, "\"uid\":\"");
	AUTO_FREE char *version = floor_text_after(line, "\"resourceVersion\":\"");
	AUTO_FREE char *address =
		xasprintf("10.%lu.%lu.%lu", 200 + n / 10000, 100 + n / 100 % 100, 100 + n % 100);
	const char *const values[][2] = {
		{"@UID@", uid}, {"@VERSION@", version}, {"@ADDRESS@", address}};

	floor_client_write_take(floor->client, "PATCH",
		xasprintf(SERVICES_PATH "/svc-%05lu/status", n),
		filled(floor->template, values, 3));
}

/* ---- await ---- */

static void await(void *context, const char *line)
{
	unsigned long number;

	if (strstr(line, HAS_ADDRESS) && is_new(context, line, &number))
		count_done(context);
}

static void ignore(void *context)
{
	(void)context;
}

/* ---- create ---- */

static void start_creating(struct floor *floor)
{
	for (size_t i = 0; i < floor->wanted; i++) {
		AUTO_FREE char *number = xasprintf("%05zu", i);
		const char *const values[][2] = {{"@NUMBER@", number}};

		floor_client_write_take(floor->client, "POST", xstrdup(SERVICES_PATH),
			filled(floor->template, values, 1));
	}
}

/* ---- the program ---- */

static const struct floor_mode modes[] = {
	{"list", 5, true, {.line = count_object, .listed = end_list, .written = ignore}},
	{"assign", 7, true, {.line = assign, .listed = tell_listed, .written = count_done}},
	{"await", 6, true, {.line = await, .listed = tell_listed, .written = ignore}},
	{"create", 7, false, {.written = count_done}},
};

static const struct floor_mode *find_mode(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (argc == modes[i].arguments && strcmp(argv[1], modes[i].name) == 0)
			return &modes[i];
	}
	return NULL;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = xcalloc(65536, 1);

	if (!file || fread(text, 1, 65535, file) == 0)
		DIE("cannot read the file with the body");
	fclose(file);
	return text;
}

static void report(const struct floor *floor, double started)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("{\"started\": %.6f, \"listed\": %.6f, \"first\": %.6f, \"last\": %.6f, "
	       "\"done\": %zu, \"objects\": %zu, \"bytes\": %zu, \"resumed\": %zu, \"cpu\": "
	       "%.3f}\n",
		started, floor->listed_at, floor->first_at, floor->last_at, floor->done,
		floor->objects, floor_client_bytes(floor->client),
		floor_client_resumed(floor->client),
		(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

/* What it holds goes with the process, which ends as soon as it is done. */
int main(int argc, char **argv)
{
	static struct floor floor;
	const struct floor_mode *mode = find_mode(argc, argv);
	double started = now();

	if (!mode) {
		fputs("usage: kube_floor list|assign|await|create URL CA TOKEN [COUNT [BODY]]\n",
			stderr);
		return 64;
	}
	const struct floor_server server = {.url = argv[2], .ca = argv[3], .token = argv[4]};

	floor.wanted = argc > 5 ? strtoull(argv[5], NULL, 10) : 0;
	if (argc > 6)
		floor.template = read_file(argv[6]);
	floor.client = floor_client_new(&server, &mode->sink, &floor);
	if (mode->watches)
		floor_client_watch(floor.client);
	else
		start_creating(&floor);
	floor_client_run(floor.client, &floor.finished);
	report(&floor, started);
	return 0;
}
