include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# The switches are in mbedtls_config.h of this folder; fetch.cmake puts them at the end of the library's.
set(fast aes aesce aesni bignum bignum_core chacha20 chachapoly constant_time ecp ecp_curves gcm poly1305 sha1 sha256
	sha512)
# Its Release knows -O2 only.
list(TRANSFORM fast REPLACE "(.+)" "${SOURCE}/library/\\1.c")
configure_with_cmake(${SOURCE} -DENABLE_PROGRAMS=OFF -DENABLE_TESTING=OFF -DGEN_FILES=OFF
	-DMBEDTLS_FATAL_WARNINGS=OFF -DCMAKE_BUILD_TYPE=MinSizeRel FAST mbedcrypto ${fast})
build_targets(install)
recipe_done()
