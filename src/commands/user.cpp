#include "commands/user.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "commands/user_id.hpp"

namespace latchkey::commands {
namespace {

std::string_view action_of(const User& current, const User& next) {
  User flipped = current;
  flipped.disabled = !current.disabled;
  if (next != flipped) return "user-update";
  return next.disabled ? "user-disable" : "user-enable";
}

Result<void> check_count(const User& user, const Plan& plan) {
  std::size_t count = plan.limits.size();
  for (const auto& limit : user.limits) {
    const auto same = [&](const LimitSpec& other) { return other.name == limit.name; };
    if (std::none_of(plan.limits.begin(), plan.limits.end(), same)) ++count;
  }
  if (count <= max_limits) return {};
  return Error::invalid("/limits",
                        fmt::format("has, with those of the plan \"{}\", more than {} limits", plan.name, max_limits));
}

/// Turning a user off or on asks nothing of plans and limits: nothing may keep an operator from that.
Result<void> check_terms(store::Transaction& transaction, const std::optional<User>& before, const User& after) {
  const bool same = before && before->plan == after.plan && before->limits == after.limits && !after.deleted;
  if (same) return {};
  if (!after.deleted) {
    const auto plan = find_named_plan(transaction, after.plan);
    if (!plan) return plan.error();
    if (*plan) {
      if (const auto counted = check_count(after, **plan); !counted) return counted;
    }
  }
  const store::TermsScope scope{std::nullopt, after.user_id};
  if (const auto left = check_limits_left(transaction, scope); !left) return left;
  return check_limits_fit(transaction, scope);
}

}  // namespace

NamedDecision<User> decide(const PutUser& command, const std::string& user_id, const PutCondition& condition,
                           const std::optional<User>& current, const Author& author) {
  if (const auto checked = check_put(condition, version_of(current)); !checked) return checked.error();
  if (const auto checked = current ? Result<void>() : check_new_user_id(user_id); !checked) return checked.error();
  if (const auto checked = check_time_zones(command.limits); !checked) return checked.error();
  User next = current.value_or(User{});
  next.user_id = user_id;
  next.plan = command.plan;
  next.limits = command.limits;
  next.metadata = command.metadata;
  return if_named_changed(current, std::move(next), current ? "user-update" : "user-create", author);
}

NamedDecision<User> decide(const PatchUser& command, const Precondition& precondition,
                           const std::optional<User>& current, const Author& author) {
  if (const auto met = check_meets(precondition, version_of(current), "user"); !met) return met.error();
  User next = *current;
  next.plan = command.plan.value_or(current->plan);
  next.limits = command.limits.value_or(current->limits);
  next.disabled = command.disabled.value_or(current->disabled);
  if (command.limits) {
    if (const auto checked = check_time_zones(next.limits); !checked) return checked.error();
  }
  if (command.metadata) {
    auto metadata = metadata_after(current->metadata, *command.metadata, command.metadata_mode);
    if (!metadata) return metadata.error();
    next.metadata = std::move(*metadata);
  }
  const std::string_view action = action_of(*current, next);
  return if_named_changed(current, std::move(next), action, author);
}

NamedDecision<User> decide_delete_user(const Precondition& precondition, const std::optional<User>& current,
                                       bool has_keys, const Author& author) {
  if (const auto met = check_meets(precondition, version_of(current), "user"); !met) return met.error();
  if (current->disabled && has_keys) {
    return Error(ErrorCode::in_use,
                 "The user is disabled and has access keys left, which would be let in again: delete them first, or "
                 "enable the user.");
  }
  User next = *current;
  next.deleted = true;
  next.disabled = false;
  next.plan.reset();
  next.limits.clear();
  next.metadata = "{}";
  return if_named_changed(current, std::move(next), "user-delete", author);
}

void put_user(store::KeyStore& store, std::string user_id, PutUser command, PutCondition condition,
              const Author& author, const std::optional<IdempotencyKey>& idempotency, UserDone done) {
  DecideNamed<User> decide_it = [user_id, command = std::move(command), condition = std::move(condition), author](
                                    store::Transaction&, const std::optional<User>& current) {
    return decide(command, user_id, condition, current, author);
  };
  change_named<User>(store, std::move(user_id), author, idempotency, std::move(decide_it), check_terms,
                     std::move(done));
}

void patch_user(store::KeyStore& store, std::string user_id, PatchUser command, Precondition precondition,
                const Author& author, const std::optional<IdempotencyKey>& idempotency, UserDone done) {
  DecideNamed<User> decide_it = [command = std::move(command), precondition = std::move(precondition), author](
                                    store::Transaction&, const std::optional<User>& current) {
    return decide(command, precondition, current, author);
  };
  change_named<User>(store, std::move(user_id), author, idempotency, std::move(decide_it), check_terms,
                     std::move(done));
}

void delete_user(store::KeyStore& store, std::string user_id, Precondition precondition, const Author& author,
                 const std::optional<IdempotencyKey>& idempotency, UserDone done) {
  DecideNamed<User> decide_it = [precondition = std::move(precondition), author](
                                    store::Transaction& transaction,
                                    const std::optional<User>& current) -> NamedDecision<User> {
    const auto has_keys = current ? transaction.has_keys(current->user_id) : Result<bool>(false);
    if (!has_keys) return has_keys.error();
    return decide_delete_user(precondition, current, *has_keys, author);
  };
  change_named<User>(store, std::move(user_id), author, idempotency, std::move(decide_it), check_terms,
                     std::move(done));
}

}  // namespace latchkey::commands
