#include "keys_service/bodies.hpp"

#include <fmt/format.h>

#include "base/time_text.hpp"
#include "commands/user_id.hpp"
#include "keys_service/object_reader.hpp"
#include "keys_service/terms_bodies.hpp"

namespace latchkey::keys_service {
namespace {

using commands::Expiry;

std::optional<Expiry> read_expires_at(ObjectReader& reader) {
  const auto* value = reader.find("expiresAt");
  if (value == nullptr) return std::nullopt;
  if (value->is_null()) return commands::Never{};
  const auto at = value->is_string() ? parse_rfc3339(value->get_string()) : std::nullopt;
  if (at) return *at;
  reader.note("expiresAt", "must be an RFC 3339 time such as \"2027-01-31T12:00:00Z\", or null for never");
  return std::nullopt;
}

std::optional<std::chrono::seconds> read_duration(ObjectReader& reader, std::string_view name,
                                                  std::chrono::seconds longest = longest_duration) {
  const auto* value = reader.find(name);
  if (value == nullptr) return std::nullopt;
  const auto duration = value->is_string() ? parse_duration(value->get_string()) : std::nullopt;
  if (duration && *duration <= longest) return duration;
  reader.note(name, fmt::format(R"(must be a duration such as "90s", "15m", "12h" or "30d", at most "{}d")",
                                std::chrono::duration_cast<std::chrono::days>(longest).count()));
  return std::nullopt;
}

std::optional<Expiry> read_expiry(ObjectReader& reader) {
  const auto at = read_expires_at(reader);
  const auto after = read_duration(reader, "expiresIn");
  if (reader.has("expiresAt") && reader.has("expiresIn")) {
    reader.note("expiresAt", "must not come together with expiresIn");
    reader.note("expiresIn", "must not come together with expiresAt");
    return std::nullopt;
  }
  if (after) return *after;
  return at;
}

std::optional<std::uint32_t> read_requests_per_minute(ObjectReader& reader) {
  if (is_null_member(reader, "requestsPerMinute")) return std::nullopt;
  const auto number = reader.whole_number("requestsPerMinute");
  if (!number) return std::nullopt;
  const auto checked = check_requests_per_minute(*number);
  reader.note(checked);
  if (!checked) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

/// The shorthand and the list say the same thing, so one of them is enough.
std::optional<LimitList> read_own_limits(ObjectReader& reader) {
  auto limits = read_limits_member(reader);
  if (reader.has("limits") && reader.has("requestsPerMinute")) {
    reader.note("limits", "must not come together with requestsPerMinute, which is short for one of them");
    reader.note("requestsPerMinute", "must not come together with limits");
  }
  if (!limits) return limits;
  for (std::size_t i = 0; i < limits->size(); ++i) {
    const auto& limit = (*limits)[i];
    const auto place = fmt::format("/limits/{}", i);
    if (limit.per == LimitPer::user) {
      reader.note(Error::invalid(place + "/per", "must be \"key\": a limit of a key counts that key"));
    }
    if (limit.name == per_minute_name && limit.span != decltype(limit.span)(LimitWindow{per_minute_seconds})) {
      reader.note(Error::invalid(place + "/window", "must be \"60s\" for a limit named per-minute"));
    }
  }
  return limits;
}

std::optional<std::string> read_name(ObjectReader& reader) {
  auto name = reader.text("name");
  if (name) reader.note(check_name(*name));
  return name;
}

std::optional<std::string> read_metadata(ObjectReader& reader) {
  auto metadata = reader.object("metadata");
  if (metadata) reader.note(check_metadata(*metadata));
  return metadata;
}

Labels read_labels_member(ObjectReader& reader) {
  const auto* value = reader.find("labels");
  if (value == nullptr || value->is_null()) return {};
  auto labels = read_labels(*value, "/labels");
  if (labels) return std::move(*labels);
  reader.note(labels.error());
  return {};
}

/// As a merge patch, a label of null is removed, and labels of null are.
std::optional<commands::LabelChanges> read_label_changes(ObjectReader& reader, bool merges) {
  const auto* value = reader.find("labels");
  if (value == nullptr) return std::nullopt;
  commands::LabelChanges changes;
  changes.replace = !merges || value->is_null();
  if (!merges || !value->is_object()) {
    changes.set = read_labels_member(reader);
    return changes;
  }
  json::object set;
  for (const auto& member : value->get_object()) {
    if (member.value().is_null()) {
      changes.removed.emplace_back(member.key());
    } else {
      set.insert(member);
    }
  }
  auto labels = read_labels(set, "/labels");
  if (!labels) reader.note(labels.error());
  if (labels) changes.set = std::move(*labels);
  return changes;
}

bool is_null(ObjectReader& reader, std::string_view name) {
  const auto* value = reader.find(name);
  return value != nullptr && value->is_null();
}

Result<void> finish(ObjectReader& reader, const std::optional<Expiry>& expiry, UnixMillis now) {
  auto finished = reader.finish();
  if (finished || !expiry) return finished;
  const auto resolved = commands::resolve(*expiry, now);
  if (resolved) return finished;
  Error error = finished.error();
  const Error also = resolved.error();  // error() returns by value
  error.fields.insert(error.fields.end(), also.fields.begin(), also.fields.end());
  return error;
}

void require(ObjectReader& reader, std::string_view name) {
  if (!reader.has(name)) reader.note(name, "is required");
}

}  // namespace

Result<commands::CreateKey> parse_create_body(std::string_view body, UnixMillis now) {
  auto reader = ObjectReader::parse(body);
  if (!reader) return reader.error();
  commands::CreateKey command;
  require(*reader, "userId");
  if (auto user_id = reader->text("userId")) {
    reader->note(commands::check_new_user_id(*user_id));
    command.user_id = std::move(*user_id);
  }
  command.requests_per_minute = read_requests_per_minute(*reader);
  command.plan = read_plan_member(*reader);
  command.limits = read_own_limits(*reader);
  command.scopes = read_scopes_member(*reader);
  command.networks = read_networks_member(*reader);
  command.labels = read_labels_member(*reader);
  const auto expiry = read_expiry(*reader);
  if (expiry) command.expiry = *expiry;
  command.name = read_name(*reader).value_or("");
  command.metadata = read_metadata(*reader).value_or("{}");
  if (const auto finished = finish(*reader, expiry, now); !finished) return finished.error();
  return command;
}

Result<commands::UpdateKey> parse_update_body(std::string_view body, commands::Metadata mode, UnixMillis now) {
  auto reader = ObjectReader::parse(body);
  if (!reader) return reader.error();
  const bool merges = mode == commands::Metadata::merge;
  commands::UpdateKey command;
  command.metadata_mode = mode;
  command.requests_per_minute = read_requests_per_minute(*reader);
  command.drops_requests_per_minute = is_null_member(*reader, "requestsPerMinute");
  if (auto plan = read_plan_member(*reader)) command.plan = std::move(plan);
  if (is_null_member(*reader, "plan")) command.plan = std::optional<std::string>();
  if (auto limits = read_own_limits(*reader)) command.limits = std::move(limits);
  if (is_null_member(*reader, "limits")) command.limits = std::optional<LimitList>();
  command.scopes = patched(*reader, "scopes", read_scopes_member(*reader));
  command.networks = patched(*reader, "networks", read_networks_member(*reader));
  command.labels = read_label_changes(*reader, merges);
  command.expiry = read_expiry(*reader);
  command.disabled = reader->boolean("disabled");
  command.name = merges && is_null(*reader, "name") ? std::optional<std::string>("") : read_name(*reader);
  if (merges && is_null(*reader, "metadata")) {
    command.metadata = "{}";
    command.metadata_mode = commands::Metadata::replace;
  } else {
    command.metadata = read_metadata(*reader);
  }
  if (const auto finished = finish(*reader, command.expiry, now); !finished) return finished.error();
  return command;
}

Result<commands::RotateKey> parse_rotate_body(std::string_view body) {
  if (body.empty()) return commands::RotateKey{};
  auto reader = ObjectReader::parse(body);
  if (!reader) return reader.error();
  const commands::RotateKey command{read_duration(*reader, "gracePeriod", max_grace_period)};
  if (const auto finished = reader->finish(); !finished) return finished.error();
  return command;
}

Result<void> parse_empty_body(std::string_view body) {
  if (body.empty()) return {};
  auto reader = ObjectReader::parse(body);
  return reader ? reader->finish() : reader.error();
}

Result<commands::EarlierKeys> parse_signing_key_rotation_body(std::string_view body) {
  if (body.empty()) return commands::EarlierKeys::keep_verifying;
  auto reader = ObjectReader::parse(body);
  if (!reader) return reader.error();
  const bool retire = reader->boolean("retirePrevious").value_or(false);
  if (const auto finished = reader->finish(); !finished) return finished.error();
  return retire ? commands::EarlierKeys::retire : commands::EarlierKeys::keep_verifying;
}

}  // namespace latchkey::keys_service
