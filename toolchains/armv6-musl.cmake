# ARMv6 with VFP: Raspberry Pi Zero and 1, and every later one with a 32-bit system; musl, static-pie.
# Needs gcc-arm-linux-gnueabi.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv6l)
set(MUSL_TARGET arm-linux-gnueabi)
set(MUSL_ARCH armel)
set(MUSL_FLAGS "-mcpu=arm1176jzf-s -marm -mfloat-abi=softfp -mfpu=vfp")
set(SCOREBOX_DEB_ARCH armhf) # Raspberry Pi OS calls its ARMv6 so
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/emulate armv6)
find_program(MUSL_COMPILER NAMES arm-linux-gnueabi-gcc REQUIRED)
include(${CMAKE_CURRENT_LIST_DIR}/musl.cmake)
