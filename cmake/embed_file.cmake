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
