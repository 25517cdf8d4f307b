#include "cli/import_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "base/json_text.hpp"
#include "base/shown.hpp"
#include "cli/csv.hpp"
#include "jwt/digest.hpp"

namespace latchkey::cli {
namespace {

constexpr std::array<std::string_view, 11> import_columns = {
    "userId", "requestsPerMinute", "plan",      "limits", "scopes",  "networks",
    "labels", "expiresAt",         "expiresIn", "name",   "metadata"};

Error at_line(std::size_t line, std::string_view why) {
  return Error(ErrorCode::invalid, fmt::format("line {}: {}", line, why));
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// What stands between separators, without empty pieces.
std::vector<std::string_view> pieces_of(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) pieces.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return pieces;
}

Result<std::string> labels_member(std::string_view field) {
  std::vector<JsonMember> members;
  for (const auto piece : pieces_of(field, ';')) {
    const auto equals = piece.find('=');
    if (equals == std::string_view::npos) return Error(ErrorCode::invalid, shown(piece) + " is not name=value");
    members.push_back({std::string(piece.substr(0, equals)), json_text(piece.substr(equals + 1))});
  }
  return object_of(members);
}

std::string list_member(std::string_view field) {
  std::string out = "[";
  for (const auto piece : pieces_of(field, ' ')) out += (out.size() > 1 ? "," : "") + json_text(piece);
  return out + ']';
}

Result<std::string> csv_member(std::string_view column, std::string_view field) {
  if (column == "labels") return labels_member(field);
  if (column == "scopes" || column == "networks") return list_member(field);
  if (column != "limits" && column != "metadata" && column != "requestsPerMinute") return json_text(field);
  if (!parse_json(field)) return Error(ErrorCode::invalid, fmt::format("{} {} is not JSON", column, shown(field)));
  return compact_json(field);
}

class Lines {
 public:
  void add(std::size_t number, std::string body) {
    const std::size_t earlier = equals_[body]++;
    const auto digest = jwt::digest_of(fmt::format("{}#{}", canonical_json(body), earlier));
    lines_.push_back({number, std::move(body), fmt::format("import-{:016x}{:016x}", digest.words[0], digest.words[1])});
  }
  std::vector<ImportLine> take() { return std::move(lines_); }

 private:
  std::map<std::string, std::size_t> equals_;
  std::vector<ImportLine> lines_;
};

Result<std::vector<ImportLine>> read_json_lines(std::string_view text) {
  Lines lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    const auto parsed = parse_json(line);
    if (!parsed) return at_line(number, parsed.error().detail);
    if (!parsed->is_object()) return at_line(number, "is no JSON object");
    lines.add(number, compact_json(line));
  }
  return lines.take();
}

Result<std::vector<ImportLine>> read_csv(std::string_view text) {
  const auto rows = parse_csv(text);
  if (!rows) return rows.error();
  if (rows->empty()) return Error(ErrorCode::invalid, "line 1: a heading is missing, such as userId,requestsPerMinute");
  const auto& heading = rows->front().fields;
  for (const auto& column : heading) {
    if (std::find(import_columns.begin(), import_columns.end(), column) != import_columns.end()) continue;
    return at_line(rows->front().line,
                   fmt::format("{} is none of the columns {}", shown(column), fmt::join(import_columns, ", ")));
  }
  Lines lines;
  for (const auto& row : std::span(*rows).subspan(1)) {
    if (row.fields.size() != heading.size()) {
      return at_line(row.line, fmt::format("has {} fields, the heading has {}", row.fields.size(), heading.size()));
    }
    std::vector<JsonMember> members;
    for (std::size_t i = 0; i < heading.size(); ++i) {
      if (row.fields[i].empty()) continue;
      auto value = csv_member(heading[i], row.fields[i]);
      if (!value) return at_line(row.line, value.error().detail);
      members.push_back({heading[i], std::move(*value)});
    }
    lines.add(row.line, object_of(members));
  }
  return lines.take();
}

}  // namespace

Result<ImportForm> import_form_of(const std::filesystem::path& path) {
  const auto end = path.extension();
  if (end == ".jsonl" || end == ".ndjson") return ImportForm::json_lines;
  if (end == ".csv") return ImportForm::csv;
  return Error(ErrorCode::invalid,
               fmt::format("--from: the name of {} must end in .jsonl or .csv", shown(path.string())));
}

Result<std::vector<ImportLine>> read_import(std::string_view text, ImportForm form) {
  return form == ImportForm::csv ? read_csv(text) : read_json_lines(text);
}

}  // namespace latchkey::cli
