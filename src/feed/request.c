/* request.c - what fetch asks for. */
#include "feed/request.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void request_done(struct request *r)
{
	free(r->url);
	/* The key does not stay behind in freed memory. */
	if (r->key)
		explicit_bzero(r->key, strlen(r->key));
	free(r->key);
	free(r->key_param);
	free(r->key_header);
	free(r->proxy);
	free(r->accept);
	free(r->post);
	free(r->content_type);
	trust_close(r->trust);
	memset(r, 0, sizeof *r);
}

static enum status status_of(CURLUcode code)
{
	return code == CURLUE_OUT_OF_MEMORY ? STATUS_NO_MEMORY : STATUS_BAD_DATA;
}

static enum status take_part(CURLU *url, CURLUPart part, char *out, size_t out_bytes)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(url, part, &text, 0);
	bool fits = code == CURLUE_OK && strlen(text) < out_bytes;

	if (fits)
		strcpy(out, text);
	else
		out[0] = '\0';
	curl_free(text);
	return fits ? STATUS_OK : status_of(code);
}

/* host, or host:port; an address of IPv6 keeps its brackets. */
static enum status take_host(CURLU *url, char *out, size_t out_bytes)
{
	char host[256], port[8];
	enum status status = take_part(url, CURLUPART_HOST, host, sizeof host);

	if (status != STATUS_OK)
		return status;
	if (take_part(url, CURLUPART_PORT, port, sizeof port) == STATUS_NO_MEMORY)
		return STATUS_NO_MEMORY;
	snprintf(out, out_bytes, "%s%s%s", host, *port ? ":" : "", port);
	return STATUS_OK;
}

/* A certificate and a resolver know an IPv6 address without the brackets that a URL wants. */
static void drop_brackets(char *host)
{
	size_t length = strlen(host);

	if (length <= 2 || host[0] != '[')
		return;
	memmove(host, host + 1, length - 2);
	host[length - 2] = '\0';
}

static enum status take_url(struct request *r, CURLU *url, const char *text, struct why *why)
{
	char scheme[16], path[sizeof r->source - sizeof r->host - sizeof "https://"];
	CURLUcode code = curl_url_set(url, CURLUPART_URL, text, 0);
	enum status status = code == CURLUE_OK ? STATUS_OK : status_of(code);

	if (status == STATUS_OK)
		status = take_part(url, CURLUPART_SCHEME, scheme, sizeof scheme);
	if (status == STATUS_OK && strcmp(scheme, "https") != 0 &&
		!(r->plain && !strcmp(scheme, "http")))
		status = STATUS_BAD_DATA;
	if (status == STATUS_OK)
		status = take_host(url, r->host, sizeof r->host);
	if (status == STATUS_OK)
		status = take_part(url, CURLUPART_HOST, r->peer_host, sizeof r->peer_host);
	if (status == STATUS_OK)
		status = take_part(url, CURLUPART_PATH, path, sizeof path);
	if (status == STATUS_NO_MEMORY)
		return fail(why, status, "no memory for the URL");
	if (status != STATUS_OK)
		return fail(why, status,
			"%s must be https://host[:port]/path, with host and path of at "
			"most some 240 bytes each, not '%.*s'",
			r->names->url_setting, (int)strcspn(text, "?#"), text);
	drop_brackets(r->peer_host);
	snprintf(r->source, sizeof r->source, "%s://%s%s", scheme, r->host, path);
	return STATUS_OK;
}

static enum status take_proxy(struct request *r, CURLU *url, const char *text, struct why *why)
{
	char scheme[16];
	CURLUcode code;
	enum status status;

	if (!*text)
		return STATUS_OK;
	code = curl_url_set(url, CURLUPART_URL, text, 0);
	status = code == CURLUE_OK ? STATUS_OK : status_of(code);
	if (status == STATUS_OK)
		status = take_part(url, CURLUPART_SCHEME, scheme, sizeof scheme);
	if (status == STATUS_OK && strcmp(scheme, "http") != 0)
		status = STATUS_BAD_DATA;
	if (status == STATUS_OK)
		status = take_host(url, r->proxy_host, sizeof r->proxy_host);
	if (status == STATUS_NO_MEMORY)
		return fail(why, status, "no memory for the proxy's URL");
	if (status != STATUS_OK)
		return fail(why, status, "the proxy must be http://[user:password@]host:port");
	return STATUS_OK;
}

static bool has_controls(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			return true;
	}
	return false;
}

/* strdup that takes NULL for "". */
static char *copy(const char *text)
{
	return strdup(text ? text : "");
}

static const struct fetch_names api_names = {
	.key = "API key",
	.url_setting = "SCOREBOX_API_URL",
	.key_setting = "SCOREBOX_API_KEY",
	.timeout_setting = "SCOREBOX_API_TIMEOUT",
	.body_setting = "SCOREBOX_API_MAX_BODY",
};

static enum status take_options(
	struct request *r, const struct fetch_options *o, CURLU *url, struct why *why)
{
	enum status status;

	r->timeout_ms = o->timeout_ms;
	r->max_body_bytes = o->max_body_bytes;
	r->url = copy(o->url);
	r->key = copy(o->key);
	r->key_param = copy(o->key_param);
	r->key_header = copy(o->key_header);
	r->proxy = copy(o->proxy);
	r->accept = copy(o->accept ? o->accept : "application/json");
	r->post = copy(o->post);
	r->content_type = copy(o->content_type);
	r->names = o->names ? o->names : &api_names;
	r->plain = o->plain;
	r->posts = o->post != NULL;
	r->every_answer = o->every_answer;
	if (!r->url || !r->key || !r->key_param || !r->key_header || !r->proxy || !r->accept ||
		!r->post || !r->content_type || !url)
		return fail(why, STATUS_NO_MEMORY, "no memory for a request's settings");
	if (has_controls(r->key) || has_controls(r->key_header))
		return fail(why, STATUS_BAD_DATA, "the %s holds control characters", r->names->key);
	status = take_url(r, url, r->url, why);
	if (status == STATUS_OK)
		status = take_proxy(r, url, r->proxy, why);
	if (status == STATUS_OK)
		r->trust = trust_share(o->trust);
	return status;
}

enum status request_make(struct request *r, const struct fetch_options *o, struct why *why)
{
	CURLU *url = curl_url();
	enum status status;

	memset(r, 0, sizeof *r);
	status = take_options(r, o, url, why);
	curl_url_cleanup(url);
	if (status != STATUS_OK)
		request_done(r);
	return status;
}

static enum status add_escaped(struct buffer *b, const char *text)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	enum status status = STATUS_OK;

	for (; *text && status == STATUS_OK; text++) {
		if (strchr(plain, *text))
			status = buffer_add(b, text, 1);
		else
			status = buffer_format(b, "%%%02X", (unsigned char)*text);
	}
	return status;
}

static enum status add_parameter(struct buffer *b, const char *name, const char *value)
{
	enum status status = buffer_add_text(b, strchr(b->bytes, '?') ? "&" : "?");

	if (status == STATUS_OK)
		status = add_escaped(b, name);
	if (status == STATUS_OK)
		status = buffer_add_text(b, "=");
	return status == STATUS_OK ? add_escaped(b, value) : status;
}

enum status request_url(const struct request *r, const char *offset_param, uint64_t offset,
	struct buffer *out, struct why *why)
{
	char number[24];
	enum status status;

	buffer_clear(out);
	status = buffer_add(out, r->url, strcspn(r->url, "#"));
	if (status == STATUS_OK && *r->key && *r->key_param)
		status = add_parameter(out, r->key_param, r->key);
	snprintf(number, sizeof number, "%" PRIu64, offset);
	if (status == STATUS_OK && *offset_param)
		status = add_parameter(out, offset_param, number);
	return status == STATUS_OK ? status : fail(why, status, "the URL is too long");
}
