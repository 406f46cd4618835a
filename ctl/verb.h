// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_VERB_H
#define HERALDCTL_VERB_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * What every verb has in common: its signature, its exit codes and its output. Results go
 * to stdout and nothing else does; what goes wrong is told on stderr. A wrong command
 * line ends in argp_error, with 64 (EX_USAGE) as the daemons do.
 */
enum verb_exit {
	VERB_GOOD = 0,
	VERB_FOUND = 1,	   /* what the verb looks for was found: a problem, a lost address */
	VERB_UNKNOWN = 2,  /* it could not be told: no answer, no input, no place to write */
	VERB_LEFT_OUT = 3, /* done, but for what was listed (import) */
};

/* argv[0] is "heraldctl VERB"; returns the exit code. One file each. */
typedef int verb_fn(int argc, char **argv);
verb_fn status_main, why_main, watch_main, services_main, pools_main, nodes_main, drain_main,
	bgp_main, undrain_main, bug_report_main, validate_main, diff_main, import_main,
	completion_main;
extern const struct argp status_argp, why_argp, watch_argp, services_argp, pools_argp, nodes_argp,
	bgp_argp, drain_argp, undrain_argp, bug_report_argp, validate_argp, diff_argp, import_argp,
	completion_argp;

enum output_format { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML };

#define OPTION_OUTPUT                                                                              \
	{                                                                                          \
		"output", 'o', "FORMAT", 0, "table (default), wide, json or yaml", 0               \
	}
/* The value of -o; anything else ends in argp_error. */
enum output_format output_format_of(const char *text, struct argp_state *state);

/* JSON or YAML, of the same shape. */
bool output_is_data(enum output_format format);
/* Writes the object in such a format, and releases it. */
void output_data(json_t *value, enum output_format format);

/* `code`, or VERB_UNKNOWN (told on stderr) when stdout could not take it all. */
int output_end(int code);

/*
 * Makes text from elsewhere fit to be shown: what is no UTF-8 or a control character
 * becomes '?', so that it can neither steer a terminal nor break JSON. Returns `text`.
 */
char *text_clean(char *text);

/* `list` with one more in it, malloc'ed; `list` is released. */
char *text_join(char *list, const char *separator, const char *more);

/* "heraldctl: TEXT" on stderr, cleaned. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
