/* schema.h - private to app/: the JSON Schemas (draft 7) of what stands in a record's value, made by the build
 * from schema/. They state facts and refuse nothing: rows travel unchanged, whatever is in them. Each ends
 * with a NUL that does not count. */
#pragma once
#include <stddef.h>

extern const unsigned char schema_match[]; /* a row of cricapi */
extern const size_t schema_match_bytes;
extern const unsigned char schema_row[]; /* a row of a custom source: an object */
extern const size_t schema_row_bytes;
