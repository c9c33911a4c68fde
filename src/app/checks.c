/* checks.c - is a single text plausible? Shape only: nothing is looked up. */
#include "app/setting.h"
#include "feed/source.h"
#include "kafka/client.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static bool letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static enum status check_host(const char *host, size_t length, struct why *why)
{
	const char *end = host + length;
	const char *port = host;

	if (*host == '[') {
		port = memchr(host, ']', length);
		if (!port)
			return fail(why, STATUS_BAD_DATA, "the address in [ ] is not closed");
		port++;
	} else {
		while (port < end && (letter(*port) || digit(*port) || *port == '.' ||
					     *port == '-' || *port == '_'))
			port++;
	}
	if (port == host)
		return fail(why, STATUS_BAD_DATA, "it names no host");
	if (port == end)
		return STATUS_OK;

	unsigned long number = 0;

	for (const char *p = port + 1; *port == ':' && p < end; p++)
		number = digit(*p) && number < 100000 ? number * 10 + (unsigned long)(*p - '0')
						      : 100000;
	if (*port != ':' || number < 1 || number > 65535)
		return fail(why, STATUS_BAD_DATA, "host and port are not understood");
	return STATUS_OK;
}

/* A password in an address would end up in log lines of libraries: secrets have their own
 * settings; `home` names it. */
static enum status check_behind_scheme(const char *text, const char *home, struct why *why)
{
	size_t host = strcspn(text, "/?#");

	if (memchr(text, '@', host))
		return fail(why, STATUS_BAD_DATA,
			"user and password do not belong into the address; %s", home);
	if (strpbrk(text, " #\"<>"))
		return fail(why, STATUS_BAD_DATA, "the address holds a blank or one of # \" < >");
	return check_host(text, host, why);
}

static enum status check_address(const char *text, const char *home, struct why *why)
{
	if (strncasecmp(text, "https://", 8))
		return fail(why, STATUS_BAD_DATA, "expected an address that begins with https://");
	return check_behind_scheme(text + 8, home, why);
}

enum status check_url(const char *text, struct why *why)
{
	return check_address(
		text, "the key goes into SCOREBOX_API_KEY_FILE or SCOREBOX_API_KEY", why);
}

enum status check_oauth_url(const char *text, struct why *why)
{
	return check_address(text,
		"they go into SCOREBOX_KAFKA_SASL_USERNAME and SCOREBOX_KAFKA_SASL_PASSWORD_FILE",
		why);
}

enum status check_registry_url(const char *text, struct why *why)
{
	static const char home[] =
		"they go into SCOREBOX_SCHEMA_REGISTRY_KEY_FILE and SCOREBOX_SCHEMA_REGISTRY_SECRET_FILE";

	if (strpbrk(text, "?"))
		return fail(
			why, STATUS_BAD_DATA, "a registry's address has no '?' and what follows");
	return strncasecmp(text, "http://", 7) ? check_address(text, home, why)
					       : check_behind_scheme(text + 7, home, why);
}

/* RFC 7617: a name ends at the first colon. */
enum status check_user(const char *text, struct why *why)
{
	if (strchr(text, ':'))
		return fail(why, STATUS_BAD_DATA, "it may not hold a colon");
	return check_password(text, why);
}

enum status check_password(const char *text, struct why *why)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return fail(why, STATUS_BAD_DATA, "it may not hold control characters");
	return STATUS_OK;
}

enum status check_proxy(const char *text, struct why *why)
{
	const char *host, *at;

	if (strncasecmp(text, "http://", 7))
		return fail(why, STATUS_BAD_DATA,
			"expected http://host:port, or http://user:password@host:port");
	host = text + 7;
	at = strrchr(host, '@');
	if (at)
		host = at + 1;
	return check_host(host, strcspn(host, "/"), why);
}

enum status check_key(const char *text, struct why *why)
{
	if (!strncmp(text, "-----BEGIN", 10))
		return fail(why, STATUS_BAD_DATA,
			"this is a PEM file, not an API key; a client certificate's key "
			"goes into SCOREBOX_API_CERT_KEY_FILE");
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return fail(why, STATUS_BAD_DATA,
				"a key holds no blanks and only ASCII characters");
	return STATUS_OK;
}

enum status check_param(const char *text, struct why *why)
{
	for (; *text; text++)
		if (!letter(*text) && !digit(*text) && !strchr("_-.[]", *text))
			return fail(why, STATUS_BAD_DATA,
				"expected a query parameter's name such as offset");
	return STATUS_OK;
}

enum status check_header(const char *text, struct why *why)
{
	for (; *text; text++)
		if (!letter(*text) && !digit(*text) && *text != '-' && *text != '_')
			return fail(why, STATUS_BAD_DATA,
				"expected a header's name such as X-Api-Key, without the colon");
	return STATUS_OK;
}

enum status check_source_name(const char *text, struct why *why)
{
	struct source source;

	if (source_profile(text, &source) != STATUS_OK)
		return fail(why, STATUS_BAD_DATA,
			"expected cricapi or custom; further sources are not in this build");
	return STATUS_OK;
}

/* "UTC", "IST-5:30", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0530>-5:30": a name of three letters or
 * more, then the offset. Without the offset libc quietly takes a name for UTC, so only UTC and
 * GMT go without. A name of the zone database counts where its file is at hand: a board's image
 * has none. */
enum status check_timezone(const char *text, struct why *why)
{
	const char *p = text;

	if (*p == '<') {
		p = strchr(p, '>');
		p = p ? p + 1 : text;
	} else {
		while (letter(*p))
			p++;
	}
	if (p - text >= 3 && (*p == '+' || *p == '-' || digit(*p)) && strpbrk(p, "0123456789") &&
		!strpbrk(p, " \""))
		return STATUS_OK;
	if (!strcmp(text, "UTC") || !strcmp(text, "GMT"))
		return STATUS_OK;

	char path[160];

	if (!strstr(text, "..") && letter(*text) &&
		snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", text) < (int)sizeof path &&
		!access(path, R_OK))
		return STATUS_OK;
	return fail(why, STATUS_BAD_DATA,
		"expected a POSIX time zone such as UTC, IST-5:30 or "
		"CET-1CEST,M3.5.0,M10.5.0/3 (west is positive)");
}

enum status check_brokers(const char *text, struct why *why)
{
	if (!strcmp(text, "embedded"))
		return STATUS_OK;
	return kafka_check_brokers(text, why);
}

enum status check_group(const char *text, struct why *why)
{
	if (strlen(text) > 249)
		return fail(why, STATUS_BAD_DATA, "longer than 249 characters");
	for (; *text; text++)
		if (!letter(*text) && !digit(*text) && !strchr("._-", *text))
			return fail(
				why, STATUS_BAD_DATA, "expected letters, digits, '.', '_' and '-'");
	return STATUS_OK;
}

enum status check_folder(const char *text, struct why *why)
{
	if (strlen(text) > 1000)
		return fail(why, STATUS_BAD_DATA, "a path of at most 1000 characters");
	return STATUS_OK;
}
