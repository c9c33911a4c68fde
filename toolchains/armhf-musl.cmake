# ARMv7 with hardware floating point, such as Raspberry Pi 2 and later with a 32-bit system; musl, static-pie.
# Needs gcc-arm-linux-gnueabihf.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(MUSL_TARGET arm-linux-gnueabihf)
set(MUSL_ARCH armhf)
set(MUSL_FLAGS "")
set(SCOREBOX_DEB_ARCH armhf)
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/emulate armhf)
find_program(MUSL_COMPILER NAMES arm-linux-gnueabihf-gcc REQUIRED)
include(${CMAKE_CURRENT_LIST_DIR}/musl.cmake)
