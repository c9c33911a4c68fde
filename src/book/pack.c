#include "book/pack.h"
#include <zlib.h>

enum { LARGE_BYTES = 4 * 1024 * 1024, FAST_LEVEL = 2 };

static int level = Z_DEFAULT_COMPRESSION;

int __wrap_deflateInit2_(z_streamp stream, int asked, int method, int window, int memory,
	int strategy, const char *version, int size);
int __real_deflateInit2_(z_streamp stream, int asked, int method, int window, int memory,
	int strategy, const char *version, int size);

int __wrap_deflateInit2_(z_streamp stream, int asked, int method, int window, int memory,
	int strategy, const char *version, int size)
{
	return __real_deflateInit2_(stream, asked == Z_DEFAULT_COMPRESSION ? level : asked, method,
		window, memory, strategy, version, size);
}

void pack_for(uint64_t xml_bytes)
{
	level = xml_bytes > LARGE_BYTES ? FAST_LEVEL : Z_DEFAULT_COMPRESSION;
}
