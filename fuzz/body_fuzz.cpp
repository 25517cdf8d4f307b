// Request bodies from anywhere. The first byte chooses the parser. Whatever is accepted keeps the rules of the key, and
// what is decided by it can be stored and shown.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.hpp"
#include "keys_service/bodies.hpp"
#include "keys_service/key_json.hpp"
#include "keys_service/terms_bodies.hpp"
#include "keys_service/terms_json.hpp"

namespace {

using namespace latchkey;

constexpr UnixMillis now{1'767'225'600'000};

void require(bool holds) {
  if (!holds) std::abort();
}

void hold_to_rules(const LimitList& limits) {
  require(limits.size() <= max_limits);
  const auto again = parse_limits(to_json(limits));
  require(again.has_value() && *again == limits);
}

void hold_to_rules(const AccessKey& key) {
  require(!key.requests_per_minute || check_requests_per_minute(*key.requests_per_minute).has_value());
  if (key.limits) hold_to_rules(*key.limits);
  require(check_name(key.name).has_value());
  require(check_metadata(key.metadata).has_value());
  require(!key.expires_at || check_expires_at(*key.expires_at, now).has_value());
  const auto shown = parse_json(keys_service::to_json(key, Epoch{1}, now));
  require(shown.has_value() && shown->is_object());
}

template <class T>
bool is_refusal(const Result<T>& result) {
  if (!result) require(result.error().code == ErrorCode::invalid && !result.error().fields.empty());
  return !result;
}

void try_create(std::string_view body) {
  const auto command = keys_service::parse_create_body(body, now);
  if (is_refusal(command)) return;
  require(check_user_id(command->user_id).has_value());
  const auto key = commands::decide(*command, KeyId(), commands::Author{"fuzz", now});
  if (!is_refusal(key)) hold_to_rules(*key);
}

void try_update(std::string_view body, commands::Metadata mode) {
  const auto command = keys_service::parse_update_body(body, mode, now);
  if (is_refusal(command)) return;
  AccessKey current;
  current.metadata = R"({"a":{"b":1},"c":[1]})";
  const auto decision = commands::decide(*command, current, commands::Author{"fuzz", now});
  if (!is_refusal(decision) && *decision) hold_to_rules((*decision)->key);
}

/// As the API shows a plan or a user.
template <class Row>
void show(const Row& row) {
  JsonWriter out;
  out.begin_object();
  keys_service::write_members(out, row, Epoch{1});
  out.end_object();
  require(parse_json(out.take()).has_value());
}

template <class Decided>
void show_decided(const Decided& decision) {
  if (!is_refusal(decision) && *decision) show((*decision)->row);
}

void try_plan(std::string_view body) {
  const commands::Author author{"fuzz", now};
  Plan current;
  current.name = "plan";
  if (const auto put = keys_service::parse_put_plan_body(body); !is_refusal(put)) {
    hold_to_rules(put->limits);
    show_decided(commands::decide(*put, "plan", {}, std::optional<Plan>(), author));
  }
  for (const auto mode : {commands::Metadata::replace, commands::Metadata::merge}) {
    const auto patch = keys_service::parse_patch_plan_body(body, mode);
    if (!is_refusal(patch)) show_decided(commands::decide(*patch, {}, std::optional(current), author));
  }
}

void try_user(std::string_view body) {
  const commands::Author author{"fuzz", now};
  User current;
  current.user_id = "user";
  if (const auto put = keys_service::parse_put_user_body(body); !is_refusal(put)) {
    show_decided(commands::decide(*put, "user", {}, std::optional<User>(), author));
  }
  for (const auto mode : {commands::Metadata::replace, commands::Metadata::merge}) {
    const auto patch = keys_service::parse_patch_user_body(body, mode);
    if (!is_refusal(patch)) show_decided(commands::decide(*patch, {}, std::optional(current), author));
  }
}

void try_rotate(std::string_view body) {
  const auto command = keys_service::parse_rotate_body(body);
  if (is_refusal(command)) return;
  require(!command->grace || (command->grace->count() > 0 && *command->grace <= max_grace_period));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      try_create(body);
      break;
    case 1:
      try_update(body, commands::Metadata::replace);
      break;
    case 2:
      try_update(body, commands::Metadata::merge);
      break;
    case 3:
      try_rotate(body);
      break;
    case 4:
      try_plan(body);
      break;
    case 5:
      try_user(body);
      break;
    default:
      is_refusal(keys_service::parse_signing_key_rotation_body(body));
  }
  return 0;
}
