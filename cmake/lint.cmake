# `cmake --build <folder> --target lint`: whichever of clang-format, clang-tidy and cppcheck are there.
# `--target format` puts the sources into shape.
foreach(target lint format)
	add_custom_target(${target} COMMAND ${CMAKE_COMMAND} -DTOP=${PROJECT_SOURCE_DIR} -DBUILD=${PROJECT_BINARY_DIR}
		-DDO=${target} -P ${PROJECT_SOURCE_DIR}/cmake/run-lint.cmake
		USES_TERMINAL VERBATIM)
endforeach()
