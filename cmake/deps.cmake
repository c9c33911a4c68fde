# The libraries: builds them where they are missing, and names them deps::curl and so on.
# One flavour's libraries serve all build folders: build/deps/<flavour>/{include,lib}.
# What speaks TLS to Kafka: mbedtls (one TLS library for everything), or openssl (librdkafka's own, with SCRAM
# and OAUTHBEARER; larger).
set(SCOREBOX_KAFKA_TLS mbedtls CACHE STRING "TLS under Kafka: mbedtls or openssl")
set_property(CACHE SCOREBOX_KAFKA_TLS PROPERTY STRINGS mbedtls openssl)
if(NOT SCOREBOX_KAFKA_TLS MATCHES "^(mbedtls|openssl)$")
	message(FATAL_ERROR "SCOREBOX_KAFKA_TLS is mbedtls or openssl, not '${SCOREBOX_KAFKA_TLS}'")
endif()
set(SCOREBOX_SOURCES "" CACHE PATH "a folder of source tarballs, instead of the Debian mirror")

set(flavour ${SCOREBOX_FLAVOUR})
if(NOT flavour)
	set(flavour glibc)
	if(CMAKE_TOOLCHAIN_FILE)
		get_filename_component(flavour ${CMAKE_TOOLCHAIN_FILE} NAME_WE)
		string(REPLACE "native-" "" flavour ${flavour})
	endif()
endif()
set(SCOREBOX_DEPS_ROOT ${PROJECT_SOURCE_DIR}/build/deps)
set(SCOREBOX_DEPS_PREFIX ${SCOREBOX_DEPS_ROOT}/${flavour})

function(scorebox_build_deps)
	set(work ${SCOREBOX_DEPS_PREFIX}.work)
	set(flags ${MUSL_FLAGS} -ffunction-sections -fdata-sections -fPIE -fstack-protector-strong)
	if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^arm") # gcc has it for the 64-bit one only
		list(APPEND flags -fstack-clash-protection)
	endif()
	if(flavour STREQUAL "tsan")
		list(APPEND flags -g -fsanitize=thread)
	elseif(flavour STREQUAL "glibc")
		list(APPEND flags -D_FORTIFY_SOURCE=3)
	else()
		# Nothing in a static C program reads the tables that exceptions and debuggers need.
		list(APPEND flags -fno-asynchronous-unwind-tables -fno-unwind-tables)
		# What ships does not tell the folder it was built in.
		list(APPEND flags -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
	endif()
	string(JOIN " " flags ${flags})
	set(log ${SCOREBOX_DEPS_ROOT}/${flavour}.log)
	# With the time as it is: how long each library takes is told.
	set(as_it_is ${CMAKE_COMMAND} -E env --unset=SOURCE_DATE_EPOCH)
	file(LOCK ${SCOREBOX_DEPS_ROOT}/${flavour}.lock GUARD FUNCTION)
	execute_process(RESULT_VARIABLE failed OUTPUT_FILE ${log} ERROR_FILE ${log}
		COMMAND ${as_it_is} CC=gcc ${CMAKE_COMMAND} -G Ninja -S ${PROJECT_SOURCE_DIR}/cmake/deps -B ${work}
			-DDEPS_SRC=${SCOREBOX_DEPS_ROOT}/src -DPREFIX=${SCOREBOX_DEPS_PREFIX}
			-DDEPS_FLAGS=${flags} -DSCOREBOX_SOURCES=${SCOREBOX_SOURCES}
			-DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE})
	if(failed)
		execute_process(COMMAND tail -n 30 ${log})
		message(FATAL_ERROR "the libraries could not be configured; see ${log}")
	endif()
	set(target deps)
	set(time "two minutes")
	if(SCOREBOX_KAFKA_TLS STREQUAL "openssl")
		set(target deps-openssl)
		set(time "two minutes, OpenSSL two more,")
	endif()
	# Nothing to do is told apart, so that the usual case is silent.
	execute_process(COMMAND ${CMAKE_COMMAND} --build ${work} --target ${target} -- -n OUTPUT_VARIABLE plan)
	if(NOT plan MATCHES "no work to do")
		message(NOTICE "Building the libraries (${flavour}), once: ${time} on two idle cores")
		execute_process(COMMAND ${as_it_is} ${CMAKE_COMMAND} --build ${work} --target ${target}
			RESULT_VARIABLE failed)
		if(failed)
			message(FATAL_ERROR "the libraries could not be built; the lines above say why")
		endif()
	endif()
endfunction()

file(MAKE_DIRECTORY ${SCOREBOX_DEPS_ROOT})
scorebox_build_deps()
file(GLOB_RECURSE deps_recipes ${PROJECT_SOURCE_DIR}/cmake/deps/*.cmake ${PROJECT_SOURCE_DIR}/cmake/deps/*.h
	${PROJECT_SOURCE_DIR}/cmake/deps/CMakeLists.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${deps_recipes})

# scorebox_import(NAME FILE NEEDS...): deps::NAME is lib/FILE, and what it needs after it.
function(scorebox_import name file)
	add_library(deps::${name} STATIC IMPORTED GLOBAL)
	set_target_properties(deps::${name} PROPERTIES
		IMPORTED_LOCATION ${SCOREBOX_DEPS_PREFIX}/lib/${file}
		INTERFACE_INCLUDE_DIRECTORIES ${SCOREBOX_DEPS_PREFIX}/include
		INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
scorebox_import(zlib libz.a)
scorebox_import(zstd libzstd.a)
scorebox_import(mbedcrypto libmbedcrypto.a Threads::Threads)
scorebox_import(mbedx509 libmbedx509.a deps::mbedcrypto)
scorebox_import(mbedtls libmbedtls.a deps::mbedx509)
scorebox_import(curl libcurl.a deps::mbedtls deps::zlib Threads::Threads)
scorebox_import(cjson libcjson.a m)
scorebox_import(sqlite libsqlite3.a m Threads::Threads)
if(SCOREBOX_KAFKA_TLS STREQUAL "openssl")
	scorebox_import(crypto ../openssl/lib/libcrypto.a Threads::Threads)
	scorebox_import(ssl ../openssl/lib/libssl.a deps::crypto)
	set_target_properties(deps::crypto PROPERTIES
		INTERFACE_INCLUDE_DIRECTORIES ${SCOREBOX_DEPS_PREFIX}/openssl/include)
	scorebox_import(rdkafka librdkafka-openssl.a deps::ssl deps::zlib deps::zstd m Threads::Threads)
else()
	scorebox_import(rdkafka librdkafka.a deps::zlib deps::zstd m Threads::Threads)
endif()
scorebox_import(xlsxwriter libxlsxwriter.a deps::zlib)
scorebox_import(cmocka libcmocka.a)
set_property(TARGET deps::curl PROPERTY INTERFACE_COMPILE_DEFINITIONS CURL_STATICLIB)
set_property(TARGET deps::rdkafka PROPERTY INTERFACE_COMPILE_DEFINITIONS LIBRDKAFKA_STATICLIB)
