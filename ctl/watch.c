// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl watch: a line for each thing that happens, until it is interrupted.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gather.h"
#include "herald/io/loop.h"
#include "news.h"
#include "verb.h"

struct watching {
	const struct asking *asking;
	struct gather *gather;
	struct picture last;
};

struct time_text {
	char s[sizeof("2026-11-25T14:50:01Z")];
};

static struct time_text time_now(void)
{
	time_t now = time(NULL);
	struct time_text text;
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(text.s, sizeof(text.s), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return text;
}

static void on_news(void *context, const char *what, const char *key, const char *text)
{
	const struct watching *w = context;
	AUTO_FREE char *about = text_clean(xstrdup(key)), *words = text_clean(xstrdup(text));
	json_t *item;

	if (!output_is_data(w->asking->output)) {
		printf("%s  %-9s  %s %s\n", time_now().s, what, about, words);
		return;
	}
	item = json_pack("{s:s, s:s, s:s, s:s}", "time", time_now().s, "what", what, "about", about,
		"text", words);
	if (w->asking->output == OUTPUT_YAML) {
		puts("---");
		output_data(item, OUTPUT_YAML);
		return;
	}
	(void)json_dumpf(item, stdout, JSON_COMPACT); /* one line each, for programs */
	putchar('\n');
	json_decref(item);
}

static void on_change(void *context)
{
	struct watching *w = context;
	struct picture before = w->last;
	struct view view;

	view_make(gather_facts(w->gather), &w->asking->cluster.rules, &view);
	picture_make(&view, &w->last);
	news_tell(&before, &w->last, &view, on_news, w);
	picture_done(&before);
	view_done(&view);
	if (output_end(VERB_GOOD) != VERB_GOOD)
		exit(VERB_UNKNOWN);
}

static int run(void *context, struct gather *gather)
{
	struct watching w = {.asking = context, .gather = gather};
	struct view view;

	view_make(gather_facts(gather), &w.asking->cluster.rules, &view);
	picture_make(&view, &w.last);
	complain("watching %zu Services and %zu nodes; end it with Ctrl-C",
		gather_facts(gather)->of[FACT_SERVICE].count,
		gather_facts(gather)->of[FACT_NODE].count);
	view_done(&view);
	gather_follow(gather, on_change, &w);
	loop_run(gather_session(gather)->loop);
	picture_done(&w.last);
	return VERB_GOOD;
}

static const char doc[] =
	"Tells what happens as it happens, a line each, until it is interrupted: addresses "
	"assigned, changed and released, moved from node to node and why, found to be another "
	"machine's; speakers that come and go; a configuration accepted or refused. With -o json "
	"each line is one object."
	"\vExit codes: 2 the API server could not be asked, 64 wrong command line.";

const struct argp watch_argp = {NULL, NULL, NULL, doc, asking_children, NULL, NULL};

int watch_main(int argc, char **argv)
{
	struct asking asking;

	asking_init(&asking);
	argp_parse(&watch_argp, argc, argv, 0, NULL, &asking);
	return with_facts(&asking.cluster, FACTS_ALL, run, &asking);
}
