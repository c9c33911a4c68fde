#include "book/naming.h"
#include "base/clock.h"
#include "base/text.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { SHORT_ID = 8, MOST_ID = NAMING_ID_BYTES - 1, MOST_STEM = 104, FIRST_TEAM = 34 };

/* What FAT or Windows refuses, what means something in a link or to Excel, what cannot be seen. */
static bool refused(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c > 0xFFFF || c == 0xFFFE || c == 0xFFFF ||
		c == 0xFFFD)
		return true;
	if ((c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
		(c >= 0x2060 && c <= 0x206F) || c == 0xFEFF)
		return true;
	return c < 0x80 && strchr("<>:\"/\\|?*%#[]", (int)c) != NULL;
}

static bool is_blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == 0xA0 || c == 0x3000;
}

/* CON, NUL, COM1 ... name a device on Windows, whatever follows the first dot. */
static bool reserved(const char *name)
{
	static const char *const devices[] = {"CON", "PRN", "AUX", "NUL", "CLOCK$"};
	size_t stem = strcspn(name, ".");

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (strlen(devices[i]) == stem && !strncasecmp(name, devices[i], stem))
			return true;
	return stem == 4 && (!strncasecmp(name, "COM", 3) || !strncasecmp(name, "LPT", 3)) &&
	       isdigit((unsigned char)name[3]);
}

bool naming_clean(struct view in, size_t max_bytes, char *out)
{
	const char *p = in.bytes, *end = in.bytes + in.length;
	size_t used = 0, kept;
	bool changed = false;

	while (p < end) {
		char bytes[4];
		uint32_t c;
		int n = text_utf8_next(p, end, &c);
		bool bad = n == 0 || refused(c);

		p += n ? n : 1;
		changed = changed || bad;
		if (bad || is_blank(c)) {
			if (used == 0 || out[used - 1] == '-')
				continue; /* no run of dashes, none in front */
			c = '-';
		}
		n = text_utf8_put(c, bytes);
		if (used + (size_t)n > max_bytes) {
			changed = true;
			break;
		}
		memcpy(out + used, bytes, (size_t)n);
		used += (size_t)n;
	}
	out[used] = '\0';
	kept = used;
	while (kept > 0 && strchr(".- ", out[kept - 1]))
		kept--;
	out[kept] = '\0';
	while (out[0] == '.') { /* not hidden, not ".." */
		memmove(out, out + 1, strlen(out));
		changed = true;
	}
	if (reserved(out) && strlen(out) + 1 <= max_bytes) {
		memmove(out + 1, out, strlen(out) + 1);
		out[0] = '-';
		changed = true;
	}
	return changed || kept != used;
}

void naming_id(struct view key, char out[NAMING_ID_BYTES])
{
	char cleaned[NAMING_ID_BYTES];
	unsigned crc = (unsigned)crc32(0, (const unsigned char *)key.bytes, (unsigned)key.length);

	if (!naming_clean(key, MOST_ID, cleaned)) {
		memcpy(out, cleaned, sizeof(cleaned));
		return;
	}
	naming_clean(key, MOST_ID - 9, cleaned);
	snprintf(out, NAMING_ID_BYTES, "%.*s-%08x", MOST_ID - 9, cleaned, crc);
}

static void short_id(struct view key, char out[NAMING_ID_BYTES])
{
	naming_clean(
		view_of(key.bytes, key.length < SHORT_ID ? key.length : SHORT_ID), MOST_ID, out);
	if (!out[0])
		snprintf(out, NAMING_ID_BYTES, "match");
}

static bool is_date(const char *text)
{
	static const char shape[] = "dddd-dd-dd";

	for (int i = 0; i < 10; i++)
		if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i])
			return false;
	return text[10] == '\0';
}

static struct view whole_text(const char *text)
{
	return view_of(text, strlen(text));
}

/* "Team-A-vs-Team-B", each side cut to what fits; else the row's name. */
static void title_part(const struct row *row, size_t most, char out[MOST_STEM + 1])
{
	char a[FIRST_TEAM + 1], b[FIRST_TEAM + 1];
	size_t each = (most - 4) / 2 < FIRST_TEAM ? (most - 4) / 2 : FIRST_TEAM;

	out[0] = '\0';
	naming_clean(whole_text(row->team[0]), each, a);
	naming_clean(whole_text(row->team[1]), each, b);
	if (a[0] && b[0])
		snprintf(out, MOST_STEM + 1, "%s-vs-%s", a, b);
	else
		naming_clean(whole_text(row->name), most, out);
}

void naming_workbook(const struct row *row, struct view key, int64_t first_us, bool whole_id,
	unsigned volume, char out[NAMING_BYTES])
{
	char date[CLOCK_TEXT_BYTES], id[NAMING_ID_BYTES], title[MOST_STEM + 1], part[16] = "";

	clock_format(first_us, 0, date);
	date[10] = '\0';
	if (is_date(row->date))
		memcpy(date, row->date, 11);
	if (whole_id)
		naming_id(key, id);
	else
		short_id(key, id);
	title_part(row, MOST_STEM - 12 - strlen(id), title);
	if (volume > 1)
		snprintf(part, sizeof(part), " (%u)", volume);
	snprintf(out, NAMING_BYTES, "%s_%s%s%s%s.xlsx", date, title, title[0] ? "_" : "", id, part);
}

void naming_kept(const char *name, int64_t date_us, unsigned again, char out[NAMING_KEPT_BYTES])
{
	char date[CLOCK_TEXT_BYTES], count[16] = "";
	size_t stem = strlen(name);

	if (stem > 5 && !strcasecmp(name + stem - 5, ".xlsx"))
		stem -= 5;
	if (stem > 140)
		stem = 140;
	clock_format(date_us, 0, date);
	date[10] = '\0';
	if (again > 1)
		snprintf(count, sizeof(count), ", %u", again);
	snprintf(out, NAMING_KEPT_BYTES, "%.*s (before %s%s).xlsx", (int)stem, name, date, count);
}
