#include "book/verify.h"
#include "book/zip.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counts "<row" followed by blank, '>' or '/', across the borders of pieces, and remembers the
 * end. */
struct row_count {
	uint64_t rows;
	unsigned matched; /* characters of "<row" just seen */
	char tail[16];
	size_t tail_length;
};

static void keep_tail(struct row_count *c, const char *bytes, size_t length)
{
	size_t keep = sizeof(c->tail);

	if (length >= keep) {
		memcpy(c->tail, bytes + length - keep, keep);
		c->tail_length = keep;
		return;
	}
	if (c->tail_length + length > keep) {
		size_t drop = c->tail_length + length - keep;

		memmove(c->tail, c->tail + drop, c->tail_length - drop);
		c->tail_length -= drop;
	}
	memcpy(c->tail + c->tail_length, bytes, length);
	c->tail_length += length;
}

static void count_rows(void *context, const char *bytes, size_t length)
{
	static const char open[] = "<row";
	struct row_count *c = context;

	for (size_t i = 0; i < length; i++) {
		char b = bytes[i];

		if (c->matched == 4) {
			c->rows += b == ' ' || b == '>' || b == '/';
			c->matched = 0;
		}
		if (c->matched == 0) { /* most bytes: look for the next bracket at once */
			const char *next = memchr(bytes + i, '<', length - i);

			if (!next)
				break;
			i = (size_t)(next - bytes);
			c->matched = 1;
		} else {
			c->matched = b == open[c->matched] ? c->matched + 1 : b == '<';
		}
	}
	keep_tail(c, bytes, length);
}

static void pass_over(void *context, const char *bytes, size_t length)
{
	(void)context;
	(void)bytes;
	(void)length;
}

static enum status check_sheet(
	struct zip *z, const struct zip_entry *e, uint64_t expected, struct why *why)
{
	static const char closing[] = "</worksheet>";
	struct row_count c = {0, 0, "", 0};
	size_t length = sizeof(closing) - 1;
	enum status s = zip_read(z, e, count_rows, &c, why);

	if (s != STATUS_OK)
		return s;
	while (c.tail_length > 0 && strchr("\r\n\t ", c.tail[c.tail_length - 1]))
		c.tail_length--;
	if (c.tail_length < length || memcmp(c.tail + c.tail_length - length, closing, length) != 0)
		return fail(why, STATUS_BAD_DATA, "%s has no closing tag", e->name);
	if (c.rows != expected)
		return fail(why, STATUS_BAD_DATA,
			"%s has %" PRIu64 " rows where %" PRIu64 " were written", e->name, c.rows,
			expected);
	return STATUS_OK;
}

enum status verify_workbook(const char *path, const struct verify_rows *expected, struct why *why)
{
	struct zip *z;
	unsigned sheets = 0;
	enum status s = zip_open(&z, path, why);

	if (s != STATUS_OK)
		return s;
	for (unsigned i = 0; s == STATUS_OK && i < zip_entries(z); i++) {
		struct zip_entry e;
		unsigned n;

		s = zip_entry(z, i, &e, why);
		if (s != STATUS_OK)
			break;
		if (sscanf(e.name, "xl/worksheets/sheet%u.xml", &n) != 1) {
			s = zip_read(z, &e, pass_over, NULL, why);
		} else if (n < 1 || n > expected->sheets) {
			s = fail(why, STATUS_BAD_DATA, "%s was not expected", e.name);
		} else {
			sheets++;
			s = check_sheet(z, &e, expected->rows[n - 1], why);
		}
	}
	if (s == STATUS_OK && sheets != expected->sheets)
		s = fail(why, STATUS_BAD_DATA, "%u sheets where %u were written", sheets,
			expected->sheets);
	zip_close(z);
	return s;
}

struct text {
	char bytes[8192];
	size_t length;
};

static void keep_text(void *context, const char *bytes, size_t length)
{
	struct text *t = context;
	size_t room = sizeof(t->bytes) - 1 - t->length;

	memcpy(t->bytes + t->length, bytes, length < room ? length : room);
	t->length += length < room ? length : room;
}

static void unescape(char *text)
{
	static const struct {
		const char *entity;
		char c;
	} table[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}};
	char *out = text;

	for (const char *p = text; *p;) {
		char c = *p;
		size_t length = 1;

		for (size_t i = 0; c == '&' && i < sizeof(table) / sizeof(table[0]); i++) {
			if (strncmp(p, table[i].entity, strlen(table[i].entity)) != 0)
				continue;
			c = table[i].c;
			length = strlen(table[i].entity);
			break;
		}
		*out++ = c;
		p += length;
	}
	*out = '\0';
}

/* The value of one property: <property ... name="NAME"><vt:lpwstr>VALUE</vt:lpwstr>. */
static bool property(const char *xml, const char *name, char *out, size_t out_bytes)
{
	char wanted[64];
	const char *p, *end;

	snprintf(wanted, sizeof(wanted), "name=\"%s\"", name);
	p = strstr(xml, wanted);
	p = p ? strstr(p, "<vt:lpwstr>") : NULL;
	end = p ? strstr(p, "</vt:lpwstr>") : NULL;
	if (!end)
		return false;
	p += strlen("<vt:lpwstr>");
	if ((size_t)(end - p) >= out_bytes)
		return false;
	memcpy(out, p, (size_t)(end - p));
	out[end - p] = '\0';
	unescape(out);
	return true;
}

static enum status parse_properties(
	const struct text *t, struct verify_properties *out, struct why *why)
{
	char number[24];
	struct verify_properties p = {.records = 0};

	if (!property(t->bytes, "Journal", p.journal, sizeof(p.journal)) ||
		!property(t->bytes, "Records", number, sizeof(number)))
		return fail(why, STATUS_NOT_FOUND, "it bears no journal name and record count");
	p.records = strtoull(number, NULL, 10);
	if (property(t->bytes, "Last state", number, sizeof(number)))
		p.last_us = strtoll(number, NULL, 10);
	if (!property(t->bytes, "Match", p.match, sizeof(p.match)) ||
		!property(t->bytes, "Layout", p.shape, sizeof(p.shape)))
		p.shape[0] = '\0';
	*out = p;
	return STATUS_OK;
}

enum status book_read_properties(const char *path, struct verify_properties *out, struct why *why)
{
	struct zip *z;
	struct zip_entry e;
	struct text t = {"", 0};
	enum status s = zip_open(&z, path, why);

	if (s != STATUS_OK)
		return s;
	s = zip_find(z, "docProps/custom.xml", &e, why);
	if (s == STATUS_OK)
		s = zip_read(z, &e, keep_text, &t, why);
	t.bytes[t.length] = '\0';
	if (s == STATUS_OK)
		s = parse_properties(&t, out, why);
	zip_close(z);
	return s;
}
