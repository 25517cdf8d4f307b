#include "keys_service/terms_json.hpp"

#include "base/json.hpp"

namespace latchkey::keys_service {
namespace {

// A row changed by hand may hold anything; one broken row must not break a page of them.
std::string_view shown(const std::string& metadata) {
  const auto parsed = parse_json(metadata);
  return parsed && parsed->is_object() ? std::string_view(metadata) : "{}";
}

template <class Row>
void write_end(JsonWriter& out, const Row& row, Epoch epoch) {
  out.member("metadata", JsonText{shown(row.metadata)})
      .member("createdAt", row.created_at)
      .member("updatedAt", row.updated_at)
      .member("updatedBy", row.updated_by)
      .member("position", Position{epoch, row.version.change()}.to_string());
}

}  // namespace

void write_lists(JsonWriter& out, const ScopeList* scopes, const NetworkList* networks) {
  out.name("scopes");
  scopes == nullptr ? out.value(nullptr) : out.value(JsonText{scopes_json(*scopes)});
  out.name("networks");
  networks == nullptr ? out.value(nullptr) : out.value(JsonText{networks_json(*networks)});
}

void write_members(JsonWriter& out, const User& user, Epoch epoch) {
  out.member("userId", user.user_id)
      .member("plan", user.plan)
      .member("limits", JsonText{to_json(std::span(user.limits))})
      .member("disabled", user.disabled);
  write_end(out, user, epoch);
}

void write_members(JsonWriter& out, const Plan& plan, Epoch epoch) {
  out.member("name", plan.name)
      .member("description", plan.description)
      .member("limits", JsonText{to_json(std::span(plan.limits))});
  write_lists(out, plan.scopes ? &*plan.scopes : nullptr, plan.networks ? &*plan.networks : nullptr);
  write_end(out, plan, epoch);
}

std::string etag_of_version(Version version) { return '"' + std::to_string(version.value) + '"'; }

}  // namespace latchkey::keys_service
