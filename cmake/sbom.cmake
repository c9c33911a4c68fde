# scorebox.spdx.json beside the binary: what went in, as SPDX 2.3.
include(deps/sources)

file(STRINGS ${SCOREBOX_DEPS_ROOT}/src/sources.txt source_lines)
set(sbom_libraries ${DEPS_LIBRARIES})
set(more_lines)
if(SCOREBOX_KAFKA_TLS STREQUAL "openssl")
	file(STRINGS ${SCOREBOX_DEPS_ROOT}/src/sources-openssl.txt more_lines)
	list(APPEND sbom_libraries ${DEPS_LIBRARIES_OPENSSL})
endif()
string(TIMESTAMP created "%Y-%m-%dT%H:%M:%SZ" UTC)
set(packages "")
set(relations "")
set(namespace "")
foreach(library IN LISTS sbom_libraries)
	if(library IN_LIST DEPS_TESTS_ONLY)
		continue()
	endif()
	set(files "")
	set(version "")
	foreach(line IN LISTS source_lines more_lines)
		if(line MATCHES "^${library};([^;]+);([^;]+);([0-9a-f]+)$")
			set(version ${CMAKE_MATCH_1})
			set(file ${CMAKE_MATCH_2})
			set(sum ${CMAKE_MATCH_3})
			string(APPEND namespace ${sum})
			string(APPEND packages ",
    {
      \"name\": \"${file}\",
      \"SPDXID\": \"SPDXRef-Source-${sum}\",
      \"packageFileName\": \"${file}\",
      \"downloadLocation\": \"NOASSERTION\",
      \"filesAnalyzed\": false,
      \"checksums\": [{\"algorithm\": \"SHA256\", \"checksumValue\": \"${sum}\"}],
      \"licenseConcluded\": \"NOASSERTION\",
      \"licenseDeclared\": \"NOASSERTION\",
      \"copyrightText\": \"NOASSERTION\"
    }")
			string(APPEND relations ",
    {\"spdxElementId\": \"SPDXRef-Source-${sum}\", \"relationshipType\": \"GENERATES\", \"relatedSpdxElement\": \"SPDXRef-${library}\"}")
		endif()
	endforeach()
	string(APPEND packages ",
    {
      \"name\": \"${DEPS_${library}_PACKAGE}\",
      \"SPDXID\": \"SPDXRef-${library}\",
      \"versionInfo\": \"${version}\",
      \"summary\": \"${DEPS_${library}_PURPOSE}\",
      \"downloadLocation\": \"NOASSERTION\",
      \"filesAnalyzed\": false,
      \"licenseConcluded\": \"${DEPS_${library}_LICENCE}\",
      \"licenseDeclared\": \"${DEPS_${library}_LICENCE}\",
      \"copyrightText\": \"NOASSERTION\",
      \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": \"pkg:deb/debian/${DEPS_${library}_PACKAGE}@${version}?arch=source\"}]
    }")
	string(APPEND relations ",
    {\"spdxElementId\": \"SPDXRef-scorebox\", \"relationshipType\": \"STATIC_LINK\", \"relatedSpdxElement\": \"SPDXRef-${library}\"}")
endforeach()

# Static: the C library goes in as well.
if(CMAKE_C_FLAGS MATCHES "-specs=")
	set(version NOASSERTION)
	if(MUSL_ROOT)
		file(READ ${MUSL_ROOT}/packages.txt taken)
		string(REGEX REPLACE "^musl-dev;([^;]*);.*$" "\\1" version "${taken}")
	else()
		execute_process(COMMAND dpkg-query -W -f \${Version} musl-dev
			OUTPUT_VARIABLE version ERROR_QUIET RESULT_VARIABLE failed)
		if(failed)
			set(version NOASSERTION)
		endif()
	endif()
	file(SHA256 ${MUSL_LIB}/libc.a sum)
	string(APPEND packages ",
    {
      \"name\": \"musl\",
      \"SPDXID\": \"SPDXRef-musl\",
      \"versionInfo\": \"${version}\",
      \"packageFileName\": \"libc.a\",
      \"summary\": \"C library\",
      \"downloadLocation\": \"NOASSERTION\",
      \"filesAnalyzed\": false,
      \"checksums\": [{\"algorithm\": \"SHA256\", \"checksumValue\": \"${sum}\"}],
      \"licenseConcluded\": \"MIT\",
      \"licenseDeclared\": \"MIT\",
      \"copyrightText\": \"NOASSERTION\"
    }")
	string(APPEND relations ",
    {\"spdxElementId\": \"SPDXRef-scorebox\", \"relationshipType\": \"STATIC_LINK\", \"relatedSpdxElement\": \"SPDXRef-musl\"}")
endif()
string(SHA256 namespace "${PROJECT_VERSION} ${namespace}")
set(sbom ${PROJECT_BINARY_DIR}/scorebox.spdx.json)
file(WRITE ${sbom} "{
  \"spdxVersion\": \"SPDX-2.3\",
  \"dataLicense\": \"CC0-1.0\",
  \"SPDXID\": \"SPDXRef-DOCUMENT\",
  \"name\": \"scorebox-${PROJECT_VERSION}\",
  \"documentNamespace\": \"https://spdx.org/spdxdocs/scorebox-${PROJECT_VERSION}-${namespace}\",
  \"creationInfo\": {\"created\": \"${created}\", \"creators\": [\"Tool: scorebox-build-${PROJECT_VERSION}\"]},
  \"documentDescribes\": [\"SPDXRef-scorebox\"],
  \"packages\": [
    {
      \"name\": \"scorebox\",
      \"SPDXID\": \"SPDXRef-scorebox\",
      \"versionInfo\": \"${PROJECT_VERSION}\",
      \"downloadLocation\": \"NOASSERTION\",
      \"filesAnalyzed\": false,
      \"licenseConcluded\": \"MIT\",
      \"licenseDeclared\": \"MIT\",
      \"copyrightText\": \"scorebox authors\"
    }${packages}
  ],
  \"relationships\": [
    {\"spdxElementId\": \"SPDXRef-DOCUMENT\", \"relationshipType\": \"DESCRIBES\", \"relatedSpdxElement\": \"SPDXRef-scorebox\"}${relations}
  ]
}
")
