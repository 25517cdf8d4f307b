#pragma once

#include "feed/digest_source.hpp"
#include "store/postgres/url.hpp"

namespace latchkey::feed {

/// Of a primary or a standby. Warns of triggers that are disabled.
class PostgresDigest final : public DigestSource {
 public:
  explicit PostgresDigest(store::postgres::Url url) : url_(std::move(url)) {}
  Result<StoreDigest, FeedError> read() override;

 private:
  const store::postgres::Url url_;
};

}  // namespace latchkey::feed
