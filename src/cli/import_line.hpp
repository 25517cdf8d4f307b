#pragma once

// Lines of `latchkey key create --from FILE`, as bodies of POST /v1/keys.
//
//   keys.jsonl   {"userId":"alice","requestsPerMinute":60,"labels":{"team":"x"}}          one body a line
//   keys.csv     userId,requestsPerMinute,labels                                          a heading, then a key a row
//                alice,60,team=x;env=prod
//
// In CSV an empty field is a member that is not there; labels are `name=value;…`, scopes and networks have spaces
// between them, limits and metadata are JSON, and a number is one where it is requestsPerMinute.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"

namespace latchkey::cli {

struct ImportLine {
  std::size_t number = 1;  // in the file
  std::string body;        // compact JSON
  /// The same for the same body in the same place among its equals, whatever else the file holds: repeating the file,
  /// or one with other lines mended, makes no second key.
  std::string idempotency_key;
};

enum class ImportForm : std::uint8_t { json_lines, csv };

/// By the name's end: .jsonl, .ndjson or .csv.
Result<ImportForm> import_form_of(const std::filesystem::path& path);

/// ErrorCode::invalid with the line's number.
Result<std::vector<ImportLine>> read_import(std::string_view text, ImportForm form);

}  // namespace latchkey::cli
