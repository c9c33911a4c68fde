# Included by every file of recipes/. A recipe is run as a script with
#   LIBRARY   its name            DEPS_SRC   the sources     PREFIX     where it is installed
#   BUILD     its build folder    JOBS       compilers       OPTIONS    a CMake cache file: compiler, flags
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/tools.cmake)
set(SOURCE ${DEPS_SRC}/${LIBRARY})
set(SOURCES_LIST ${DEPS_SRC}/sources.txt)
set(LOG ${BUILD}.log)
file(WRITE ${LOG} "")
file(REMOVE_RECURSE ${BUILD})
file(MAKE_DIRECTORY ${BUILD} ${PREFIX}/include ${PREFIX}/lib)
string(TIMESTAMP STARTED %s)

# configure_with_cmake(SOURCE OPTIONS... [FAST TARGET FILES...]): the files named last are compiled for speed.
function(configure_with_cmake source)
	cmake_parse_arguments(ARG "" "" "FAST" ${ARGN})
	set(ARGN ${ARG_UNPARSED_ARGUMENTS})
	if(ARG_FAST)
		list(POP_FRONT ARG_FAST target)
		foreach(file IN LISTS ARG_FAST)
			if(NOT EXISTS ${file})
				message(FATAL_ERROR "${LIBRARY} has no ${file}")
			endif()
		endforeach()
		string(JOIN " " files ${ARG_FAST})
		file(WRITE ${BUILD}.fast.cmake
			"cmake_language(DEFER CALL set_source_files_properties ${files} TARGET_DIRECTORY ${target}\n"
			"	PROPERTIES COMPILE_OPTIONS -O2)\n")
		list(APPEND ARGN -DCMAKE_PROJECT_TOP_LEVEL_INCLUDES=${BUILD}.fast.cmake)
	endif()
	run(${LOG} ${BUILD} ${CMAKE_COMMAND} -G Ninja -S ${source} -B ${BUILD} -C ${OPTIONS}
		-DCMAKE_INSTALL_PREFIX=${PREFIX} -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF ${ARGN})
endfunction()

# build_targets(TARGET...)
function(build_targets)
	run(${LOG} ${BUILD} ${CMAKE_COMMAND} --build ${BUILD} --parallel ${JOBS} --target ${ARGN})
endfunction()

# build_archive(NAME SOURCES... DEFINITIONS... INCLUDES... [FAST FILES...]): PREFIX/lib/libNAME.a from a list of
# C files, for libraries that need no more than that.
function(build_archive name)
	cmake_parse_arguments(ARG "" "" "SOURCES;DEFINITIONS;INCLUDES;FAST" ${ARGN})
	string(JOIN " " sources ${ARG_SOURCES})
	string(JOIN " " definitions ${ARG_DEFINITIONS})
	string(JOIN " " includes ${ARG_INCLUDES})
	file(WRITE ${BUILD}/project/CMakeLists.txt
		"cmake_minimum_required(VERSION 3.25)\n"
		"project(${name} LANGUAGES C)\n"
		"add_library(${name} STATIC ${sources})\n"
		"target_compile_definitions(${name} PRIVATE ${definitions})\n"
		"target_include_directories(${name} PRIVATE ${includes})\n"
		"install(TARGETS ${name} ARCHIVE DESTINATION lib)\n")
	if(ARG_FAST)
		list(PREPEND ARG_FAST FAST ${name})
	endif()
	configure_with_cmake(${BUILD}/project ${ARG_FAST})
	build_targets(install)
endfunction()

# install_headers(INTO FILE...)
function(install_headers into)
	file(COPY ${ARGN} DESTINATION ${PREFIX}/${into})
endfunction()

# The last line of a recipe.
function(recipe_done)
	file(STRINGS ${SOURCES_LIST} lines REGEX "^${LIBRARY};")
	list(GET lines 0 1 line)
	string(REGEX REPLACE "^[^;]*;([^;\\\\]*).*$" "\\1" version "${lines}")
	string(TIMESTAMP now %s)
	math(EXPR seconds "${now} - ${STARTED}")
	say("  ${LIBRARY} ${version}: ${seconds} s")
endfunction()
