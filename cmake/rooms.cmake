# scorebox_room(NAME <room> SOURCES <file>... [USES <room>...] [LIBRARIES <target>...] [SMALL])
# One folder of src/ is one static library, scorebox_<room>. USES names the rooms whose headers it
# reads; LIBRARIES what it alone calls. The test `borders` holds both. SMALL: it has no inner loop, and what ships of
# it is compiled for size.
function(scorebox_room)
	cmake_parse_arguments(PARSE_ARGV 0 ARG "SMALL" "NAME" "SOURCES;USES;LIBRARIES")
	if(ARG_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "scorebox_room(${ARG_NAME}): what is '${ARG_UNPARSED_ARGUMENTS}'?")
	endif()
	add_library(scorebox_${ARG_NAME} STATIC ${ARG_SOURCES})
	list(TRANSFORM ARG_USES PREPEND scorebox_)
	target_link_libraries(scorebox_${ARG_NAME} PUBLIC scorebox_flags ${ARG_USES} PRIVATE ${ARG_LIBRARIES})
	if(ARG_SMALL AND CMAKE_BUILD_TYPE STREQUAL "Release")
		target_compile_options(scorebox_${ARG_NAME} PRIVATE -Os)
	endif()
endfunction()

# scorebox_program(NAME <program> SOURCES <file>... USES <room>...): stands at the top of the build folder.
function(scorebox_program)
	cmake_parse_arguments(PARSE_ARGV 0 ARG "" "NAME" "SOURCES;USES;LIBRARIES")
	add_executable(${ARG_NAME} ${ARG_SOURCES})
	list(TRANSFORM ARG_USES PREPEND scorebox_)
	target_link_libraries(${ARG_NAME} PRIVATE scorebox_flags ${ARG_USES} ${ARG_LIBRARIES})
	set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
	# The map tells whose the bytes are, to cmake/sizes.py.
	target_link_options(${ARG_NAME} PRIVATE -Wl,-Map=${PROJECT_BINARY_DIR}/${ARG_NAME}.map)
	if(CMAKE_BUILD_TYPE STREQUAL "Release")
		target_link_options(${ARG_NAME} PRIVATE -s -Wl,-T,${PROJECT_SOURCE_DIR}/cmake/cold.ld)
		set_target_properties(${ARG_NAME} PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/cold.ld)
	endif()
endfunction()

# scorebox_embed(<symbol> FILE <file> HEADER <room/header.h>): the file's bytes as the array <symbol>, a NUL
# behind them, and their number as <symbol>_bytes, in <symbol>.c of the build folder. The header declares both.
function(scorebox_embed symbol)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "" "FILE;HEADER" "")
	get_filename_component(file ${ARG_FILE} ABSOLUTE)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
	file(READ ${file} hex HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
	string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
	file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c @ONLY CONTENT
"/* Made by the build from ${ARG_FILE}. */
#include \"${ARG_HEADER}\"

const unsigned char ${symbol}[] = {
@bytes@0
};
const size_t ${symbol}_bytes = sizeof ${symbol} - 1;
")
endfunction()
