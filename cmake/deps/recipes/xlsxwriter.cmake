include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# With the number printer that knows no locale: faster than printf, and never a decimal comma.
file(GLOB files ${SOURCE}/src/*.c)
list(APPEND files ${SOURCE}/third_party/minizip/ioapi.c ${SOURCE}/third_party/minizip/zip.c
	${SOURCE}/third_party/tmpfileplus/tmpfileplus.c ${SOURCE}/third_party/md5/md5.c
	${SOURCE}/third_party/dtoa/emyg_dtoa.c)
build_archive(xlsxwriter SOURCES ${files} DEFINITIONS NOCRYPT NOUNCRYPT USE_DTOA_LIBRARY
	INCLUDES ${SOURCE}/include ${PREFIX}/include
	FAST ${SOURCE}/src/xmlwriter.c ${SOURCE}/src/utility.c ${SOURCE}/third_party/dtoa/emyg_dtoa.c)
install_headers(include ${SOURCE}/include/xlsxwriter.h ${SOURCE}/include/xlsxwriter)
recipe_done()
