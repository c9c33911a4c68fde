#include "book/style.h"
#include <stdbool.h>
#include <xlsxwriter.h>

static const char TIME_FORMAT[] = "yyyy-mm-dd hh:mm:ss";

static lxw_format *plain(lxw_workbook *book)
{
	lxw_format *f = workbook_add_format(book);

	format_set_font_name(f, "Calibri");
	format_set_font_color(f, COLOUR_INK);
	format_set_align(f, LXW_ALIGN_VERTICAL_TOP);
	return f;
}

static void make_cells(struct styles *s, lxw_workbook *book)
{
	static const struct {
		lxw_color_t background, ink;
		bool italic, bold;
	} tones[TONES] = {
		[TONE_PLAIN] = {0, COLOUR_INK, false, false},
		[TONE_WICKET] = {0xFBE3DE, 0x8C2F1B, false, false},
		[TONE_NOTE] = {0xFFF4CF, 0x7A5B00, true, false},
		[TONE_RESULT] = {0xE2EFE0, 0x22552A, false, true},
		[TONE_DUPLICATE] = {0xF1F3F4, COLOUR_GREY, true, false},
		[TONE_LIVE] = {0xE6F1FA, 0x174A80, false, false},
	};
	static const char *const formats[CELL_KINDS] = {
		[CELL_INTEGER] = "0",
		[CELL_RATE] = "0.00",
		[CELL_TIME] = TIME_FORMAT,
		[CELL_DAY] = "yyyy-mm-dd",
	};

	for (int t = 0; t < TONES; t++) {
		for (int k = 0; k < CELL_KINDS; k++) {
			lxw_format *f = plain(book);

			format_set_font_color(f, tones[t].ink);
			if (tones[t].background)
				format_set_bg_color(f, tones[t].background);
			if (tones[t].italic)
				format_set_italic(f);
			if (tones[t].bold)
				format_set_bold(f);
			if (formats[k])
				format_set_num_format(f, formats[k]);
			if (k == CELL_TIME || k == CELL_DAY)
				format_set_align(f, LXW_ALIGN_CENTER);
			if (k == CELL_RIGHT)
				format_set_align(f, LXW_ALIGN_RIGHT);
			if (k == CELL_TEXT) { /* so that it keeps off a figure at its left */
				format_set_align(f, LXW_ALIGN_LEFT);
				format_set_indent(f, 1);
			}
			s->cell[t][k] = f;
			s->index[t][k] = lxw_format_get_xf_index(f);
		}
	}
}

static lxw_format *header(lxw_workbook *book, uint8_t align)
{
	lxw_format *f = plain(book);

	format_set_bold(f);
	format_set_font_color(f, LXW_COLOR_WHITE);
	format_set_bg_color(f, COLOUR_HEAD);
	format_set_align(f, align);
	format_set_align(f, LXW_ALIGN_VERTICAL_CENTER);
	return f;
}

static lxw_format *sized(lxw_workbook *book, double size, lxw_color_t ink)
{
	lxw_format *f = plain(book);

	format_set_font_size(f, size);
	format_set_font_color(f, ink);
	format_set_align(f, LXW_ALIGN_VERTICAL_CENTER);
	return f;
}

static lxw_format *lined(lxw_workbook *book, const char *number_format, uint8_t align)
{
	lxw_format *f = sized(book, 11, COLOUR_INK);

	format_set_bottom(f, LXW_BORDER_THIN);
	format_set_bottom_color(f, COLOUR_LINE);
	format_set_align(f, align);
	if (number_format)
		format_set_num_format(f, number_format);
	return f;
}

static lxw_format *band(lxw_workbook *book, lxw_color_t background)
{
	lxw_format *f = sized(book, 14, LXW_COLOR_WHITE);

	format_set_bold(f);
	format_set_bg_color(f, background);
	format_set_align(f, LXW_ALIGN_CENTER);
	format_set_text_wrap(f);
	return f;
}

static void make_page(struct styles *s, lxw_workbook *book)
{
	lxw_format **p = s->page;

	p[PAGE_TITLE] = sized(book, 22, COLOUR_INK);
	format_set_bold(p[PAGE_TITLE]);
	format_set_text_wrap(p[PAGE_TITLE]);
	p[PAGE_SUBTITLE] = sized(book, 12, COLOUR_QUIET);
	format_set_text_wrap(p[PAGE_SUBTITLE]);
	p[PAGE_LABEL] = sized(book, 11, COLOUR_QUIET);
	p[PAGE_VALUE] = sized(book, 11, COLOUR_INK);
	p[PAGE_DATE] = sized(book, 11, COLOUR_INK);
	format_set_num_format(p[PAGE_DATE], TIME_FORMAT);
	format_set_align(p[PAGE_DATE], LXW_ALIGN_LEFT);
	p[PAGE_DAY] = sized(book, 11, COLOUR_INK);
	format_set_num_format(p[PAGE_DAY], "yyyy-mm-dd");
	format_set_align(p[PAGE_DAY], LXW_ALIGN_LEFT);
	p[PAGE_NOTE] = sized(book, 9, COLOUR_QUIET);
	format_set_italic(p[PAGE_NOTE]);
	format_set_text_wrap(p[PAGE_NOTE]);
	p[PAGE_HEADER_LEFT] = header(book, LXW_ALIGN_LEFT);
	p[PAGE_HEADER_RIGHT] = header(book, LXW_ALIGN_RIGHT);
	p[PAGE_TEXT] = lined(book, NULL, LXW_ALIGN_LEFT);
	p[PAGE_SCORE] = lined(book, NULL, LXW_ALIGN_LEFT);
	format_set_bold(p[PAGE_SCORE]);
	p[PAGE_INTEGER] = lined(book, "0", LXW_ALIGN_RIGHT);
	p[PAGE_RATE] = lined(book, "0.00", LXW_ALIGN_RIGHT);
	p[PAGE_HIDDEN] = sized(book, 9, COLOUR_QUIET);
	p[PAGE_BAND_FIXTURE] = band(book, 0x7C8A94);
	p[PAGE_BAND_LIVE] = band(book, 0x1F5FA8);
	p[PAGE_BAND_WON] = band(book, 0x2E7D43);
	p[PAGE_BAND_TIED] = band(book, 0xB7791F);
	p[PAGE_BAND_NO_RESULT] = band(book, 0x6B5B73);
	p[PAGE_BAND_OVER] = band(book, 0x4A5A66);
}

void styles_make(struct styles *s, lxw_workbook *book)
{
	make_cells(s, book);
	s->header[0] = header(book, LXW_ALIGN_LEFT);
	format_set_indent(s->header[0], 1);
	s->header[1] = header(book, LXW_ALIGN_RIGHT);
	for (int i = 0; i < 2; i++)
		s->header_index[i] = lxw_format_get_xf_index(s->header[i]);
	s->link = plain(book);
	format_set_font_color(s->link, 0x1F5FA8);
	format_set_align(s->link, LXW_ALIGN_LEFT);
	format_set_indent(s->link, 1);
	format_set_underline(s->link, LXW_UNDERLINE_SINGLE);
	make_page(s, book);
}
