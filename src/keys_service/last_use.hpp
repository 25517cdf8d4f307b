#pragma once

// When keys were used last, beside what the store says of them.

#include <map>
#include <optional>
#include <span>

#include "base/json_writer.hpp"
#include "key/access_key.hpp"
#include "usage/usage_reader.hpp"

namespace latchkey::keys_service {

using LastUses = std::map<KeyId, usage::LastUse>;

/// Of those that were ever used. Where usage cannot be read now, which the log says, of none.
LastUses last_uses_of(usage::UsageReader* usage, std::span<const AccessKey> keys);
/// "lastUsedAt","lastAddress", into an object that is open.
void write_last_use(JsonWriter& out, const LastUses& uses, KeyId key);
/// Whether the key was neither used nor made since.
bool is_unused_since(const AccessKey& key, const LastUses& uses, UnixMillis since);

}  // namespace latchkey::keys_service
