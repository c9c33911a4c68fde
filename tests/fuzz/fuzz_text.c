/* fuzz_text.c - text for cells and file names: whatever comes in, what goes out is fit. */
#include "base/text.h"
#include "book/clean.h"
#include "book/naming.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static char out[CLEAN_BYTES];

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_escape(const char *p)
{
	if (p[0] != '_' || p[1] != 'x')
		return false;
	for (int i = 2; i < 6; i++)
		if (!isxdigit((unsigned char)p[i]))
			return false;
	return p[6] == '_';
}

static void check_cell(size_t length, size_t most)
{
	size_t units = 0, feeds = 0;

	must(strlen(out) == length);
	for (const char *p = out; *p;) {
		uint32_t c;
		int n = text_utf8_next(p, out + length, &c);

		must(n > 0 && c != 0xFFFE && c != 0xFFFF && (c >= 0x20 || c == '\t' || c == '\n'));
		if (is_escape(p)) { /* read as "_", and on behind it */
			must(!strncmp(p, "_x005F_", 7));
			n = 7;
		}
		units += n == 7 ? 7 : c > 0xFFFF ? 2 : 1;
		feeds += c == '\n';
		p += n;
	}
	must(units <= most && feeds <= 253);
}

static void check_name(const char *name, size_t most)
{
	size_t length = strlen(name);

	must(length <= most);
	must(!strpbrk(name, "<>:\"/\\|?*") && name[0] != '.');
	for (const char *p = name; *p;) {
		uint32_t c;
		int n = text_utf8_next(p, name + length, &c);

		must(n > 0 && c >= 0x20 && c != 0x7F && c <= 0xFFFF);
		p += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of((const char *)data, size);
	size_t most = size > 0 ? (size_t)data[0] * 129 + 2 : CLEAN_UNITS, units, length;
	char name[NAMING_BYTES], copy[256];
	struct row row = {.id = "",
		.name = copy,
		.match_type = "",
		.status = "",
		.venue = "",
		.series_id = "",
		.date = "2025-04-16",
		.start = "",
		.team = {copy, copy}};

	if (most > CLEAN_UNITS)
		most = CLEAN_UNITS;
	length = clean_text(in, most, out, sizeof(out), &units);
	check_cell(length, most);
	if (clean_is_plain(in) && size <= most)
		must(length == size && !memcmp(out, data, size) && units == size);

	length = size < sizeof(copy) - 1 ? size : sizeof(copy) - 1;
	memcpy(copy, data, length);
	copy[length] = '\0';
	for (unsigned whole = 0; whole < 2; whole++) {
		naming_workbook(&row, in, 0, whole, whole + 1, name);
		check_name(name, NAMING_BYTES - 1);
	}
	naming_clean(in, 40, copy);
	check_name(copy, 40);
	return 0;
}
