/* test_split_recorded.c - the splitter over recorded answers and over JSONTestSuite. */
#include "cricket/row.h"
#include "feed/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

static char body[FILE_MAX];

static size_t load(const char *folder, const char *name)
{
	char path[1024];
	size_t length;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s/%s", SCOREBOX_DATA, folder, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	length = fread(body, 1, sizeof body, f);
	assert_true(feof(f));
	fclose(f);
	return length;
}

static DIR *data_folder(const char *folder)
{
	char path[1024];
	DIR *d;

	snprintf(path, sizeof path, "%s/%s", SCOREBOX_DATA, folder);
	d = opendir(path);
	if (!d)
		print_message("SKIPPED: no recorded data at %s\n", path);
	return d;
}

static enum status pass(void *context, const struct split_row *row, struct why *why)
{
	(void)context;
	(void)row;
	(void)why;
	return STATUS_OK;
}

static enum status run(
	struct split *s, size_t length, size_t size, struct split_envelope *e, struct why *why)
{
	enum status status = STATUS_OK;

	split_reset(s);
	for (size_t at = 0; at < length && status == STATUS_OK; at += size)
		status = split_feed(s, body + at, length - at < size ? length - at : size, why);
	return status == STATUS_OK ? split_end(s, e, why) : status;
}

static void the_test_suite_is_judged_right(void **state)
{
	static const size_t sizes[] = {1, 7, FILE_MAX};
	static const char *const profiles[] = {"cricapi", "custom"};
	DIR *folder = data_folder("jsontestsuite");
	struct dirent *entry;
	unsigned accepted = 0, refused = 0, either = 0;

	(void)state;
	if (!folder)
		skip();
	while ((entry = readdir(folder))) {
		const char *name = entry->d_name;
		bool good = name[0] == 'y';
		size_t length;

		if (!strchr("yni", name[0]) || name[1] != '_')
			continue;
		length = load("jsontestsuite", name);
		for (unsigned i = 0; i < 6; i++) {
			struct source source;
			struct split_envelope e;
			struct split *s;
			struct why why;
			enum status status;

			assert_int_equal(source_profile(profiles[i % 2], &source), STATUS_OK);
			assert_int_equal(
				split_open(&s, &source, 1000, pass, NULL, &why), STATUS_OK);
			status = run(s, length, sizes[i / 2], &e, &why);
			split_close(s);
			if (name[0] != 'i' && status != (good ? STATUS_OK : STATUS_BAD_DATA))
				fail_msg("%s: %s", name,
					status == STATUS_OK ? "accepted" : why.text);
		}
		*(name[0] == 'y' ? &accepted : name[0] == 'n' ? &refused : &either) += 1;
	}
	closedir(folder);
	print_message("%u accepted, %u refused, %u either way\n", accepted, refused, either);
	assert_true(accepted >= 60 && refused >= 100);
}

/* What is kept of a page's rows, to compare the runs of different piece sizes. */
struct found {
	struct row_reader *reader;
	uint64_t at[64], length[64];
	unsigned rows;
	bool first_run;
};

static enum status compare(void *context, const struct split_row *row, struct why *why)
{
	struct found *f = context;
	struct row read;

	assert_true(f->rows < 64);
	assert_int_equal(row->kind, SPLIT_ROW);
	assert_int_equal(row->length, row->bytes.length);
	assert_memory_equal(row->bytes.bytes, body + row->at, row->length);
	assert_int_equal(row_read(f->reader, row->bytes, &read, why), STATUS_OK);
	assert_true(read.is_object);
	assert_int_equal(strlen(read.id), row->id.length);
	assert_memory_equal(read.id, row->id.bytes, row->id.length);
	if (f->first_run) {
		f->at[f->rows] = row->at;
		f->length[f->rows] = row->length;
	}
	assert_int_equal(f->at[f->rows], row->at);
	assert_int_equal(f->length[f->rows], row->length);
	f->rows++;
	return STATUS_OK;
}

/* Another way to count: elements of the array behind `"data": [`, by brackets alone. */
static unsigned count_rows(size_t length)
{
	const char *p = strstr(body, "\"data\""), *end = body + length;
	unsigned depth = 0, rows = 0;
	bool string = false;

	for (p = strchr(p, '['); p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			string = !string;
		else if (!string && strchr("[{", *p) && depth++ == 1)
			rows++;
		else if (!string && strchr("]}", *p) && --depth == 0)
			break;
	}
	return rows;
}

static void recorded_pages_come_apart_byte_for_byte(void **state)
{
	static const size_t sizes[] = {FILE_MAX, 1, 7, 1000, 16384};
	DIR *folder = data_folder("cricapi");
	struct found f = {.rows = 0};
	struct source source;
	struct split_envelope e;
	struct dirent *entry;
	struct split *s;
	struct why why;
	unsigned pages = 0, rows = 0;

	(void)state;
	if (!folder)
		skip();
	assert_int_equal(source_profile("cricapi", &source), STATUS_OK);
	assert_int_equal(row_reader_open(&f.reader, 64 * 1024, &why), STATUS_OK);
	assert_int_equal(split_open(&s, &source, 64 * 1024, compare, &f, &why), STATUS_OK);
	while ((entry = readdir(folder))) {
		size_t length;

		if (!strstr(entry->d_name, "atches_"))
			continue;
		length = load("cricapi", entry->d_name);
		body[length] = '\0';
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			f.rows = 0;
			f.first_run = i == 0;
			if (run(s, length, sizes[i], &e, &why) != STATUS_OK)
				fail_msg("%s: %s", entry->d_name, why.text);
			assert_true(e.has_records && e.ok_seen && e.ok);
			assert_int_equal(e.rows, f.rows);
			assert_int_equal(f.rows, count_rows(length));
			assert_true(e.total > 0 && e.hits_today >= 0 && e.hits_limit == 100);
		}
		pages++;
		rows += f.rows;
	}
	print_message("%u pages, %u rows\n", pages, rows);
	assert_true(pages >= 8 && rows >= 190);
	split_close(s);
	row_reader_close(f.reader);
	closedir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_test_suite_is_judged_right),
		cmocka_unit_test(recorded_pages_come_apart_byte_for_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
