#include "book/sheet_records.h"
#include "cricket/row.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

enum { FIXED = 4, TEXT_BYTES = 32 * 1024 * 1024, MORE_BYTES = 64 * 1024 };

/* A field of the record at hand, waiting for its place: cells must come in order of their
 * columns. */
struct slot {
	uint32_t stamp;	     /* of the record that filled it */
	uint32_t at, length; /* in texts */
	enum row_kind kind;
};

struct records {
	struct survey *survey;
	struct slot *slots; /* by column */
	uint32_t stamp;
	struct buffer texts;			  /* the record's texts, one after the other */
	struct buffer more;			  /* what has no column of its own */
	unsigned fields;			  /* columns of fields */
	int duplicate_at, generation_at, more_at; /* trailing columns, or -1 */
	unsigned columns;
	struct sheet sheet;
	struct lxw_workbook *book;
	struct sheet_shared *shared;
	struct verify_rows *rows;
	unsigned part;
};

static enum status take_more(struct records *r, const char *path, struct view text)
{
	if (r->more.length + text.length + strlen(path) + 4 > MORE_BYTES)
		return STATUS_OK; /* beyond what a cell holds: it would be cut there anyway */
	if (r->more.length > 0 && buffer_add(&r->more, "\n", 1) != STATUS_OK)
		return STATUS_NO_MEMORY;
	if (buffer_add_text(&r->more, path) != STATUS_OK ||
		buffer_add(&r->more, "=", 1) != STATUS_OK)
		return STATUS_NO_MEMORY;
	return buffer_add(&r->more, text.bytes, text.length) == STATUS_OK ? STATUS_OK
									  : STATUS_NO_MEMORY;
}

static enum status take_field(void *context, const char *path, enum row_kind kind, struct view text)
{
	struct records *r = context;
	int column = columns_find(r->survey->columns, path);

	if (column == COLUMNS_NONE || r->slots[column].stamp == r->stamp)
		return take_more(r, path, text);
	r->slots[column] = (struct slot){
		r->stamp, (uint32_t)r->texts.length, (uint32_t)text.length, kind};
	return buffer_add(&r->texts, text.bytes, text.length) == STATUS_OK ? STATUS_OK
									   : STATUS_NO_MEMORY;
}

static void write_slot(struct records *r, unsigned column, const struct slot *slot)
{
	struct view text = view_of(r->texts.bytes + slot->at, slot->length);

	switch (slot->kind) {
	case ROW_NUMBER:
		sheet_number_text(&r->sheet, column, text);
		return;
	case ROW_TRUE:
	case ROW_FALSE:
		sheet_boolean(&r->sheet, column, slot->kind == ROW_TRUE);
		return;
	case ROW_NULL:
		sheet_words(&r->sheet, column, "null");
		return;
	case ROW_STRING:
	case ROW_EMPTY:
		sheet_text(&r->sheet, column, text);
		return;
	}
}

static enum status write_record(
	struct records *r, const struct journal_record *record, struct why *why)
{
	struct why broken;
	enum status st;

	r->stamp++;
	buffer_clear(&r->texts);
	buffer_clear(&r->more);
	st = row_flatten(record->body, &r->survey->scratch, take_field, r, &broken);
	if (st == STATUS_NO_MEMORY)
		return fail(why, st, "no memory for the fields of a record");
	r->sheet.tone = record->duplicate ? TONE_DUPLICATE : TONE_PLAIN;
	sheet_integer(&r->sheet, 0, record->partition);
	sheet_integer(&r->sheet, 1, record->offset);
	sheet_time(&r->sheet, 2, record->kafka_us);
	sheet_text(&r->sheet, 3, record->event_id);
	for (unsigned i = 0; st == STATUS_OK && i < r->fields; i++)
		if (r->slots[i].stamp == r->stamp)
			write_slot(r, FIXED + i, &r->slots[i]);
	if (r->duplicate_at >= 0 && record->duplicate)
		sheet_words(&r->sheet, (unsigned)r->duplicate_at, "yes");
	if (r->generation_at >= 0)
		sheet_integer(&r->sheet, (unsigned)r->generation_at, record->generation);
	if (record->damaged)
		sheet_words(&r->sheet, (unsigned)r->more_at,
			"damaged: the journal's card gave back other bytes than were written");
	else if (st != STATUS_OK) /* no strict JSON: as it is */
		sheet_text(&r->sheet, (unsigned)r->more_at, record->body);
	else if (r->more_at >= 0 && r->more.length > 0)
		sheet_text(&r->sheet, (unsigned)r->more_at, view_of(r->more.bytes, r->more.length));
	sheet_end_row(&r->sheet);
	return STATUS_OK;
}

static enum status begin_part(struct records *r, struct why *why)
{
	static const char *const fixed[FIXED] = {"Partition", "Offset", "Kafka time", "Event id"};
	char name[32] = "Records";
	struct lxw_worksheet *handle;
	enum status st;

	if (++r->part > 1)
		snprintf(name, sizeof(name), "Records %u", r->part);
	handle = r->rows->sheets < VERIFY_SHEETS ? workbook_add_worksheet(r->book, name) : NULL;
	if (!handle)
		return fail(why, STATUS_IO, "no sheet '%s': the temp folder takes no file", name);
	worksheet_set_tab_color(handle, COLOUR_GREY);
	st = sheet_begin(&r->sheet, handle, r->shared, r->columns, false, why);
	if (st != STATUS_OK)
		return st;
	for (unsigned i = 0; i < FIXED; i++)
		sheet_title(&r->sheet, i, fixed[i]);
	for (unsigned i = 0; i < r->fields; i++)
		sheet_title(&r->sheet, FIXED + i, columns_name(r->survey->columns, i));
	if (r->duplicate_at >= 0)
		sheet_title(&r->sheet, (unsigned)r->duplicate_at, "Duplicate");
	if (r->generation_at >= 0)
		sheet_title(&r->sheet, (unsigned)r->generation_at, "Generation");
	if (r->more_at >= 0)
		sheet_title(&r->sheet, (unsigned)r->more_at, "Further fields");
	sheet_end_row(&r->sheet);
	return STATUS_OK;
}

static enum status end_part(struct records *r, struct why *why)
{
	enum status st = sheet_finish(&r->sheet, false, why);

	r->rows->rows[r->rows->sheets++] = r->sheet.row;
	sheet_done(&r->sheet);
	return st;
}

static enum status write_all(struct records *r, struct journal *j, int64_t match, struct why *why)
{
	struct journal_cursor *cursor;
	struct journal_record record;
	enum status st = journal_cursor_open(&cursor, j, match, JOURNAL_BY_ARRIVAL, why);

	if (st != STATUS_OK)
		return st;
	while ((st = journal_cursor_next(cursor, &record, why)) == STATUS_OK) {
		if (sheet_is_full(&r->sheet)) {
			st = end_part(r, why);
			if (st == STATUS_OK)
				st = begin_part(r, why);
		}
		if (st == STATUS_OK)
			st = write_record(r, &record, why);
		if (st != STATUS_OK)
			break;
	}
	journal_cursor_close(cursor);
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

static void lay_out(struct records *r)
{
	unsigned next;

	r->fields = columns_count(r->survey->columns);
	next = FIXED + r->fields;
	r->duplicate_at = r->survey->duplicates ? (int)next++ : -1;
	r->generation_at = r->survey->generations ? (int)next++ : -1;
	r->more_at = r->survey->crowded ? (int)next++ : -1;
	r->columns = next;
}

enum status sheet_records_write(struct lxw_workbook *book, struct sheet_shared *shared,
	struct survey *survey, struct journal *j, int64_t match, struct verify_rows *rows,
	struct why *why)
{
	struct records r = {.survey = survey, .book = book, .shared = shared, .rows = rows};
	enum status st;

	lay_out(&r);
	buffer_init(&r.texts, TEXT_BYTES);
	buffer_init(&r.more, MORE_BYTES);
	r.slots = calloc(r.fields ? r.fields : 1, sizeof(*r.slots));
	if (r.slots)
		st = begin_part(&r, why);
	else
		st = fail(why, STATUS_NO_MEMORY, "no memory for %u columns", r.fields);
	if (st == STATUS_OK)
		st = write_all(&r, j, match, why);
	if (st == STATUS_OK)
		st = end_part(&r, why);
	sheet_done(&r.sheet);
	free(r.slots);
	buffer_done(&r.texts);
	buffer_done(&r.more);
	return st;
}
