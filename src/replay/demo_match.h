/* demo_match.h - private to replay/: the match file that is compiled in (made by the build from
 * matches/). */
#pragma once
#include <stddef.h>

extern const unsigned char replay_demo_match[];
extern const size_t replay_demo_match_bytes;
