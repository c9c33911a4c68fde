#include "base/file.h"
#include "book/clean.h"
#include "book/pack.h"
#include "book/workbook_private.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

enum { LAYOUT = 1 }; /* count up when the same journal gives another workbook than before */
enum { READER_BYTES = 512 * 1024, SPARE_BYTES = 4 * 1024 * 1024, PACKED_PART = 4 };

/* The first folder with room for the library's temp files: it writes the raw XML of a sheet twice
 * before it packs it, and notices neither a full nor a missing folder. The one on the stick is made
 * only where the other is too small: a power cut can leave a folder on FAT that holds anything. */
static enum status choose_scratch(
	const struct workbook_room *room, uint64_t xml_bytes, const char **out, struct why *why)
{
	uint64_t target_free, total, need = 2 * xml_bytes + SPARE_BYTES,
				     packed = xml_bytes / PACKED_PART;
	enum status s = file_space(room->target_folder, &target_free, &total, why);

	if (s != STATUS_OK)
		return s;
	if (target_free < room->min_free_bytes + packed)
		return fail(why, STATUS_FULL, "%llu KiB are free in '%s', %llu are needed",
			(unsigned long long)(target_free >> 10), room->target_folder,
			(unsigned long long)((room->min_free_bytes + packed) >> 10));
	for (int i = 0; i < 2; i++) {
		uint64_t space, kept = i == 0 ? 0 : room->min_free_bytes + packed;

		if (room->scratch[i])
			(void)!mkdir(room->scratch[i], 0700);
		if (!room->scratch[i] || access(room->scratch[i], W_OK | X_OK) != 0 ||
			file_space(room->scratch[i], &space, &total, why) != STATUS_OK ||
			space < need + kept)
			continue;
		*out = room->scratch[i];
		return STATUS_OK;
	}
	return fail(why, STATUS_FULL, "no folder has %llu KiB for the temp files of a workbook",
		(unsigned long long)(need >> 10));
}

enum status made_open(struct made *m, const char *path, const struct workbook_room *room,
	uint64_t xml_bytes, struct why *why)
{
	lxw_workbook_options options = {.constant_memory = LXW_TRUE};
	const char *scratch = NULL;
	char folder[PATH_MAX];
	enum status s = choose_scratch(room, xml_bytes, &scratch, why);

	m->path = path;
	m->room = room;
	if (s != STATUS_OK)
		return s;
	snprintf(
		folder, sizeof(folder), "%s", scratch); /* the library takes no const, and copies */
	options.tmpdir = folder;
	pack_for(xml_bytes);
	m->shared = calloc(1, sizeof(*m->shared));
	if (m->shared)
		m->shared->cleaned = malloc(CLEAN_BYTES);
	m->book = workbook_new_opt(path, &options);
	if (!m->shared || !m->shared->cleaned || !m->book)
		return fail(why, STATUS_NO_MEMORY, "no memory for a workbook");
	styles_make(&m->shared->styles, m->book);
	return row_reader_open(&m->reader, READER_BYTES, why);
}

/* The print header: '&' begins a code there. 80 units of title stay below the 255 characters
 * allowed. */
static void set_header_line(struct made *m, const char *title)
{
	char line[80 * 3 + 8], *out = m->shared->header_line;
	size_t used = 2;

	clean_text(view_of(title, strlen(title)), 80, line, sizeof(line), NULL);
	memcpy(out, "&L", 2);
	for (const char *p = line; *p; p++) {
		if (*p == '&')
			out[used++] = '&';
		out[used++] = *p == '\n' || *p == '\t' ? ' ' : *p;
	}
	out[used] = '\0';
}

void made_shape(const char *zone, char *out, size_t out_bytes)
{
	snprintf(out, out_bytes, "%d %.80s", LAYOUT, zone && zone[0] ? zone : "UTC");
}

void made_name(struct made *m, const char *title, const char *subject,
	const struct verify_properties *ours)
{
	char clean_title[600], clean_subject[600], number[24];
	char author[] = "scorebox",
	     category[] = "Cricket"; /* the library takes no const, and copies */
	lxw_doc_properties properties = {
		.title = clean_title,
		.subject = clean_subject,
		.author = author,
		.category = category,
		.created = (time_t)(ours->last_us / 1000000),
	};

	clean_text(view_of(title, strlen(title)), 120, clean_title, sizeof(clean_title), NULL);
	clean_text(
		view_of(subject, strlen(subject)), 120, clean_subject, sizeof(clean_subject), NULL);
	set_header_line(m, title);
	workbook_set_properties(m->book, &properties);
	workbook_set_custom_property_string(m->book, "Journal", ours->journal);
	if (ours->match[0])
		workbook_set_custom_property_string(m->book, "Match", ours->match);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)ours->records);
	workbook_set_custom_property_string(m->book, "Records", number);
	snprintf(number, sizeof(number), "%lld", (long long)ours->last_us);
	workbook_set_custom_property_string(m->book, "Last state", number);
	workbook_set_custom_property_string(m->book, "Layout", ours->shape);
}

enum status made_sheet(
	struct made *m, const char *name, struct lxw_worksheet **out, struct why *why)
{
	*out = workbook_add_worksheet(m->book, name);
	return *out ? STATUS_OK
		    : fail(why, STATUS_IO, "no sheet '%s': the temp folder takes no file", name);
}

enum status made_close(struct made *m, struct why *why)
{
	lxw_error e = workbook_close(m->book); /* frees it in any case */
	uint64_t space = 0, total;

	m->book = NULL;
	if (e == LXW_NO_ERROR)
		return STATUS_OK;
	if (e == LXW_ERROR_MEMORY_MALLOC_FAILED)
		return fail(why, STATUS_NO_MEMORY, "no memory to assemble '%s'", m->path);
	if (file_space(m->room->target_folder, &space, &total, NULL) == STATUS_OK &&
		space < SPARE_BYTES / 4)
		return fail(why, STATUS_FULL, "'%s' is full: the workbook does not fit",
			m->room->target_folder);
	return fail(why, STATUS_IO, "assemble '%s': %s", m->path, lxw_strerror(e));
}

void made_done(struct made *m)
{
	if (m->book)
		lxw_workbook_free(m->book);
	if (m->shared)
		free(m->shared->cleaned);
	free(m->shared);
	row_reader_close(m->reader);
	memset(m, 0, sizeof(*m));
}
