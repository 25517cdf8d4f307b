#pragma once

#include <filesystem>

#include "feed/digest_source.hpp"
#include "store/sqlite/witness.hpp"

namespace latchkey::feed {

/// Of the embedded store's file.
class SqliteDigest final : public DigestSource {
 public:
  explicit SqliteDigest(std::filesystem::path path) : path_(std::move(path)), witness_(path_) {}
  Result<StoreDigest, FeedError> read() override;

 private:
  const std::filesystem::path path_;
  store::Witness witness_;
};

}  // namespace latchkey::feed
