#pragma once

// `latchkey key disable|enable|delete` of many keys: all of a user, or all with certain labels.

#include <string>

#include "cli/invocation.hpp"

namespace latchkey::cli {

/// What such a command was given.
struct KeyChoice {
  std::string id, selector, user;
  bool dry_run = false;
  bool is_set() const { return !selector.empty() || !user.empty(); }
};

/// An id, --selector, --user and --dry-run.
void add_key_choice(CLI::App& app, KeyChoice& choice);
/// The usage error of a choice that is not exactly one of the three; nullopt: it is.
std::optional<int> check_choice(const KeyChoice& choice);

/// `verb`: "disable", "enable", "delete". Says how many keys match, asks where `asks`, and changes them.
int change_set(const Invocation& invocation, std::string_view verb, const KeyChoice& choice, bool asks);

}  // namespace latchkey::cli
