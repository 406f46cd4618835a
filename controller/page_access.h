// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_PAGE_ACCESS_H
#define HERALD_CONTROLLER_PAGE_ACCESS_H

#include <stdbool.h>

/*
 * Who may see the status page. Pure.
 *
 * With a token: whoever gives it, as a program (Authorization: Bearer TOKEN) or as a
 * browser does that has asked for a password (Basic; any name, the token as password).
 *
 * Without one: whoever reaches the port. Then the Host header must be an address or
 * "localhost": under a name of its own a foreign web site could have a browser that
 * reaches the port read it (DNS rebinding).
 */

/* `authorization`: the header; NULL: none. Takes the same time wherever they differ. */
bool page_access_has_token(const char *authorization, const char *token);
/* `host`: the header; NULL: none, so no browser. */
bool page_access_is_plain_host(const char *host);

#endif
