// SPDX-License-Identifier: Apache-2.0
/*
 * BIRD's tables of protocols and routes, read line by line. In: a whole reply. Out: the
 * BGP sessions in it, or prefixes. A line that says nothing of these is passed over, so
 * that another version of BIRD may say more.
 */
#include "herald/core/bird_bgp.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

#define CODE_PROTOCOL 1002
#define CODE_PROTOCOL_DETAIL 1006
#define CODE_ROUTE 1007
#define WORD_MAX 64u

static void keep_text(char *ret, size_t room, const char *text, size_t length)
{
	size_t kept = 0;

	for (size_t i = 0; i < length && kept + 1 < room; i++) {
		if (text[i] >= ' ' && text[i] <= '~')
			ret[kept++] = text[i];
	}
	ret[kept] = '\0';
}

/* The next word; `text` behind it. A word that is too long is none: "". */
static const char *next_word(const char *text, char ret[static WORD_MAX])
{
	size_t length;

	text += strspn(text, " \t");
	length = strcspn(text, " \t");
	keep_text(ret, WORD_MAX, text, length < WORD_MAX ? length : 0);
	return text + length;
}

/* "herald_r1  BGP  ---  start  10:14:18.578  Active  Socket: Connection refused" */
static bool begin_session(const char *text, struct bird_bgp *ret)
{
	char name[WORD_MAX], kind[WORD_MAX];

	next_word(next_word(text, name), kind);
	if (strcmp(kind, "BGP") != 0 || !*name)
		return false;
	*ret = (struct bird_bgp){0};
	memcpy(ret->name, name, sizeof(ret->name));
	return true;
}

/* What follows the label of a line; NULL: it has another one. */
static const char *value_of(const char *text, const char *label)
{
	size_t length = strlen(label);

	text += strspn(text, " \t");
	if (strncmp(text, label, length) != 0)
		return NULL;
	text += length;
	return text + strspn(text, " \t");
}

/* "0 imported, 3 exported, 0 preferred"; with an import table there is a "filtered", too. */
static uint32_t exported_of(const char *text)
{
	const char *at = strstr(text, " exported");
	const char *digits = at;
	uint64_t count = 0;

	while (digits && digits > text && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	for (; digits && digits < at && count <= UINT32_MAX; digits++)
		count = 10 * count + (uint64_t)(*digits - '0');
	return count <= UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

static void add_detail(const char *text, struct bird_bgp *session)
{
	const char *value;

	if ((value = value_of(text, "BGP state:"))) {
		keep_text(session->state, sizeof(session->state), value, strlen(value));
		session->up = strcmp(session->state, "Established") == 0;
	} else if ((value = value_of(text, "Last error:"))) {
		keep_text(session->error, sizeof(session->error), value, strlen(value));
	} else if ((value = value_of(text, "Routes:"))) {
		uint32_t more = exported_of(value);

		session->exported = more > UINT32_MAX - session->exported
					    ? UINT32_MAX
					    : session->exported + more;
	}
}

size_t bird_bgp_sessions(const struct bird_reply *reply, struct bird_bgp *ret, size_t room)
{
	struct bird_bgp *current = NULL;
	size_t count = 0;

	for (size_t i = 0; i < bird_reply_count(reply); i++) {
		struct bird_line line = bird_reply_at(reply, i);

		if (line.code == CODE_PROTOCOL) {
			current = NULL;
			if (count < room && begin_session(line.text, &ret[count]))
				current = &ret[count++];
		} else if (line.code == CODE_PROTOCOL_DETAIL && current) {
			add_detail(line.text, current);
		}
	}
	return count;
}

struct ip_prefix *bird_bgp_prefixes(const struct bird_reply *reply, size_t *ret_count)
{
	struct ip_prefix *prefixes = xcalloc(bird_reply_count(reply) + 1, sizeof(*prefixes));
	size_t count = 0;

	for (size_t i = 0; i < bird_reply_count(reply); i++) {
		struct bird_line line = bird_reply_at(reply, i);
		char word[WORD_MAX];

		next_word(line.text, word);
		if (line.code == CODE_ROUTE && ip_prefix_parse(word, &prefixes[count]))
			count++;
	}
	*ret_count = count;
	return prefixes;
}
