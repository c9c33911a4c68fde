#include "book/survey.h"
#include "cricket/row.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
	SCRATCH_BYTES = 16 * 1024 * 1024, /* a ceiling, not a size: one decoded string */
	XML_A_CELL = 48,
	XML_A_RECORD = 900, /* Timeline's row and Records' fixed cells */
};

/* "score.N.…": there are at least N + 1 innings. */
static unsigned innings_of(const char *path)
{
	if (strncmp(path, "score.", 6) != 0 || !isdigit((unsigned char)path[6]))
		return 0;
	return (unsigned)strtoul(path + 6, NULL, 10) % 100000 + 1;
}

/* An array "teams" or "score", empty or not: what makes a row a match (cricket/row.h). */
static bool of_match(const char *path, enum row_kind kind, struct view text)
{
	if (strncmp(path, "teams", 5) != 0 && strncmp(path, "score", 5) != 0)
		return false;
	return path[5] == '\0' ? kind == ROW_EMPTY && view_equals(text, "[]")
			       : path[5] == '.' && isdigit((unsigned char)path[6]);
}

static bool mark(struct survey *s, unsigned column)
{
	while (column >= s->marks_room) {
		unsigned wanted = s->marks_room ? s->marks_room * 2 : 256;
		uint32_t *marks = realloc(s->marks, wanted * sizeof(*marks));

		if (!marks)
			return false;
		memset(marks + s->marks_room, 0, (wanted - s->marks_room) * sizeof(*marks));
		s->marks = marks;
		s->marks_room = wanted;
	}
	if (s->marks[column] == s->stamp)
		s->crowded = true; /* the same path twice in one row */
	s->marks[column] = s->stamp;
	return true;
}

static enum status see_field(void *context, const char *path, enum row_kind kind, struct view text)
{
	struct survey *s = context;
	unsigned known = columns_count(s->columns);
	int column = columns_add(s->columns, path);

	s->is_match = s->is_match || of_match(path, kind, text);
	if (column == COLUMNS_NONE) {
		s->crowded = true;
		return STATUS_OK;
	}
	if ((unsigned)column == known) { /* new */
		unsigned innings = innings_of(path);

		if (innings > s->innings)
			s->innings = innings < ROW_INNINGS ? innings : ROW_INNINGS;
	}
	return mark(s, (unsigned)column) ? STATUS_OK : STATUS_NO_MEMORY;
}

static void see_partition(struct survey *s, const struct journal_record *r)
{
	for (unsigned i = 0; i < s->partition_count; i++)
		if (s->partitions[i].generation == r->generation &&
			s->partitions[i].partition == r->partition)
			return;
	if (s->partition_count == SURVEY_PARTITIONS)
		return;
	if (s->partition_count > 0 && s->partitions[0].generation != r->generation)
		s->generations = true;
	s->partitions[s->partition_count].generation = r->generation;
	s->partitions[s->partition_count++].partition = r->partition;
}

static enum status see_record(struct survey *s, const struct journal_record *r, struct why *why)
{
	struct why ignored;
	enum status st;

	s->records++;
	s->stamp++;
	s->duplicates += r->duplicate;
	s->body_bytes += r->body.length;
	see_partition(s, r);
	st = row_flatten(r->body, &s->scratch, see_field, s, &ignored);
	if (st == STATUS_NO_MEMORY)
		return fail(why, st, "no memory for the columns of Records");
	if (st != STATUS_OK)
		s->crowded = true; /* its bytes go to "Further fields" as they are */
	return STATUS_OK;
}

static enum status see_gap(void *context, const struct journal_gap_row *g, struct why *why)
{
	struct survey *s = context;

	(void)why;
	for (unsigned i = 0; i < s->partition_count; i++) {
		if (s->partitions[i].generation != g->generation ||
			s->partitions[i].partition != g->partition)
			continue;
		if (s->gap_count < SURVEY_GAPS)
			s->gaps[s->gap_count++] = (struct survey_gap){*g, false};
		else
			s->further_gaps++;
	}
	return STATUS_OK;
}

enum status survey_make(struct survey *s, struct journal *j, int64_t match, struct why *why)
{
	struct journal_cursor *cursor;
	struct journal_record r;
	enum status st;

	memset(s, 0, sizeof(*s));
	buffer_init(&s->scratch, SCRATCH_BYTES);
	st = columns_open(&s->columns, why);
	if (st != STATUS_OK)
		return st;
	st = journal_cursor_open(&cursor, j, match, JOURNAL_BY_ARRIVAL, why);
	if (st != STATUS_OK)
		return st;
	while ((st = journal_cursor_next(cursor, &r, why)) == STATUS_OK) {
		st = see_record(s, &r, why);
		if (st != STATUS_OK)
			break;
	}
	journal_cursor_close(cursor);
	if (st != STATUS_NOT_FOUND)
		return st;
	return journal_each_gap(j, see_gap, s, why);
}

void survey_done(struct survey *s)
{
	columns_close(s->columns);
	buffer_done(&s->scratch);
	free(s->marks);
	memset(s, 0, sizeof(*s));
}

uint64_t survey_xml_bytes(const struct survey *s)
{
	return s->body_bytes +
	       s->records * (XML_A_RECORD + (uint64_t)XML_A_CELL * columns_count(s->columns)) +
	       65536;
}
