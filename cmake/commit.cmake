# Writes OUT, a source file that says which commit of SOURCE is built, where that is another one than it says; "unknown"
# where SOURCE is no clone. Run at every build, by itself: cmake -DSOURCE=.. -DOUT=.. -P commit.cmake
set(commit "unknown")
if(EXISTS ${SOURCE}/.git)
  execute_process(COMMAND git -C ${SOURCE} rev-parse --short=7 HEAD
                  OUTPUT_VARIABLE said RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT failed AND said MATCHES "^[0-9a-f]+$")
    set(commit ${said})
  endif()
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#include \"cli/run.h\"\n\nconst char* const spl::cli::kCommit = \"${commit}\";\n")
