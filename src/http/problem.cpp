#include "http/problem.hpp"

#include <algorithm>
#include <span>

namespace latchkey::http {
namespace {

void write_errors(JsonWriter& out, const std::vector<FieldError>& errors) {
  out.name("errors").begin_array();
  for (const auto& error : std::span(errors).first(std::min(errors.size(), max_errors))) {
    out.begin_object().member("pointer", error.pointer).member("detail", error.detail).end_object();
  }
  out.end_array();
}

}  // namespace

void write_members(JsonWriter& out, const Problem& problem) {
  out.member("type", std::string("/problems/").append(problem.name));
  out.member("title", problem.title).member("status", problem.status);
  if (!problem.detail.empty()) out.member("detail", problem.detail);
  if (!problem.errors.empty()) write_errors(out, problem.errors);
}

Response to_response(const Problem& problem) {
  JsonWriter out;
  write_members(out.begin_object(), problem);
  return {problem.status, "application/problem+json", {}, out.end_object().take()};
}

}  // namespace latchkey::http
