# How tests are declared. Each takes NAME, SOURCES and LIBRARIES (rooms as scorebox_<room>, or deps::<name>).
#   scorebox_unit       cmocka program, label unit
#   scorebox_fault      cmocka program, label fault: a disk or an allocator that fails, power that goes out
#   scorebox_fuzz       libFuzzer target, label fuzz: LLVMFuzzerTestOneInput
#   scorebox_bench      program, label bench
#   scorebox_pytest     a file of pytest, label integration: it runs the real binary
#
# In a cross build (CMAKE_CROSSCOMPILING_EMULATOR) all of them run under the emulator. What the integration tests talk
# to, the replay API and the embedded broker, is then SCOREBOX_PEER, a program of this machine: only the program
# under test is emulated.
set(SCOREBOX_PEER "" CACHE FILEPATH "the scorebox that serves the tests; empty: the one under test")
# An emulated program takes longer: so many times as long may each test, and what a test waits for.
set(SCOREBOX_SLOW 1)
if(CMAKE_CROSSCOMPILING)
	set(SCOREBOX_SLOW 6)
endif()
# What ships is static.
set(SCOREBOX_STATIC 0)
if(CMAKE_C_FLAGS MATCHES "-specs=" AND NOT SCOREBOX_SANITIZE)
	set(SCOREBOX_STATIC 1)
endif()
set(SCOREBOX_FUZZ_SECONDS 15 CACHE STRING "how long each fuzz target runs as a test")

# Builds the programs of label unit, and nothing else.
add_custom_target(unit-tests)

function(scorebox_test_program name)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;LIBRARIES;DEFINITIONS")
	add_executable(${name} ${ARG_SOURCES})
	target_link_libraries(${name} PRIVATE scorebox_flags ${ARG_LIBRARIES})
	target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
	target_compile_definitions(${name} PRIVATE SCOREBOX_DATA="${SCOREBOX_DATA}" ${ARG_DEFINITIONS})
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
endfunction()

function(scorebox_cmocka label default_timeout)
	cmake_parse_arguments(PARSE_ARGV 2 ARG "SERIAL" "NAME;TIMEOUT" "SOURCES;LIBRARIES;DEFINITIONS")
	if(ARG_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "scorebox_${label}(${ARG_NAME}): what is '${ARG_UNPARSED_ARGUMENTS}'?")
	endif()
	set(name ${label}_${ARG_NAME})
	scorebox_test_program(${name} SOURCES ${ARG_SOURCES} LIBRARIES ${ARG_LIBRARIES} deps::cmocka
		DEFINITIONS ${ARG_DEFINITIONS})
	if(label STREQUAL "unit")
		add_dependencies(unit-tests ${name})
	endif()
	add_test(NAME ${label}.${ARG_NAME} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
	if(NOT ARG_TIMEOUT)
		set(ARG_TIMEOUT ${default_timeout})
	endif()
	math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * ${SCOREBOX_SLOW}")
	set_tests_properties(${label}.${ARG_NAME} PROPERTIES LABELS ${label} TIMEOUT ${ARG_TIMEOUT}
		SKIP_RETURN_CODE 77)
	if(ARG_SERIAL)
		set_tests_properties(${label}.${ARG_NAME} PROPERTIES RUN_SERIAL ON)
	endif()
endfunction()

# scorebox_unit(NAME <name> SOURCES ... LIBRARIES ... [DEFINITIONS ...] [TIMEOUT seconds] [SERIAL])
function(scorebox_unit)
	scorebox_cmocka(unit 60 ${ARGN})
endfunction()

function(scorebox_fault)
	scorebox_cmocka(fault 300 ${ARGN})
endfunction()

# scorebox_fuzz(NAME <name> SOURCES ... LIBRARIES ... [CORPUS <folder>] [MAX_BYTES n])
# CORPUS: seeds that are in the project; what the fuzzer finds goes to the build folder.
function(scorebox_fuzz)
	cmake_parse_arguments(PARSE_ARGV 0 ARG "" "NAME;CORPUS;MAX_BYTES" "SOURCES;LIBRARIES;DEFINITIONS")
	if(NOT SCOREBOX_FUZZ)
		return()
	endif()
	set(name fuzz_${ARG_NAME})
	scorebox_test_program(${name} SOURCES ${ARG_SOURCES} LIBRARIES ${ARG_LIBRARIES}
		DEFINITIONS ${ARG_DEFINITIONS})
	target_link_options(${name} PRIVATE -fsanitize=fuzzer)
	add_dependencies(fuzz-targets ${name})
	set(found ${PROJECT_BINARY_DIR}/fuzz/${ARG_NAME})
	file(MAKE_DIRECTORY ${found})
	set(seeds ${found})
	if(ARG_CORPUS)
		get_filename_component(corpus ${ARG_CORPUS} ABSOLUTE)
		list(APPEND seeds ${corpus})
	endif()
	if(NOT ARG_MAX_BYTES)
		set(ARG_MAX_BYTES 65536)
	endif()
	add_test(NAME fuzz.${ARG_NAME} WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz
		COMMAND ${name} -max_total_time=${SCOREBOX_FUZZ_SECONDS} -max_len=${ARG_MAX_BYTES} -timeout=10
			-print_final_stats=1 -artifact_prefix=${PROJECT_BINARY_DIR}/fuzz/${ARG_NAME}- ${seeds})
	math(EXPR limit "${SCOREBOX_FUZZ_SECONDS} + 60")
	set_tests_properties(fuzz.${ARG_NAME} PROPERTIES LABELS fuzz TIMEOUT ${limit})
endfunction()

# scorebox_bench(NAME <name> SOURCES ... LIBRARIES ...): run on demand, alone.
add_custom_target(bench-programs)
function(scorebox_bench)
	cmake_parse_arguments(PARSE_ARGV 0 ARG "" "NAME" "SOURCES;LIBRARIES;DEFINITIONS")
	set(name bench_${ARG_NAME})
	scorebox_test_program(${name} SOURCES ${ARG_SOURCES} LIBRARIES ${ARG_LIBRARIES}
		DEFINITIONS ${ARG_DEFINITIONS})
	add_dependencies(bench-programs ${name})
	add_test(NAME bench.${ARG_NAME} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
	set_tests_properties(bench.${ARG_NAME} PROPERTIES LABELS bench TIMEOUT 1800 RUN_SERIAL ON)
endfunction()

# scorebox_pytest(NAME <name> FILE <test_x.py> [LABEL integration] [TIMEOUT seconds] [SERIAL] [KAFKA] [ALONE])
# ALONE: it is about `serve`, `broker` or `demo`, so that no other program may stand in for them.
# KAFKA (label broker has it by itself): it needs a real Apache Kafka, which is fetched before.
# The test finds the binary in $SCOREBOX_BINARY, the recorded data in $SCOREBOX_DATA,
# the sources in $SCOREBOX_TOP.
function(scorebox_pytest)
	cmake_parse_arguments(PARSE_ARGV 0 ARG "SERIAL;KAFKA;ALONE" "NAME;FILE;LABEL;TIMEOUT" "ARGUMENTS")
	if(NOT ARG_LABEL)
		set(ARG_LABEL integration)
	endif()
	if(NOT ARG_TIMEOUT)
		set(ARG_TIMEOUT 300)
	endif()
	math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * ${SCOREBOX_SLOW}")
	set(peer ${SCOREBOX_PEER})
	if(ARG_ALONE OR NOT peer)
		set(peer ${PROJECT_BINARY_DIR}/scorebox)
	endif()
	get_filename_component(file ${ARG_FILE} ABSOLUTE)
	set(name ${ARG_LABEL}.${ARG_NAME})
	add_test(NAME ${name} WORKING_DIRECTORY ${PROJECT_BINARY_DIR}
		COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} ${SCOREBOX_PYTHON} -m pytest -q -p no:cacheprovider ${ARG_ARGUMENTS} ${file})
	# Exit 5 of pytest: every test of the file was skipped.
	set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 5
		SKIP_REGULAR_EXPRESSION "^SKIPPED: (no|this kernel)"
		ENVIRONMENT "SCOREBOX_BINARY=${PROJECT_BINARY_DIR}/scorebox;SCOREBOX_PEER=${peer};SCOREBOX_SLOW=${SCOREBOX_SLOW};SCOREBOX_STATIC=${SCOREBOX_STATIC};SCOREBOX_DATA=${SCOREBOX_DATA};SCOREBOX_TOP=${PROJECT_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1")
	if(ARG_SERIAL)
		set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
	endif()
	if(ARG_KAFKA OR ARG_LABEL STREQUAL broker)
		set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED kafka)
	endif()
endfunction()
