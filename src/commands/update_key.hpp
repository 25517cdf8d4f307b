#pragma once

#include "commands/expiry.hpp"
#include "commands/key_change.hpp"

namespace latchkey::commands {

enum class Metadata : std::uint8_t {
  replace,  // the new object stands in place of the old one
  merge,    // JSON merge patch (RFC 7396): members of the old one stay unless named; null removes
};

/// Both are JSON objects, serialised.
Result<std::string> metadata_after(const std::string& current, const std::string& sent, Metadata mode);

/// What shall become of labels.
struct LabelChanges {
  bool replace = false;                // none of the old ones stays
  Labels set{};                        // these have these values from now on
  std::vector<std::string> removed{};  // these go
};

/// ErrorCode::invalid at /labels where there would be too many.
Result<Labels> labels_after(const Labels& current, const LabelChanges& changes);

/// What shall be different; whatever is nullopt stays. Members keep the rules of key/access_key.hpp.
struct UpdateKey {
  std::optional<std::uint32_t> requests_per_minute{};
  std::optional<Expiry> expiry{};
  std::optional<bool> disabled{};
  std::optional<std::string> name{};
  std::optional<std::string> metadata{};  // a JSON object as compact_json() makes it
  Metadata metadata_mode = Metadata::replace;
  bool drops_requests_per_minute = false;            // instead of setting it
  std::optional<std::optional<std::string>> plan{};  // within: nullopt: none of its own
  std::optional<std::optional<LimitList>> limits{};  // within: all of its own; nullopt: none
  std::optional<std::optional<ScopeList>> scopes{};  // within: nullopt: none of its own
  std::optional<std::optional<NetworkList>> networks{};
  std::optional<LabelChanges> labels{};
};

/// The change is called "disable" or "enable" where nothing else differs, else "update".
Decision decide(const UpdateKey& command, const AccessKey& current, const Author& author);

void update_key(store::KeyStore& store, KeyId id, UpdateKey command, const Precondition& precondition,
                const Author& author, KeyDone done);

}  // namespace latchkey::commands
