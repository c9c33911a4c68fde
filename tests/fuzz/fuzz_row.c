/* fuzz_row.c - any bytes as a row: reader, word filter and flattening agree on what is JSON and
 * stay inside their bounds. */
#include "cricket/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static enum status field(void *context, const char *path, enum row_kind kind, struct view text)
{
	size_t *bytes = context;

	must(strlen(path) <= 512, "a path is at most 512 bytes");
	must(kind <= ROW_EMPTY, "a kind is one of six");
	for (size_t i = 0; i < text.length; i++)
		*bytes += (unsigned char)text.bytes[i];
	return STATUS_OK;
}

static void look_at(const struct row *r)
{
	const char *const texts[] = {
		r->id,
		r->name,
		r->match_type,
		r->status,
		r->venue,
		r->series_id,
		r->date,
		r->start,
		r->team[0],
		r->team[1],
	};
	size_t bytes = 0;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		bytes += strlen(texts[i]);
	for (unsigned i = 0; i < ROW_INNINGS; i++)
		bytes += strlen(r->score[i].label) + strlen(r->score[i].overs);
	must(bytes < 1 << 20, "texts are no longer than the arena");
	must(r->innings <= ROW_INNINGS, "no more innings than there is room");
	(void)row_matches_words(r, "india, final,,x");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct row_reader *reader;
	char *copy = malloc(size ? size : 1);
	struct buffer scratch;
	struct why why;
	struct row row;
	size_t bytes = 0;
	enum status read, flat;

	if (!copy || (!reader && row_reader_open(&reader, 64 * 1024, &why) != STATUS_OK))
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	read = row_read(reader, view_of(copy, size), &row, &why);
	buffer_init(&scratch, size + 1);
	flat = row_flatten(view_of(copy, size), &scratch, field, &bytes, &why);
	must(flat == STATUS_OK || flat == STATUS_BAD_DATA, "flattening knows two ends");
	must(read == STATUS_FULL || read == flat, "what one takes the other takes");
	buffer_done(&scratch);
	free(copy);
	if (read == STATUS_OK)
		look_at(&row);
	return 0;
}
