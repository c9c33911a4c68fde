/* frame.h - the wire format of schema registries, byte for byte: what stands before a value whose schema a
 * registry knows. Source: Confluent Platform, "Formats, Serializers, and Deserializers", wire format.
 *
 *	+------+---------------------------+------------------
 *	|  0   | schema id, 4 bytes, big   | the value itself
 *	+------+---------------------------+------------------
 *
 * No JSON begins with a NUL byte, so a value of ours tells by its first byte whether it is framed. */
#pragma once
#include "base/buffer.h"
#include <stdbool.h>
#include <stdint.h>

enum { FRAME_BYTES = 5 };

/* Writes the frame alone. */
void frame_write(uint32_t schema_id, char out[FRAME_BYTES]);
/* The value without its frame, a view into the same bytes, and the schema's id; without a frame the value
 * itself, and false: a first byte other than 0, or fewer bytes than a frame has. */
bool frame_strip(struct view wire, uint32_t *schema_id, struct view *value);
