/* settings.c - from the environment and the env file into a struct config, by the one table. */
#include "app/settings.h"

#include "app/settings_private.h"
#include "base/file.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- complaints ---- */

static void PRINTF_LIKE(3, 0)
	complain(struct loading *l, bool wrong, const char *format, va_list arguments)
{
	char text[1200];

	vsnprintf(text, sizeof text, format, arguments);
	l->wrong += wrong;
	if (l->request->report)
		l->request->report(l->request->context, wrong, text);
}

void loading_wrong(struct loading *l, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(l, true, format, arguments);
	va_end(arguments);
}

void loading_warn(struct loading *l, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(l, false, format, arguments);
	va_end(arguments);
}

static void wrong_line(void *context, unsigned line, const char *text)
{
	struct loading *l = context;

	loading_wrong(l, "'%s' line %u: %s", l->request->env_file, line, text);
}

char *loading_keep(struct loading *l, const char *text)
{
	static char nothing[1];
	char *kept = arena_copy(&l->made->arena, text, strlen(text));

	l->no_memory = l->no_memory || !kept;
	return kept ? kept : nothing;
}

static struct setting_value *value_of(const struct loading *l, const char *name)
{
	return &l->made->value[setting_place(name)];
}

bool loading_given(const struct loading *l, const char *name)
{
	return value_of(l, name)->origin != FROM_DEFAULT;
}

bool loading_bad(const struct loading *l, const char *name)
{
	return value_of(l, name)->bad;
}

/* ---- where a text comes from ---- */

static const char *environment_find(char **environment, const char *name)
{
	size_t length = strlen(name);

	for (char **entry = environment; entry && *entry; entry++)
		if (!strncmp(*entry, name, length) && (*entry)[length] == '=')
			return *entry + length + 1;
	return NULL;
}

/* An empty text counts as not set: that is how compose files and units unset things. */
static const char *raw(const struct loading *l, const char *name, enum setting_origin *origin)
{
	const char *text = environment_find(l->request->environment, name);

	*origin = FROM_ENVIRONMENT;
	if (!text) {
		text = envfile_find(&l->file, name);
		*origin = FROM_FILE;
	}
	return text && *text ? text : NULL;
}

static void file_name_of(const struct setting *s, char *out, size_t out_bytes)
{
	snprintf(out, out_bytes, "%s_FILE", s->name);
}

/* Reads NAME_FILE. NULL when there is none or it is no good, which then was said. */
static char *secret_from_file(
	struct loading *l, const struct setting *s, struct setting_value *value)
{
	char name[80];
	const char *path;
	char *bytes, *kept;
	bool loose = false;
	struct why why;

	file_name_of(s, name, sizeof name);
	path = raw(l, name, &value->origin);
	if (!path)
		return NULL;
	if (file_read_secret(path, &bytes, &loose, &why) != STATUS_OK) {
		loading_wrong(l, "%s: %s", name, why.text);
		value->bad = true;
		return NULL;
	}
	if (loose)
		loading_warn(l, "%s: '%s' may be read by every user of this machine; chmod 600 it",
			name, path);
	kept = loading_keep(l, bytes);
	explicit_bzero(bytes, strlen(bytes));
	free(bytes);
	value->by_file = true;
	return kept;
}

static char *secret_text(struct loading *l, const struct setting *s, struct setting_value *value)
{
	char file_name[80];
	enum setting_origin origin, file_origin;
	const char *text = raw(l, s->name, &origin);

	file_name_of(s, file_name, sizeof file_name);
	if (text && raw(l, file_name, &file_origin)) {
		loading_wrong(l, "%s and %s are both set; keep one of them", s->name, file_name);
		value->bad = true;
		return NULL;
	}
	if (!text)
		return secret_from_file(l, s, value);
	value->origin = origin;
	return loading_keep(l, text);
}

static char *find_text(struct loading *l, const struct setting *s, struct setting_value *value)
{
	char *text = NULL;

	if (s->type == SETTING_SECRET) {
		text = secret_text(l, s, value);
	} else {
		const char *found = raw(l, s->name, &value->origin);

		if (found)
			text = loading_keep(l, found);
	}
	if (text)
		setting_trim(text);
	if (text && *text)
		return text;
	if (!value->bad)
		*value = (struct setting_value){.origin = FROM_DEFAULT};
	return NULL;
}

/* ---- one setting ---- */

/* A setting without a default keeps what is there: 0, "", or what the source's profile has put. A
 * default's text needs no check: a test reads them all. */
static void store_default(struct loading *l, const struct setting *s, struct setting_value *value)
{
	char *field = (char *)&l->made->config + s->offset;
	struct why why;

	value->text = s->fallback;
	if (!*s->fallback)
		return;
	if (s->type == SETTING_TEXT)
		memcpy(field, &s->fallback, sizeof s->fallback);
	else if (setting_store(&l->made->config, s, s->fallback, &why) != STATUS_OK)
		loading_wrong(l, "%s: its default is wrong: %s", s->name, why.text);
}

static void complain_of(
	struct loading *l, const struct setting *s, const char *text, const char *reason)
{
	l->made->value[s - settings_table].bad = true;
	if (s->type == SETTING_SECRET || s->hide)
		loading_wrong(l, "%s: %s", s->name, reason);
	else
		loading_wrong(l, "%s=\"%.60s%s\": %s", s->name, text,
			strlen(text) > 60 ? "..." : "", reason);
}

static void load_one(struct loading *l, const struct setting *s)
{
	struct setting_value *value = &l->made->value[s - settings_table];
	const char *text = find_text(l, s, value);
	struct why why;

	store_default(l, s, value);
	if (!text)
		return;
	value->text = text;
	if (setting_has_control(text))
		complain_of(l, s, "", "it holds a line end or a control character");
	else if (setting_store(&l->made->config, s, text, &why) != STATUS_OK)
		complain_of(l, s, text, why.text);
}

/* ---- secrets ---- */

/* Of a proxy's address only the password is secret, and it is what others will print. */
static void register_proxy(struct loading *l, const char *proxy)
{
	const char *user = strstr(proxy, "://");
	const char *at = strrchr(proxy, '@');
	const char *password = user && at ? memchr(user + 3, ':', (size_t)(at - user - 3)) : NULL;

	if (!password)
		return;
	password = arena_copy(&l->made->arena, password + 1, (size_t)(at - password - 1));
	l->no_memory = l->no_memory || !password;
	log_secret(password ? password : "");
}

/* Somebody who pastes the whole address of a request has a key in it. */
static void register_url(struct loading *l, const char *url)
{
	const char *p = strchr(url, '?');

	while (p && *p) {
		size_t name = strcspn(++p, "=&#"), length = strcspn(p, "&#");
		bool key = name < length &&
			   ((name >= 3 && !strncasecmp(p + name - 3, "key", 3)) ||
				   (name >= 5 && !strncasecmp(p + name - 5, "token", 5)));
		const char *value =
			key ? arena_copy(&l->made->arena, p + name + 1, length - name - 1) : "";

		l->no_memory = l->no_memory || !value;
		log_secret(value);
		p = strpbrk(p, "&#");
	}
}

static void register_secrets(struct loading *l)
{
	register_url(l, l->made->config.api_url);
	log_secret(l->made->config.api_key);
	log_secret(l->made->config.sasl_password);
	register_proxy(l, l->made->config.api_proxy);
}

bool settings_none_given(const struct settings_request *request)
{
	for (char **entry = request->environment; entry && *entry; entry++)
		if (!strncmp(*entry, SETTINGS_PREFIX, strlen(SETTINGS_PREFIX)))
			return false;
	return !request->env_file;
}

/* ---- the whole ---- */

static unsigned purpose_of(enum config_mode mode)
{
	switch (mode) {
	case MODE_PRODUCE:
		return SETTINGS_POLL | SETTINGS_PUBLISH;
	case MODE_CONSUME:
		return SETTINGS_READ | SETTINGS_RENDER;
	case MODE_BOTH:
		break;
	}
	return SETTINGS_POLL | SETTINGS_PUBLISH | SETTINGS_READ | SETTINGS_RENDER;
}

/* Pointers that stay unset must not be NULL. */
static void empty_texts(struct config *config)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];
		const char *empty = "";

		if (s->type == SETTING_TEXT || s->type == SETTING_FILE || s->type == SETTING_SECRET)
			*(const char **)(void *)((char *)config + s->offset) = empty;
	}
}

/* The form of the log comes before everything that may have to be said. */
static void set_up_log(struct loading *l)
{
	static const char *const names[] = {"SCOREBOX_LOG_LEVEL", "SCOREBOX_LOG_FORMAT"};
	struct config *config = &l->made->config;

	for (size_t i = 0; i < 2; i++) {
		const struct setting *s = &settings_table[setting_place(names[i])];
		enum setting_origin origin;
		const char *text = raw(l, s->name, &origin);
		struct why later; /* load_one complains */

		if (!text || setting_store(config, s, text, &later) != STATUS_OK)
			(void)!setting_store(config, s, s->fallback, &later);
	}
	log_setup(config->log_level, config->log_format);
}

/* The profile's pointers first, then what was set of them. */
static void load_source(struct loading *l)
{
	const struct setting *s = &settings_table[setting_place("SCOREBOX_SOURCE")];
	enum setting_origin origin;
	const char *text = raw(l, s->name, &origin);

	if (!text || source_profile(text, &l->made->config.source) != STATUS_OK)
		(void)!source_profile(s->fallback, &l->made->config.source);
}

static void load_all(struct loading *l)
{
	struct config *config = &l->made->config;

	empty_texts(config);
	set_up_log(l);
	load_source(l);
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];

		if (l->request->purpose != SETTINGS_STATE_ONLY ||
			!strcmp(s->name, "SCOREBOX_STATE_DIR"))
			load_one(l, s);
		else
			store_default(l, s, &l->made->value[i]);
	}
	register_secrets(l);
	if (l->request->mode_given)
		config->mode = l->request->mode;
	config->kafka_embedded = !strcmp(config->kafka_brokers, "embedded");
	config->timeout_ms = 60 * 1000;
	l->purpose = l->request->any_purpose ? purpose_of(config->mode) : l->request->purpose;
}

static void read_env_file(struct loading *l)
{
	struct why why;

	if (l->request->env_file &&
		envfile_read(&l->file, l->request->env_file, wrong_line, l, &why) != STATUS_OK)
		loading_wrong(l, "--env-file '%s': %s", l->request->env_file, why.text);
}

enum status settings_load(
	struct settings **out, const struct settings_request *request, struct why *why)
{
	struct loading l = {.request = request, .made = calloc(1, sizeof *l.made)};
	enum status status = STATUS_OK;

	if (!l.made)
		return fail(why, STATUS_NO_MEMORY, "out of memory");
	read_env_file(&l);
	load_all(&l);
	if (l.purpose != SETTINGS_STATE_ONLY)
		settings_look_at_names(&l);
	settings_cross_check(&l);
	envfile_done(&l.file);
	if (l.no_memory)
		status = fail(why, STATUS_NO_MEMORY, "out of memory");
	else if (l.wrong)
		status = fail(why, STATUS_BAD_DATA, "%u of the settings %s wrong", l.wrong,
			l.wrong == 1 ? "is" : "are");
	if (status == STATUS_OK)
		*out = l.made;
	else
		settings_free(l.made);
	return status;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	arena_done(&s->arena);
	free(s);
}

struct config *settings_config(struct settings *s)
{
	return &s->config;
}
