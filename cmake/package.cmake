# The Debian package: `cmake --build build/<preset> --target deb` leaves
# build/<preset>/scorebox_<version>_<architecture>.deb. What stands in it that is not a plain file of board/ is made
# by the program itself, from its tables. Two builds of one commit give the same bytes (tests/package/twice): times are
# those of the commit, owners root, modes fixed here.
if(NOT CMAKE_C_FLAGS MATCHES "-specs=" OR SCOREBOX_SANITIZE)
	return() # what ships is static
endif()
# Debian's name of the architecture; a toolchain file sets it.
if(NOT SCOREBOX_DEB_ARCH)
	execute_process(COMMAND dpkg --print-architecture OUTPUT_VARIABLE SCOREBOX_DEB_ARCH
		OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
	if(failed)
		return()
	endif()
endif()

set(board ${PROJECT_SOURCE_DIR}/board)
set(made ${PROJECT_BINARY_DIR}/package)
# Who answers for the package; a distributor sets an address that is read.
set(SCOREBOX_MAINTAINER "scorebox authors <scorebox@example.org>" CACHE STRING "maintainer of the package")

# ---- what the program tells of itself ----
set(tells ${CMAKE_CROSSCOMPILING_EMULATOR})
if(tells)
	list(INSERT tells 1 --alone)
endif()
list(APPEND tells $<TARGET_FILE:scorebox>)
function(scorebox_tells file form)
	add_custom_command(OUTPUT ${made}/${file} DEPENDS scorebox VERBATIM
		COMMAND ${tells} help --${form} > ${made}/${file})
endfunction()
scorebox_tells(scorebox.8 man)
scorebox_tells(scorebox.default env)
scorebox_tells(scorebox.bash completion)

# ---- texts ----
# Under a static program's own licence stand those of all that was linked in.
function(scorebox_copyright out)
	file(READ ${board}/debian/copyright text)
	file(READ ${PROJECT_SOURCE_DIR}/LICENSE licence)
	scorebox_licence("License: Expat" "${licence}" text)
	foreach(library IN LISTS sbom_libraries)
		set(folder ${SCOREBOX_DEPS_ROOT}/src/${library})
		if(library IN_LIST DEPS_TESTS_ONLY)
			continue()
		endif()
		if(DEPS_${library}_LICENCE STREQUAL "Apache-2.0")
			scorebox_licence("License: ${library}" "Apache License\nlimitations under the License." text)
			continue()
		endif()
		foreach(name LICENSE COPYING LICENSE.txt LICENSES.txt License.txt LICENSE.md)
			if(EXISTS ${folder}/${name})
				file(READ ${folder}/${name} licence)
				if(name STREQUAL "LICENSE" AND EXISTS ${folder}/LICENSES.txt)
					continue() # the longer one holds it
				endif()
				scorebox_licence("License: ${library}" "${licence}" text)
				break()
			endif()
		endforeach()
	endforeach()
	file(WRITE ${out} "${text}")
endfunction()

# Appends a licence's text in the form of a Debian copyright file: a blank before each line, a dot on empty ones.
# Debian has the Apache licence on every machine, and wants it named rather than repeated.
function(scorebox_licence head licence text_out)
	string(FIND "${licence}" "Apache License\n" from)
	string(FIND "${licence}" "limitations under the License." to REVERSE)
	if(from GREATER_EQUAL 0 AND to GREATER from)
		string(SUBSTRING "${licence}" 0 ${from} before)
		string(SUBSTRING "${licence}" ${to} -1 after)
		string(REPLACE "limitations under the License." "" after "${after}")
		set(licence "${before}Apache License 2.0: /usr/share/common-licenses/Apache-2.0${after}")
	endif()
	string(ASCII 12 form_feed)
	string(REPLACE "${form_feed}" "" licence "${licence}")
	string(REGEX REPLACE "[ \t\r]*\n" "\n" licence "${licence}")
	string(STRIP "${licence}" licence)
	string(REGEX REPLACE "\n" "\n " licence "${licence}")
	string(REGEX REPLACE "\n (\n|$)" "\n .\n" licence "${licence}")
	string(REGEX REPLACE "\n (\n|$)" "\n .\n" licence "${licence}")
	set(${text_out} "${${text_out}}${head}\n ${licence}\n\n" PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY ${made})
scorebox_copyright(${made}/copyright)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # of SOURCE_DATE_EPOCH
file(WRITE ${made}/changelog "scorebox (${PROJECT_VERSION}) unstable; urgency=medium

  * What changed stands in CHANGELOG.md.

 -- ${SCOREBOX_MAINTAINER}  ${date}
")
function(scorebox_gzip file from)
	add_custom_command(OUTPUT ${made}/${file}.gz DEPENDS ${from} VERBATIM
		COMMAND gzip -9nc ${from} > ${made}/${file}.gz)
endfunction()
scorebox_gzip(changelog ${made}/changelog)
scorebox_gzip(CHANGELOG.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md)
scorebox_gzip(README.md ${PROJECT_SOURCE_DIR}/README.md)
scorebox_gzip(scorebox.8 ${made}/scorebox.8)
add_custom_target(package-files ALL DEPENDS ${made}/scorebox.8.gz ${made}/scorebox.default ${made}/scorebox.bash
	${made}/changelog.gz ${made}/CHANGELOG.md.gz ${made}/README.md.gz)

# ---- where it all goes ----
set(mode_program OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(mode_file OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
set(mode_secret OWNER_READ OWNER_WRITE GROUP_READ)
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${mode_program})
# scorebox_ships(FOLDER FILE... [AS <name>])
function(scorebox_ships folder)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "" "AS" "")
	set(as)
	if(ARG_AS)
		set(as RENAME ${ARG_AS})
	endif()
	install(FILES ${ARG_UNPARSED_ARGUMENTS} DESTINATION ${folder} PERMISSIONS ${mode_file} ${as})
endfunction()
install(PROGRAMS $<TARGET_FILE:scorebox> DESTINATION usr/bin PERMISSIONS ${mode_program})
scorebox_ships(usr/lib/systemd/system ${board}/systemd/scorebox-produce.service
	${board}/systemd/scorebox-consume.service)
scorebox_ships(usr/lib/sysusers.d ${board}/systemd/scorebox.sysusers AS scorebox.conf)
scorebox_ships(usr/share/man/man8 ${made}/scorebox.8.gz)
scorebox_ships(usr/share/bash-completion/completions ${made}/scorebox.bash AS scorebox)
scorebox_ships(usr/share/doc/scorebox ${made}/copyright ${made}/changelog.gz ${made}/CHANGELOG.md.gz
	${made}/README.md.gz ${PROJECT_BINARY_DIR}/scorebox.spdx.json)
scorebox_ships(usr/share/lintian/overrides ${board}/debian/lintian-overrides AS scorebox)
# They may hold secrets. The installation gives both to the group of the daemon's user.
install(FILES ${made}/scorebox.default DESTINATION etc/default RENAME scorebox PERMISSIONS ${mode_secret})
install(DIRECTORY DESTINATION etc/scorebox
	DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE)

# ---- the package ----
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME scorebox)
set(CPACK_PACKAGE_VENDOR scorebox)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${mode_program})
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_DEBIAN_FILE_NAME scorebox_${PROJECT_VERSION}_${SCOREBOX_DEB_ARCH}.deb)
set(CPACK_PACKAGE_FILE_NAME scorebox_${PROJECT_VERSION}_${SCOREBOX_DEB_ARCH})
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${SCOREBOX_DEB_ARCH})
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${SCOREBOX_MAINTAINER})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
# For useradd, where there is no systemd-sysusers. Every Debian has it.
set(CPACK_DEBIAN_PACKAGE_DEPENDS passwd)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${board}/debian/conffiles ${board}/debian/postinst ${board}/debian/prerm
	${board}/debian/postrm)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "cricket scores from an HTTPS API through Kafka into Excel workbooks")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"A small daemon that polls a live cricket score API over TLS, publishes every
change of every match to Kafka, and keeps one Excel workbook per match on
attached storage. It is made for a board that is left alone for a season:
what it has once committed outlives a loss of power, network or Kafka, and
the process stays inside a stated memory ceiling.
.
Try it with `scorebox demo`: neither an API key nor Kafka is needed.")
file(CONFIGURE OUTPUT ${made}/cpack.cmake CONTENT "set(ENV{SOURCE_DATE_EPOCH} ${SCOREBOX_EPOCH})\n")
set(CPACK_PROJECT_CONFIG_FILE ${made}/cpack.cmake)
include(CPack)
# Unlike CPack's own target `package` it builds no tests, and the builder's umask changes nothing.
add_custom_target(deb DEPENDS scorebox package-files VERBATIM
	COMMAND sh -c "umask 022 && exec \"$0\" --config CPackConfig.cmake" ${CMAKE_CPACK_COMMAND})
