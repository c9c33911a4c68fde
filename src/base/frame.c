#include "base/frame.h"

void frame_write(uint32_t schema_id, char out[FRAME_BYTES])
{
	out[0] = 0;
	for (int i = 1; i < FRAME_BYTES; i++)
		out[i] = (char)(schema_id >> (8 * (FRAME_BYTES - 1 - i)));
}

bool frame_strip(struct view wire, uint32_t *schema_id, struct view *value)
{
	uint32_t id = 0;

	*value = wire;
	*schema_id = 0;
	if (wire.length < FRAME_BYTES || wire.bytes[0] != 0)
		return false;
	for (int i = 1; i < FRAME_BYTES; i++)
		id = id << 8 | (unsigned char)wire.bytes[i];
	*schema_id = id;
	*value = view_of(wire.bytes + FRAME_BYTES, wire.length - FRAME_BYTES);
	return true;
}
