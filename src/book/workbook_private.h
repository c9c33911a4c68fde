/* workbook_private.h - what workbook.c and workbook_index.c share. */
#pragma once
#include "book/sheet.h"
#include "book/verify.h"
#include "book/workbook.h"
#include "cricket/row.h"

struct lxw_workbook;

/* A workbook being made: the library's handle and what every sheet shares. */
struct made {
	struct lxw_workbook *book;
	struct sheet_shared *shared;
	struct row_reader *reader;
	const char *path;
	const struct workbook_room *room;
};
enum status made_open(struct made *m, const char *path, const struct workbook_room *room,
	uint64_t xml_bytes, struct why *why) MUST_CHECK;
/* Names it: document properties, ours, and the print header. Texts are cleaned here. */
void made_name(struct made *m, const char *title, const char *subject,
	const struct verify_properties *ours);
void made_shape(const char *zone, char *out, size_t out_bytes);
enum status made_sheet(
	struct made *m, const char *name, struct lxw_worksheet **out, struct why *why) MUST_CHECK;
/* Assembles the file. */
enum status made_close(struct made *m, struct why *why) MUST_CHECK;
void made_done(struct made *m); /* frees what is left; zeroed struct is fine */
