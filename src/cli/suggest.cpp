#include "cli/suggest.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace latchkey::cli {
namespace {

void collect(const CLI::App& app, std::set<std::string>& names) {
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.insert("--" + name);
  }
  for (const auto* sub : app.get_subcommands({})) {
    names.insert(sub->get_name());
    collect(*sub, names);
  }
}

/// Letters changed, left out, added, or two neighbours exchanged: "kye" is one away from "key" (optimal string
/// alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      next[j] = std::min({changed, row[j] + 1, next[j - 1] + 1});
      const bool exchanged = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (exchanged) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row.back();
}

}  // namespace

std::string suggest(const CLI::App& app, std::string_view word) {
  if (word.size() < 3 || word.size() > 40) return {};
  std::set<std::string> names;
  collect(app, names);
  if (names.contains(std::string(word))) return {};
  std::string nearest;
  std::size_t least = 3;
  for (const auto& name : names) {
    const auto d = distance(word, name);
    if (d < least && d * 2 < word.size()) least = d, nearest = name;
  }
  return nearest;
}

}  // namespace latchkey::cli
