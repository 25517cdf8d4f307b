#pragma once

// Plans, users and what keys say of limits, scopes and networks: columns → values, alike for both engines. `Row` has
// text(column), integer(column) and is_null(column), and flag_at(row, column) is found beside it.
//
// Somebody may write into a database what is no list of limits, scopes or networks. Such a row lets nobody in, and breaks
// no other: a key or user with it counts as disabled, a plan as deleted. What are no labels are none: nothing depends on
// them.

#include <optional>
#include <string>

#include "key/access_key.hpp"
#include "key/plan.hpp"
#include "key/user.hpp"

namespace latchkey::store {

/// Where the columns stand in a row.
struct PlanColumns {
  int name, description, limits, metadata, deleted, created_at, updated_at, updated_by, version, scopes, networks;
};
struct UserColumns {
  int user_id, plan, limits, disabled, metadata, deleted, created_at, updated_at, updated_by, version;
};

/// Of a key, beside those that each engine reads itself.
struct KeyTermsColumns {
  int plan, limits, scopes, networks, labels;
};

constexpr std::string_view plan_columns =
    "name, description, limits, metadata, deleted, created_at, updated_at, updated_by, version, scopes, networks";
constexpr PlanColumns plan_columns_at{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
constexpr std::string_view user_columns =
    "user_id, plan, limits, disabled, metadata, deleted, created_at, updated_at, updated_by, version";
constexpr UserColumns user_columns_at{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

/// In a row of both engines' `change_columns`.
constexpr int change_kind_at = 20;
constexpr int change_plan_at = 21;
constexpr int change_limits_at = 22;
constexpr int change_scopes_at = 24;
constexpr int change_networks_at = 25;
constexpr PlanColumns changed_plan_at{
    2, 23, change_limits_at, 3, 10, 11, 12, 13, 14, change_scopes_at, change_networks_at};
constexpr KeyTermsColumns changed_key_terms_at{change_plan_at, change_limits_at, change_scopes_at, change_networks_at,
                                               26};
constexpr UserColumns changed_user_at{1, change_plan_at, change_limits_at, 9, 3, 10, 11, 12, 13, 14};

template <class Row>
std::optional<std::string> optional_text(const Row& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional<std::string>(row.text(column));
}

/// What the column has is read into `place`; false: it is not what it should be.
template <class Row, class Value>
bool read_optional(const Row& row, int column, Result<Value> (*parse)(std::string_view), std::optional<Value>& place) {
  if (row.is_null(column)) return true;
  auto value = parse(row.text(column));
  if (value) place = std::move(*value);
  return value.has_value();
}

template <class Row>
Plan read_plan(const Row& row, const PlanColumns& at) {
  Plan plan;
  plan.name = row.text(at.name);
  plan.description = row.text(at.description);
  auto limits = parse_limits(row.text(at.limits));
  if (limits) plan.limits = std::move(*limits);
  plan.metadata = row.text(at.metadata);
  const bool whole = read_optional(row, at.scopes, parse_scopes, plan.scopes) &&
                     read_optional(row, at.networks, parse_networks, plan.networks);
  plan.deleted = flag_at(row, at.deleted) || !limits || !whole;
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
void read_terms(const Row& row, const KeyTermsColumns& at, AccessKey& key) {
  key.plan = optional_text(row, at.plan);
  const bool whole = read_optional(row, at.limits, parse_limits, key.limits) &&
                     read_optional(row, at.scopes, parse_scopes, key.scopes) &&
                     read_optional(row, at.networks, parse_networks, key.networks);
  if (!whole) key.disabled = true;
  std::optional<Labels> labels;
  if (read_optional(row, at.labels, parse_labels, labels) && labels) key.labels = std::move(*labels);
}

/// As both engines write them; nullopt is NULL.
struct AccessRuleTexts {
  std::optional<std::string> scopes, networks;
};
template <class Row>
AccessRuleTexts access_rule_texts(const Row& row) {
  AccessRuleTexts texts;
  if (row.scopes) texts.scopes = scopes_json(*row.scopes);
  if (row.networks) texts.networks = networks_json(*row.networks);
  return texts;
}
inline std::optional<std::string> labels_text(const AccessKey& key) {
  return key.labels.empty() ? std::nullopt : std::optional(labels_json(key.labels));
}

}  // namespace latchkey::store
