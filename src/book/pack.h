/* pack.h - how hard a workbook is packed (private to book/). Packing is half of what a large
 * workbook costs, and libxlsxwriter offers no choice; the linker's --wrap on deflateInit2_ makes
 * one. */
#pragma once
#include <stdint.h>

/* Small workbooks are packed well (sticks wear by what is written to them), large ones fast: 2.5
 * times as fast for a sixth more bytes. */
void pack_for(uint64_t xml_bytes);
