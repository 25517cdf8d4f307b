#pragma once

#include "store/key_store.hpp"
#include "store/sqlite/database.hpp"

namespace latchkey::store {

/// What a Work sees of the writer's connection. Lives within one savepoint.
class SqliteTransaction final : public Transaction {
 public:
  SqliteTransaction(Database& database, UnixMillis now) : database_(database), now_(now) {}

  Result<std::optional<AccessKey>> find_key(KeyId id) override;
  Result<Version> put_key(const AccessKey& key, std::string_view action) override;
  Result<std::uint64_t> change_keys(const ManyKeys& change, std::span<const KeyId> ids) override;
  Result<std::vector<SigningKey>> signing_keys() override;
  Result<Version> put_signing_key(const SigningKey& key, std::string_view actor) override;
  Result<std::optional<Plan>> find_plan(std::string_view name) override;
  Result<Version> put_plan(const Plan& plan, std::string_view action) override;
  Result<std::optional<User>> find_user(std::string_view user_id) override;
  Result<Version> put_user(const User& user, std::string_view action) override;
  Result<PlanUses> plan_uses(std::string_view name) override;
  Result<bool> has_keys(std::string_view user_id) override;
  Result<std::vector<KeyId>> keys_without_limit(const TermsScope& scope, std::size_t most) override;
  Result<std::vector<KeyId>> keys_past_limits(const TermsScope& scope, std::size_t most) override;
  Result<void> note(const AuditNote& note) override;
  Result<std::uint64_t> purgeable_keys(UnixMillis deleted_before) override;
  Result<std::uint64_t> purge_keys(const Purge& purge) override;
  Result<ErasedRows> erase_rows(const Erasure& erasure) override;
  Result<std::uint64_t> erase_history(const Erasure& erasure) override;
  Result<std::uint64_t> add_notices(std::span<const Notice> notices) override;
  Result<std::uint64_t> last_notice() override;
  Result<std::vector<ExpiringKey>> keys_expiring(UnixMillis after, UnixMillis until) override;
  Result<std::optional<std::int64_t>> lease_mark(const MarkLease& lease) override;
  Result<void> set_mark(std::string_view name, std::int64_t value) override;
  Result<std::optional<Change>> find_change(Seq seq) override;
  Result<std::optional<IdempotencyRecord>> find_idempotency(std::string_view actor, std::string_view key) override;
  Result<void> put_idempotency(const IdempotencyRecord& record) override;

 private:
  /// Runs a statement that changes rows, which the tables' triggers record; the last seq afterwards.
  Result<Version> run_recorded(Statement& statement);
  Result<void> forget_old_idempotency();

  Database& database_;
  UnixMillis now_;
  std::optional<Seq> before_;  // of the changes that were made here the last one before
};

}  // namespace latchkey::store
