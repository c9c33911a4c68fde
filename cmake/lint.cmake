# `cmake --build <folder> --target lint`: whichever of clang-format, clang-tidy and cppcheck are there.
add_custom_target(lint COMMAND ${CMAKE_COMMAND} -DTOP=${PROJECT_SOURCE_DIR} -DBUILD=${PROJECT_BINARY_DIR}
	-DINCLUDE=${SCOREBOX_DEPS_PREFIX}/include -P ${PROJECT_SOURCE_DIR}/cmake/run-lint.cmake
	USES_TERMINAL VERBATIM)
