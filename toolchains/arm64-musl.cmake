# 64-bit ARM, such as Raspberry Pi 3 and later with a 64-bit system; musl, static-pie.
# Needs gcc-aarch64-linux-gnu.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(MUSL_TARGET aarch64-linux-gnu)
set(MUSL_ARCH arm64)
set(MUSL_FLAGS "-mbranch-protection=standard")
set(SCOREBOX_DEB_ARCH arm64)
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/emulate arm64)
find_program(MUSL_COMPILER NAMES aarch64-linux-gnu-gcc REQUIRED)
include(${CMAKE_CURRENT_LIST_DIR}/musl.cmake)
