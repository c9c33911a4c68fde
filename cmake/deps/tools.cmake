# Small tools that the scripts of this folder share.

# One line for the person who waits.
function(say)
	string(JOIN "" line ${ARGV})
	execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${line}")
endfunction()

function(show_tail log)
	execute_process(COMMAND tail -n 40 ${log})
	say("The whole log: ${log}")
endfunction()

# run(LOG FOLDER COMMAND...): output goes to the log; a failure ends the script with the log's tail.
function(run log folder)
	string(JOIN " " line ${ARGN})
	file(APPEND ${log} "\n+ ${line}\n")
	execute_process(COMMAND sh -c [[log=$1; shift; exec "$@" >>"$log" 2>&1]] sh ${log} ${ARGN}
		WORKING_DIRECTORY ${folder} RESULT_VARIABLE failed)
	if(NOT failed STREQUAL 0)
		show_tail(${log})
		message(FATAL_ERROR "failed: ${line}")
	endif()
endfunction()

# mend(FILE OLD NEW): a fault of some versions; where the text is not there, it is mended already.
function(mend file old new)
	file(READ ${file} text)
	string(REPLACE "${old}" "${new}" text "${text}")
	file(WRITE ${file} "${text}")
endfunction()

# edit(FILE OLD NEW): the text must be there.
function(edit file old new)
	file(READ ${file} text)
	string(FIND "${text}" "${old}" at)
	if(at EQUAL -1)
		message(FATAL_ERROR "${file} has no '${old}'")
	endif()
	mend(${file} "${old}" "${new}")
endfunction()
