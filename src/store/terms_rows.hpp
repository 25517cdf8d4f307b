#pragma once

// Plans, users and what keys say of limits: columns → values, alike for both engines. `Row` has text(column),
// integer(column) and is_null(column), and flag_at(row, column) is found beside it.
//
// Somebody may write into a database what is no list of limits. Such a row lets nobody in, and breaks no other: a key or
// user with it counts as disabled, a plan as deleted.

#include <optional>
#include <string>

#include "key/access_key.hpp"
#include "key/plan.hpp"
#include "key/user.hpp"

namespace latchkey::store {

/// Where the columns stand in a row.
struct PlanColumns {
  int name, description, limits, metadata, deleted, created_at, updated_at, updated_by, version;
};
struct UserColumns {
  int user_id, plan, limits, disabled, metadata, deleted, created_at, updated_at, updated_by, version;
};

constexpr std::string_view plan_columns =
    "name, description, limits, metadata, deleted, created_at, updated_at, updated_by, version";
constexpr PlanColumns plan_columns_at{0, 1, 2, 3, 4, 5, 6, 7, 8};
constexpr std::string_view user_columns =
    "user_id, plan, limits, disabled, metadata, deleted, created_at, updated_at, updated_by, version";
constexpr UserColumns user_columns_at{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

/// In a row of both engines' `change_columns`.
constexpr int change_kind_at = 20;
constexpr int change_plan_at = 21;
constexpr int change_limits_at = 22;
constexpr PlanColumns changed_plan_at{2, 23, change_limits_at, 3, 10, 11, 12, 13, 14};
constexpr UserColumns changed_user_at{1, change_plan_at, change_limits_at, 9, 3, 10, 11, 12, 13, 14};

template <class Row>
std::optional<std::string> optional_text(const Row& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional<std::string>(row.text(column));
}

template <class Row>
Plan read_plan(const Row& row, const PlanColumns& at) {
  Plan plan;
  plan.name = row.text(at.name);
  plan.description = row.text(at.description);
  auto limits = parse_limits(row.text(at.limits));
  if (limits) plan.limits = std::move(*limits);
  plan.metadata = row.text(at.metadata);
  plan.deleted = flag_at(row, at.deleted) || !limits;
  plan.created_at = {row.integer(at.created_at)};
  plan.updated_at = {row.integer(at.updated_at)};
  plan.updated_by = row.text(at.updated_by);
  plan.version = Version{static_cast<std::uint64_t>(row.integer(at.version))};
  return plan;
}

template <class Row>
User read_user(const Row& row, const UserColumns& at) {
  User user;
  user.user_id = row.text(at.user_id);
  user.plan = optional_text(row, at.plan);
  auto limits = parse_limits(row.text(at.limits));
  if (limits) user.limits = std::move(*limits);
  user.disabled = flag_at(row, at.disabled) || !limits;
  user.metadata = row.text(at.metadata);
  user.deleted = flag_at(row, at.deleted);
  user.created_at = {row.integer(at.created_at)};
  user.updated_at = {row.integer(at.updated_at)};
  user.updated_by = row.text(at.updated_by);
  user.version = Version{static_cast<std::uint64_t>(row.integer(at.version))};
  return user;
}

/// Into a key of which all else has been read.
template <class Row>
void read_terms(const Row& row, int plan, int limits, AccessKey& key) {
  key.plan = optional_text(row, plan);
  if (row.is_null(limits)) return;
  auto read = parse_limits(row.text(limits));
  if (read) {
    key.limits = std::move(*read);
  } else {
    key.disabled = true;
  }
}

}  // namespace latchkey::store
