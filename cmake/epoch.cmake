# The time that stands for this build wherever one is written down: SOURCE_DATE_EPOCH, the last commit, or now.
set(SCOREBOX_EPOCH "$ENV{SOURCE_DATE_EPOCH}")
if(NOT SCOREBOX_EPOCH)
	execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} log -1 --format=%ct
		OUTPUT_VARIABLE SCOREBOX_EPOCH OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
	if(failed OR NOT SCOREBOX_EPOCH)
		string(TIMESTAMP SCOREBOX_EPOCH %s)
	endif()
	set(ENV{SOURCE_DATE_EPOCH} ${SCOREBOX_EPOCH})
endif()
