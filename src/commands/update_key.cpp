#include "commands/update_key.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "commands/key_terms.hpp"
#include "commands/named_change.hpp"

namespace latchkey::commands {
namespace {

// RFC 7396, section 2, on the texts themselves, so that numbers stay as they were sent.
std::string merged(std::string_view target, std::string_view patch) {
  if (!patch.starts_with('{')) return std::string(patch);
  auto members = target.starts_with('{') ? members_of(target) : std::vector<JsonMember>();
  for (const auto& change : members_of(patch)) {
    const auto known = std::find_if(members.begin(), members.end(),
                                    [&](const JsonMember& member) { return member.name == change.name; });
    if (change.value == "null") {
      if (known != members.end()) members.erase(known);
    } else if (known != members.end()) {
      known->value = merged(known->value, change.value);
    } else {
      members.push_back({change.name, merged({}, change.value)});
    }
  }
  return object_of(members);
}

// `patch` was parsed at the door and is compact; `current` is of the database, where anybody may have written.
Result<std::string> merged_metadata(const std::string& current, const std::string& patch) {
  if (!parse_json(current)) return Error(ErrorCode::internal, "", "metadata that is not JSON");
  std::string text = merged(compact_json(current), patch);
  if (const auto checked = check_metadata(text); !checked) return checked.error();
  return text;
}

Result<void> set_metadata(AccessKey& key, const UpdateKey& command) {
  if (!command.metadata) return {};
  auto metadata = metadata_after(key.metadata, *command.metadata, command.metadata_mode);
  if (!metadata) return metadata.error();
  key.metadata = std::move(*metadata);
  return {};
}

Result<void> set_expiry(AccessKey& key, const UpdateKey& command, UnixMillis now) {
  if (!command.expiry) return {};
  const auto expires_at = resolve(*command.expiry, now);
  if (!expires_at) return expires_at.error();
  key.expires_at = *expires_at;
  return {};
}

/// The shorthand takes the place of a limit of its name.
void set_per_minute(AccessKey& key, std::optional<std::uint32_t> requests_per_minute) {
  key.requests_per_minute = requests_per_minute;
  if (!key.limits || key.limits->empty()) {
    if (requests_per_minute) key.limits.reset();
    return;
  }
  std::erase_if(*key.limits, [](const LimitSpec& limit) { return limit.name == per_minute_name; });
  if (key.limits->empty()) key.limits.reset();
}

Result<void> set_terms(AccessKey& key, const UpdateKey& command) {
  if (command.plan) key.plan = *command.plan;
  if (command.requests_per_minute || command.drops_requests_per_minute) {
    set_per_minute(key, command.requests_per_minute);
  }
  if (!command.limits) return {};
  if (*command.limits) {
    if (const auto checked = check_time_zones(**command.limits); !checked) return checked;
  }
  set_own_limits(key, *command.limits);
  return {};
}

Result<void> set_labels(AccessKey& key, const UpdateKey& command) {
  if (!command.labels) return {};
  auto labels = labels_after(key.labels, *command.labels);
  if (!labels) return labels.error();
  key.labels = std::move(*labels);
  return {};
}

bool touches_terms(const UpdateKey& command) {
  return command.requests_per_minute || command.drops_requests_per_minute || command.plan || command.limits;
}

std::string_view action_of(const AccessKey& current, const AccessKey& next) {
  AccessKey flipped = current;
  flipped.disabled = !current.disabled;
  if (next != flipped) return "update";
  return next.disabled ? "disable" : "enable";
}

}  // namespace

Result<std::string> metadata_after(const std::string& current, const std::string& sent, Metadata mode) {
  return mode == Metadata::replace ? Result<std::string>(sent) : merged_metadata(current, sent);
}

Result<Labels> labels_after(const Labels& current, const LabelChanges& changes) {
  Labels labels = changes.replace ? Labels() : current;
  for (const auto& name : changes.removed) labels.erase(name);
  for (const auto& [name, value] : changes.set) labels.insert_or_assign(name, value);
  if (labels.size() > max_labels)
    return Error::invalid("/labels", fmt::format("must be at most {} labels", max_labels));
  return labels;
}

Decision decide(const UpdateKey& command, const AccessKey& current, const Author& author) {
  if (const auto checked = check_not_deleted(current); !checked) return checked.error();
  AccessKey next = current;
  if (const auto set = set_terms(next, command); !set) return set.error();
  next.disabled = command.disabled.value_or(current.disabled);
  next.name = command.name.value_or(current.name);
  if (command.scopes) next.scopes = *command.scopes;
  if (command.networks) next.networks = *command.networks;
  if (const auto set = set_expiry(next, command, author.now); !set) return set.error();
  if (const auto set = set_metadata(next, command); !set) return set.error();
  if (const auto set = set_labels(next, command); !set) return set.error();
  const std::string_view action = action_of(current, next);
  return if_changed(current, std::move(next), action, author);
}

void update_key(store::KeyStore& store, KeyId id, UpdateKey command, const Precondition& precondition,
                const Author& author, KeyDone done) {
  auto work = [id, command = std::move(command), precondition,
               author](store::Transaction& transaction) -> Result<AccessKey> {
    auto row = change_key(transaction, id, precondition,
                          [&](const AccessKey& current) { return decide(command, current, author); });
    if (!row || !touches_terms(command)) return row;
    const auto checked = check_key_terms(transaction, *row);
    return checked ? row : Result<AccessKey>(checked.error());
  };
  commit_key_change(store, author.note, std::move(work), std::move(done));
}

}  // namespace latchkey::commands
