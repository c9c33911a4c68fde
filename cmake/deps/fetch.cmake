# cmake -DDEPS_SRC=DIR [-DSCOREBOX_SOURCES=DIR] [-DDEPS_SET=openssl] -P fetch.cmake
# Fills DEPS_SRC with one unpacked folder per library, the distribution's patches applied, and with
# sources.txt, one line per file that went in: library;version;file;sha256. With DEPS_SET=openssl it does so
# for what only that build needs, beside the others: sources-openssl.txt.
#
# The files come from Debian's source packages through a private apt configuration (no root, nothing
# of the machine's own apt state is touched, signatures are checked by apt), or from SCOREBOX_SOURCES,
# a folder that holds either the files of the same packages or plain upstream tarballs.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/sources.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/tools.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/apt.cmake)

set(suffix "")
if(DEPS_SET)
	set(DEPS_LIBRARIES ${DEPS_LIBRARIES_OPENSSL})
	set(suffix -${DEPS_SET})
endif()
file(MAKE_DIRECTORY ${DEPS_SRC})
file(LOCK ${DEPS_SRC}/lock GUARD PROCESS)
set(log ${DEPS_SRC}/fetch${suffix}.log)
file(SHA256 ${CMAKE_CURRENT_LIST_DIR}/sources.cmake wanted)
file(SHA256 ${CMAKE_CURRENT_LIST_FILE} script)
set(wanted "${wanted} ${script} ${SCOREBOX_SOURCES}")
if(EXISTS ${DEPS_SRC}/fetched${suffix})
	file(READ ${DEPS_SRC}/fetched${suffix} have)
	if(have STREQUAL wanted)
		return()
	endif()
endif()
file(WRITE ${log} "")
string(TIMESTAMP started %s)
set(archives ${DEPS_SRC}/archives)
file(MAKE_DIRECTORY ${archives})

function(unpack archive into)
	file(REMOVE_RECURSE ${into}.tmp)
	file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${into}.tmp)
	file(GLOB inside ${into}.tmp/*)
	list(LENGTH inside count)
	file(REMOVE_RECURSE ${into})
	if(count EQUAL 1 AND IS_DIRECTORY ${inside})
		file(RENAME ${inside} ${into})
		file(REMOVE_RECURSE ${into}.tmp)
	else()
		file(RENAME ${into}.tmp ${into})
	endif()
endfunction()

function(record library version file)
	file(SHA256 ${file} sum)
	get_filename_component(name ${file} NAME)
	file(APPEND ${DEPS_SRC}/sources${suffix}.txt.new "${library};${version};${name};${sum}\n")
endfunction()

# A Debian source package: the upstream archive, then debian/ with its series of patches.
function(unpack_debian library folder version)
	set(stem ${folder}/${DEPS_${library}_PACKAGE}_)
	string(REGEX REPLACE "-[^-]*$" "" upstream ${version})
	file(GLOB orig "${stem}${upstream}.orig.tar.*z*")
	list(FILTER orig EXCLUDE REGEX "\\.asc$")
	set(target ${DEPS_SRC}/${library})
	unpack(${orig} ${target})
	record(${library} ${version} ${orig})
	file(GLOB patches "${stem}${version}.debian.tar.*")
	unpack(${patches} ${target}/debian)
	record(${library} ${version} ${patches})
	if(EXISTS ${target}/debian/patches/series)
		file(STRINGS ${target}/debian/patches/series series REGEX "^[^#]")
		foreach(name IN LISTS series)
			string(REGEX REPLACE "[ \t].*$" "" name "${name}")
			if(name)
				run(${log} ${target} patch -p1 -s -f -i debian/patches/${name})
			endif()
		endforeach()
	endif()
endfunction()

file(REMOVE ${DEPS_SRC}/sources${suffix}.txt.new)
if(SCOREBOX_SOURCES)
	say("Unpacking the libraries' sources from ${SCOREBOX_SOURCES}")
	foreach(library IN LISTS DEPS_LIBRARIES)
		set(package ${DEPS_${library}_PACKAGE})
		file(GLOB_RECURSE dsc "${SCOREBOX_SOURCES}/${package}_*.dsc")
		file(GLOB plain "${SCOREBOX_SOURCES}/${package}-*.tar.*" "${SCOREBOX_SOURCES}/${library}-*.tar.*")
		if(dsc)
			list(SORT dsc COMPARE NATURAL ORDER DESCENDING)
			list(GET dsc 0 dsc)
			get_filename_component(folder ${dsc} DIRECTORY)
			string(REGEX REPLACE "^.*_([^_]+)\\.dsc$" "\\1" version ${dsc})
			unpack_debian(${library} ${folder} ${version})
		elseif(plain)
			list(GET plain 0 plain)
			string(REGEX REPLACE "^.*-v?([0-9][^/]*)\\.tar\\..*$" "\\1" version ${plain})
			unpack(${plain} ${DEPS_SRC}/${library})
			record(${library} ${version} ${plain})
		else()
			message(FATAL_ERROR "${SCOREBOX_SOURCES} has neither ${package}_*.dsc nor ${package}-*.tar.*")
		endif()
	endforeach()
else()
	set(size 75)
	if(DEPS_SET)
		set(size 53)
	endif()
	say("Fetching the sources of the libraries from the Debian mirror (about ${size} MB, once)")
	find_mirrors(mirror mirror_security)
	set(releases)
	foreach(library IN LISTS DEPS_LIBRARIES)
		list(APPEND releases ${DEPS_${library}_RELEASE})
	endforeach()
	list(REMOVE_DUPLICATES releases)
	foreach(release IN LISTS releases)
		prepare_apt(${DEPS_SRC}/apt/${release} deb-src ${release} apt_${release})
	endforeach()
	foreach(library IN LISTS DEPS_LIBRARIES)
		set(release ${DEPS_${library}_RELEASE})
		download(source ${DEPS_${library}_PACKAGE} ${archives}/${library} version ${apt_${release}})
		unpack_debian(${library} ${archives}/${library} ${version})
	endforeach()
	file(REMOVE_RECURSE ${DEPS_SRC}/apt)
endif()

if(NOT DEPS_SET)
	# The TLS library's switches live in a header that its users read too: ours goes at its end.
	file(READ ${CMAKE_CURRENT_LIST_DIR}/mbedtls_config.h switches)
	file(APPEND ${DEPS_SRC}/mbedtls/include/mbedtls/mbedtls_config.h "\n${switches}")
	# 3.6.6 refuses a TLS 1.2 server's signature by RSA-PSS, which it has offered itself and which servers prefer:
	# no RSA certificate is good for TLS 1.2 then (Mbed-TLS issue 10668; mended after that release).
	mend(${DEPS_SRC}/mbedtls/library/ssl_tls12_client.c
		"if (!mbedtls_ssl_sig_alg_is_supported(ssl, sig_alg)) {"
		"if (*pk_alg != MBEDTLS_PK_RSASSA_PSS && !mbedtls_ssl_sig_alg_is_supported(ssl, sig_alg)) {")
	# A client that fails to start frees the interceptors of its configuration, which the caller still owns and
	# destroys: they are gone from both then.
	mend(${DEPS_SRC}/rdkafka/src/rdkafka.c
		"rd_kafka_interceptors_destroy(&rk->rk_conf);\n                memset("
		"rd_kafka_interceptors_destroy(&rk->rk_conf);\n                app_conf->interceptors = rk->rk_conf.interceptors;\n                memset(")
	# A topic that was made anew leaves its freed entry in the tree of topic ids, and the client crashes some time
	# later (librdkafka issue 4964).
	mend(${DEPS_SRC}/rdkafka/src/rdkafka_metadata_cache.c
		"} else if (old && !RD_KAFKA_UUID_IS_ZERO(" "}\n        if (old && old != old_by_id && !RD_KAFKA_UUID_IS_ZERO(")
	# It guesses uintptr_t by the width of a word, wrongly for some targets; the C library knows.
	mend(${DEPS_SRC}/cmocka/include/cmocka.h "#if !defined(_UINTPTR_T) && !defined(_UINTPTR_T_DEFINED)"
		"#include <stdint.h>\n#if 0")
	# A C library; its project file asks for a C++ compiler only for a wrapper that nobody here uses.
	edit(${DEPS_SRC}/rdkafka/CMakeLists.txt
		"project(RdKafka VERSION \${RDKAFKA_VERSION})" "project(RdKafka VERSION \${RDKAFKA_VERSION} LANGUAGES C)")
	edit(${DEPS_SRC}/rdkafka/CMakeLists.txt "add_subdirectory(src-cpp)" "")
endif()

file(RENAME ${DEPS_SRC}/sources${suffix}.txt.new ${DEPS_SRC}/sources${suffix}.txt)
file(WRITE ${DEPS_SRC}/fetched${suffix} "${wanted}")
string(TIMESTAMP now %s)
math(EXPR seconds "${now} - ${started}")
say("  sources: ${seconds} s")
