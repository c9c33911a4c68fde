include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# The switches are in mbedtls_config.h of this folder; fetch.cmake puts them at the end of the library's.
configure_with_cmake(${SOURCE} -DENABLE_PROGRAMS=OFF -DENABLE_TESTING=OFF -DGEN_FILES=OFF
	-DMBEDTLS_FATAL_WARNINGS=OFF)
build_targets(install)
recipe_done()
