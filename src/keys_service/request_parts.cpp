#include "keys_service/request_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "http/ascii.hpp"
#include "jwt/digest.hpp"

namespace latchkey::keys_service {
namespace {

using http::equals_ignoring_case;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the piece before the next `separator` off the front.
std::string_view take_piece(std::string_view& list, char separator) {
  const auto end = std::min(list.find(separator), list.size());
  const std::string_view piece = trimmed(list.substr(0, end));
  list.remove_prefix(std::min(end + 1, list.size()));
  return piece;
}

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_other_charset(std::string_view parameter) {
  const std::string_view name = take_piece(parameter, '=');
  if (!equals_ignoring_case(name, "charset")) return false;
  std::string_view value = trimmed(parameter);
  if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return !equals_ignoring_case(value, "utf-8");
}

bool has_zero_weight(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = take_piece(parameters, ';');
    if (!equals_ignoring_case(take_piece(parameter, '='), "q")) continue;
    return parameter.find_first_not_of("0. ") == std::string_view::npos;
  }
  return false;
}

std::string digest_of(const http::Request& request, std::string_view body) {
  std::string text(http::to_string(request.method));
  text.append(" ").append(request.path).append("\n").append(body);
  const auto digest = jwt::digest_of(text);
  return fmt::format("{:016x}{:016x}", digest.words[0], digest.words[1]);
}

// A client that retries may write the members of its body in another order: it is the same request.
std::string canonical(std::string_view body) { return parse_json(body) ? canonical_json(body) : std::string(body); }

}  // namespace

MediaType media_type_of(const http::Request& request) {
  const auto header = request.header("Content-Type");
  if (!header) return MediaType::none;
  std::string_view rest = *header;
  const std::string_view type = take_piece(rest, ';');
  while (!rest.empty()) {
    if (is_other_charset(take_piece(rest, ';'))) return MediaType::other;
  }
  if (equals_ignoring_case(type, "application/json")) return MediaType::json;
  return equals_ignoring_case(type, "application/merge-patch+json") ? MediaType::merge_patch : MediaType::other;
}

bool is_json_request(const http::Request& request, Patches patches) {
  switch (media_type_of(request)) {
    case MediaType::json:
      return true;
    case MediaType::merge_patch:
      return patches == Patches::accepted;
    case MediaType::none:
      return request.body.empty();
    case MediaType::other:
      break;
  }
  return false;
}

commands::Precondition precondition_of(const http::Request& request) {
  if (request.header_count("If-Match") == 0) return {};
  std::string list;  // several header lines are one list
  for (const auto& header : request.headers) {
    if (equals_ignoring_case(header.name, "If-Match")) list.append(list.empty() ? "" : ",").append(header.value);
  }
  return commands::Precondition::from_etags(list);
}

Result<std::optional<commands::IdempotencyKey>> idempotency_key_of(const http::Request& request) {
  const auto header = request.header("Idempotency-Key");
  if (!header) return std::optional<commands::IdempotencyKey>();
  const bool one = request.header_count("Idempotency-Key") == 1;
  if (!one || header->empty() || header->size() > commands::max_idempotency_key_bytes || !is_visible_ascii(*header)) {
    return Error(ErrorCode::invalid, "Idempotency-Key must be one header of 1 to 128 visible ASCII characters");
  }
  return std::optional(commands::IdempotencyKey{std::string(*header), digest_of(request, canonical(request.body)),
                                                digest_of(request, request.body)});
}

Result<KeyId> key_id_of(const http::Request& request) {
  const auto segment = http::decode_segment(request.params[0]);
  const auto id = segment ? KeyId::parse(*segment) : std::nullopt;
  if (!id) return Error(ErrorCode::not_found, "no such key");
  return *id;
}

bool accepts(const http::Request& request, std::string_view media_type) {
  for (const auto& header : request.headers) {
    if (!equals_ignoring_case(header.name, "Accept")) continue;
    for (std::string_view list = header.value; !list.empty();) {
      std::string_view range = take_piece(list, ',');
      if (equals_ignoring_case(take_piece(range, ';'), media_type)) return !has_zero_weight(range);
    }
  }
  return false;
}

QueryReader::QueryReader(std::string_view query) {
  auto parsed = http::parse_query(query);
  if (parsed) {
    parameters_ = std::move(*parsed);
  } else {
    errors_.push_back({"", "the query string has a malformed escape"});
  }
}

std::optional<std::string> QueryReader::text(std::string_view name) {
  known_.emplace_back(name);
  std::optional<std::string> value;
  for (const auto& [key, text] : parameters_) {
    if (key != name) continue;
    if (value) note(name, "must not be repeated");
    value = text;
  }
  return value;
}

std::size_t QueryReader::number(std::string_view name, std::size_t least, std::size_t most, std::size_t otherwise) {
  const auto value = text(name);
  if (!value) return otherwise;
  std::size_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stop == end && number >= least && number <= most) return number;
  note(name, fmt::format("must be a whole number from {} to {}", least, most));
  return otherwise;
}

void QueryReader::note(std::string_view name, std::string detail) {
  errors_.push_back({json_pointer_to(name), std::move(detail)});
}

Result<void> QueryReader::finish() {
  for (const auto& [name, value] : parameters_) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    if (is_visible_ascii(name)) {
      note(name, "is not a parameter of this route");
    } else {
      errors_.push_back({"", "a parameter whose name is not visible ASCII is not one of this route"});
    }
  }
  if (errors_.empty()) return {};
  Error error(ErrorCode::invalid, "The query breaks one or more rules; see errors.");
  error.fields = std::move(errors_);
  return error;
}

}  // namespace latchkey::keys_service
