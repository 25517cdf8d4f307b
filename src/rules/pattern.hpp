#pragma once

// What requests a rule is for: `METHOD PATH`.
//
//   GET /v1/items          GET and HEAD of that path, and of no path below it
//   * /v1/items/*          any method, every path below /v1/items/, "/v1/items/" itself included
//   POST /v1/items/*/copy  one segment, not empty, in place of the '*'
//   * /*                   everything
//   DELETE /v1/item*       '*' at the end stands for any rest: /v1/item, /v1/items, /v1/items/7

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace latchkey::rules {

constexpr std::size_t max_method_bytes = 32;

/// Whether rules are for such a method: 1 to 32 of A-Z, '-' and '_'. `delete` is none: servers differ in whether it is
/// DELETE, so a rule for DELETE must not be passed by in favour of a later one for all methods.
bool is_matchable_method(std::string_view text);

class Pattern {
 public:
  /// The error's text says what no request could match, or what is not written as above.
  static Result<Pattern> parse(std::string_view text);

  /// `method` as sent, case sensitive; `path` as unambiguous_path() gives it. Allocates nothing.
  bool matches(std::string_view method, std::string_view path) const;
  std::string to_string() const;

 private:
  std::string method_;               // "*": any
  std::vector<std::string> pieces_;  // between them one segment each
  bool open_ = false;                // any rest may follow
};

}  // namespace latchkey::rules
