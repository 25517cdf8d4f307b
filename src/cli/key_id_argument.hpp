#pragma once

// Key ids as a person types them: whole, or the beginning of one that no other key shares.
//
//   latchkey key show 0198b2c4-7d3e      the only key with an id that begins so

#include <optional>
#include <string>
#include <string_view>

#include "cli/invocation.hpp"
#include "key/key_id.hpp"

namespace latchkey::cli {

constexpr std::size_t least_short_id = 8;

/// The beginning of an id in its usual spelling, from 8 or more hex digits with or without hyphens; nullopt: it is none.
std::optional<std::string> short_id_of(std::string_view text);
/// An id that stands before all that begin so; nullopt: the first of them may be the very first id.
std::optional<KeyId> id_before(std::string_view short_id);

/// Puts the whole id in place of a short one, with the service's help. The exit code to end with where no key or
/// several begin so; those are listed.
std::optional<int> complete_key_id(const Invocation& invocation, std::string& id);

}  // namespace latchkey::cli
