#pragma once

// Commands on a plan (key/plan.hpp).

#include "commands/named_change.hpp"
#include "commands/update_key.hpp"

namespace latchkey::commands {

/// The whole row. Members keep their rules.
struct PutPlan {
  std::string description;
  LimitList limits;
  std::string metadata = "{}";
  std::optional<ScopeList> scopes{};
  std::optional<NetworkList> networks{};
};

/// What shall be different; whatever is nullopt stays.
struct PatchPlan {
  std::optional<std::string> description{};
  std::optional<LimitList> limits{};
  std::optional<std::string> metadata{};
  Metadata metadata_mode = Metadata::replace;
  std::optional<std::optional<ScopeList>> scopes{};  // within: nullopt: none
  std::optional<std::optional<NetworkList>> networks{};
};

using PlanDone = NamedDone<Plan>;

/// Pure: the new row.
NamedDecision<Plan> decide(const PutPlan& command, const std::string& name, const PutCondition& condition,
                           const std::optional<Plan>& current, const Author& author);
NamedDecision<Plan> decide(const PatchPlan& command, const Precondition& precondition,
                           const std::optional<Plan>& current, const Author& author);
NamedDecision<Plan> decide_delete_plan(const Precondition& precondition, const std::optional<Plan>& current,
                                       const store::PlanUses& uses, const Author& author);

void put_plan(store::KeyStore& store, std::string name, PutPlan command, PutCondition condition, const Author& author,
              const std::optional<IdempotencyKey>& idempotency, PlanDone done);
void patch_plan(store::KeyStore& store, std::string name, PatchPlan command, Precondition precondition,
                const Author& author, const std::optional<IdempotencyKey>& idempotency, PlanDone done);
/// in_use while a key that is not deleted, or a user, names it.
void delete_plan(store::KeyStore& store, std::string name, Precondition precondition, const Author& author,
                 const std::optional<IdempotencyKey>& idempotency, PlanDone done);

/// What a PUT would come to, without doing it: the same errors, or how many keys it is in force for.
using DryRunDone = std::move_only_function<void(Result<store::PlanUses>)>;
void dry_run_put_plan(store::KeyStore& store, std::string name, PutPlan command, PutCondition condition,
                      const Author& author, DryRunDone done);

}  // namespace latchkey::commands
