# The rooms of src/ include upwards only, and each library's headers stay in the room that owns it.
cmake_minimum_required(VERSION 3.25)

set(base_MAY "")
set(tls_MAY base)
set(board_MAY base tls)
set(cricket_MAY base)
set(feed_MAY base tls cricket)
set(store_MAY base)
set(kafka_MAY base tls)
set(book_MAY base cricket store)
set(replay_MAY base tls cricket)
set(service_MAY base tls cricket feed store kafka book)
set(app_MAY base tls board cricket feed store kafka book replay service)
set(rooms base tls board cricket feed store kafka book replay service app)

# header pattern, then the files that may include it
set(libraries
	"curl/=^feed/[a-z_]+\\.c$"
	"cJSON\\.h=^cricket/[a-z_]+\\.c$"
	"xlsxwriter=^book/[a-z_]+\\.c$"
	"sqlite3\\.h=^store/[a-z_]+\\.c$"
	"librdkafka/=^kafka/[a-z_]+\\.c$"
	"openssl/=^kafka/(client|tls_watch)\\.c$"
	"(mbedtls|psa)/=^(tls/[a-z_]+|feed/fetch[a-z_]*)\\.c$"
	"zlib\\.h=^(book|store|replay)/[a-z_]+\\.c$"
	"zstd=^$")
# `version` asks every library which version it is.
set(exempt "^app/version\\.c$")

set(bad 0)
foreach(room IN LISTS rooms)
	file(GLOB_RECURSE files RELATIVE ${TOP}/src ${TOP}/src/${room}/*.c ${TOP}/src/${room}/*.h)
	foreach(file IN LISTS files)
		file(STRINGS ${TOP}/src/${file} lines REGEX "^[ \t]*#[ \t]*include")
		foreach(line IN LISTS lines)
			if(NOT line MATCHES "include[ \t]*[<\"]([^>\"]+)[>\"]")
				continue()
			endif()
			set(header ${CMAKE_MATCH_1})
			if(header MATCHES "^([a-z]+)/[a-z_]+\\.h$" AND CMAKE_MATCH_1 IN_LIST rooms
					AND line MATCHES "\"")
				set(from ${CMAKE_MATCH_1})
				string(REGEX REPLACE "/.*" "" from ${header})
				if(NOT from STREQUAL room AND NOT from IN_LIST ${room}_MAY)
					message("src/${file}: ${room} may not include ${header}")
					math(EXPR bad "${bad} + 1")
				endif()
			endif()
			foreach(rule IN LISTS libraries)
				string(REGEX MATCH "^(.*)=(\\^.*)$" _ "${rule}")
				set(pattern ${CMAKE_MATCH_1})
				set(allowed ${CMAKE_MATCH_2})
				if(header MATCHES "^${pattern}" AND NOT file MATCHES "${allowed}"
						AND NOT file MATCHES "${exempt}")
					message("src/${file}: ${header} belongs to another room")
					math(EXPR bad "${bad} + 1")
				endif()
			endforeach()
		endforeach()
	endforeach()
endforeach()
if(bad)
	message(FATAL_ERROR "${bad} includes cross a border")
endif()
