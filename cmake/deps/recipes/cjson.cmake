include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# A real row nests four deep; the library's own limit of 1000 would cost stack.
build_archive(cjson SOURCES ${SOURCE}/cJSON.c DEFINITIONS CJSON_NESTING_LIMIT=64 ENABLE_LOCALES
	FAST ${SOURCE}/cJSON.c)
install_headers(include ${SOURCE}/cJSON.h)
recipe_done()
