#include "catalog/current_catalog.hpp"

#include "base/log.hpp"

namespace latchkey::catalog {

Result<void> CurrentCatalog::reload(const std::string& path) {
  auto loaded = Catalog::load(path);
  if (!loaded) {
    log_error("catalog {}: {}; the one in use stays", path, loaded.error().detail);
    return loaded.error();
  }
  log_info("catalog {}: {} tokens", path, (*loaded)->size());
  const MutexLock lock(mutex_);
  catalog_.swap(*loaded);
  return {};
}

}  // namespace latchkey::catalog
