/* verb_completion.c - `help --completion`: completion for bash, from the table of verbs. What a verb takes is
 * read from its usage: a word that begins with -- is an option, and a word in capitals behind it its value. */
#include "app/verb.h"

#include <string.h>

static bool of_option(char c)
{
	return c == '-' || (c >= 'a' && c <= 'z');
}

static bool of_value(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* The next option of a usage, NULL at its end. *value: what stands behind it, of *value_bytes. */
static const char *next_option(
	const char **usage, size_t *bytes, const char **value, size_t *value_bytes)
{
	const char *name = strstr(*usage, "--");

	*bytes = *value_bytes = 0;
	if (!name)
		return NULL;
	while (of_option(name[*bytes]))
		++*bytes;
	*value = name + *bytes + (name[*bytes] == ' ');
	while (of_value((*value)[*value_bytes]))
		++*value_bytes;
	*usage = name + *bytes;
	return name;
}

static void print_options(FILE *out, const char *usage)
{
	const char *name, *value;
	size_t bytes, value_bytes;

	while ((name = next_option(&usage, &bytes, &value, &value_bytes)))
		fprintf(out, " %.*s", (int)bytes, name);
}

/* The pattern of all options that want a value; with `files` of those that want a file, else of the others. */
static void print_valued(FILE *out, bool files)
{
	for (const struct verb *v = verbs; v->name; v++) {
		const char *usage = v->usage, *name, *value;
		size_t bytes, value_bytes;

		while ((name = next_option(&usage, &bytes, &value, &value_bytes)))
			if (value_bytes && files == (value_bytes == 4 && !memcmp(value, "FILE", 4)))
				fprintf(out, " | %.*s", (int)bytes, name);
	}
}

/* First words, or the second ones behind `first`. */
static void print_words(FILE *out, const char *first)
{
	size_t skip = first ? strlen(first) + 1 : 0;
	const char *last = "";

	for (const struct verb *v = verbs; v->name; v++) {
		if (first && (strncmp(v->name, first, skip - 1) || v->name[skip - 1] != ' '))
			continue;

		const char *word = v->name + skip;
		size_t bytes = strcspn(word, " ");

		if (strncmp(last, word, bytes) || last[bytes] != ' ')
			fprintf(out, " %.*s", (int)bytes, word);
		last = word;
	}
}

static void print_cases(FILE *out)
{
	const char *group = "";

	for (const struct verb *v = verbs; v->name; v++) {
		const char *blank = strchr(v->name, ' ');
		size_t first = blank ? (size_t)(blank - v->name) : 0;

		if (blank && strncmp(group, v->name, first + 1) != 0) {
			char word[32];

			group = v->name;
			snprintf(word, sizeof word, "%.*s", (int)first, v->name);
			fprintf(out, "\t%s) words=\"", word);
			print_words(out, word);
			fputs("\" ;;\n", out);
		}
		fprintf(out, "\t'%s') words=\"", v->name);
		if (!v->raw)
			fputs(v->needs == NEEDS_NOTHING ? " --help" : " --env-file --help", out);
		print_options(out, v->usage);
		if (strstr(v->usage, "[VERB"))
			print_words(out, NULL);
		fprintf(out, "\"%s ;;\n", strstr(v->usage, "FILE|DIR") ? " files=yes" : "");
	}
}

void print_completion(FILE *out)
{
	fputs("# bash completion of scorebox: made by `scorebox help --completion`\n"
	      "_scorebox()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb= words= files= i\n\n"
	      "\t# --name=value comes as three words.\n"
	      "\t[[ $prev = = ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	      "\t[[ $cur = = ]] && cur=\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n"
	      "\t\t--env-file) [[ ${COMP_WORDS[i + 1]} = = ]] && ((i++)); ((i++)) ;;\n"
	      "\t\t-*) [[ $verb ]] && break ;;\n"
	      "\t\t*) verb+=${verb:+ }${COMP_WORDS[i]} ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\tcase $verb in\n"
	      "\t'') words=\"--env-file --help --version",
		out);
	print_words(out, NULL);
	fputs("\" ;;\n", out);
	print_cases(out);
	fputs("\tesac\n"
	      "\tcase $prev in\n"
	      "\t--env-file",
		out);
	print_valued(out, true);
	fputs(") files=yes words= ;;\n"
	      "\t''",
		out);
	print_valued(out, false);
	fputs(") words= files= ;;\n"
	      "\tesac\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "\tif [[ $files && $cur != -* ]]; then\n"
	      "\t\tcompopt -o filenames 2>/dev/null\n"
	      "\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$cur\")\n"
	      "\tfi\n"
	      "}\n"
	      "complete -F _scorebox scorebox\n",
		out);
}
