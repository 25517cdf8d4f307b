#include "cli/csv.hpp"

#include <fmt/format.h>

namespace latchkey::cli {
namespace {

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}

  Result<std::vector<CsvRow>> read() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row{{}, line_};
      do {
        auto field = read_field();
        if (!field) return field.error();
        row.fields.push_back(std::move(*field));
      } while (take(','));
      if (!take_line_end()) return wrong("a character behind a closing quote");
      if (row.fields.size() > 1 || !row.fields[0].empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  Error wrong(std::string_view what) const {
    return Error(ErrorCode::invalid, fmt::format("line {}: {}", line_, what));
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_line_end() {
    if (at_ == text_.size()) return true;
    take('\r');
    if (!take('\n')) return false;
    ++line_;
    return true;
  }

  Result<std::string> read_field() {
    if (take('"')) return read_quoted();
    const auto end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    const std::string_view field = text_.substr(at_, end - at_);
    if (field.contains('"')) return wrong("a quote within a field that does not begin with one");
    at_ = end;
    return std::string(field);
  }

  Result<std::string> read_quoted() {
    std::string field;
    const std::size_t begun = line_;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        field += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        field += text_[++at_];
      } else {
        ++at_;
        return field;
      }
    }
    line_ = begun;
    return wrong("a quote is not closed");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> parse_csv(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // the mark that spreadsheets put before UTF-8
  return CsvReader(text).read();
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace latchkey::cli
