/* checks_board.c - is a text of the SD image's settings plausible? Shape only: nothing is looked up. */
#include "app/setting.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Linux has room for 64 characters of a host's name; DNS for 253 (RFC 1123, 2.1; RFC 1035, 2.3.4). */
enum { NAME_BYTES = 64, DNS_NAME_BYTES = 253, LABEL_BYTES = 63, ITEM_BYTES = 256 };

static const char separators[] = ", \t";

static bool letter_or_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Labels of letters, digits and inner hyphens. */
static bool is_host_name(const char *text, size_t most)
{
	if (!*text || strlen(text) > most)
		return false;
	for (const char *label = text;; label++) {
		size_t length = strcspn(label, ".");

		if (!length || length > LABEL_BYTES || !letter_or_digit(*label) ||
			!letter_or_digit(label[length - 1]))
			return false;
		for (size_t i = 0; i < length; i++)
			if (!letter_or_digit(label[i]) && label[i] != '-')
				return false;
		label += length;
		if (!*label)
			return true;
	}
}

/* 4, 6, or 0 where it is no address. */
static int address_family(const char *text)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, text, bytes) == 1 ? 6 : 0;
}

/* The next item of a list; false at its end. An item that is too long comes out as "?", which is none. */
static bool next_item(const char **list, char item[ITEM_BYTES])
{
	const char *start = *list + strspn(*list, separators);
	size_t length = strcspn(start, separators);

	*list = start + length;
	snprintf(item, ITEM_BYTES, "%.*s", length < ITEM_BYTES ? (int)length : 1,
		length < ITEM_BYTES ? start : "?");
	return length > 0;
}

static enum status check_each(
	const char *list, bool (*is_good)(const char *item), const char *expected, struct why *why)
{
	char item[ITEM_BYTES];
	bool any = false;

	for (; next_item(&list, item); any = true)
		if (!is_good(item))
			return fail(why, STATUS_BAD_DATA, "'%.60s': expected %s", item, expected);
	return any ? STATUS_OK : fail(why, STATUS_BAD_DATA, "expected %s", expected);
}

static bool is_address(const char *item)
{
	return address_family(item) != 0;
}

/* 10.0.0.300 would pass for a name. */
static bool is_server(const char *item)
{
	return is_address(item) ||
	       (item[strspn(item, "0123456789.")] && is_host_name(item, DNS_NAME_BYTES));
}

static bool is_address_with_prefix(const char *item)
{
	const char *slash = strchr(item, '/');
	char address[ITEM_BYTES], *end;
	long prefix;

	if (!slash || slash[1] < '0' || slash[1] > '9')
		return false;
	snprintf(address, sizeof address, "%.*s", (int)(slash - item), item);
	prefix = strtol(slash + 1, &end, 10);

	int family = address_family(address);

	return family && !*end && prefix >= 1 && prefix <= (family == 4 ? 32 : 128);
}

enum status check_hostname(const char *text, struct why *why)
{
	if (is_host_name(text, NAME_BYTES))
		return STATUS_OK;
	return fail(why, STATUS_BAD_DATA,
		"expected a name of letters, digits and '-', such as scorebox-2, of at most 64");
}

enum status check_servers(const char *text, struct why *why)
{
	return check_each(text, is_server,
		"a list of names or addresses such as pool.ntp.org,192.168.1.1", why);
}

enum status check_net_address(const char *text, struct why *why)
{
	if (!strcmp(text, "dhcp"))
		return STATUS_OK;
	return check_each(text, is_address_with_prefix,
		"dhcp, or a list of ADDRESS/PREFIX such as 192.168.1.20/24 or fd00::20/64", why);
}

enum status check_addresses(const char *text, struct why *why)
{
	return check_each(
		text, is_address, "a list of addresses such as 192.168.1.1 or fd00::1", why);
}
