# Every header of src/ and tests/ compiles alone.
cmake_minimum_required(VERSION 3.25)
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
file(GLOB_RECURSE headers ${TOP}/src/*.h ${TOP}/tests/*.h)
set(bad 0)
foreach(header IN LISTS headers)
	execute_process(COMMAND ${COMPILER} ${flags} -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
		-Wall -Wextra -Werror -fsyntax-only -I ${TOP}/src -isystem ${INCLUDE}
		-include ${header} -x c /dev/null RESULT_VARIABLE failed)
	if(failed)
		math(EXPR bad "${bad} + 1")
	endif()
endforeach()
if(bad)
	message(FATAL_ERROR "${bad} headers do not compile alone")
endif()
