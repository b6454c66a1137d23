# How a GoogleTest program's tests come to ctest, and the labels that ctest -L and -LE take; script/test says what runs
# when:
#   sweep          long; only in script/test --all. A suite gets it by having Sweep in its name.
#   release-only   not run under a sanitizer: there is nothing to find, or the time is measured.
include_guard(GLOBAL)
include(GoogleTest)

# spl_test_code(TARGET)
#
# For what is compiled for tests only. It is given SPL_SOURCE_DIR, the project's root, and SPL_BINARY_DIR, the build's.
# Under a sanitizer it is not optimised: that takes longer to build than it saves.
function(spl_test_code target)
  target_compile_definitions(${target} PRIVATE SPL_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                               SPL_BINARY_DIR="${CMAKE_BINARY_DIR}")
  if(SPL_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
  spl_precompile(${target} TESTS)
endfunction()

# spl_discover_tests(TARGET [PREFIX text] [LABEL label] [TIMEOUT seconds])
#
# Registers every test of the program by itself, with PREFIX before its name.
function(spl_discover_tests target)
  cmake_parse_arguments(ARG "" "PREFIX;LABEL;TIMEOUT" "" ${ARGN})
  spl_test_code(${target})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set(properties TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LABEL)
    list(APPEND properties LABELS ${ARG_LABEL})
  endif()
  gtest_discover_tests(${target} TEST_PREFIX "${ARG_PREFIX}" TEST_FILTER "-*Sweep*.*" DISCOVERY_TIMEOUT 120
                       PROPERTIES ${properties})
  gtest_discover_tests(${target} TEST_PREFIX "${ARG_PREFIX}" TEST_FILTER "*Sweep*.*" DISCOVERY_TIMEOUT 120
                       PROPERTIES TIMEOUT 1800 LABELS sweep)
endfunction()
