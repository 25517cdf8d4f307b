#include "feed/sqlite/sqlite_digest.hpp"

#include "feed/sqlite/log_reader.hpp"

namespace latchkey::feed {

Result<StoreDigest, FeedError> SqliteDigest::read() {
  const auto reader = LogReader::open(path_, witness_);
  if (!reader) return FeedError{FeedError::Kind::unavailable, reader.error().why};
  DigestSink sink(stopping());
  try {
    const auto end = (*reader)->scan(sink);
    if (!end) return end.error();
    return StoreDigest{*end, sink.digest(), {}};
  } catch (const ScanStopped&) {
    return FeedError{FeedError::Kind::unavailable, "stopping"};
  }
}

}  // namespace latchkey::feed
