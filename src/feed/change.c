/* change.c - is this state new? */
#include "feed/change.h"

#include <string.h>

bool change_is_new(const struct digest *before, const struct digest *now, bool publish_all)
{
	return publish_all || !before || memcmp(before->bytes, now->bytes, DIGEST_BYTES) != 0;
}
