/* http.c - request line, the two query parameters, and whether the connection stays. */
#include "replay/http.h"

#include "base/buffer.h"

#include <string.h>
#include <strings.h>

/* Up to the blank line; NULL while it is not there. */
static const char *find_end(const char *bytes, size_t length)
{
	for (size_t i = 0; i + 4 <= length; i++)
		if (memcmp(bytes + i, "\r\n\r\n", 4) == 0)
			return bytes + i + 4;
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void decode(struct view raw, char *out, size_t out_bytes)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.length && n + 1 < out_bytes; i++) {
		char c = raw.bytes[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%' && i + 2 < raw.length && hex_digit(raw.bytes[i + 1]) >= 0 &&
			   hex_digit(raw.bytes[i + 2]) >= 0) {
			c = (char)(hex_digit(raw.bytes[i + 1]) * 16 + hex_digit(raw.bytes[i + 2]));
			i += 2;
		}
		if (c != '\0')
			out[n++] = c;
	}
	out[n] = '\0';
}

/* The first parameter of that name; empty when there is none. */
static struct view parameter(struct view query, const char *name)
{
	size_t name_length = strlen(name);
	const char *p = query.bytes, *end = query.bytes + query.length;

	while (p < end) {
		const char *stop = memchr(p, '&', (size_t)(end - p));

		if (!stop)
			stop = end;
		if ((size_t)(stop - p) > name_length && memcmp(p, name, name_length) == 0 &&
			p[name_length] == '=')
			return view_of(p + name_length + 1, (size_t)(stop - p) - name_length - 1);
		p = stop + (stop < end);
	}
	return view_of("", 0);
}

static bool ends_with(struct view v, const char *end)
{
	size_t length = strlen(end);

	return v.length >= length && memcmp(v.bytes + v.length - length, end, length) == 0;
}

static void read_target(struct view target, struct http_request *out)
{
	const char *mark = memchr(target.bytes, '?', target.length);
	struct view path = view_of(
		target.bytes, mark ? (size_t)(mark - target.bytes) : target.length);
	struct view query = mark ? view_of(mark + 1, target.length - path.length - 1)
				 : view_of("", 0);
	struct view offset = parameter(query, "offset");

	out->matches = ends_with(path, "/currentMatches") || ends_with(path, "/matches");
	decode(parameter(query, "apikey"), out->key, sizeof out->key);
	for (size_t i = 0; i < offset.length; i++) {
		if (offset.bytes[i] < '0' || offset.bytes[i] > '9' || i == 15) {
			out->offset = 0;
			return;
		}
		out->offset = out->offset * 10 + (uint64_t)(offset.bytes[i] - '0');
	}
}

/* "GET /v1/currentMatches?apikey=k&offset=0 HTTP/1.1" */
static bool read_request_line(struct view line, struct http_request *out)
{
	const char *end = line.bytes + line.length;
	const char *target = memchr(line.bytes, ' ', line.length);
	const char *version = target ? memchr(target + 1, ' ', (size_t)(end - target - 1)) : NULL;

	if (!version || (size_t)(end - version) != strlen(" HTTP/1.1") ||
		memcmp(version, " HTTP/1.", 8) != 0)
		return false;

	struct view method = view_of(line.bytes, (size_t)(target - line.bytes));

	out->head_only = view_equals(method, "HEAD");
	out->method_known = out->head_only || view_equals(method, "GET");
	/* A body we do not read would be taken for the next request. */
	out->keep_alive = version[8] == '1' && out->method_known;
	read_target(view_of(target + 1, (size_t)(version - target - 1)), out);
	return true;
}

static void read_header(struct view line, struct http_request *out)
{
	static const char connection_close[] = "Connection: close";
	static const char content_length[] = "Content-Length:";

	if (line.length == sizeof connection_close - 1 &&
		strncasecmp(line.bytes, connection_close, line.length) == 0)
		out->keep_alive = false;
	if (line.length >= sizeof content_length - 1 &&
		strncasecmp(line.bytes, content_length, sizeof content_length - 1) == 0)
		out->keep_alive = false;
}

enum http_outcome http_parse(const char *bytes, size_t length, struct http_request *out)
{
	const char *end = find_end(bytes, length);
	const char *line = bytes;
	bool first = true;

	if (!end)
		return HTTP_MORE;
	*out = (struct http_request){.bytes = (size_t)(end - bytes)};
	while (line < end - 2) {
		/* Found: the head ends in CR LF. */
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t line_length = (size_t)(stop - line);
		struct view v = view_of(
			line, line_length > 0 && stop[-1] == '\r' ? line_length - 1 : line_length);

		if (first && !read_request_line(v, out))
			return HTTP_BAD;
		if (!first)
			read_header(v, out);
		first = false;
		line = stop + 1;
	}
	return first ? HTTP_BAD : HTTP_READY;
}
