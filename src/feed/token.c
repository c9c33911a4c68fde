/* token.c - an access token of an OAuth 2.0 authorization server. */
#include "feed/token.h"

#include "base/buffer.h"
#include "base/json.h"
#include "feed/fetch.h"
#include "feed/login.h"

#include <stdlib.h>
#include <string.h>

enum {
	TIMEOUT_MS = 20000,
	TURN_MS = 500,
	ANSWER_MAX_BYTES = 64 * 1024, /* a token is a header of a login: a few KiB */
	QUESTION_MAX_BYTES = 4096,
	/* Where the server tells no lifetime: asking again is cheap. */
	LIFETIME_UNKNOWN_MS = 5 * 60 * 1000,
	LIFETIME_MAX_S = 7 * 24 * 3600,
};

struct asking {
	struct loop *loop;
	struct buffer answer;
	bool done;
	enum status status;
	struct why *why;
};

/* ---- the question ---- */

/* application/x-www-form-urlencoded. */
static enum status add_encoded(struct buffer *out, const char *text)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
	enum status s = STATUS_OK;

	for (; *text && s == STATUS_OK; text++)
		s = strchr(plain, *text) ? buffer_add(out, text, 1)
					 : buffer_format(out, "%%%02X", (unsigned char)*text);
	return s;
}

/* Name and secret are encoded before they are joined (RFC 6749, section 2.3.1). */
static char *make_login(const struct token_question *q)
{
	struct buffer id, secret;
	char *login = NULL;

	buffer_init(&id, QUESTION_MAX_BYTES);
	buffer_init(&secret, QUESTION_MAX_BYTES);
	if (add_encoded(&id, q->id) == STATUS_OK && add_encoded(&secret, q->secret) == STATUS_OK)
		login = login_basic(id.bytes, secret.bytes);
	if (secret.capacity)
		explicit_bzero(secret.bytes, secret.capacity);
	buffer_done(&secret);
	buffer_done(&id);
	return login;
}

static enum status make_body(struct buffer *body, const struct token_question *q)
{
	enum status s = buffer_add_text(body, "grant_type=client_credentials");

	if (s == STATUS_OK && *q->scope)
		s = buffer_add_text(body, "&scope=");
	return s == STATUS_OK ? add_encoded(body, q->scope) : s;
}

/* ---- the answer ---- */

static enum status take(void *context, const char *bytes, size_t length, struct why *why)
{
	struct asking *a = context;
	enum status s = buffer_add(&a->answer, bytes, length);

	return s == STATUS_OK ? s
			      : fail(why, s, "a token larger than %d KiB", ANSWER_MAX_BYTES / 1024);
}

static int64_t seconds_of(struct view digits)
{
	int64_t n = 0;

	for (size_t i = 0; i < digits.length && n <= LIFETIME_MAX_S; i++) {
		if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
			break;
		n = n * 10 + (digits.bytes[i] - '0');
	}
	return n < LIFETIME_MAX_S ? n : LIFETIME_MAX_S;
}

/* The members of the outermost object that matter. Views into the answer. */
struct members {
	struct view token, lifetime, type;
};

static bool find_members(const struct buffer *answer, struct members *out)
{
	struct json j;
	struct view *next = NULL;
	enum json_event event;

	json_start(&j);
	json_feed(&j, answer->bytes, answer->length);
	while ((event = json_next(&j)) != JSON_MORE && event != JSON_BAD) {
		if (event == JSON_KEY && j.depth == 1)
			next = view_equals(j.text, "access_token") ? &out->token
			       : view_equals(j.text, "expires_in") ? &out->lifetime
			       : view_equals(j.text, "token_type") ? &out->type
								   : NULL;
		else if (next && (event == JSON_STRING || event == JSON_NUMBER) && j.depth == 1)
			*next = j.text;
		if (event != JSON_KEY)
			next = NULL;
	}
	return event == JSON_MORE;
}

/* RFC 6750's letters for a token; anything else could break out of the login's message. */
static bool is_token(struct view text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";

	for (size_t i = 0; i < text.length; i++)
		if (!text.bytes[i] || !strchr(letters, text.bytes[i]))
			return false;
	return text.length > 0;
}

static enum status read_answer(const struct buffer *answer, const char *url_setting, char **token,
	int64_t *lifetime_ms, struct why *why)
{
	struct members m = {0};
	int64_t seconds;

	if (!find_members(answer, &m) || !m.token.bytes || !is_token(m.token))
		return fail(why, STATUS_BAD_DATA,
			"the answer holds no access_token; is it a token endpoint? check %s",
			url_setting);
	if (m.lifetime.length && seconds_of(m.lifetime) == 0)
		return fail(why, STATUS_BAD_DATA, "the token has run out before it came");
	seconds = seconds_of(m.lifetime);
	*token = strndup(m.token.bytes, m.token.length);
	if (!*token)
		return fail(why, STATUS_NO_MEMORY, "no memory for the token");
	*lifetime_ms = seconds ? seconds * 1000 : LIFETIME_UNKNOWN_MS;
	return STATUS_OK;
}

static void answered(void *context, const struct fetch_result *result)
{
	struct asking *a = context;

	a->done = true;
	a->status = STATUS_OK;
	if (result->outcome != FETCH_OK)
		a->status = fail(a->why, STATUS_AGAIN, "%s", result->why.text);
}

/* ---- the way ---- */

static enum status ask(struct asking *a, const struct token_question *q, const char *login,
	const char *body, const atomic_bool *stop, struct why *why)
{
	const struct fetch_names names = {
		.key = "client id and secret",
		.url_setting = q->url_setting,
		.key_setting = q->id_setting,
	};
	const struct fetch_options options = {
		.url = q->url,
		.key = login,
		.key_param = "",
		.key_header = "Authorization",
		.proxy = "",
		.timeout_ms = TIMEOUT_MS,
		.max_body_bytes = ANSWER_MAX_BYTES,
		.trust = q->trust,
		.names = &names,
		.post = body,
		.content_type = "application/x-www-form-urlencoded",
	};
	struct fetch *fetch = NULL;
	enum status s = fetch_open(&fetch, a->loop, &options, why);

	if (s == STATUS_OK)
		s = fetch_start(fetch, "", 0, take, answered, a, why);
	while (s == STATUS_OK && !a->done) {
		if (atomic_load(stop))
			fetch_cancel(fetch);
		else
			s = loop_turn(a->loop, TURN_MS, why);
	}
	fetch_close(fetch);
	return s == STATUS_OK ? a->status : s;
}

enum status token_fetch(const struct token_question *q, const atomic_bool *stop, char **token,
	int64_t *lifetime_ms, struct why *why)
{
	struct asking a = {.why = why};
	struct buffer body;
	char *login = make_login(q);
	enum status s = login ? STATUS_OK : fail(why, STATUS_NO_MEMORY, "no room for the login");

	buffer_init(&a.answer, ANSWER_MAX_BYTES);
	buffer_init(&body, QUESTION_MAX_BYTES);
	if (s == STATUS_OK && make_body(&body, q) != STATUS_OK)
		s = fail(why, STATUS_NO_MEMORY, "no room for the scope");
	if (s == STATUS_OK)
		s = loop_open(&a.loop, why);
	if (s == STATUS_OK)
		s = ask(&a, q, login, body.bytes, stop, why);
	if (s == STATUS_OK)
		s = read_answer(&a.answer, q->url_setting, token, lifetime_ms, why);
	loop_close(a.loop);
	if (a.answer.capacity)
		explicit_bzero(a.answer.bytes, a.answer.capacity);
	buffer_done(&a.answer);
	buffer_done(&body);
	if (login)
		explicit_bzero(login, strlen(login));
	free(login);
	return s;
}
