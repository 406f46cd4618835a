// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl completion: scripts that let a shell complete verbs, options and the words that
 * some verbs want, made from the table of verbs and the options that argp knows of each.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "verbs.h"

/* Every option of a verb, those of its children too. */
typedef void option_fn(const struct argp_option *option, const struct verb *verb);

static void each_option(const struct argp *argp, option_fn *fn, const struct verb *verb)
{
	for (const struct argp_option *o = argp->options;
		o && (o->name || o->key || o->doc || o->group); o++) {
		if (o->name)
			fn(o, verb);
	}
	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		each_option(child->argp, fn, verb);
}

static void print_long(const struct argp_option *option, const struct verb *verb)
{
	(void)verb;
	printf(" --%s%s", option->name, option->arg ? "=" : "");
}

static void print_bash(void)
{
	fputs("# bash completion of heraldctl: source <(heraldctl completion bash)\n"
	      "_heraldctl() {\n"
	      "	local word=${COMP_WORDS[COMP_CWORD]} verb='' words='' i\n"
	      "	[[ $word == = ]] && word=''\n"
	      "	for ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "		[[ ${COMP_WORDS[i]} == -* ]] || { verb=${COMP_WORDS[i]}; break; }\n"
	      "	done\n"
	      "	case ${COMP_WORDS[COMP_CWORD-1]} in\n"
	      "	-o | --output) words='table wide json yaml' verb=- ;;\n"
	      "	esac\n"
	      "	case $verb in\n"
	      "	-) ;;\n"
	      "	'') words='",
		stdout);
	for (size_t i = 0; verbs_at(i); i++)
		printf("%s%s", i ? " " : "", verbs_at(i)->name);
	fputs("' ;;\n", stdout);
	for (size_t i = 0; verbs_at(i); i++) {
		const struct verb *verb = verbs_at(i);

		printf("	%s)\n		words='--help", verb->name);
		each_option(verb->argp, print_long, verb);
		fputs("'\n", stdout);
		if (verb->words)
			printf("		[[ $word == -* ]] || words='%s'\n", verb->words);
		fputs("		;;\n", stdout);
	}
	fputs("	esac\n"
	      "	mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	      "	[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
	      "	return 0\n"
	      "}\n"
	      "complete -o default -F _heraldctl heraldctl\n",
		stdout);
}

/* Text between single quotes of a shell; a quote ends them for a moment. */
static void print_quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
}

/* In zsh's option specifications brackets and colons have a meaning. */
static void print_zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void print_zsh_option(const struct argp_option *option, const struct verb *verb)
{
	(void)verb;
	printf(" \\\n			'--%s%s[", option->name, option->arg ? "=" : "");
	print_zsh_text(option->doc ? option->doc : "");
	putchar(']');
	if (option->arg && strcmp(option->name, "output") == 0)
		fputs(":format:(table wide json yaml)", stdout);
	else if (option->arg)
		printf(":%s:_files", option->arg);
	putchar('\'');
}

static void print_zsh(void)
{
	fputs("#compdef heraldctl\n"
	      "# zsh completion of heraldctl: heraldctl completion zsh "
	      ">\"${fpath[1]}/_heraldctl\"\n"
	      "_heraldctl() {\n"
	      "	local -a verbs\n"
	      "	verbs=(",
		stdout);
	for (size_t i = 0; verbs_at(i); i++) {
		printf("\n		'%s:", verbs_at(i)->name);
		print_zsh_text(verbs_at(i)->what);
		putchar('\'');
	}
	fputs("\n	)\n"
	      "	if ((CURRENT == 2)); then\n"
	      "		_describe verb verbs\n"
	      "		return\n"
	      "	fi\n"
	      "	local verb=$words[2]\n"
	      "	shift words\n"
	      "	((CURRENT--))\n"
	      "	case $verb in\n",
		stdout);
	for (size_t i = 0; verbs_at(i); i++) {
		const struct verb *verb = verbs_at(i);

		printf("	%s)\n		_arguments '--help[what it does]'", verb->name);
		each_option(verb->argp, print_zsh_option, verb);
		if (verb->words)
			printf(" \\\n			'1:word:(%s)' '*:file:_files'\n",
				verb->words);
		else
			fputs(" \\\n			'*:file:_files'\n", stdout);
		fputs("		;;\n", stdout);
	}
	fputs("	esac\n"
	      "}\n"
	      "_heraldctl \"$@\"\n",
		stdout);
}

static void print_fish_option(const struct argp_option *option, const struct verb *verb)
{
	printf("complete -c heraldctl -n '__fish_seen_subcommand_from %s' -l %s", verb->name,
		option->name);
	if (option->key > ' ' && option->key < 0x7f)
		printf(" -s %c", option->key);
	if (option->arg && strcmp(option->name, "output") == 0)
		fputs(" -x -a 'table wide json yaml'", stdout);
	else if (option->arg)
		fputs(" -r", stdout);
	fputs(" -d '", stdout);
	print_quoted(option->doc ? option->doc : "");
	fputs("'\n", stdout);
}

static void print_fish(void)
{
	puts("# fish completion of heraldctl: heraldctl completion fish | source");
	for (size_t i = 0; verbs_at(i); i++) {
		const struct verb *verb = verbs_at(i);

		printf("complete -c heraldctl -n __fish_use_subcommand -f -a %s -d '", verb->name);
		print_quoted(verb->what);
		fputs("'\n", stdout);
		if (verb->words)
			printf("complete -c heraldctl -n '__fish_seen_subcommand_from %s' -f -a "
			       "'%s'\n",
				verb->name, verb->words);
		each_option(verb->argp, print_fish_option, verb);
	}
}

static const struct shell {
	const char *name;
	void (*print)(void);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

static error_t parse(int key, char *value, struct argp_state *state)
{
	const struct shell **chosen = state->input;

	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "for which shell? bash, zsh or fish");
	if (key != ARGP_KEY_ARG)
		return key == ARGP_KEY_NO_ARGS ? 0 : ARGP_ERR_UNKNOWN;
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(value, shells[i].name) == 0)
			*chosen = &shells[i];
	}
	if (!*chosen)
		argp_error(state, "\"%s\" is none of bash, zsh and fish", value);
	return 0;
}

static const char doc[] =
	"Writes a script by which the shell completes heraldctl's verbs and options: in bash, "
	"source <(heraldctl completion bash)."
	"\vExit codes: 0 done, 2 the script could not be written, 64 wrong command line.";

const struct argp completion_argp = {NULL, parse, "bash|zsh|fish", doc, NULL, NULL, NULL};

int completion_main(int argc, char **argv)
{
	const struct shell *shell = NULL;

	argp_parse(&completion_argp, argc, argv, 0, NULL, &shell);
	shell->print();
	return VERB_GOOD;
}
