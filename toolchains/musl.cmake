# What every musl target shares. A target's own file sets these, then includes this one:
#   MUSL_TARGET     the GNU name of the target, such as x86_64-linux-gnu
#   MUSL_COMPILER   its compiler
#   MUSL_ARCH       what Debian calls the architecture, for a cross build; empty: this machine's own musl
#   MUSL_FLAGS      what chooses the processor
# A cross build fetches the target's musl-dev and kernel headers, once, into build/deps/sysroot.
set(musl_name ${MUSL_TARGET})
string(REPLACE "linux-gnu" "linux-musl" musl_name ${musl_name})
string(REGEX REPLACE "-linux.*" "" musl_cpu ${MUSL_TARGET})

set(MUSL_ROOT "")
if(MUSL_ARCH)
	get_filename_component(MUSL_ROOT ${CMAKE_CURRENT_LIST_DIR}/../build/deps/sysroot/${MUSL_ARCH} ABSOLUTE)
	if(NOT EXISTS ${MUSL_ROOT}/packages.txt)
		execute_process(COMMAND ${CMAKE_COMMAND} -DARCH=${MUSL_ARCH} -DSYSROOT=${MUSL_ROOT}
			-P ${CMAKE_CURRENT_LIST_DIR}/../cmake/deps/sysroot.cmake COMMAND_ERROR_IS_FATAL ANY)
	endif()
endif()
set(MUSL_INCLUDE ${MUSL_ROOT}/usr/include/${musl_name})
set(MUSL_LIB ${MUSL_ROOT}/usr/lib/${musl_name})
# Only a program that is not static would ask for it.
set(MUSL_LOADER /lib/ld-musl-${musl_cpu}.so.1)
set(musl_work ${CMAKE_CURRENT_LIST_DIR}/../build/deps/toolchain/${musl_name})
get_filename_component(musl_work ${musl_work} ABSOLUTE)
set(KERNEL_INCLUDE ${musl_work}/kernel)
if(NOT EXISTS ${MUSL_LIB}/rcrt1.o)
	message(FATAL_ERROR "musl is not there (${MUSL_LIB}/rcrt1.o): install musl-dev")
endif()

# The kernel's own headers, and none of the C library's that live beside them.
if(NOT EXISTS ${KERNEL_INCLUDE}/linux)
	file(MAKE_DIRECTORY ${KERNEL_INCLUDE})
	file(CREATE_LINK ${MUSL_ROOT}/usr/include/${MUSL_TARGET}/asm ${KERNEL_INCLUDE}/asm SYMBOLIC)
	file(CREATE_LINK ${MUSL_ROOT}/usr/include/asm-generic ${KERNEL_INCLUDE}/asm-generic SYMBOLIC)
	file(CREATE_LINK ${MUSL_ROOT}/usr/include/linux ${KERNEL_INCLUDE}/linux SYMBOLIC)
endif()
# Written once: many configurations read this file at the same time.
set(musl_template ${CMAKE_CURRENT_LIST_DIR}/musl-gcc.specs.in)
if(${musl_template} IS_NEWER_THAN ${musl_work}/gcc.specs)
	configure_file(${musl_template} ${musl_work}/gcc.specs @ONLY)
	file(TOUCH ${musl_work}/gcc.specs)
endif()

set(CMAKE_C_COMPILER ${MUSL_COMPILER})
# The target's own: this machine's objcopy copies what it does not know as it is, and says no word by its exit code.
if(MUSL_ARCH)
	foreach(tool AR NM OBJCOPY RANLIB)
		string(TOLOWER ${tool} name)
		execute_process(COMMAND ${MUSL_COMPILER} -print-prog-name=${name} OUTPUT_VARIABLE path
			OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
		find_program(path_of_${name} ${path} REQUIRED)
		set(CMAKE_${tool} ${path_of_${name}} CACHE FILEPATH "" FORCE)
	endforeach()
endif()
set(CMAKE_C_FLAGS_INIT "-specs=${musl_work}/gcc.specs ${MUSL_FLAGS} -fPIE")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static-pie")
