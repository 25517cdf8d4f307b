// The catalog's parser: whatever the file holds, it is refused with a place or served as JSON that parses again to the
// same catalog.

#include <cstdint>
#include <cstdlib>

#include "catalog/catalog.hpp"

using latchkey::catalog::Catalog;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto catalog = Catalog::parse({reinterpret_cast<const char*>(data), size});
  if (!catalog) {
    if (catalog.error().detail.empty()) std::abort();
    return 0;
  }
  const auto again = Catalog::parse((*catalog)->list_json());
  if (!again || (*again)->list_json() != (*catalog)->list_json() || (*again)->size() != (*catalog)->size())
    std::abort();
  return 0;
}
