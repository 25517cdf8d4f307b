#include "store/sqlite/settle.hpp"

#include "base/log.hpp"
#include "store/sqlite/moved.hpp"
#include "store/sqlite/queries.hpp"
#include "store/sqlite/schema.hpp"

namespace latchkey::store {
namespace {

constexpr int attempts = 20;

Error busy() {
  return Error(ErrorCode::unavailable, "the database is not available", "its witness file changes all the time");
}

/// Whether the log has this very change, and so all before it.
Result<bool> has(Database& database, const LogEnd& change) {
  if (change.position.seq == Seq{}) return true;
  auto statement = database.prepare("SELECT nonce FROM changes WHERE seq = ?");
  if (!statement) return statement.error();
  (*statement)->bind(1, static_cast<std::int64_t>(change.position.seq.value));
  const int code = (*statement)->step();
  if (code == SQLITE_DONE) return false;
  if (code != SQLITE_ROW) return database.error(code);
  return Nonce{static_cast<std::uint64_t>((*statement)->integer(0))} == change.nonce;
}

Result<bool> has_all_that_was_shown(Database& database, const Testimony& said, Epoch epoch) {
  if (!said.believed || said.shown.end.position.epoch != epoch) return false;
  return has(database, said.shown.end);
}

/// A change that was announced and is not there was never committed, unless the file was written since.
Result<bool> has_or_never_had(Database& database, const Shown& shown, const FileState& files) {
  const auto there = has(database, shown.next);
  if (!there || *there) return there;
  return same_content(shown.files, files);
}

template <class Next>
Result<void> update(Witness& witness, Next next) {
  for (int i = 0; i < attempts; ++i) {
    const auto said = witness.read();
    if (!said) return said.error();
    const auto written = witness.replace(said->shown, next(said->shown));
    if (!written) return written.error();
    if (*written) return {};
  }
  return busy();
}

void say_why(const Testimony& said, const LogEnd& end, Epoch begun) {
  const std::string next = Position{begun, end.position.seq}.to_string();
  const Position shown = said.shown.end.position;
  if (said.believed && shown.epoch.value != 0) {
    log_warning("the database ends at {} and was shown up to {}: it was replaced or put back. A new epoch begins at {}",
                end.position.to_string(), shown.to_string(), next);
  } else if (end.position.seq != Seq{}) {
    log_warning("the database ends at {}, and nobody knows how far it was shown. A new epoch begins at {}",
                end.position.to_string(), next);
  }
}

}  // namespace

Result<bool> settle(Database& database, Witness& witness, const FileState& files, Random& random, Settle when) {
  if (auto here = check_not_moved(database); !here) return here.error();
  for (int i = 0; i < attempts; ++i) {
    const auto said = witness.read();
    if (!said) return said.error();
    const auto end = log_end(database);
    if (!end) return end.error();
    const auto whole = has_all_that_was_shown(database, *said, end->position.epoch);
    if (!whole) return whole.error();
    const auto finished = has_or_never_had(database, said->shown, files);
    if (!finished) return finished.error();
    const bool goes_on = when == Settle::where_needed && *whole && *finished;
    Shown now{*end, {}, files};
    if (goes_on && said->shown == now) return false;
    if (!goes_on) {
      const auto epoch = begin_epoch(database, random);
      if (!epoch) return epoch.error();
      now.end.position.epoch = *epoch;
      say_why(*said, *end, *epoch);
    }
    const auto written = witness.replace(said->shown, now);
    if (!written) return written.error();
    if (*written) return !goes_on;
  }
  return busy();
}

Result<void> announce(Witness& witness, const LogEnd& next, const FileState& files) {
  return update(witness, [&](const Shown& shown) { return Shown{shown.end, next, files}; });
}

Result<void> confirm(Witness& witness, const LogEnd& end, const FileState& files) {
  return update(witness, [&](const Shown& shown) {
    const Position seen = shown.end.position;
    const bool further = seen.epoch == end.position.epoch && seen.seq > end.position.seq;
    return Shown{further ? shown.end : end, {}, files};
  });
}

Result<void> note_files(Witness& witness, const FileState& files) {
  return update(witness, [&](const Shown& shown) { return Shown{shown.end, shown.next, files}; });
}

Result<Standing> stand(Database& database, Witness& witness, const Testimony& before) {
  const auto end = log_end(database);
  if (!end) return end.error();
  const auto whole = has_all_that_was_shown(database, before, end->position.epoch);
  if (!whole) return whole.error();
  if (!*whole) return Standing::unsettled;
  if (before.shown.end.position.seq >= end->position.seq) return Standing::shown;
  // Most often the store has said so by now, or is about to.
  const auto now = witness.read();
  if (!now) return now.error();
  if (now->shown.end == *end || now->shown.next == *end) return Standing::shown;
  if (now->shown != before.shown) return Standing::moved_on;
  const auto written = witness.replace(before.shown, {*end, before.shown.next, before.shown.files});
  if (!written) return written.error();
  return *written ? Standing::shown : Standing::moved_on;
}

}  // namespace latchkey::store
