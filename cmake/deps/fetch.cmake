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

# The main archive and the security archive of the machine's own Debian mirror.
function(find_mirrors main_out security_out)
	set(format "$(ORIGIN)|$(REPO_URI)")
	execute_process(COMMAND apt-get indextargets --format ${format} "Created-By: Packages"
		OUTPUT_VARIABLE found ERROR_FILE ${log} OUTPUT_STRIP_TRAILING_WHITESPACE)
	string(REPLACE "\n" ";" found "${found}")
	set(debian ${found})
	list(FILTER debian INCLUDE REGEX "^Debian\\|")
	if(NOT debian)
		set(debian ${found})
	endif()
	list(TRANSFORM debian REPLACE "^[^|]*\\|" "")
	set(security ${debian})
	list(FILTER security INCLUDE REGEX "security")
	list(FILTER debian EXCLUDE REGEX "security")
	if(NOT debian)
		message(FATAL_ERROR "apt knows no Debian mirror on this machine; name a folder of source "
			"tarballs with -DSCOREBOX_SOURCES=DIR instead")
	endif()
	list(GET debian 0 main)
	if(security)
		list(GET security 0 security)
	else()
		string(REGEX REPLACE "/*$" "-security/" security "${main}")
	endif()
	set(${main_out} ${main} PARENT_SCOPE)
	set(${security_out} ${security} PARENT_SCOPE)
endfunction()

# Sets apt_<release>: the options of an apt that knows the sources of this release only.
function(prepare_apt release)
	set(base ${DEPS_SRC}/apt/${release})
	file(MAKE_DIRECTORY ${base}/lists/partial ${base}/cache/archives/partial)
	set(keys /usr/share/keyrings)
	set(signed "[signed-by=${keys}/debian-archive-keyring.gpg]")
	if(NOT EXISTS ${keys}/debian-archive-${release}-stable.gpg)
		message(FATAL_ERROR "the keys of Debian ${release} are not there: "
			"apt-get install debian-archive-keyring")
	endif()
	file(WRITE ${base}/sources.list
		"deb-src ${signed} ${mirror} ${release} main\n"
		"deb-src ${signed} ${mirror} ${release}-updates main\n"
		"deb-src ${signed} ${mirror_security} ${release}-security main\n")
	set(options -q -o Dir::Etc::sourcelist=${base}/sources.list -o Dir::Etc::sourceparts=-
		-o Dir::State::Lists=${base}/lists -o Dir::Cache=${base}/cache
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3)
	run(${log} ${DEPS_SRC} apt-get ${options} update)
	set(apt_${release} ${options} PARENT_SCOPE)
endfunction()

# Downloads the newest version that the mirror really has: between a security update and the next
# sync an index may name files that are not there yet.
function(download library version_out)
	set(package ${DEPS_${library}_PACKAGE})
	set(apt ${apt_${DEPS_${library}_RELEASE}})
	execute_process(COMMAND apt-cache ${apt} showsrc --only-source ${package}
		OUTPUT_VARIABLE records COMMAND_ERROR_IS_FATAL ANY)
	string(REGEX MATCHALL "\nVersion: [^\n]+" versions "\n${records}")
	list(TRANSFORM versions REPLACE "\nVersion: " "")
	list(REMOVE_DUPLICATES versions)
	list(SORT versions COMPARE NATURAL ORDER DESCENDING)
	if(NOT versions)
		message(FATAL_ERROR "Debian ${DEPS_${library}_RELEASE} has no source package ${package}")
	endif()
	file(MAKE_DIRECTORY ${archives}/${library})
	foreach(version IN LISTS versions)
		execute_process(COMMAND apt-get ${apt} source --download-only ${package}=${version}
			WORKING_DIRECTORY ${archives}/${library} RESULT_VARIABLE failed
			OUTPUT_VARIABLE said ERROR_VARIABLE said)
		file(APPEND ${log} "${said}")
		if(NOT failed)
			string(REGEX REPLACE "^[0-9]+:" "" version ${version})
			set(${version_out} ${version} PARENT_SCOPE)
			return()
		endif()
		say("  ${package} ${version} is in the index but not on the mirror, trying the one before")
	endforeach()
	show_tail(${log})
	message(FATAL_ERROR "could not download the source package ${package}")
endfunction()

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
		prepare_apt(${release})
	endforeach()
	foreach(library IN LISTS DEPS_LIBRARIES)
		download(${library} version)
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
