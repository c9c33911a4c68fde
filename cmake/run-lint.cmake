# cmake -DDO=lint|format -DTOP=DIR -DBUILD=DIR -P run-lint.cmake
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

if(DO STREQUAL "format")
	lint(clang-format -i --style=file ${all})
	return()
endif()
lint(clang-format --dry-run -Werror --style=file ${all})
lint(cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1
	--suppress=missingIncludeSystem --suppress=legacyUninitvar --suppress=uninitvar
	--suppress=compareBoolExpressionWithInt -j 2 -D_GNU_SOURCE -I ${TOP}/src ${TOP}/src)
lint(clang-tidy -p ${BUILD} --quiet --extra-arg=-Wno-unknown-warning-option
	--extra-arg=-Wno-unused-command-line-argument --extra-arg=-ftrivial-auto-var-init=uninitialized --warnings-as-errors=*
	${sources})
if(bad)
	message(FATAL_ERROR "not clean: ${bad}")
endif()
