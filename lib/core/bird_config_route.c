// SPDX-License-Identifier: Apache-2.0
/*
 * The routes in BIRD's configuration: a static protocol per family, with a line per route
 * and what the route says in its own block.
 */
#include "bird_config_parts.h"

static void write_static(FILE *out, const struct bgp_plan *plan, uint8_t family)
{
	bool v4 = family == IP_V4;

	fprintf(out,
		"\nprotocol static %s {\n"
		"\t%s { table %s; };\n",
		v4 ? BIRD_IPV4_NAME : BIRD_IPV6_NAME, v4 ? "ipv4" : "ipv6",
		v4 ? BIRD_IPV4_TABLE : BIRD_IPV6_TABLE);
	for (size_t i = 0; i < plan->route_count; i++) {
		const struct ip_prefix *prefix = &plan->routes[i].prefix;

		if (prefix->address.family == family)
			fprintf(out, "\troute %s/%u unreachable;\n", ip_text(&prefix->address).s,
				prefix->length);
	}
	fputs("}\n", out);
}

void bird_write_routes(FILE *out, const struct bgp_plan *plan)
{
	fputs("\nipv4 table " BIRD_IPV4_TABLE ";\nipv6 table " BIRD_IPV6_TABLE ";\n", out);
	write_static(out, plan, IP_V4);
	write_static(out, plan, IP_V6);
}
