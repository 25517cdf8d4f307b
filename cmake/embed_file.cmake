if(CONSTANTS)
  file(READ ${CONSTANTS} header)
  file(READ ${IN} text)
  string(REPLACE ";" "\n" header "${header}")  # which would separate the elements of a list
  string(REGEX MATCHALL "constexpr std::int64_t [a-z_]+ = [0-9]+\n" definitions "${header}")
  foreach(definition IN LISTS definitions)
    string(REGEX REPLACE "constexpr std::int64_t ([a-z_]+) = .*" "\\1" name "${definition}")
    string(REGEX REPLACE ".* = ([0-9]+)\n" "\\1" number "${definition}")
    string(REPLACE "@${name}@" "${number}" text "${text}")
  endforeach()
  if(text MATCHES "@[a-z_]+@")
    message(FATAL_ERROR "${IN}: ${CMAKE_MATCH_0} is no constant of ${CONSTANTS}")
  endif()
  set(IN ${OUT}.text)
  file(WRITE ${IN} "${text}")
endif()
file(READ ${IN} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUT} "#include <string_view>
namespace latchkey::embedded {
extern const std::string_view ${SYMBOL};
static const unsigned char ${SYMBOL}_bytes[] = {${bytes}0};
const std::string_view ${SYMBOL}(reinterpret_cast<const char*>(${SYMBOL}_bytes), sizeof ${SYMBOL}_bytes - 1);
}  // namespace latchkey::embedded
")
