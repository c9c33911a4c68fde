/* login.c - the login that HTTP carries in a header. */
#include "feed/login.h"

#include "base/log.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4648. `out` has room for 4 bytes for every 3 begun, and one. */
static void base64(const char *bytes, size_t length, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < length; i += 3) {
		uint32_t three = 0;

		for (size_t k = 0; k < 3; k++)
			three = three << 8 | (i + k < length ? (unsigned char)bytes[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			*out++ = i + k <= length ? digits[three >> (18 - 6 * k) & 63] : '=';
	}
	*out = '\0';
}

char *login_basic(const char *user, const char *secret)
{
	size_t length = strlen(user) + 1 + strlen(secret);
	char *plain = malloc(length + 1), *login = malloc(6 + (length + 2) / 3 * 4 + 1);

	if (plain && login) {
		snprintf(plain, length + 1, "%s:%s", user, secret);
		memcpy(login, "Basic ", 6);
		base64(plain, length, login + 6);
		log_secret(login + 6);
	} else {
		free(login);
		login = NULL;
	}
	if (plain)
		explicit_bzero(plain, length);
	free(plain);
	return login;
}
