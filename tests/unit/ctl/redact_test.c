// SPDX-License-Identifier: Apache-2.0
/* What a bug report leaves out (B07). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "redact.h"

struct config_case {
	const char *what, *text, *expect;
};

static const struct config_case configs[] = {
	{"nothing secret stays as it is, but for remarks",
		"pools: # here\n- {name: a, priority: 7, autoAssign: true}\n",
		"pools:\n- name: a\n  priority: 7\n  autoAssign: true\n"},
	{"a password", "peers: [{name: tor, password: hunter22}]\n",
		"peers:\n- name: tor\n  password: REDACTED\n"},
	{"a Secret's name is none", "passwordSecret: {name: tor-password}\n",
		"passwordSecret:\n  name: tor-password\n"},
	{"a password where a Secret's name should be", "passwordSecret: hunter22\n",
		"passwordSecret: REDACTED\n"},
	{"a whole mapping under such a key", "credentials: {user: u, key: [hunter22]}\n",
		"credentials: REDACTED\n"},
	{"a misspelt key", "pasword: hunter22\npwd: hunter22\npassive: true\n",
		"pasword: REDACTED\npwd: REDACTED\npassive: true\n"},
	{"text for BIRD that sets one", "birdConfig: 'x { password \"hunter22\"; }'\n",
		"birdConfig: REDACTED\n"},
	{"no YAML", "a: [hunter22\n", "# REDACTED: 13 bytes that are no configuration in YAML\n"},
	{"an alias", "a: &x hunter22\nb: *x\n",
		"# REDACTED: 21 bytes that are no configuration in YAML\n"},
	{"text alone", "hunter22", "# REDACTED: 8 bytes that are no configuration in YAML\n"},
	{"nothing", "", "# REDACTED: 0 bytes that are no configuration in YAML\n"},
};

static void B07_configurations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		struct redaction redaction = {0};
		char *text = redact_config(&redaction, configs[i].text, strlen(configs[i].text));

		if (strcmp(text, configs[i].expect) != 0)
			fail_msg("%s: %s", configs[i].what, text);
		free(text);
		redaction_done(&redaction);
	}
}

static void B07_what_was_seen_is_blotted_out_elsewhere(void **state)
{
	static const char config[] = "password: \"hun\\\\ter\"\npasswords: [hunter22, abc]\n";
	struct redaction redaction = {0};
	char *text = redact_config(&redaction, config, strlen(config));

	(void)state;
	free(text);
	text = redact_text(&redaction, "hunter22 hunter22, {\"m\":\"hun\\\\ter\"} hun\\ter abc");
	/* "abc" is too short to be looked for. */
	assert_string_equal(text, "REDACTED REDACTED, {\"m\":\"REDACTED\"} REDACTED abc");
	free(text);
	redaction_done(&redaction);
}

struct object_case {
	const char *what, *object, *expect;
};

static const struct object_case objects[] = {
	{"annotations of others",
		"{'metadata':{'annotations':{'herald.io/ips':'a','x/y':'hunter22'},"
		"'managedFields':[1]}}",
		"{'metadata':{'annotations':{'herald.io/ips':'a','x/y':'REDACTED'}}}"},
	{"environment of a pod",
		"{'spec':{'containers':[{'env':[{'name':'A','value':'hunter22'},"
		"{'name':'B','valueFrom':{}}]}],'initContainers':[{'env':[{'value':'hunter22'}]}]}"
		"}",
		"{'spec':{'containers':[{'env':[{'name':'A','value':'REDACTED'},"
		"{'name':'B','valueFrom':{}}]}],'initContainers':[{'env':[{'value':'REDACTED'}]}]}"
		"}"},
	{"and of a template",
		"{'spec':{'template':{'metadata':{'annotations':{'a':'hunter22'}},"
		"'spec':{'containers':[{'env':[{'value':'hunter22'}]}]}}}}",
		"{'spec':{'template':{'metadata':{'annotations':{'a':'REDACTED'}},"
		"'spec':{'containers':[{'env':[{'value':'REDACTED'}]}]}}}}"},
	{"data", "{'data':{'config.yaml':'a: 1','x':'hunter22'},'binaryData':{'y':'hunter22'}}",
		"{'data':{'config.yaml':'a: 1\\n','x':'REDACTED'},'binaryData':{'y':'REDACTED'}}"},
	{"wrong types everywhere",
		"{'metadata':7,'spec':{'containers':{'env':7},'template':[]},'data':[]}",
		"{'metadata':7,'spec':{'containers':{'env':7},'template':[]},'data':[]}"},
};

/* Quotes are written as ' above. */
static json_t *load(const char *text)
{
	char *json = strdup(text);
	json_t *value;

	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	value = json_loads(json, 0, NULL);
	assert_non_null(value);
	free(json);
	return value;
}

static void B07_objects(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		json_t *object = load(objects[i].object), *expect = load(objects[i].expect);
		struct redaction redaction = {0};

		redact_object(&redaction, object);
		if (!json_equal(object, expect))
			fail_msg("%s", objects[i].what);
		json_decref(object);
		json_decref(expect);
		redaction_done(&redaction);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B07_configurations),
		cmocka_unit_test(B07_what_was_seen_is_blotted_out_elsewhere),
		cmocka_unit_test(B07_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
