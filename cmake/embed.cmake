# Puts a file into a library as `latchkey::embedded::<symbol>` (a std::string_view). Users declare it themselves:
#   namespace latchkey::embedded { extern const std::string_view <symbol>; }
function(latchkey_embed folder symbol file)
  set(out ${CMAKE_BINARY_DIR}/embedded/${symbol}.cpp)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DIN=${CMAKE_SOURCE_DIR}/${file} -DOUT=${out} -DSYMBOL=${symbol}
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
    DEPENDS ${CMAKE_SOURCE_DIR}/${file} ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake)
  target_sources(latchkey_${folder} PRIVATE ${out})
endfunction()
