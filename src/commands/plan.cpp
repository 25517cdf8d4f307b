#include "commands/plan.hpp"

#include <algorithm>
#include <memory>

namespace latchkey::commands {
namespace {

/// Whether `after` has a limit of a name that `before` has not.
bool names_more(const LimitList& before, const LimitList& after) {
  return std::any_of(after.begin(), after.end(), [&](const LimitSpec& limit) {
    return std::none_of(before.begin(), before.end(), [&](const LimitSpec& old) { return old.name == limit.name; });
  });
}

/// A plan that keeps a limit leaves no key without one; one with no new names of limits leaves no key with more.
Result<void> check_limits_of_keys(store::Transaction& transaction, const std::optional<Plan>& before,
                                  const Plan& after) {
  const bool takes = before && !before->limits.empty() && after.limits.empty();
  if (takes) return check_limits_left(transaction, {after.name, std::nullopt});
  if (!before || !names_more(before->limits, after.limits)) return {};
  return check_limits_fit(transaction, {after.name, std::nullopt});
}

DecideNamed<Plan> decision_of(const std::string& name, PutPlan command, PutCondition condition, const Author& author) {
  return [name, command = std::move(command), condition = std::move(condition), author](
             store::Transaction&, const std::optional<Plan>& current) {
    return decide(command, name, condition, current, author);
  };
}

}  // namespace

NamedDecision<Plan> decide(const PutPlan& command, const std::string& name, const PutCondition& condition,
                           const std::optional<Plan>& current, const Author& author) {
  if (const auto checked = check_put(condition, version_of(current)); !checked) return checked.error();
  if (const auto checked = check_time_zones(command.limits); !checked) return checked.error();
  Plan next = current.value_or(Plan{});
  next.name = name;
  next.description = command.description;
  next.limits = command.limits;
  next.metadata = command.metadata;
  next.scopes = command.scopes;
  next.networks = command.networks;
  return if_named_changed(current, std::move(next), current ? "plan-update" : "plan-create", author);
}

NamedDecision<Plan> decide(const PatchPlan& command, const Precondition& precondition,
                           const std::optional<Plan>& current, const Author& author) {
  if (const auto met = check_meets(precondition, version_of(current), "plan"); !met) return met.error();
  Plan next = *current;
  next.description = command.description.value_or(current->description);
  next.limits = command.limits.value_or(current->limits);
  if (command.limits) {
    if (const auto checked = check_time_zones(next.limits); !checked) return checked.error();
  }
  if (command.scopes) next.scopes = *command.scopes;
  if (command.networks) next.networks = *command.networks;
  if (command.metadata) {
    auto metadata = metadata_after(current->metadata, *command.metadata, command.metadata_mode);
    if (!metadata) return metadata.error();
    next.metadata = std::move(*metadata);
  }
  return if_named_changed(current, std::move(next), "plan-update", author);
}

NamedDecision<Plan> decide_delete_plan(const Precondition& precondition, const std::optional<Plan>& current,
                                       const store::PlanUses& uses, const Author& author) {
  if (const auto met = check_meets(precondition, version_of(current), "plan"); !met) return met.error();
  if (uses.named_by_key || uses.named_by_user) {
    return Error(ErrorCode::in_use, uses.named_by_key ? "Access keys have this plan: give them another one first."
                                                      : "Users have this plan: give them another one first.");
  }
  Plan next = *current;
  next.deleted = true;
  next.description.clear();
  next.limits.clear();
  next.scopes.reset();
  next.networks.reset();
  next.metadata = "{}";
  return if_named_changed(current, std::move(next), "plan-delete", author);
}

void put_plan(store::KeyStore& store, std::string name, PutPlan command, PutCondition condition, const Author& author,
              const std::optional<IdempotencyKey>& idempotency, PlanDone done) {
  auto decide_it = decision_of(name, std::move(command), std::move(condition), author);
  change_named<Plan>(store, std::move(name), author, idempotency, std::move(decide_it), check_limits_of_keys,
                     std::move(done));
}

void patch_plan(store::KeyStore& store, std::string name, PatchPlan command, Precondition precondition,
                const Author& author, const std::optional<IdempotencyKey>& idempotency, PlanDone done) {
  DecideNamed<Plan> decide_it = [command = std::move(command), precondition = std::move(precondition), author](
                                    store::Transaction&, const std::optional<Plan>& current) {
    return decide(command, precondition, current, author);
  };
  change_named<Plan>(store, std::move(name), author, idempotency, std::move(decide_it), check_limits_of_keys,
                     std::move(done));
}

void delete_plan(store::KeyStore& store, std::string name, Precondition precondition, const Author& author,
                 const std::optional<IdempotencyKey>& idempotency, PlanDone done) {
  DecideNamed<Plan> decide_it = [name, precondition = std::move(precondition), author](
                                    store::Transaction& transaction,
                                    const std::optional<Plan>& current) -> NamedDecision<Plan> {
    const auto uses = transaction.plan_uses(name);
    if (!uses) return uses.error();
    return decide_delete_plan(precondition, current, *uses, author);
  };
  change_named<Plan>(
      store, std::move(name), author, idempotency, std::move(decide_it),
      [](store::Transaction&, const std::optional<Plan>&, const Plan&) { return Result<void>(); }, std::move(done));
}

// Done, counted and taken back: the error that takes it back is ours, and never leaves this function.
void dry_run_put_plan(store::KeyStore& store, std::string name, PutPlan command, PutCondition condition,
                      const Author& author, DryRunDone done) {
  struct Outcome {
    std::optional<store::PlanUses> uses;
  };
  const auto outcome = std::make_shared<Outcome>();
  auto decide_it = decision_of(name, std::move(command), std::move(condition), author);
  store.transact(
      [outcome, name, decide_it = std::move(decide_it)](store::Transaction& transaction) -> Result<void> {
        outcome->uses.reset();
        auto current = transaction.find_plan(name);
        if (!current) return current.error();
        if (*current && (*current)->deleted) current->reset();
        const auto decision = decide_it(transaction, *current);
        if (!decision) return decision.error();
        const auto uses = transaction.plan_uses(name);
        if (!uses) return uses.error();
        if (*decision) {
          const auto put = transaction.put_plan((*decision)->row, (*decision)->action);
          if (!put) return put.error();
          if (const auto checked = check_limits_of_keys(transaction, *current, (*decision)->row); !checked) {
            return checked.error();
          }
        }
        outcome->uses = *uses;
        return Error(ErrorCode::conflict, "only tried");
      },
      [outcome, done = std::move(done)](const Result<LogEnd>& commit) mutable {
        if (outcome->uses) return done(*outcome->uses);
        done(commit ? Error(ErrorCode::internal) : commit.error());
      });
}

}  // namespace latchkey::commands
