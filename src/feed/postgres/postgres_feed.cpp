#include "feed/postgres/postgres_feed.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.hpp"

#include "feed/postgres/log_reader.hpp"

namespace latchkey::feed {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds poll_behind_listen{250};
constexpr milliseconds poll_of_standby{20};
constexpr std::string_view copy =
    "the database is a copy of another one (a restored dump, or what a subscriber of logical replication was) that no "
    "management service commits to: it is as old as its heartbeat. Start a management service on it, or point "
    "LATCHKEY_STORE "
    "to the database that one uses";

}  // namespace

PostgresFeed::PostgresFeed(store::postgres::Url url, Clock& clock) : url_(std::move(url)), clock_(clock) {}

PostgresFeed::~PostgresFeed() = default;

Result<void, FeedError> PostgresFeed::open() {
  if (reader_) return {};
  auto opened = postgres::LogReader::open(url_);
  if (!opened) return opened.error();
  reader_ = std::move(*opened);
  return {};
}

Result<Position, FeedError> PostgresFeed::load(SnapshotSink& sink) {
  if (auto opened = open(); !opened) return opened.error();
  auto loaded = reader_->load(sink, known_);
  if (!loaded) reader_.reset();
  return loaded;
}

Result<Batch, FeedError> PostgresFeed::read(Position after) {
  if (auto opened = open(); !opened) return opened.error();
  // Before the read: whatever is committed after this moment may be missing from it.
  const BootTime boot = clock_.boot();
  const UnixMillis wall = clock_.wall();
  auto read = reader_->read(after, known_);
  if (!read) {
    if (read.error().kind != FeedError::Kind::reload) reader_.reset();
    return read.error();
  }
  on_standby_ = read->beat.on_standby;
  const bool was_copy = std::exchange(on_copy_, read->beat.on_copy);
  if (on_copy_ && !was_copy) log_warning("view: {}", copy);
  read->batch.current_as_of = on_standby_ || on_copy_ ? age_.current_as_of(read->beat.at, wall, boot) : boot;
  return std::move(read->batch);
}

Result<Batch, FeedError> PostgresFeed::next(Position after, milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  for (;;) {
    auto batch = read(after);
    if (!batch || !batch->changes.empty()) return batch;
    const auto woken = wait(deadline);
    if (!woken) return woken.error();
    // What this batch proves is as old as its read, and the next call reads again.
    if (*woken == Woken::called || *woken == Woken::deadline) return batch;
  }
}

Result<PostgresFeed::Woken, FeedError> PostgresFeed::wait(steady_clock::time_point deadline) {
  const auto poll_due = steady_clock::now() + (on_standby_ ? poll_of_standby : poll_behind_listen);
  const auto until = std::min(deadline, poll_due);
  for (;;) {
    // First what the read has brought along: the socket will not speak of it again.
    const auto notified = reader_->take_notifications();
    if (!notified) {
      reader_.reset();
      return notified.error();
    }
    if (*notified) return Woken::commit;
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    if (left <= milliseconds(0)) return until == deadline ? Woken::deadline : Woken::poll;
    std::array<pollfd, 2> files = {pollfd{reader_->socket(), POLLIN, 0}, pollfd{wake_event_.descriptor(), POLLIN, 0}};
    ::poll(files.data(), files.size(), static_cast<int>(left.count()));
    if ((files[1].revents & POLLIN) != 0 && wake_event_.take()) return Woken::called;
  }
}

Result<std::unique_ptr<ChangeFeed>> open_postgres_feed(std::string_view text, Clock& clock) {
  auto url = store::postgres::Url::parse(text);
  if (!url) return url.error();
  return std::unique_ptr<ChangeFeed>(std::make_unique<PostgresFeed>(std::move(*url), clock));
}

}  // namespace latchkey::feed
