// SPDX-License-Identifier: Apache-2.0
/*
 * Judges two headers. In: their texts. Out: yes or no.
 */
#include "page_access.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "herald/base/base64.h"
#include "herald/base/err.h"
#include "herald/base/ip.h"

static bool is_same_secret(const char *given, const char *secret)
{
	size_t given_length = strlen(given), length = strlen(secret);
	volatile unsigned char differs = given_length != length;

	for (size_t i = 0; i < length; i++)
		differs |= (unsigned char)(secret[i] ^ given[i < given_length ? i : given_length]);
	return !differs;
}

/* What follows the scheme; NULL: it is another one. */
static const char *after_scheme(const char *authorization, const char *scheme)
{
	size_t length = strlen(scheme);

	if (strncasecmp(authorization, scheme, length) != 0 || authorization[length] != ' ')
		return NULL;
	return authorization + length + strspn(authorization + length, " ");
}

bool page_access_has_token(const char *authorization, const char *token)
{
	const char *bearer = authorization ? after_scheme(authorization, "Bearer") : NULL;
	const char *basic = authorization ? after_scheme(authorization, "Basic") : NULL;
	AUTO_FREE char *pair = basic ? base64_decode_text(basic) : NULL;
	const char *colon = pair ? strchr(pair, ':') : NULL;
	bool same = false;

	if (*token == '\0')
		return false;
	if (bearer)
		same = is_same_secret(bearer, token);
	else if (colon)
		same = is_same_secret(colon + 1, token);
	if (pair)
		explicit_bzero(pair, strlen(pair));
	return same;
}

bool page_access_is_plain_host(const char *host)
{
	bool bracketed = host && host[0] == '[';
	char name[IP_TEXT_MAX];
	struct ip ip;
	size_t length;

	if (!host)
		return true;
	host += bracketed;
	length = strcspn(host, bracketed ? "]" : ":");
	if (length == 0 || length >= sizeof(name))
		return false;
	if (bracketed && (host[length] != ']' || (host[length + 1] && host[length + 1] != ':')))
		return false;
	memcpy(name, host, length);
	name[length] = '\0';
	return strcasecmp(name, "localhost") == 0 || ip_parse(name, &ip);
}
