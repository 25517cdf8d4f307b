# Puts a file into a library as `latchkey::embedded::<symbol>` (a std::string_view). Users declare it themselves:
#   namespace latchkey::embedded { extern const std::string_view <symbol>; }
# `file` is a path in the source, or a whole path to a file that is made by the build.
# CONSTANTS <header>: each @name@ in the file becomes the number of `constexpr std::int64_t name = …;` there, so that what is
# said in C++ and in a script is said once. A name that the header does not have ends the build.
function(latchkey_embed folder symbol file)
  cmake_parse_arguments(ARG "" "CONSTANTS" "" ${ARGN})
  cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
  set(out ${CMAKE_BINARY_DIR}/embedded/${symbol}.cpp)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DIN=${file} -DOUT=${out} -DSYMBOL=${symbol}
            -DCONSTANTS=${ARG_CONSTANTS} -P ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
    DEPENDS ${file} ${ARG_CONSTANTS} ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake)
  target_sources(latchkey_${folder} PRIVATE ${out})
endfunction()
