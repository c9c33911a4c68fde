/* fuzz_split.c - any bytes, cut anyhow: the same rows, envelope and verdict; each row lies in
 * the body. The first byte chooses the profile and how the body is cut. */
#include "feed/split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_RECORD = 300 };

struct seen {
	const char *body;
	size_t length;
	uint64_t hash, rows;
};

static void mix(struct seen *s, const void *bytes, size_t length)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < length; i++)
		s->hash = (s->hash ^ p[i]) * 0x100000001b3u;
}

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static enum status take(void *context, const struct split_row *row, struct why *why)
{
	struct seen *s = context;

	(void)why;
	must(row->at + row->length <= s->length, "a row lies in the body");
	must(row->bytes.length <= MAX_RECORD, "no row is longer than allowed");
	must(memcmp(row->bytes.bytes, s->body + row->at, row->bytes.length) == 0,
		"a row's bytes are the body's");
	must((row->kind == SPLIT_ROW) == (row->reason == NULL), "what is no row has a reason");
	must(row->kind != SPLIT_ROW || (row->id.length > 0 && row->id.length <= 256),
		"a row has an id");
	mix(s, &row->kind, sizeof row->kind);
	mix(s, &row->at, sizeof row->at);
	mix(s, &row->length, sizeof row->length);
	mix(s, row->id.bytes, row->id.length);
	s->rows++;
	return STATUS_OK;
}

static struct seen run(const struct source *source, const char *body, size_t length, size_t step)
{
	struct seen s = {.body = body, .length = length, .hash = 0xcbf29ce484222325u};
	struct split_envelope e;
	struct split *split;
	struct why why;
	enum status status;
	size_t piece = step;

	if (split_open(&split, source, MAX_RECORD, take, &s, &why) != STATUS_OK)
		abort();
	status = STATUS_OK;
	for (size_t at = 0; at < length && status == STATUS_OK; at += piece) {
		char *copy;

		piece = length - at < step ? length - at : step;
		/* Memory of its own: nothing before or behind the piece may be read. */
		copy = malloc(piece);
		if (!copy)
			abort();
		memcpy(copy, body + at, piece);
		status = split_feed(split, copy, piece, &why);
		free(copy);
	}
	if (status == STATUS_OK)
		status = split_end(split, &e, &why);
	must(status == STATUS_OK || status == STATUS_BAD_DATA, "only bad data stops the split");
	if (status == STATUS_OK) {
		must(e.rows == s.rows, "all rows are counted");
		mix(&s, e.reason, strlen(e.reason));
		mix(&s, &e.total, sizeof e.total);
		mix(&s, (char[]){e.has_records, e.ok_seen, e.ok}, 3);
	} else {
		mix(&s, why.text, strlen(why.text));
	}
	split_close(split);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source;
	struct seen whole, cut;
	size_t step = size > 0 ? (size_t)data[0] / 2 + 1 : 1;

	if (size == 0 || source_profile(data[0] & 1 ? "custom" : "cricapi", &source) != STATUS_OK)
		return 0;
	whole = run(&source, (const char *)data + 1, size - 1, size);
	cut = run(&source, (const char *)data + 1, size - 1, step);
	must(whole.hash == cut.hash && whole.rows == cut.rows, "pieces make no difference");
	return 0;
}
