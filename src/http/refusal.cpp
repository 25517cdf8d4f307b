#include "http/refusal.hpp"

#include "http/problem.hpp"

namespace latchkey::http {
namespace {

struct Row {
  int status;
  std::string_view name;
  std::string_view title;
};

const Row& row_of(RefusalKind kind) {
  static constexpr std::array<Row, 10> rows = {{
      {400, "bad-request", "Bad request"},
      {404, "not-found", "Not found"},
      {405, "method-not-allowed", "Method not allowed"},
      {408, "request-timeout", "Request timeout"},
      {413, "body-too-large", "Request body too large"},
      {417, "expectation-failed", "Expectation failed"},
      {431, "head-too-large", "Request head too large"},
      {500, "internal-error", "Internal error"},
      {501, "not-implemented", "Not implemented"},
      {505, "version-not-supported", "HTTP version not supported"},
  }};
  return rows[static_cast<std::size_t>(kind)];
}

}  // namespace

int status_of(RefusalKind kind) { return row_of(kind).status; }

Response to_response(const Refusal& refusal) {
  const Row& row = row_of(refusal.kind);
  return to_response(Problem{row.name, row.title, row.status, std::string(refusal.detail)});
}

}  // namespace latchkey::http
