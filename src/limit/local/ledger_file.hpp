#pragma once

// Where a ledger is kept. Everything that succeeded is there after a power cut; of what did not succeed, any part may be.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace latchkey::limit {

/// One thread at a time.
class LedgerStorage {
 public:
  virtual ~LedgerStorage() = default;
  /// All that is there; empty where there is none.
  virtual Result<std::string> read() = 0;
  /// In place of all that is there, or nothing changes.
  virtual Result<void> replace(std::string_view octets) = 0;
  /// After a failure only replace() may follow: what stands at the end is not known.
  virtual Result<void> append(std::string_view octets) = 0;
};

/// A file of mode 0600. ErrorCode::unavailable for whatever the system refuses, `detail` with path and cause.
std::unique_ptr<LedgerStorage> ledger_file(std::filesystem::path path);

}  // namespace latchkey::limit
