#pragma once

// What each problem type of the two services means, for the pages at /problems/<name>. test/e2e/test_pages.py holds that
// every type that the sources name has an explanation here.

#include <span>
#include <string_view>

namespace latchkey::pages {

/// Text between backticks is shown as code.
struct ProblemType {
  std::string_view name;    // "key-expired"
  std::string_view title;   // "Access key expired"
  std::string_view status;  // "401"; several where it depends: "401 or 409"
  std::string_view means;
  std::string_view remedy;
};

/// In the order of their names.
std::span<const ProblemType> problem_types();

/// nullptr: there is no such type.
const ProblemType* find_problem_type(std::string_view name);

}  // namespace latchkey::pages
