# A private apt: no root, nothing of the machine's own apt state is touched, signatures are checked by apt.
# `log` names the file for what is said.

# The main archive and the security archive of the machine's own Debian mirror.
function(find_mirrors main_out security_out)
	set(format "$(ORIGIN)|$(REPO_URI)")
	execute_process(COMMAND apt-get indextargets --format ${format} "Created-By: Packages"
		OUTPUT_VARIABLE found ERROR_FILE ${log} OUTPUT_STRIP_TRAILING_WHITESPACE)
	string(REPLACE "\n" ";" found "${found}")
	set(debian ${found})
	list(FILTER debian INCLUDE REGEX "^Debian\\|")
	if(NOT debian)
		set(debian ${found})
	endif()
	list(TRANSFORM debian REPLACE "^[^|]*\\|" "")
	set(security ${debian})
	list(FILTER security INCLUDE REGEX "security")
	list(FILTER debian EXCLUDE REGEX "security")
	if(NOT debian)
		message(FATAL_ERROR "apt knows no Debian mirror on this machine; name a folder of source "
			"tarballs with -DSCOREBOX_SOURCES=DIR instead")
	endif()
	list(GET debian 0 main)
	if(security)
		list(GET security 0 security)
	else()
		string(REGEX REPLACE "/*$" "-security/" security "${main}")
	endif()
	set(${main_out} ${main} PARENT_SCOPE)
	set(${security_out} ${security} PARENT_SCOPE)
endfunction()

# prepare_apt(FOLDER KIND RELEASE OUT [option...]): a private apt in FOLDER that knows this release only, its
# sources (KIND deb-src) or its packages (deb). Sets OUT to the options that make apt-get and apt-cache use it.
# `mirror` and `mirror_security` are as find_mirrors set them; `apt_components` where it is more than main.
function(prepare_apt base kind release out)
	file(MAKE_DIRECTORY ${base}/lists/partial ${base}/cache/archives/partial)
	set(keys /usr/share/keyrings)
	set(signed "[signed-by=${keys}/debian-archive-keyring.gpg]")
	if(NOT EXISTS ${keys}/debian-archive-${release}-stable.gpg)
		message(FATAL_ERROR "the keys of Debian ${release} are not there: "
			"apt-get install debian-archive-keyring")
	endif()
	set(components main ${apt_components})
	list(JOIN components " " components)
	set(usual "${kind} ${signed} ${mirror} ${release} ${components}\n"
		"${kind} ${signed} ${mirror} ${release}-updates ${components}\n")
	file(WRITE ${base}/sources.list ${usual}
		"${kind} ${signed} ${mirror_security} ${release}-security ${components}\n")
	set(options -q -o Dir::Etc::sourcelist=${base}/sources.list -o Dir::Etc::sourceparts=-
		-o Dir::State::Lists=${base}/lists -o Dir::Cache=${base}/cache
		-o Dir::State::status=/dev/null
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false ${ARGN})
	# Mirrors of the rarer architectures are out of step for days at times: their security index is done without
	# then, and the SBOM has the version that was taken.
	execute_process(COMMAND apt-get ${options} update RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
	file(APPEND ${log} "${said}")
	if(failed AND kind STREQUAL "deb" AND said MATCHES "-security/main[^\n]*\n *(File has unexpected size|Hash Sum)")
		say("  the mirror's index of security updates does not fit its own checksums: going on without it")
		file(WRITE ${base}/sources.list ${usual})
		set(failed 0)
		run(${log} ${base} apt-get ${options} update)
	endif()
	if(failed)
		show_tail(${log})
		message(FATAL_ERROR "apt cannot read the lists of Debian ${release}")
	endif()
	set(${out} ${options} PARENT_SCOPE)
endfunction()

# download(KIND PACKAGE FOLDER VERSION_OUT OPTION...): the newest version that the mirror really has, source package
# or (KIND binary) .deb, goes to FOLDER: between a security update and the next sync an index may name files that
# are not there yet. The options are prepare_apt's.
function(download kind package folder version_out)
	if(kind STREQUAL "source")
		set(records showsrc --only-source)
		set(get source --download-only)
	else()
		set(records show)
		set(get download)
	endif()
	execute_process(COMMAND apt-cache ${ARGN} ${records} ${package} OUTPUT_VARIABLE records ERROR_QUIET)
	string(REGEX MATCHALL "\nVersion: [^\n]+" versions "\n${records}")
	list(TRANSFORM versions REPLACE "\nVersion: " "")
	list(REMOVE_DUPLICATES versions)
	list(SORT versions COMPARE NATURAL ORDER DESCENDING)
	if(NOT versions)
		message(FATAL_ERROR "the Debian mirror has no ${kind} package ${package}")
	endif()
	file(MAKE_DIRECTORY ${folder})
	foreach(version IN LISTS versions)
		execute_process(COMMAND apt-get ${ARGN} ${get} ${package}=${version}
			WORKING_DIRECTORY ${folder} RESULT_VARIABLE failed
			OUTPUT_VARIABLE said ERROR_VARIABLE said)
		file(APPEND ${log} "${said}")
		if(NOT failed)
			string(REGEX REPLACE "^[0-9]+:" "" version ${version})
			set(${version_out} ${version} PARENT_SCOPE)
			return()
		endif()
		say("  ${package} ${version} is in the index but not on the mirror, trying the one before")
	endforeach()
	show_tail(${log})
	message(FATAL_ERROR "could not download the ${kind} package ${package}")
endfunction()
