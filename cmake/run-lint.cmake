# cmake -DTOP=DIR -DBUILD=DIR -DINCLUDE=DIR -P run-lint.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB_RECURSE sources ${TOP}/src/*.c)
file(GLOB_RECURSE all ${TOP}/src/*.c ${TOP}/src/*.h ${TOP}/tests/*.c ${TOP}/tests/*.h)
set(bad "")

# lint(TOOL ARGUMENT...)
function(lint tool)
	find_program(LINT_${tool} ${tool})
	if(NOT LINT_${tool})
		message("${tool}: not installed, passed over")
		return()
	endif()
	message("${tool}")
	execute_process(COMMAND ${LINT_${tool}} ${ARGN} RESULT_VARIABLE failed)
	if(failed)
		set(bad ${bad} ${tool} PARENT_SCOPE)
	endif()
endfunction()

lint(clang-format --dry-run -Werror --style=file ${all})
lint(clang-tidy -p ${BUILD} --quiet --warnings-as-errors=* ${sources})
lint(cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1
	--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -D_GNU_SOURCE
	-DSCOREBOX_VERSION="0" -I ${TOP}/src ${TOP}/src)
if(bad)
	message(FATAL_ERROR "not clean: ${bad}")
endif()
