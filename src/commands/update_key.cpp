#include "commands/update_key.hpp"

#include <boost/json/serialize.hpp>

#include "base/json.hpp"

namespace latchkey::commands {
namespace {

// RFC 7396, section 2.
void merge(json::value& target, const json::value& patch) {
  const auto* members = patch.if_object();
  if (members == nullptr) {
    target = patch;
    return;
  }
  if (!target.is_object()) target.emplace_object();
  auto& object = target.get_object();
  for (const auto& member : *members) {
    if (member.value().is_null()) {
      object.erase(member.key());
    } else {
      merge(object[member.key()], member.value());
    }
  }
}

Result<std::string> merged_metadata(const std::string& current, const std::string& patch) {
  auto target = parse_json(current);
  const auto change = parse_json(patch);
  if (!target || !change) return Error(ErrorCode::internal, "", "metadata that is not JSON");
  merge(*target, *change);
  std::string merged = json::serialize(*target);
  if (const auto checked = check_metadata(merged); !checked) return checked.error();
  return merged;
}

Result<void> set_metadata(AccessKey& key, const UpdateKey& command) {
  if (!command.metadata) return {};
  if (command.metadata_mode == Metadata::replace) {
    key.metadata = *command.metadata;
    return {};
  }
  auto merged = merged_metadata(key.metadata, *command.metadata);
  if (!merged) return merged.error();
  key.metadata = std::move(*merged);
  return {};
}

Result<void> set_expiry(AccessKey& key, const UpdateKey& command, UnixMillis now) {
  if (!command.expiry) return {};
  const auto expires_at = resolve(*command.expiry, now);
  if (!expires_at) return expires_at.error();
  key.expires_at = *expires_at;
  return {};
}

std::string_view action_of(const AccessKey& current, const AccessKey& next) {
  AccessKey flipped = current;
  flipped.disabled = !current.disabled;
  if (next != flipped) return "update";
  return next.disabled ? "disable" : "enable";
}

}  // namespace

Decision decide(const UpdateKey& command, const AccessKey& current, const Act& act) {
  if (const auto checked = check_not_deleted(current); !checked) return checked.error();
  AccessKey next = current;
  next.requests_per_minute = command.requests_per_minute.value_or(current.requests_per_minute);
  next.disabled = command.disabled.value_or(current.disabled);
  next.name = command.name.value_or(current.name);
  if (const auto set = set_expiry(next, command, act.now); !set) return set.error();
  if (const auto set = set_metadata(next, command); !set) return set.error();
  const std::string_view action = action_of(current, next);
  return if_changed(current, std::move(next), action, act);
}

void update_key(store::KeyStore& store, KeyId id, UpdateKey command, const Precondition& precondition, const Act& act,
                KeyDone done) {
  auto work = [id, command = std::move(command), precondition, act](store::Transaction& transaction) {
    return change_key(transaction, id, precondition,
                      [&](const AccessKey& current) { return decide(command, current, act); });
  };
  run(store, std::move(work), std::move(done));
}

}  // namespace latchkey::commands
