#include "http/problem.hpp"

#include <algorithm>
#include <span>

#include "base/json.hpp"

namespace latchkey::http {
namespace {

void append_errors(std::string& out, const std::vector<FieldError>& errors) {
  out += ",\"errors\":[";
  for (const auto& error : std::span(errors).first(std::min(errors.size(), max_errors))) {
    if (out.back() != '[') out += ',';
    out += "{\"pointer\":";
    append_json_string(out, error.pointer);
    out += ",\"detail\":";
    append_json_string(out, error.detail);
    out += '}';
  }
  out += ']';
}

}  // namespace

Response to_response(const Problem& problem) {
  std::string body = "{\"type\":";
  append_json_string(body, std::string("/problems/").append(problem.name));
  body += ",\"title\":";
  append_json_string(body, problem.title);
  body += ",\"status\":" + std::to_string(problem.status);
  if (!problem.detail.empty()) {
    body += ",\"detail\":";
    append_json_string(body, problem.detail);
  }
  if (!problem.errors.empty()) append_errors(body, problem.errors);
  body += '}';
  return {problem.status, "application/problem+json", {}, std::move(body)};
}

}  // namespace latchkey::http
