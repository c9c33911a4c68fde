include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# One file: its own project spends half a minute on questions that have one answer on Linux.
build_archive(cmocka SOURCES ${SOURCE}/src/cmocka.c INCLUDES ${SOURCE}/include DEFINITIONS
	HAVE_CLOCK_REALTIME HAVE_GCC_THREAD_LOCAL_STORAGE HAVE_INTTYPES_H HAVE_MALLOC_H HAVE_SIGNAL_H
	HAVE_STRINGS_H HAVE_STRSIGNAL HAVE_STRUCT_TIMESPEC)
file(GLOB headers ${SOURCE}/include/cmocka*.h)
install_headers(include ${headers})
recipe_done()
