include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# Debian's copy lacks a file that zlib's own CMake project wants: the list of sources is simpler.
set(names adler32 crc32 deflate inffast inflate inftrees trees zutil compress uncompr
	gzclose gzlib gzread gzwrite infback)
list(TRANSFORM names REPLACE "(.+)" "${SOURCE}/\\1.c" OUTPUT_VARIABLE files)
build_archive(z SOURCES ${files} DEFINITIONS HAVE_UNISTD_H _LARGEFILE64_SOURCE=1 FAST ${files})
install_headers(include ${SOURCE}/zlib.h ${SOURCE}/zconf.h)
recipe_done()
