// SPDX-License-Identifier: Apache-2.0
/*
 * Percent-encoding (RFC 3986, section 2.1) of everything but unreserved characters, so
 * that the result fits as a path segment as well as a query value.
 */
#include <string.h>

#include "herald/kube/client.h"

char *kube_escape(const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	char *escaped = xcalloc(3 * strlen(text) + 1, 1);
	char *to = escaped;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			strchr("-._~", c)) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
	return escaped;
}
