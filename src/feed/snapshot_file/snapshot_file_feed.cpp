#include "feed/snapshot_file/snapshot_file_feed.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

#include "base/log.hpp"
#include "base/regular_file.hpp"

namespace latchkey::feed {

using snapshot_file::Writer;

namespace {

constexpr std::size_t rows_bytes = 128U << 10U;

/// Rows on their way into a file, in records of a bounded size.
class RowsToFile final : public SnapshotSink {
 public:
  explicit RowsToFile(Writer& writer) : writer_(writer) {}
  void access_key(const AccessKey& key) override { add(key); }
  void signing_key(const SigningKey& key, Version version) override { add(key, version); }
  void plan(const Plan& plan) override { add(plan); }
  // A deleted one says no more than a missing one, and may be of a person that was erased.
  void user(const User& user) override {
    if (!user.deleted) add(user);
  }
  void change(const Change& change) { add(change); }
  Result<void> finish() {
    if (!rows_.empty()) flush();
    return done_;
  }

 private:
  template <class... Row>
  void add(const Row&... row) {
    rows_.add(row...);
    if (rows_.size() >= rows_bytes) flush();
  }
  void flush() {
    const std::string rows = rows_.take();
    if (done_) done_ = writer_.rows(rows);
  }
  Writer& writer_;
  RowsWriter rows_;
  Result<void> done_;
};

Result<void> append_changes(Writer& writer, const std::vector<Change>& changes) {
  RowsToFile rows(writer);
  for (const Change& change : changes) rows.change(change);
  return rows.finish();
}

}  // namespace

SnapshotFileFeed::SnapshotFileFeed(ChangeFeed& feed, RowSource rows, const Clock& clock, SnapshotFileConfig config)
    : feed_(feed), rows_(std::move(rows)), clock_(clock), config_(std::move(config)) {}

Result<Position, FeedError> SnapshotFileFeed::load(SnapshotSink& sink) {
  if (!std::exchange(file_was_tried_, true)) {
    if (const auto position = load_file(sink)) return *position;
  }
  from_file_.reset();
  return feed_.load(sink);
}

std::optional<Position> SnapshotFileFeed::load_file(SnapshotSink& sink) {
  if (const auto usable = check_regular(config_.path); !usable) {
    log_warning("view: {}", usable.error().detail);
    return std::nullopt;
  }
  std::ifstream file(config_.path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string why;
  const auto usable = snapshot_file::examine(file, config_.source, why);
  if (!usable) {
    log_warning("view: {} is not used: {}", config_.path.string(), why);
    return std::nullopt;
  }
  if (!snapshot_file::hand_over(file, *usable, sink)) {
    // Rows of it were handed over: nothing may be built on them.
    forget_file();
    throw std::runtime_error(config_.path.string() + " changed while it was read");
  }
  const auto& mark = usable->mark;
  feed_.resume(mark.end);
  const bool dated = !config_.boot_id.empty() && mark.boot_id == config_.boot_id && mark.as_of <= clock_.boot();
  if (dated) from_file_ = Batch{{}, mark.end.position, mark.as_of, false, mark.end.nonce};
  log_info("view: started from {} at {}{}", config_.path.string(), mark.end.position.to_string(),
           dated ? "" : ", of another boot: not served before the feed has been heard");
  return mark.end.position;
}

Result<Batch, FeedError> SnapshotFileFeed::next(Position after, std::chrono::milliseconds patience) {
  auto batch = feed_.next(after, patience);
  if (batch) {
    keep(*batch);
  } else if (batch.error().kind == FeedError::Kind::reload) {
    forget_file();
  }
  return from_file_ ? unless_file_knows_more(std::move(batch)) : std::move(batch);
}

/// What the file says of its age is said once, and only where the feed has been asked and has neither a proof of its
/// own nor anything against the file.
Result<Batch, FeedError> SnapshotFileFeed::unless_file_knows_more(Result<Batch, FeedError> batch) {
  const bool no_answer = !batch && batch.error().kind != FeedError::Kind::reload;
  const bool no_proof = batch && batch->more;
  if (no_proof && !batch->changes.empty()) {
    from_file_->head = batch->head;
    from_file_->head_nonce = batch->head_nonce;
    return batch;
  }
  auto said = std::exchange(from_file_, std::nullopt);
  return no_answer || no_proof ? std::move(*said) : std::move(batch);
}

void SnapshotFileFeed::distrust() {
  forget_file();
  feed_.distrust();
}

void SnapshotFileFeed::forget_file() {
  current_.reset();
  anew_.reset();
  mark_.reset();
  std::error_code ignored;
  std::filesystem::remove(config_.path, ignored);
}

// The file grows by one record a change. It is written anew when the changes are as large as the rows were at first.
bool SnapshotFileFeed::due_anew() const {
  if (anew_ || clock_.boot() < next_attempt_) return false;
  return !current_ || current_->bytes() - first_bytes_ >= std::max(config_.rewrite_after_bytes, first_bytes_);
}

void SnapshotFileFeed::keep(const Batch& batch) {
  auto kept = append(batch);
  if (kept && mark_ && due_anew()) {
    auto created = Writer::create(config_.path, config_.source, batch.head.epoch);
    if (created) {
      anew_.emplace(std::move(*created));
      next_slice_ = 0;
      // The batch in hand is not among the reader's rows yet.
      kept = append_changes(*anew_, batch.changes);
    } else {
      kept = created.error();
    }
  }
  if (kept && anew_) kept = write_anew(false);
  if (kept) return;
  log_warning("view: {}", kept.error().internal);
  current_.reset();
  anew_.reset();
  next_attempt_ = clock_.boot() + config_.pause_after_failure;
}

// A mark says: up to here the file is whole, and current as of then. A batch with more to come proves nothing yet,
// so it takes the last mark away until the head is reached.
Result<void> SnapshotFileFeed::append(const Batch& batch) {
  for (auto* writer : {&current_, &anew_}) {
    if (!*writer || batch.changes.empty()) continue;
    if (auto appended = append_changes(**writer, batch.changes); !appended) return appended;
  }
  if (batch.more) {
    mark_.reset();
    return {};
  }
  const BootTime now = clock_.boot();
  mark_ = snapshot_file::Mark{{batch.head, batch.head_nonce}, config_.boot_id, std::min(batch.current_as_of, now)};
  if (!current_ || now < next_mark_) return {};
  next_mark_ = now + config_.mark_interval;
  return current_->mark(*mark_);
}

/// Some slices, or all that are left. The file takes its name once it is whole and the reader at the head.
Result<void> SnapshotFileFeed::write_anew(bool all) {
  const BootTime begin = clock_.boot();
  RowsToFile rows(*anew_);
  while (next_slice_ < rows_.slices && (all || clock_.boot() - begin < config_.work_a_call)) {
    rows_.visit(next_slice_++, rows);
  }
  if (auto written = rows.finish(); !written) return written;
  if (next_slice_ < rows_.slices || !mark_) return {};
  if (auto marked = anew_->mark(*mark_); !marked) return marked;
  if (auto published = anew_->publish(); !published) return published;
  current_.reset();
  current_.emplace(std::move(*anew_));
  anew_.reset();
  first_bytes_ = current_->bytes();
  next_mark_ = begin + config_.mark_interval;
  return {};
}

void SnapshotFileFeed::finish() {
  if (!mark_) return;
  Result<void> done;
  if (current_) {
    done = current_->mark(*mark_);
  } else if (anew_) {
    done = write_anew(true);
  }
  if (!done) log_warning("view: {}", done.error().internal);
}

}  // namespace latchkey::feed
