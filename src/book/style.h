/* style.h - one look for every sheet (private to book/): formats made once a workbook. */
#pragma once
#include <stdint.h>

struct lxw_workbook;
struct lxw_format;

/* Cells of tables: what they hold, and how the row is toned. */
enum cell_kind {
	CELL_TEXT,
	CELL_RIGHT /* text beside figures */,
	CELL_INTEGER,
	CELL_RATE,
	CELL_TIME,
	CELL_DAY,
	CELL_KINDS
};
enum row_tone {
	TONE_PLAIN,
	TONE_WICKET, /* a wicket fell */
	TONE_NOTE,   /* states that did not reach us */
	TONE_RESULT,
	TONE_DUPLICATE,
	TONE_LIVE, /* in Matches.xlsx */
	TONES,
};
/* Cells of the page `Match`. */
enum page_style {
	PAGE_TITLE,
	PAGE_SUBTITLE,
	PAGE_LABEL,
	PAGE_VALUE,
	PAGE_DATE,
	PAGE_DAY,
	PAGE_NOTE,
	PAGE_HEADER_LEFT,
	PAGE_HEADER_RIGHT,
	PAGE_TEXT,
	PAGE_SCORE,
	PAGE_INTEGER,
	PAGE_RATE,
	PAGE_HIDDEN,
	PAGE_BAND_FIXTURE,
	PAGE_BAND_LIVE,
	PAGE_BAND_WON,
	PAGE_BAND_TIED,
	PAGE_BAND_NO_RESULT,
	PAGE_BAND_OVER,
	PAGE_STYLES,
};

#define COLOUR_INK   0x22303C
#define COLOUR_QUIET 0x6B7780
#define COLOUR_LINE  0xC9D1D6
#define COLOUR_HEAD  0x2F4B5C
#define COLOUR_GREY  0x9AA5AC
/* One fixed colour a side, one for its second innings, and a pale one for means. */
#define COLOUR_SIDE_A	   0x1F5FA8
#define COLOUR_SIDE_A_2ND  0x5B93CF
#define COLOUR_SIDE_A_PALE 0xA9C6E6
#define COLOUR_SIDE_B	   0xD1622B
#define COLOUR_SIDE_B_2ND  0xE3936A
#define COLOUR_SIDE_B_PALE 0xF0BFA3

struct styles {
	struct lxw_format *cell[TONES][CELL_KINDS];
	int32_t index[TONES][CELL_KINDS]; /* as rows written by sheet.c refer to them */
	struct lxw_format *header[2];	  /* over texts, over figures */
	int32_t header_index[2];
	struct lxw_format *page[PAGE_STYLES];
	struct lxw_format *link;
};
void styles_make(struct styles *s, struct lxw_workbook *book);
