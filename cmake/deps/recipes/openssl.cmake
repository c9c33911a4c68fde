include(${CMAKE_CURRENT_LIST_DIR}/../recipe.cmake)
# What a TLS client of today needs and librdkafka asks for, nothing else: TLS 1.2 and 1.3, RSA and elliptic
# curves, SCRAM's digests; no configuration file, no plugins, no error from another decade. It needs perl.
include(${OPTIONS})
find_program(PERL perl REQUIRED)
execute_process(COMMAND ${CMAKE_C_COMPILER} -dumpmachine OUTPUT_VARIABLE machine
	OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(target linux-generic32)
if(machine MATCHES "^x86_64")
	set(target linux-x86_64)
elseif(machine MATCHES "^aarch64")
	set(target linux-aarch64)
elseif(machine MATCHES "^arm")
	set(target linux-armv4)
elseif(machine MATCHES "64")
	set(target linux-generic64)
endif()
set(off shared pic dso engine module legacy tests apps docs autoload-config ui-console async
	quic dtls ssl3 tls1 tls1_1 weak-ssl-ciphers nextprotoneg srp psk srtp ct comp ssl-trace ec2m
	cms ts cmp http rfc3779 gost idea md4 mdc2 rc2 rc4 rc5 seed camellia aria bf cast des sm2 sm3 sm4
	whirlpool rmd160 siphash scrypt argon2 blake2 dsa ocb siv ml-kem ml-dsa slh-dsa
	thread-pool default-thread-pool)
list(TRANSFORM off PREPEND no-)
set(compiler "${CMAKE_C_COMPILER} ${CMAKE_C_FLAGS} -O2 -DNDEBUG")
run(${LOG} ${BUILD} ${CMAKE_COMMAND} -E env --unset=CFLAGS --unset=CC ${PERL} ${SOURCE}/Configure ${target}
	--prefix=${PREFIX}/openssl --libdir=lib --openssldir=/nonexistent ${off} "CC=${compiler}" CFLAGS= "AR=${CMAKE_AR}"
	"RANLIB=${CMAKE_RANLIB}")
run(${LOG} ${BUILD} make -j${JOBS} build_generated)
run(${LOG} ${BUILD} make -j${JOBS} libcrypto.a libssl.a)
file(COPY ${SOURCE}/include/openssl ${BUILD}/include/openssl DESTINATION ${PREFIX}/openssl/include
	FILES_MATCHING PATTERN "*.h")
file(COPY ${BUILD}/libcrypto.a ${BUILD}/libssl.a DESTINATION ${PREFIX}/openssl/lib)
set(SOURCES_LIST ${DEPS_SRC}/sources-openssl.txt)
recipe_done()
