# spl_precompile(TARGET [TESTS])
#
# Under SPL_PRECOMPILE, which the presets for developers set, the headers of the standard library, and with TESTS those
# of GoogleTest, are read once and not by every file. What users run is built without, so that a file which does not
# include what it uses is found.
option(SPL_PRECOMPILE "precompile the headers of the standard library and of GoogleTest" OFF)

set(SPL_STANDARD_HEADERS
    <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstdint> <cstring> <deque> <expected>
    <functional> <limits> <map> <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread> <utility>
    <variant> <vector>)
set(SPL_TEST_HEADERS <filesystem> <fstream> <random> <sstream> <gmock/gmock.h> <gtest/gtest.h>)

function(spl_precompile target)
  if(NOT SPL_PRECOMPILE)
    return()
  endif()
  # Each way of compiling has its own: a precompiled header holds for one set of flags.
  set(owner spl_precompiled)
  set(headers ${SPL_STANDARD_HEADERS})
  get_target_property(options ${target} COMPILE_OPTIONS)
  list(FILTER options INCLUDE REGEX "^-O")
  list(APPEND owner ${options})
  if("TESTS" IN_LIST ARGN)
    list(APPEND owner tests)
    list(APPEND headers ${SPL_TEST_HEADERS})
  endif()
  list(JOIN owner "_" owner)
  if(NOT TARGET ${owner})
    file(WRITE ${CMAKE_BINARY_DIR}/generated/empty.cc "")
    add_library(${owner} OBJECT ${CMAKE_BINARY_DIR}/generated/empty.cc)
    target_compile_options(${owner} PRIVATE ${options})
    # It need not be made again because its octets' time is another: ccache keeps it.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      target_compile_options(${owner} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
    target_link_libraries(${owner} PRIVATE Threads::Threads)
    if("TESTS" IN_LIST ARGN)
      target_link_libraries(${owner} PRIVATE GTest::gtest GTest::gmock)
    endif()
    target_precompile_headers(${owner} PRIVATE ${headers})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()
