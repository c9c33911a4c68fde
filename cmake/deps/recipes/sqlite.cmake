include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# The one-file form of the library: made by a program of the build machine, then compiled for the target.
file(MAKE_DIRECTORY ${BUILD}/one-file)
run(${LOG} ${BUILD}/one-file make -f ${SOURCE}/Makefile.linux-gcc TOP=${SOURCE} "BCC=cc -O1" sqlite3.c)
build_archive(sqlite3 SOURCES ${BUILD}/one-file/sqlite3.c DEFINITIONS
	SQLITE_THREADSAFE=1
	SQLITE_DEFAULT_MEMSTATUS=0
	SQLITE_DQS=0
	SQLITE_LIKE_DOESNT_MATCH_BLOBS
	SQLITE_MAX_EXPR_DEPTH=100
	SQLITE_OMIT_DEPRECATED
	SQLITE_OMIT_LOAD_EXTENSION
	SQLITE_OMIT_SHARED_CACHE
	SQLITE_USE_ALLOCA
	HAVE_FDATASYNC=1 HAVE_USLEEP=1 HAVE_GMTIME_R=1 HAVE_LOCALTIME_R=1)
install_headers(include ${BUILD}/one-file/sqlite3.h)
recipe_done()
