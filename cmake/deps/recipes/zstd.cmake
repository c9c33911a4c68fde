include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# One thread, no assembly, no formats of the years before 1.0, no dictionary builder; of the
# compressors those that serve levels up to 5 (a higher level uses the best of these); of the two ways that each
# step of unpacking can go, one.
file(GLOB files ${SOURCE}/lib/common/*.c ${SOURCE}/lib/compress/*.c ${SOURCE}/lib/decompress/*.c)
build_archive(zstd SOURCES ${files} DEFINITIONS ZSTD_DISABLE_ASM ZSTD_LEGACY_SUPPORT=0 XXH_NAMESPACE=ZSTD_
	DYNAMIC_BMI2=0 ZSTD_EXCLUDE_BTLAZY2_BLOCK_COMPRESSOR ZSTD_EXCLUDE_BTOPT_BLOCK_COMPRESSOR
	ZSTD_EXCLUDE_BTULTRA_BLOCK_COMPRESSOR HUF_FORCE_DECOMPRESS_X1 ZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT
	FAST ${SOURCE}/lib/decompress/huf_decompress.c ${SOURCE}/lib/decompress/zstd_decompress_block.c)
install_headers(include ${SOURCE}/lib/zstd.h ${SOURCE}/lib/zstd_errors.h)
recipe_done()
