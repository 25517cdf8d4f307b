#include "feed/sqlite/sqlite_feed.hpp"

#include "feed/sqlite/log_reader.hpp"

namespace latchkey::feed {

using std::chrono::steady_clock;

SqliteFeed::SqliteFeed(std::filesystem::path path, Clock& clock)
    : path_(std::move(path)), clock_(clock), waker_(path_), witness_(path_) {}

SqliteFeed::~SqliteFeed() = default;

Result<void, FeedError> SqliteFeed::open() {
  auto opened = LogReader::open(path_, witness_);
  if (!opened) return opened.error();
  reader_ = std::move(*opened);
  return {};
}

Result<Position, FeedError> SqliteFeed::load(SnapshotSink& sink) {
  reader_.reset();
  if (auto opened = open(); !opened) return opened.error();
  auto loaded = reader_->load(sink, known_);
  if (!loaded) reader_.reset();
  return loaded;
}

void SqliteFeed::resume(const LogEnd& known) {
  reader_.reset();  // the file that is there now, whichever we had open
  known_ = known;
}

Result<Batch, FeedError> SqliteFeed::read(Position after) {
  if (!reader_) {
    if (auto opened = open(); !opened) return opened.error();
  }
  // Before the read: whatever is committed after this moment may be missing from it.
  const BootTime as_of = clock_.boot();
  auto batch = reader_->read(after, as_of, known_);
  // A connection that failed is not trusted again. One that has merely lost its file is kept: the files it holds open
  // are how we notice that another one has come in their place.
  if (!batch && batch.error().kind != FeedError::Kind::reload && reader_->check_identity()) reader_.reset();
  return batch;
}

Result<Batch, FeedError> SqliteFeed::next(Position after, std::chrono::milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  for (;;) {
    auto batch = read(after);
    if (!batch || !batch->changes.empty()) return batch;
    for (auto reason = Waker::Reason::poll; reason == Waker::Reason::poll;) {
      reason = waker_.wait(reader_->shared(), reader_->seen(), deadline);
      if (reason == Waker::Reason::woken) return batch;
      if (reason == Waker::Reason::timeout) return read(after);
      // Most polls find nothing; asking which files the path names is cheaper than a transaction.
      if (auto same = reader_->check_identity(); !same) return same.error();
    }
  }
}

void SqliteFeed::wake() { waker_.wake(); }

}  // namespace latchkey::feed
