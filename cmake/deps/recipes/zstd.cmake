include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# One thread, no assembly, no formats of the years before 1.0, no dictionary builder.
file(GLOB files ${SOURCE}/lib/common/*.c ${SOURCE}/lib/compress/*.c ${SOURCE}/lib/decompress/*.c)
build_archive(zstd SOURCES ${files} DEFINITIONS ZSTD_DISABLE_ASM ZSTD_LEGACY_SUPPORT=0 XXH_NAMESPACE=ZSTD_)
install_headers(include ${SOURCE}/lib/zstd.h ${SOURCE}/lib/zstd_errors.h)
recipe_done()
