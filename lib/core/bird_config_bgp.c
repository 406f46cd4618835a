// SPDX-License-Identifier: Apache-2.0
/*
 * The BGP part of BIRD's configuration but for the routes: for each session an export
 * filter and a protocol. Nothing here depends on Services.
 */
#include "bird_config_parts.h"

#define AS_TRANS 23456u	       /* RFC 6793 */
#define LINK_BANDWIDTH 0x0004u /* type and subtype of the extended community */
#define BIRD_NAME_MAX 96u

/* Steps to what a route asks for, since older BIRDs have no loops in filters. A peer of our
   own AS would take our number for a loop. */
static void write_prepend(FILE *out, const struct bgp_session *s, const char *attribute)
{
	if (s->internal)
		return;
	fprintf(out, "\tif defined(%s) then {\n", attribute);
	for (unsigned i = 1; i <= CONFIG_PREPEND_MAX; i++)
		fprintf(out, "\t\tif %s >= %u then bgp_path.prepend(%u);\n", attribute, i,
			s->local_asn);
	fputs("\t}\n", out);
}

/* draft-ietf-idr-link-bandwidth, the transitive form, since BIRD removes the other one on
   the way to another AS. It has room for 16 bits of an AS number. */
static void write_bandwidth(FILE *out, const struct bgp_session *s, const char *attribute)
{
	unsigned asn = s->local_asn <= UINT16_MAX ? s->local_asn : AS_TRANS;

	fprintf(out, "\tif defined(%s) then bgp_ext_community.add((generic, 0x%08x, %s));\n",
		attribute, LINK_BANDWIDTH << 16 | asn, attribute);
}

/* What BIRD exports only if the filter itself has set it. */
static void write_copies(FILE *out, const struct bgp_session *s, const char *prefix)
{
	char name[BIRD_NAME_MAX];

	snprintf(name, sizeof(name), "%s_%s", prefix, bird_attributes[BIRD_MED].name);
	fprintf(out, "\tif defined(%s) then bgp_med = %s;\n", name, name);
	snprintf(name, sizeof(name), "%s_%s", prefix, bird_attributes[BIRD_NEXT_HOP].name);
	fprintf(out, "\tif defined(%s) then bgp_next_hop = %s;\n", name, name);
	snprintf(name, sizeof(name), "%s_%s", prefix, bird_attributes[BIRD_BANDWIDTH].name);
	write_bandwidth(out, s, name);
	snprintf(name, sizeof(name), "%s_%s", prefix, bird_attributes[BIRD_PREPEND].name);
	write_prepend(out, s, name);
}

/* The route says something else to this session than to all. */
static void write_replacements(FILE *out, const struct bgp_session *s)
{
	for (size_t i = 0; i < bird_attribute_count; i++) {
		const struct bird_attribute *attribute = &bird_attributes[i];

		if (attribute->builtin)
			fprintf(out, "\tif defined(%s_%s) then %s = %s_%s; else unset(%s);\n",
				s->protocol, attribute->name, attribute->builtin, s->protocol,
				attribute->name, attribute->builtin);
	}
}

static void write_filter(FILE *out, const struct bgp_session *s)
{
	fprintf(out,
		"\nfilter %s_out {\n"
		"\tif source != RTS_STATIC then reject;\n"
		"\tif defined(%s_told) then {\n",
		s->protocol, s->protocol);
	write_replacements(out, s);
	write_copies(out, s, s->protocol);
	fputs("\taccept; }\n"
	      "\tif defined(herald_some) then reject;\n",
		out);
	write_copies(out, s, "herald");
	fputs("\taccept;\n"
	      "}\n",
		out);
}

static void write_neighbor(FILE *out, const struct bgp_session *s)
{
	fputs("\tlocal", out);
	if (s->source.family != IP_NONE)
		fprintf(out, " %s", ip_text(&s->source).s);
	fprintf(out, " port %u as %u;\n\tneighbor ", s->local_port, s->local_asn);
	if (s->dynamic)
		fprintf(out, "range %s/%u", ip_text(&s->range.address).s, s->range.length);
	else
		fprintf(out, "%s port %u", ip_text(&s->address).s, s->port);
	if (s->peer_asn)
		fprintf(out, " as %u;\n", s->peer_asn);
	else
		fprintf(out, " %s;\n", s->internal ? "internal" : "external");
	if (*s->interface)
		fprintf(out, "\tinterface \"%s\";\n", s->interface);
	if (s->dynamic)
		fprintf(out, "\tdynamic name \"%s\";\n", s->spawned);
	if (s->hops == 1)
		fputs("\tdirect;\n", out);
	else
		fprintf(out, "\tmultihop %u;\n", s->hops);
}

static void write_bfd_options(FILE *out, const struct config_bfd_profile *profile)
{
	fprintf(out,
		"\tbfd {\n"
		"\t\tmin rx interval %u ms;\n"
		"\t\tmin tx interval %u ms;\n"
		"\t\tmultiplier %u;\n"
		"\t\tpassive %s;\n"
		"\t};\n",
		profile->receive_interval_ms, profile->transmit_interval_ms,
		profile->detect_multiplier, profile->passive ? "on" : "off");
}

static void write_options(FILE *out, const struct bgp_session *s)
{
	fprintf(out,
		"\trouter id %s;\n"
		"\thold time %u;\n"
		"\tconnect retry time %u;\n"
		"\tconnect delay time 1;\n"
		"\terror wait time 1, 30;\n",
		ip_text(&s->router_id).s, s->hold_time_s, s->connect_time_s);
	if (s->keepalive_time_s)
		fprintf(out, "\tkeepalive time %u;\n", s->keepalive_time_s);
	if (s->ttl_security)
		fputs("\tttl security on;\n", out);
	if (s->passive)
		fputs("\tpassive on;\n", out);
	if (*s->vrf)
		fprintf(out, "\tvrf \"%s\";\n", s->vrf);
	if (*s->password)
		fprintf(out, "\tpassword \"%s\";\n", s->password);
	fprintf(out, "\tgraceful restart %s;\n", s->graceful_restart ? "on" : "aware");
	if (s->graceful_restart)
		fprintf(out, "\tgraceful restart time %u;\n", s->restart_time_s);
	if (s->long_lived_time_s)
		fprintf(out, "\tlong lived graceful restart on;\n\tlong lived stale time %u;\n",
			s->long_lived_time_s);
	if (s->bfd)
		write_bfd_options(out, &s->profile);
}

static void write_channel(FILE *out, const struct bgp_session *s, uint8_t family)
{
	bool v4 = family == IP_V4;
	bool over_v6 = (s->dynamic ? s->range.address.family : s->address.family) == IP_V6;
	const struct ip *next_hop = v4 ? &s->next_hop_v4 : &s->next_hop_v6;

	fprintf(out,
		"\t%s {\n"
		"\t\ttable %s;\n"
		"\t\timport none;\n"
		"\t\texport filter %s_out;\n",
		v4 ? "ipv4" : "ipv6", v4 ? BIRD_IPV4_TABLE : BIRD_IPV6_TABLE, s->protocol);
	if (over_v6 && v4) /* where the peer knows that (RFC 8950) */
		fputs("\t\textended next hop on;\n", out);
	if (next_hop->family != IP_NONE)
		fprintf(out, "\t\tnext hop address %s;\n", ip_text(next_hop).s);
	fputs("\t};\n", out);
}

static void write_block(FILE *out, const struct bgp_session *s)
{
	write_neighbor(out, s);
	write_options(out, s);
	if (s->ipv4)
		write_channel(out, s, IP_V4);
	if (s->ipv6)
		write_channel(out, s, IP_V6);
	fputs("}\n", out);
}

/* BIRD lets a protocol say anew what its template says, channels included. */
static void write_protocol(struct bird_writer *w, size_t index)
{
	const struct bgp_session *s = &w->wants->bgp->sessions[index];

	if (!*s->extra) {
		fprintf(w->out, "\nprotocol bgp %s {\n", s->protocol);
		write_block(w->out, s);
		return;
	}
	fprintf(w->out, "\ntemplate bgp %s_base {\n", s->protocol);
	write_block(w->out, s);
	fprintf(w->out, "\nprotocol bgp %s from %s_base {\n", s->protocol, s->protocol);
	bird_write_extra(w, index, s->extra);
	fputs("}\n", w->out);
}

/* A router such as FRR finds us on an unnumbered link by our router advertisements. A
   lifetime of 0 and no prefixes: no host there takes us for its router. */
static void write_advertisements(FILE *out, const struct bgp_plan *plan)
{
	bool any = false;

	for (size_t i = 0; i < plan->session_count; i++) {
		if (!*plan->sessions[i].interface)
			continue;
		if (!any)
			fputs("\nprotocol radv " BIRD_RADV_NAME " {\n"
			      "\tprefix ::/0 { skip; };\n",
				out);
		any = true;
		fprintf(out,
			"\tinterface \"%s\" {\n"
			"\t\tmin ra interval 3;\n"
			"\t\tmax ra interval 10;\n"
			"\t\tdefault lifetime 0;\n"
			"\t};\n",
			plan->sessions[i].interface);
	}
	if (any)
		fputs("}\n", out);
}

void bird_write_bgp(struct bird_writer *w)
{
	const struct bgp_plan *plan = w->wants->bgp;

	bird_write_routes(w->out, plan);
	write_advertisements(w->out, plan);
	if (*plan->extra) /* before the sessions, whose extra text may use what it defines */
		bird_write_extra(w, BIRD_BLAME_GLOBAL, plan->extra);
	for (size_t i = 0; i < plan->session_count; i++) {
		write_filter(w->out, &plan->sessions[i]);
		write_protocol(w, i);
	}
}
