include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# No TLS of its own (scorebox brings it through the socket callbacks) unless rdkafka_openssl.cmake asks for
# it; no Cyrus SASL; PLAIN is built in.
if(NOT DEFINED tls)
	set(tls -DWITH_SSL=OFF -DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON)
	set(archive librdkafka.a)
endif()
set(fast crc32c lz4 rdbuf rdkafka_msgset_reader rdkafka_msgset_writer rdmurmur2 snappy)
list(TRANSFORM fast REPLACE "(.+)" "${SOURCE}/src/\\1.c")
configure_with_cmake(${SOURCE}
	-DRDKAFKA_BUILD_STATIC=ON -DRDKAFKA_BUILD_EXAMPLES=OFF -DRDKAFKA_BUILD_TESTS=OFF
	${tls} -DWITH_SASL=OFF -DWITH_CURL=OFF -DWITH_LIBDL=OFF -DWITH_PLUGINS=OFF
	-DENABLE_LZ4_EXT=OFF -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON
	-DWITH_ZLIB=ON -DZLIB_INCLUDE_DIR=${PREFIX}/include -DZLIB_LIBRARY=${PREFIX}/lib/libz.a
	-DWITH_ZSTD=ON -DZSTD_INCLUDE_DIR=${PREFIX}/include -DZSTD_LIBRARY_RELEASE=${PREFIX}/lib/libzstd.a
	FAST rdkafka ${fast})
# The thread sanitizer does not know threads that C11's thrd_create started, and dies in them.
file(READ ${OPTIONS} options)
if(options MATCHES "-fsanitize=thread")
	edit(${BUILD}/generated/config.h "#define WITH_C11THREADS 1" "#define WITH_C11THREADS 0")
endif()
build_targets(rdkafka)

# It carries a cJSON of its own, older and with other limits: under another name it cannot stand in
# for ours, whatever the order of the link.
include(${OPTIONS})
execute_process(COMMAND ${CMAKE_NM} -g --defined-only ${BUILD}/src/librdkafka.a
	OUTPUT_VARIABLE symbols ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "cJSON_[A-Za-z0-9_]+" symbols "${symbols}")
list(REMOVE_DUPLICATES symbols)
list(TRANSFORM symbols REPLACE "(.+)" "\\1 rdkafka_\\1")
string(JOIN "\n" symbols ${symbols})
file(WRITE ${BUILD}/rename.txt "${symbols}\n")
run(${LOG} ${BUILD} ${CMAKE_OBJCOPY} --redefine-syms=${BUILD}/rename.txt
	${BUILD}/src/librdkafka.a ${PREFIX}/lib/${archive})
execute_process(COMMAND ${CMAKE_NM} -g --defined-only ${PREFIX}/lib/${archive}
	OUTPUT_VARIABLE symbols ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
if(NOT symbols MATCHES " rdkafka_cJSON_InitHooks" OR symbols MATCHES " cJSON_")
	message(FATAL_ERROR "${CMAKE_OBJCOPY} has not renamed the symbols of librdkafka's cJSON")
endif()
install_headers(include/librdkafka ${SOURCE}/src/rdkafka.h ${SOURCE}/src/rdkafka_mock.h)
recipe_done()
