# The libraries that go into scorebox, each built from a signed Debian source package.
# The slowest to build stand first.
#   library  source package  release   licence (SPDX)             purpose
set(DEPS_TABLE
	"sqlite    sqlite3        trixie    blessing                   spool and journal"
	"mbedtls   mbedtls        trixie    Apache-2.0                 TLS"
	"zlib      zlib           trixie    Zlib                       gzip bodies, workbooks"
	"zstd      libzstd        trixie    BSD-3-Clause               Kafka batches"
	"curl      curl           trixie    curl                       HTTPS client"
	"cjson     cjson          trixie    MIT                        reading one row"
	"rdkafka   librdkafka     trixie    BSD-2-Clause               Kafka client"
	"xlsxwriter libxlsxwriter bookworm  BSD-2-Clause               workbooks"
	"cmocka    cmocka         bookworm  Apache-2.0                 unit tests only")

# Fetched and built only for the build with OpenSSL under librdkafka (SCOREBOX_KAFKA_TLS=openssl).
set(DEPS_TABLE_OPENSSL
	"openssl   openssl        trixie    Apache-2.0                 TLS and login of Kafka")

# Built after these.
set(DEPS_curl_NEEDS zlib mbedtls)
set(DEPS_rdkafka_NEEDS zlib zstd)
set(DEPS_xlsxwriter_NEEDS zlib)

# Not shipped, only linked into the tests.
set(DEPS_TESTS_ONLY cmocka)

set(DEPS_LIBRARIES)
set(DEPS_LIBRARIES_OPENSSL openssl)
foreach(line IN LISTS DEPS_TABLE DEPS_TABLE_OPENSSL)
	string(REGEX MATCH "^([a-z0-9]+) +([a-z0-9]+) +([a-z]+) +([A-Za-z0-9.-]+) +(.*)$" _ "${line}")
	if(NOT CMAKE_MATCH_1 IN_LIST DEPS_LIBRARIES_OPENSSL)
		list(APPEND DEPS_LIBRARIES ${CMAKE_MATCH_1})
	endif()
	set(DEPS_${CMAKE_MATCH_1}_PACKAGE ${CMAKE_MATCH_2})
	set(DEPS_${CMAKE_MATCH_1}_RELEASE ${CMAKE_MATCH_3})
	set(DEPS_${CMAKE_MATCH_1}_LICENCE ${CMAKE_MATCH_4})
	set(DEPS_${CMAKE_MATCH_1}_PURPOSE "${CMAKE_MATCH_5}")
endforeach()
