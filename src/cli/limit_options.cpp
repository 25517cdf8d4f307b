#include "cli/limit_options.hpp"

#include <fmt/format.h>

#include <charconv>

#include "cli/whole_number.hpp"

namespace latchkey::cli {
namespace {

Error wrong_limit(std::string_view text, std::string_view why) {
  return Error(ErrorCode::invalid,
               fmt::format("--limit: \"{}\" {}; write NAME=REQUESTS/SPAN such as burst=10/1s or daily=5000/day,user",
                           text, why));
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Before the first `mark`, which is cut off with it.
std::string_view cut(std::string_view& text, char mark) {
  const auto at = text.find(mark);
  const auto head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return head;
}

/// What stands behind a comma; false: it is none of these words.
bool put_word(json::object& limit, std::string_view word) {
  const auto name = cut(word, '=');
  if (name == "user" || name == "key") return limit["per"] = name, true;
  if (name == "observe" || name == "enforce") return limit["mode"] = name, true;
  if (name == "zone") return limit["timeZone"] = word, true;
  const auto day = name == "anchor" ? whole(word) : std::nullopt;
  if (day) limit["anchorDay"] = *day;
  return day.has_value();
}

json::array texts_of(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

void put_list(json::object& body, std::string_view name, const std::vector<std::string>& texts, bool none) {
  if (none) {
    body[name] = json::array();
  } else if (texts == std::vector<std::string>{""}) {
    body[name] = nullptr;
  } else if (!texts.empty()) {
    body[name] = texts_of(texts);
  }
}

}  // namespace

Result<json::object> limit_of(std::string_view text) {
  json::object limit;
  std::string_view rest = text;
  limit["name"] = cut(rest, '=');
  const auto requests = whole(cut(rest, '/'));
  if (!requests) return wrong_limit(text, "has no whole number of requests");
  limit["requests"] = *requests;
  const auto span = cut(rest, ',');
  if (span.empty()) return wrong_limit(text, "does not say for how long");
  const bool is_period = span == "day" || span == "week" || span == "month";
  limit[is_period ? "period" : "window"] = span;
  while (!rest.empty()) {
    const auto word = cut(rest, ',');
    if (put_word(limit, word)) continue;
    return wrong_limit(
        text, fmt::format("has \"{}\", which is none of user, key, observe, enforce, zone=NAME, anchor=DAY", word));
  }
  return limit;
}

void add_limit_options(CLI::App& app, LimitOptions& options) {
  app.add_option("--requests-per-minute", options.requests_per_minute, "Of each key, in any 60 seconds")
      ->check(whole_number())
      ->type_name("N");
  auto* each = app.add_option("--limit", options.limits,
                              "NAME=REQUESTS/SPAN[,user][,observe][,zone=NAME][,anchor=DAY]; may come several times")
                   ->type_name("LIMIT")
                   ->allow_extra_args(false);
  app.add_option("--limits", options.json, "All limits as a JSON array, as the API has them")
      ->type_name("JSON")
      ->excludes(each);
}

Result<std::optional<json::array>> own_limits_of(const LimitOptions& options) {
  json::array all;
  if (options.requests_per_minute) {
    all.push_back(json::object{{"name", "per-minute"}, {"requests", *options.requests_per_minute}, {"window", "60s"}});
  }
  if (!options.json.empty()) {
    auto limits = parse_json(options.json);
    if (!limits || !limits->is_array()) {
      return Error(
          ErrorCode::invalid,
          R"(--limits: needs a JSON array such as '[{"name":"daily","requests":5000,"period":"day","per":"user"}]')");
    }
    all.insert(all.end(), limits->as_array().begin(), limits->as_array().end());
    return std::optional(std::move(all));
  }
  if (options.limits.empty()) return std::optional<json::array>();
  for (const auto& text : options.limits) {
    auto limit = limit_of(text);
    if (!limit) return limit.error();
    all.push_back(std::move(*limit));
  }
  return std::optional(std::move(all));
}

Result<json::array> limits_of(const LimitOptions& options) {
  auto all = own_limits_of(options);
  if (!all) return all.error();
  if (*all) return std::move(**all);
  if (!options.requests_per_minute) return json::array();
  return json::array{
      json::object{{"name", "per-minute"}, {"requests", *options.requests_per_minute}, {"window", "60s"}}};
}

void add_access_options(CLI::App& app, AccessOptions& options) {
  app.add_option("--scope", options.scopes, "What it may be used for; may come several times")
      ->type_name("SCOPE")
      ->allow_extra_args(false);
  app.add_flag("--no-scopes", options.no_scopes, "It has no scope at all");
  app.add_option("--network", options.networks, "From where it may be used; may come several times")
      ->type_name("CIDR")
      ->allow_extra_args(false);
  app.add_flag("--no-networks", options.no_networks, "It may be used from nowhere");
}

void put_access(json::object& body, const AccessOptions& options) {
  put_list(body, "scopes", options.scopes, options.no_scopes);
  put_list(body, "networks", options.networks, options.no_networks);
}

Result<void> put_key_limits(json::object& body, const LimitOptions& options, bool unlimited) {
  const bool drops = options.limits == std::vector<std::string>{""};
  if (unlimited || drops) {
    if (unlimited) body["limits"] = json::array();
    if (drops) body["limits"] = nullptr;
    if (!options.requests_per_minute) return {};
    return Error(ErrorCode::invalid, "--requests-per-minute does not go with --unlimited, nor with an empty --limit");
  }
  auto all = own_limits_of(options);
  if (!all) return all.error();
  if (*all) {
    body["limits"] = std::move(**all);
  } else if (options.requests_per_minute) {
    body["requestsPerMinute"] = *options.requests_per_minute;
  }
  return {};
}

void add_unlimited_flag(CLI::App& app, bool& unlimited) {
  app.add_flag("--unlimited", unlimited, "The key needs no limit, whatever its plan and user have");
}

}  // namespace latchkey::cli
