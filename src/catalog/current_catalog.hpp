#pragma once

#include <memory>
#include <string>

#include "base/mutex.hpp"
#include "catalog/catalog.hpp"

namespace latchkey::catalog {

/// The catalog in use, swapped whole. Any thread may call.
class CurrentCatalog {
 public:
  explicit CurrentCatalog(std::shared_ptr<const Catalog> catalog) : catalog_(std::move(catalog)) {}

  /// Stays valid while held, whatever is loaded meanwhile.
  std::shared_ptr<const Catalog> current() const {
    const MutexLock lock(mutex_);
    return catalog_;
  }
  /// Takes the file's catalog into use. On an error the old one stays, and the operator's log says why.
  Result<void> reload(const std::string& path);

 private:
  mutable Mutex mutex_;  // for a few nanoseconds; an atomic shared_ptr has a lock inside, too
  std::shared_ptr<const Catalog> catalog_ GUARDED_BY(mutex_);
};

}  // namespace latchkey::catalog
