# One folder of src/, one static library `latchkey_<folder>`. Sources are all *.cpp below it; files named *_test.cpp and
# *_suite.cpp are tests and make one GoogleTest program `<folder>_test` beside it, so adding a file needs no edit here.
# The sanitised builds have them all; the release build, slow to compile, has those that only it can run.
function(latchkey_folder name)
  cmake_parse_arguments(ARG "" "" "USES;LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|suite)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_(test|suite)\\.cpp$")
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    list(FILTER tests INCLUDE REGEX "/allocation_test\\.cpp$")
  endif()

  if(sources)
    set(scope PUBLIC)
    add_library(latchkey_${name} STATIC ${sources})
  else()
    set(scope INTERFACE)
    add_library(latchkey_${name} INTERFACE)
  endif()
  target_include_directories(latchkey_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM ARG_USES PREPEND latchkey_)
  target_link_libraries(latchkey_${name} ${scope} ${ARG_USES} ${ARG_LINKS})

  if(tests AND LATCHKEY_TESTS AND NOT LATCHKEY_FUZZ)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE latchkey_${name} GTest::gtest GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 1200)  # of a machine that has much else to do
  endif()
endfunction()
