/* roots.c - the build machine's CA bundle, taken in whole by the assembler. It lies in the program
 * file's read-only part and costs memory only while it is read. */
#include "tls/roots.h"

#ifdef SCOREBOX_ROOTS_FILE

/* %progbits: the spelling that every target's assembler knows. */
__asm__(".pushsection .rodata.scorebox_roots, \"a\", %progbits\n"
	".global scorebox_roots\n"
	".hidden scorebox_roots\n"
	"scorebox_roots:\n"
	".incbin \"" SCOREBOX_ROOTS_FILE "\"\n"
	".global scorebox_roots_end\n"
	".hidden scorebox_roots_end\n"
	"scorebox_roots_end:\n"
	".byte 0\n"
	".popsection\n");

extern const char scorebox_roots[] __attribute__((visibility("hidden")));
extern const char scorebox_roots_end[] __attribute__((visibility("hidden")));

size_t roots_compiled_in(const char **pem)
{
	*pem = scorebox_roots;
	return (size_t)(scorebox_roots_end - scorebox_roots);
}

#else

size_t roots_compiled_in(const char **pem)
{
	*pem = "";
	return 0;
}

#endif
