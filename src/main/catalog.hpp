#pragma once

#include <memory>

#include "base/error.hpp"
#include "catalog/catalog.hpp"
#include "config/settings.hpp"

namespace latchkey {

/// The file that LATCHKEY_CATALOG names, or the built-in one.
inline Result<std::shared_ptr<const catalog::Catalog>> load_catalog(const config::Settings& settings) {
  if (settings.catalog.empty()) return catalog::Catalog::built_in();
  return catalog::Catalog::load(settings.catalog);
}

}  // namespace latchkey
