# cmake -DARCH=arm64 -DSYSROOT=DIR -P sysroot.cmake
# Fills DIR with what a program for that Debian architecture is built from beside the cross compiler: musl-dev and
# the kernel's headers, unpacked from its Debian packages. Nothing is installed, the machine's dpkg need not know
# the architecture. DIR/packages.txt says what was taken: package;version;file;sha256.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/tools.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/apt.cmake)
set(release bookworm)

file(MAKE_DIRECTORY ${SYSROOT})
file(LOCK ${SYSROOT}/lock GUARD PROCESS)
if(EXISTS ${SYSROOT}/packages.txt)
	return()
endif()
file(REMOVE_RECURSE ${SYSROOT}/archives ${SYSROOT}/usr) # of a run that was broken off
say("Fetching musl for ${ARCH} from the Debian mirror (about 3 MB, once)")
set(log ${SYSROOT}/fetch.log)
file(WRITE ${log} "")
find_mirrors(mirror mirror_security)
prepare_apt(${SYSROOT}/apt deb ${release} apt -o APT::Architecture=${ARCH} -o APT::Architectures=${ARCH})
set(packages "")
foreach(package musl-dev linux-libc-dev)
	download(binary ${package} ${SYSROOT}/archives version ${apt})
	file(GLOB file ${SYSROOT}/archives/${package}_*.deb)
	run(${log} ${SYSROOT} dpkg-deb -x ${file} ${SYSROOT})
	file(SHA256 ${file} sum)
	get_filename_component(name ${file} NAME)
	string(APPEND packages "${package};${version};${name};${sum}\n")
endforeach()
file(REMOVE_RECURSE ${SYSROOT}/apt)
file(WRITE ${SYSROOT}/packages.txt "${packages}")
