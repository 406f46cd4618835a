// SPDX-License-Identifier: Apache-2.0
/*
 * Settings of the host that spoil layer 2. In: /proc/sys and /sys/class/net. Out: at
 * most one warning for each kind. Changes nothing.
 */
#include "host_check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONF "/proc/sys/net/ipv4/conf"

/* -1 where it cannot be read. */
static int read_setting(const char *interface, const char *name)
{
	char path[512];
	FILE *file;
	int value = -1;

	snprintf(path, sizeof(path), CONF "/%s/%s", interface, name);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%d", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

static int max_setting(const char *interface, const char *name)
{
	int all = read_setting("all", name), own = read_setting(interface, name);

	return all > own ? all : own;
}

/* In IPVS mode kube-proxy puts Service addresses on kube-ipvs0, and the kernel answers
   for them on every interface unless arp_ignore says otherwise. */
static void check_ipvs(struct log *log)
{
	if (access("/sys/class/net/kube-ipvs0", F_OK) != 0 ||
		read_setting("all", "arp_ignore") >= 1)
		return;
	log_warn(log,
		"kube-proxy runs in IPVS mode without strictARP: every node answers ARP for "
		"Service addresses",
		"mend", "set ipvs.strictARP: true in kube-proxy's configuration", "setting",
		"net.ipv4.conf.all.arp_ignore=0", NULL);
}

static void check_proxy_arp(struct log *log)
{
	DIR *folder = opendir(CONF);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)) != NULL) {
		const char *name = entry->d_name;

		/* Network plugins set it on the container side of purpose. */
		if (name[0] == '.' || strcmp(name, "all") == 0 || strcmp(name, "default") == 0 ||
			strncmp(name, "cali", 4) == 0 || strncmp(name, "veth", 4) == 0)
			continue;
		if (max_setting(name, "proxy_arp") >= 1) {
			log_warn(log,
				"proxy_arp is on: this node's kernel may answer ARP for "
				"addresses that another node owns",
				"interface", name, "mend",
				"sysctl -w net.ipv4.conf.<interface>.proxy_arp=0", NULL);
			break;
		}
	}
	if (folder)
		closedir(folder);
}

void host_check(struct log *log)
{
	check_ipvs(log);
	check_proxy_arp(log);
}
