#include "commands/erase_user.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>

namespace latchkey::commands {

store::Erasure erasure_of(std::string user_id, Random& random, const Author& author) {
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  std::string pseudonym = "erased-";
  for (const std::uint8_t byte : bytes) pseudonym += fmt::format("{:02x}", byte);
  return {std::move(user_id), std::move(pseudonym), author.now, author.actor};
}

void erase_rows(store::KeyStore& store, const store::Erasure& erasure,
                std::move_only_function<void(Result<RowsErased>)> done) {
  const auto out = std::make_shared<store::ErasedRows>();
  store.transact(
      [out, erasure](store::Transaction& transaction) -> Result<void> {
        const auto erased = transaction.erase_rows(erasure);
        if (!erased) return erased.error();
        *out = *erased;
        return {};
      },
      [out, done = std::move(done)](const Result<LogEnd>& commit) mutable {
        if (!commit) return done(commit.error());
        done(RowsErased{*out, *commit});
      });
}

void erase_history(store::KeyStore& store, const store::Erasure& erasure, const store::ErasedRows& rows,
                   std::move_only_function<void(Result<HistoryErased>)> done) {
  const auto out = std::make_shared<std::uint64_t>(0);
  store.transact(
      [out, erasure, rows](store::Transaction& transaction) -> Result<void> {
        const auto rewritten = transaction.erase_history(erasure);
        if (!rewritten) return rewritten.error();
        *out = *rewritten;
        const bool known = *rewritten > 0 || rows.keys > 0 || rows.had_row;
        return known ? Result<void>() : Error(ErrorCode::not_found, "nothing names this user");
      },
      [out, done = std::move(done)](const Result<LogEnd>& commit) mutable {
        if (!commit) return done(commit.error());
        done(HistoryErased{*out, *commit});
      });
}

}  // namespace latchkey::commands
