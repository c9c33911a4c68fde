# Compiler and linker flags of our own code, held by one target: scorebox_flags.
# The hardening ones follow the OpenSSF "Compiler Options Hardening Guide for C and C++".
include(CheckCCompilerFlag)

add_library(scorebox_flags INTERFACE)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
target_include_directories(scorebox_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(scorebox_flags INTERFACE
	_GNU_SOURCE _FILE_OFFSET_BITS=64 _TIME_BITS=64
	SCOREBOX_VERSION="${PROJECT_VERSION}")

target_compile_options(scorebox_flags INTERFACE
	-Wall -Wextra -Wformat=2 -Wformat-security -Wimplicit-fallthrough -Wshadow -Wundef -Wvla
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual
	-Wwrite-strings
	-Werror=implicit -Werror=incompatible-pointer-types -Werror=int-conversion
	-Werror=format-security)
if(SCOREBOX_WERROR)
	target_compile_options(scorebox_flags INTERFACE -Werror)
endif()

# scorebox_flag(FLAG): used where the compiler knows it.
function(scorebox_flag flag)
	string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
	check_c_compiler_flag(${flag} ${have})
	if(${have})
		target_compile_options(scorebox_flags INTERFACE ${flag})
	endif()
endfunction()

# A text that is cut to its buffer is cut on purpose.
scorebox_flag(-Wno-format-truncation)
scorebox_flag(-Wtrampolines)
scorebox_flag(-Wbidi-chars=any)
scorebox_flag(-Wlogical-op)
scorebox_flag(-Wduplicated-cond)
scorebox_flag(-fstrict-flex-arrays=3)
scorebox_flag(-fstack-protector-strong)
scorebox_flag(-fno-delete-null-pointer-checks)
scorebox_flag(-fno-strict-overflow)
scorebox_flag(-fno-strict-aliasing)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
	scorebox_flag(-fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
	scorebox_flag(-mbranch-protection=standard)
endif()
target_compile_options(scorebox_flags INTERFACE -fPIE -ffunction-sections -fdata-sections
	-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)

if(SCOREBOX_SANITIZE)
	string(JOIN "," sanitizers ${SCOREBOX_SANITIZE})
	target_compile_options(scorebox_flags INTERFACE
		-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(scorebox_flags INTERFACE -fsanitize=${sanitizers})
else()
	# The sanitizers bring better versions of these.
	scorebox_flag(-fstack-clash-protection)
	scorebox_flag(-ftrivial-auto-var-init=zero)
	# musl has no checked string functions; without optimisation glibc's only warn.
	if(NOT CMAKE_C_FLAGS MATCHES "-specs=" AND NOT CMAKE_BUILD_TYPE STREQUAL "")
		target_compile_options(scorebox_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
	endif()
endif()
if(SCOREBOX_FUZZ)
	target_compile_options(scorebox_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

target_link_options(scorebox_flags INTERFACE
	-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen -Wl,--as-needed -Wl,--gc-sections)
if(CMAKE_C_FLAGS MATCHES "-specs=")
	# Static: nothing reads the tables that exceptions and debuggers need.
	target_compile_options(scorebox_flags INTERFACE -fno-asynchronous-unwind-tables -fno-unwind-tables)
else()
	target_link_options(scorebox_flags INTERFACE -pie)
endif()
