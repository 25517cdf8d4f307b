#include "keys_service/terms_bodies.hpp"

namespace latchkey::keys_service {
namespace {

struct SentMetadata {
  std::optional<std::string> object;
  commands::Metadata mode = commands::Metadata::replace;
};

SentMetadata read_metadata(ObjectReader& reader, commands::Metadata mode) {
  if (is_null_member(reader, "metadata")) return {"{}", commands::Metadata::replace};
  auto metadata = reader.object("metadata");
  if (metadata) reader.note(check_metadata(*metadata));
  return {std::move(metadata), mode};
}

std::optional<std::string> read_description(ObjectReader& reader) {
  if (is_null_member(reader, "description")) return "";
  auto description = reader.text("description");
  if (description) reader.note(check_description(*description));
  return description;
}

/// Where the member is there and not null, with what is wrong in it noted.
template <class List>
std::optional<List> read_list_member(ObjectReader& reader, std::string_view name, std::string_view pointer,
                                     Result<List> (*read)(const json::value&, std::string_view)) {
  const auto* value = reader.find(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  auto list = read(*value, pointer);
  if (list) return std::move(*list);
  reader.note(list.error());
  return std::nullopt;
}

}  // namespace

bool is_null_member(ObjectReader& reader, std::string_view name) {
  const auto* value = reader.find(name);
  return value != nullptr && value->is_null();
}

std::optional<LimitList> read_limits_member(ObjectReader& reader) {
  return read_list_member(reader, "limits", "/limits", read_limits);
}

std::optional<ScopeList> read_scopes_member(ObjectReader& reader) {
  return read_list_member(reader, "scopes", "/scopes", read_scopes);
}

std::optional<NetworkList> read_networks_member(ObjectReader& reader) {
  return read_list_member(reader, "networks", "/networks", read_networks);
}

std::optional<std::string> read_plan_member(ObjectReader& reader) {
  if (is_null_member(reader, "plan")) return std::nullopt;
  auto plan = reader.text("plan");
  if (plan) reader.note(check_plan_name(*plan));
  return plan;
}

Result<commands::PutUser> parse_put_user_body(std::string_view body) {
  auto reader = ObjectReader::parse(body);
  if (!reader) return reader.error();
  commands::PutUser command;
  command.plan = read_plan_member(*reader);
  command.limits = read_limits_member(*reader).value_or(LimitList{});
  command.metadata = read_metadata(*reader, commands::Metadata::replace).object.value_or("{}");
  if (reader->find("disabled") != nullptr) reader->note("disabled", "is changed by PATCH, and PUT leaves it as it is");
  if (const auto finished = reader->finish(); !finished) return finished.error();
  return command;
}

Result<commands::PatchUser> parse_patch_user_body(std::string_view body, commands::Metadata mode) {
  auto reader = ObjectReader::parse(body);
  if (!reader) return reader.error();
  commands::PatchUser command;
  if (auto plan = read_plan_member(*reader)) command.plan = std::move(plan);
  if (is_null_member(*reader, "plan")) command.plan = std::optional<std::string>();
  command.limits = is_null_member(*reader, "limits") ? LimitList{} : read_limits_member(*reader);
  command.disabled = reader->boolean("disabled");
  auto metadata = read_metadata(*reader, mode);
  command.metadata = std::move(metadata.object);
  command.metadata_mode = metadata.mode;
  if (const auto finished = reader->finish(); !finished) return finished.error();
  return command;
}

Result<commands::PutPlan> parse_put_plan_body(std::string_view body) {
  auto reader = ObjectReader::parse(body);
  if (!reader) return reader.error();
  commands::PutPlan command;
  command.description = read_description(*reader).value_or("");
  if (!reader->has("limits")) reader->note("limits", "is required");
  command.limits = read_limits_member(*reader).value_or(LimitList{});
  command.scopes = read_scopes_member(*reader);
  command.networks = read_networks_member(*reader);
  command.metadata = read_metadata(*reader, commands::Metadata::replace).object.value_or("{}");
  if (const auto finished = reader->finish(); !finished) return finished.error();
  return command;
}

Result<commands::PatchPlan> parse_patch_plan_body(std::string_view body, commands::Metadata mode) {
  auto reader = ObjectReader::parse(body);
  if (!reader) return reader.error();
  commands::PatchPlan command;
  command.description = read_description(*reader);
  command.scopes = patched(*reader, "scopes", read_scopes_member(*reader));
  command.networks = patched(*reader, "networks", read_networks_member(*reader));
  command.limits = is_null_member(*reader, "limits") ? LimitList{} : read_limits_member(*reader);
  auto metadata = read_metadata(*reader, mode);
  command.metadata = std::move(metadata.object);
  command.metadata_mode = metadata.mode;
  if (const auto finished = reader->finish(); !finished) return finished.error();
  return command;
}

}  // namespace latchkey::keys_service
