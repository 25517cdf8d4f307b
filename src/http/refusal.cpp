#include "http/refusal.hpp"

#include "http/problem.hpp"

namespace latchkey::http {
namespace {

struct Row {
  int status;
  std::string_view name;
  std::string_view title;
  std::string_view detail;  // where the refusal has none of its own
};

const Row& row_of(RefusalKind kind) {
  static constexpr std::array<Row, 10> rows = {{
      {400, "bad-request", "Bad request", "The request breaks the rules of HTTP/1.1."},
      {404, "not-found", "Not found", "There is nothing at this path."},
      {405, "method-not-allowed", "Method not allowed",
       "This path does not answer to this method; Allow lists those it does."},
      {408, "request-timeout", "Request timeout", "The request did not arrive in time."},
      {413, "body-too-large", "Request body too large", "The body is larger than is accepted here."},
      {417, "expectation-failed", "Expectation failed", "The only expectation that can be met is 100-continue."},
      {431, "head-too-large", "Request head too large",
       "The request line and the header lines are larger than is accepted."},
      {500, "internal-error", "Internal error", "Something failed here; the log says what."},
      {501, "not-implemented", "Not implemented", "The only transfer coding that is understood is chunked."},
      {505, "version-not-supported", "HTTP version not supported",
       "The versions that are understood are HTTP/1.1 and HTTP/1.0."},
  }};
  return rows[static_cast<std::size_t>(kind)];
}

}  // namespace

int status_of(RefusalKind kind) { return row_of(kind).status; }

Response to_response(const Refusal& refusal) {
  const Row& row = row_of(refusal.kind);
  return to_response(
      Problem{row.name, row.title, row.status, std::string(refusal.detail.empty() ? row.detail : refusal.detail)});
}

}  // namespace latchkey::http
