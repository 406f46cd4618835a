// SPDX-License-Identifier: Apache-2.0
/*
 * From the text of --listen to a listening TCP socket. Addresses only, no host names: a
 * program must not depend on name resolution to start.
 */
#include "herald/io/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool parse_port(const char *text, uint16_t *ret)
{
	size_t length = strspn(text, "0123456789");
	unsigned long port;

	if (length == 0 || length > 5 || text[length] != '\0')
		return false;
	port = strtoul(text, NULL, 10);
	if (port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* Brackets are for IPv6, and only for it: without them its colons would be ambiguous. */
static bool parse_host(const char *text, size_t length, struct ip *ret)
{
	char host[IP_TEXT_MAX];
	bool bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';

	if (length == 0) {
		*ret = (struct ip){0};
		return true;
	}
	if (bracketed) {
		text++;
		length -= 2;
	}
	if (length >= sizeof(host))
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	return ip_parse(host, ret) && (ret->family == IP_V6) == bracketed;
}

int listen_parse(const char *text, struct listen_address *ret, struct err *e)
{
	const char *colon = strrchr(text, ':');
	struct listen_address address;

	if (!colon || !parse_host(text, (size_t)(colon - text), &address.ip))
		return err_set(e, -EINVAL,
			"\"%s\" is not an address to listen on: write 127.0.0.1:7472, "
			"[::1]:7472, or :7472 for all addresses",
			text);
	if (!parse_port(colon + 1, &address.port))
		return err_set(e, -EINVAL,
			"\"%s\" is not an address to listen on: the port \"%s\" is not a number "
			"from 0 to 65535",
			text, colon + 1);
	*ret = address;
	return 0;
}

static int fail(const struct listen_address *address, int error, struct err *e)
{
	struct ip_text ip = ip_text(&address->ip);
	bool v6 = address->ip.family == IP_V6;
	char shown[IP_TEXT_MAX + 2] = "";
	const char *hint = "";

	if (address->ip.family != IP_NONE)
		snprintf(shown, sizeof(shown), "%s%s%s", v6 ? "[" : "", ip.s, v6 ? "]" : "");
	if (error == EADDRINUSE)
		hint = "; another process has this port: choose another one with --listen";
	else if (error == EADDRNOTAVAIL)
		hint = "; no interface has this address: choose another one with --listen";
	else if (error == EACCES)
		hint = "; ports below 1024 need CAP_NET_BIND_SERVICE: choose another one with "
		       "--listen";
	return err_set(e, -error, "cannot listen on %s:%u: %s%s", shown, (unsigned)address->port,
		strerror(error), hint);
}

static socklen_t to_sockaddr(
	const struct listen_address *address, int family, struct sockaddr_storage *ret)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(address->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};

	/* IP_NONE has zero bytes, which is what "any" looks like in both families. */
	if (family == AF_INET) {
		memcpy(&v4.sin_addr, address->ip.bytes, sizeof(v4.sin_addr));
		memcpy(ret, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, address->ip.bytes, sizeof(v6.sin6_addr));
	memcpy(ret, &v6, sizeof(v6));
	return sizeof(v6);
}

static int open_socket(const struct listen_address *address, int family, int *ret_fd)
{
	struct sockaddr_storage name;
	socklen_t length = to_sockaddr(address, family, &name);
	int only_v6 = address->ip.family == IP_V6;
	int one = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return errno;
	/* A restarted program takes its port although old connections linger. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
		(family == AF_INET || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6,
					      sizeof(only_v6)) == 0) &&
		bind(fd, (struct sockaddr *)&name, length) == 0 && listen(fd, SOMAXCONN) == 0) {
		*ret_fd = fd;
		return 0;
	}
	error = errno;
	close(fd);
	return error;
}

int listen_open(const struct listen_address *address, int *ret_fd, struct err *e)
{
	int error = open_socket(address, address->ip.family == IP_V4 ? AF_INET : AF_INET6, ret_fd);

	/* All addresses, on a kernel that has no IPv6: the IPv4 ones. */
	if (error == EAFNOSUPPORT && address->ip.family == IP_NONE)
		error = open_socket(address, AF_INET, ret_fd);
	return error ? fail(address, error, e) : 0;
}
