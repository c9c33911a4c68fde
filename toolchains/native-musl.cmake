# This machine's processor, musl, static-pie: what ships. Needs gcc and musl-dev.
find_program(MUSL_COMPILER NAMES gcc REQUIRED)
execute_process(COMMAND ${MUSL_COMPILER} -dumpmachine OUTPUT_VARIABLE MUSL_TARGET
	OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(MUSL_ARCH "")
set(MUSL_FLAGS "")
include(${CMAKE_CURRENT_LIST_DIR}/musl.cmake)
