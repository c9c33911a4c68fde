/* synthetic.h - private to replay/: made-up rows for tests of memory and speed: as long as the
 * long ones of the API (about 1,000 bytes), each a valid match with an id of its own. Row n is the
 * same at every call. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { SYNTHETIC_ROW_BYTES = 1536 }; /* the longest a row can get, and the NUL */

size_t synthetic_row(uint64_t n, char out[SYNTHETIC_ROW_BYTES]);
/* Bytes of rows 0 … rows - 1, without anything between them. */
uint64_t synthetic_bytes(uint64_t rows);
