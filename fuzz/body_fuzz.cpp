// Request bodies from anywhere. The first byte chooses the parser. Whatever is accepted keeps the rules of the key, and
// what is decided by it can be stored and shown.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.hpp"
#include "keys_service/bodies.hpp"
#include "keys_service/key_json.hpp"

namespace {

using namespace latchkey;

constexpr UnixMillis now{1'767'225'600'000};

void require(bool holds) {
  if (!holds) std::abort();
}

void hold_to_rules(const AccessKey& key) {
  require(check_requests_per_minute(key.requests_per_minute).has_value());
  require(check_name(key.name).has_value());
  require(check_metadata(key.metadata).has_value());
  require(!key.expires_at || check_expires_at(*key.expires_at, now).has_value());
  const auto shown = parse_json(keys_service::to_json(key, Epoch{1}, now));
  require(shown.has_value() && shown->as_object().size() == 13);
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
  const auto key = commands::decide(*command, KeyId(), commands::Act{"fuzz", now});
  if (!is_refusal(key)) hold_to_rules(*key);
}

void try_update(std::string_view body, commands::Metadata mode) {
  const auto command = keys_service::parse_update_body(body, mode, now);
  if (is_refusal(command)) return;
  AccessKey current;
  current.metadata = R"({"a":{"b":1},"c":[1]})";
  const auto decision = commands::decide(*command, current, commands::Act{"fuzz", now});
  if (!is_refusal(decision) && *decision) hold_to_rules((*decision)->key);
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
  switch (data[0] % 5) {
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
    default:
      is_refusal(keys_service::parse_signing_key_rotation_body(body));
  }
  return 0;
}
