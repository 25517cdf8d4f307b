// A selector from anywhere, as `?selector=` and `--selector` bring it. What is accepted has one text, which reads as the
// same selector, and keys without labels match only where no label is asked for.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "key/selector.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace latchkey;
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  const auto selector = parse_selector({reinterpret_cast<const char*>(data), size});
  if (!selector) return 0;
  require(!selector->empty() && selector->size() <= max_requirements);
  const auto again = parse_selector(to_string(*selector));
  require(again.has_value() && *again == *selector);
  require(!matches(*selector, Labels()) || !wants_labels(*selector));
  return 0;
}
