#include "feed/postgres/postgres_digest.hpp"

#include "feed/postgres/log_reader.hpp"

namespace latchkey::feed {

Result<StoreDigest, FeedError> PostgresDigest::read() {
  const auto reader = postgres::LogReader::open(url_);
  if (!reader) return reader.error();
  DigestSink sink(stopping());
  std::optional<LogEnd> end;
  try {
    if (const auto loaded = (*reader)->load(sink, end); !loaded) return loaded.error();
  } catch (const ScanStopped&) {
    return FeedError{FeedError::Kind::unavailable, "stopping"};
  }
  auto warning = (*reader)->sleeping_triggers();
  if (!warning) return warning.error();
  return StoreDigest{*end, sink.digest(), std::move(*warning)};
}

}  // namespace latchkey::feed
