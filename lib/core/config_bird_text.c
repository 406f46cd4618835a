// SPDX-License-Identifier: Apache-2.0
/*
 * Text in BIRD's own language that an administrator adds. It is put into a block of what
 * Herald writes, so it must not be able to end that block, nor to read further files:
 * brackets are in pairs, strings and comments end, and nothing is included. Whether it
 * makes sense is BIRD's to say.
 */
#include <stdio.h>
#include <string.h>

#include "config_bgp.h"

#define TEXT_MAX (64u * 1024)
#define DEPTH_MAX 64u

struct scanner {
	const char *at;
	char open[DEPTH_MAX]; /* which closing brackets are awaited */
	size_t depth;
	const char *why; /* what is wrong at `at`; NULL so far */
};

/* The text from `at` through the first `end`; "" and `why` set when there is none. */
static void skip_to(struct scanner *s, const char *end, const char *why)
{
	const char *found = strstr(s->at, end);

	if (!found)
		s->why = why;
	else
		s->at = found + strlen(end);
}

static void skip_string(struct scanner *s)
{
	size_t length = strcspn(s->at + 1, "\"\n");

	if (s->at[1 + length] != '"')
		s->why = "has a string without an end";
	else
		s->at += length + 2;
}

static void skip_comment_line(struct scanner *s)
{
	s->at += strcspn(s->at, "\n");
}

static void open_bracket(struct scanner *s, char closing)
{
	if (s->depth == DEPTH_MAX) {
		s->why = "has more than 64 brackets within one another";
		return;
	}
	s->open[s->depth++] = closing;
	s->at++;
}

static void close_bracket(struct scanner *s)
{
	if (s->depth == 0 || s->open[s->depth - 1] != *s->at) {
		s->why = "closes a bracket that it has not opened";
		return;
	}
	s->depth--;
	s->at++;
}

static void skip_word(struct scanner *s)
{
	size_t length =
		strspn(s->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	if (length == 7 && strncmp(s->at, "include", length) == 0)
		s->why = "includes a file: write what that has here";
	else
		s->at += length ? length : 1;
}

static void scan_one(struct scanner *s)
{
	unsigned char c = (unsigned char)*s->at;

	if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
		s->why = "has a control character";
	else if (c == '"')
		skip_string(s);
	else if (c == '#')
		skip_comment_line(s);
	else if (c == '/' && s->at[1] == '*') {
		s->at += 2;
		skip_to(s, "*/", "has a comment without an end");
	} else if (c == '{')
		open_bracket(s, '}');
	else if (c == '(')
		open_bracket(s, ')');
	else if (c == '[')
		open_bracket(s, ']');
	else if (c == '}' || c == ')' || c == ']')
		close_bracket(s);
	else
		skip_word(s);
}

static unsigned line_of(const char *text, const char *at)
{
	unsigned line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

void config_read_bird_text(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const char *text = config_text(r, node);
	struct scanner s = {.at = text};
	const char **out = ret;

	(void)rule;
	if (!text)
		return;
	if (node->length > TEXT_MAX)
		s.why = "is longer than 64 KiB";
	while (!s.why && *s.at)
		scan_one(&s);
	if (!s.why && s.depth > 0)
		s.why = "opens a bracket that it does not close";
	if (s.why)
		config_problem(r, node,
			"%s, in its line %u: it must be whole statements in BIRD's language, which "
			"can stand in a block",
			s.why, line_of(text, s.at));
	else
		*out = arena_strndup(r->memory, text, node->length);
}
