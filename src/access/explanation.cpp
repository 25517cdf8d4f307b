#include "access/explanation.hpp"

#include <fmt/format.h>

#include <array>

#include "base/json.hpp"
#include "key/request_id.hpp"

namespace latchkey::access {
namespace {

constexpr std::string_view by_rules = "the table of rules, before any key was looked at";
constexpr std::string_view by_token = "the request itself; no row was looked at";
constexpr std::string_view by_key = "the row of the key";
constexpr std::string_view by_limits = "the limits in force, of the rows of the key, its user and its plan";
constexpr std::string_view by_replica = "the state of the replica, not any row";

constexpr std::string_view wall = "the replica's wall clock";
constexpr std::string_view forward = "the replica's boot clock, which only goes forward";
constexpr std::string_view of_limiter =
    "of windows the replica's boot clock, of periods its wall clock; where permits are shared, the Redis server's";

constexpr Ground not_proven = {by_token,
                               "The token is not one that was issued here, or not any more.",
                               {},
                               "Use the access key as it was issued, whole and without quotes."};

constexpr std::array<Ground, refusal_count> grounds = {{
    {by_rules,
     "No rule is for this request.",
     {},
     "Add a [[rule]] that matches it, or one of the name that was asked."},
    {by_rules,
     "The path may be read in two ways, so that a rule could be passed by.",
     {},
     "Ask for the path in its plain form."},
    {by_rules,
     "Rules match the original request, and no trusted proxy said which it was.",
     {},
     "See LATCHKEY_ORIGINAL_REQUEST and LATCHKEY_TRUSTED_PROXIES."},
    {by_token,
     "No credentials came with the request.",
     {},
     "Send the access key as Authorization: Bearer or X-API-Key."},
    {by_token, "Two different keys came, or one in the query string.", {}, "Send one key, in one header."},
    not_proven,
    {by_token, "The token is of another kind, such as an admin's.", {}, "Use an access key."},
    {by_token, "The role in the token may not do this.", {}, "Use an access key with the role `user`."},
    {"the signing keys and key ids in the view, which had not the one that the token names",
     "No such signing key or access key was known.",
     {},
     "Use a key of this database; a new one is known once the replica has its position."},
    {"the signing key that the token names", "The signature is not good.", {}, "Use the access key as it was issued."},
    {by_key, "A newer issue had replaced this one, and its grace was over.", wall, "Use the newer access key."},
    {by_key, "The key had been deleted.", {}, "Ask for a new key."},
    {by_key,
     "The key was disabled.",
     {},
     "`latchkey key enable ID`; `latchkey changes --key ID` says since when and why."},
    {"the row of the user",
     "The user was disabled, with all keys.",
     {},
     "`latchkey user enable ID`; `latchkey changes --user ID` says since when and why."},
    {by_key, "The key had expired.", wall, "`latchkey key update ID --expires 30d`."},
    {"the networks of the row of the key or of its plan",
     "The key may not be used from this address, or it was unknown.",
     {},
     "Change `networks`; behind a proxy see LATCHKEY_TRUSTED_PROXIES and LATCHKEY_CLIENT_ADDRESS."},
    {"the scopes of the row of the key or of its plan, and the rule for the request",
     "The key has not every scope that the rule needs.",
     {},
     "Give the scope to the key or its plan."},
    {"the rows of the key, its user and its plan",
     "No limit is in force, and none says that the key needs none.",
     {},
     "Give the key, its user or its plan a limit; unlimited is `\"limits\": []` on the key."},
    {by_limits,
     "The request costs more than a limit admits in all, so it can never pass.",
     {},
     "Raise the limit, or lower the cost of the rule."},
    {by_limits, "A limit was used up: as much as it admits had been let in within its window.", of_limiter,
     "Wait as long as Retry-After says, or raise the limit."},
    {by_limits, "The budget of a period was used up.", of_limiter,
     "Wait for the next period, raise the limit, or grant more for this one."},
    {by_replica, "The view was not complete, or older than LATCHKEY_MAX_STALENESS.", forward,
     "Try again, or another replica; see /readyz."},
    {by_replica, "Too many signatures waited to be checked.", {}, "Try again; give the replica more LATCHKEY_THREADS."},
    {by_replica, "The state of the limits could not be reached, or not be made durable, in time.", forward,
     "Try again; look at the Redis of LATCHKEY_LIMITER, or at the disk."},
    {by_replica, "There was no room for one more counter.", {}, "Raise LATCHKEY_LIMITER_MAX_COUNTERS."},
    {by_limits,
     "A limit in force has a time zone that this replica's tzdata does not know.",
     {},
     "Upgrade the system's tzdata, or change the limit."},
    {by_limits,
     "A limit is in force that this replica's limiter cannot enforce.",
     {},
     "Change the limit, or LATCHKEY_LIMITER."},
}};

constexpr Ground by_position = {"the position that the request asked for, in Latchkey-At-Least",
                                "This replica had not reached it, or it was no position.", forward,
                                "Try again, or another replica."};

std::string text_in(const json::object& line, std::string_view name) {
  const auto* value = line.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_in(const json::object& line, std::string_view name, std::int64_t otherwise) {
  const auto* value = line.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : otherwise;
}

std::string either(std::string one, std::string other) { return one.empty() ? std::move(other) : std::move(one); }

std::string joined(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::string asked_for(const RefusedRecord& record) {
  std::string text = "It came";
  if (!record.method.empty()) text = fmt::format("It asked for {} {}", record.method, either(record.path, "/"));
  if (!record.client.empty()) text += ", from " + record.client;
  if (!record.key_id.empty()) text += fmt::format(", with access key {}", record.key_id);
  if (!record.user_id.empty()) text += " of " + record.user_id;
  if (!record.plan.empty()) text += ", plan " + record.plan;
  if (record.cost != 1) text += fmt::format(", at a cost of {}", record.cost);
  if (!record.rule.empty()) text += ", by the rule " + record.rule;
  return text + ".\n";
}

std::string decided_by(const RefusedRecord& record, const Ground& ground) {
  std::string text(ground.row);
  if (!record.limits.empty()) text += ": " + joined(record.limits);
  if (!record.position.empty()) text += "; as the view had it at " + record.position;
  return text;
}

}  // namespace

const Ground* find_ground(std::string_view outcome) {
  for (std::size_t i = 0; i < grounds.size(); ++i) {
    if (to_string(static_cast<Refusal>(i)) == outcome) return &grounds[i];
  }
  return outcome == "position-not-reached" || outcome == "invalid-position" ? &by_position : nullptr;
}

std::optional<RefusedRecord> read_refused(std::string_view line) {
  const auto parsed = parse_json(line);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  const json::object& members = parsed->get_object();
  RefusedRecord record;
  record.id = text_in(members, "requestId");
  if (!RequestId::parse(record.id)) return std::nullopt;
  record.time = text_in(members, "time");
  record.outcome = text_in(members, "outcome");
  record.status = static_cast<int>(number_in(members, "status", 0));
  record.key_id = text_in(members, "keyId");
  record.user_id = text_in(members, "userId");
  record.plan = text_in(members, "plan");
  record.method = either(text_in(members, "originalMethod"), text_in(members, "method"));
  record.path = either(text_in(members, "originalPath"), text_in(members, "path"));
  record.client = text_in(members, "client");
  record.cost = static_cast<std::uint32_t>(number_in(members, "cost", 1));
  record.position = text_in(members, "position");
  record.rule = text_in(members, "rule");
  record.retry_after_seconds = static_cast<std::uint32_t>(number_in(members, "retryAfter", 0));
  if (const auto* limits = members.if_contains("limits"); limits != nullptr && limits->is_array()) {
    for (const auto& name : limits->get_array()) {
      if (name.is_string()) record.limits.emplace_back(name.get_string());
    }
  }
  return record;
}

std::string explain(const RefusedRecord& record) {
  std::string text =
      fmt::format("Request {} of {} was refused: {} {}.\n", record.id, record.time, record.status, record.outcome);
  text += asked_for(record);
  const Ground* ground = find_ground(record.outcome);
  if (ground == nullptr) return text + "This release knows no such reason.";
  text += fmt::format("{}\nDecided by {}.\n", ground->means, decided_by(record, *ground));
  if (!ground->clock.empty()) text += fmt::format("Clock: {}.\n", ground->clock);
  if (record.retry_after_seconds > 0) {
    text += fmt::format("After {} s a request of this cost could pass.\n", record.retry_after_seconds);
  }
  return text.append("What to do: ").append(ground->remedy);
}

void write_members(JsonWriter& out, const RefusedRecord& record) {
  const auto known = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); };
  out.member("requestId", record.id).member("time", record.time).member("reason", record.outcome);
  out.member("status", record.status).member("keyId", known(record.key_id)).member("userId", known(record.user_id));
  out.member("plan", known(record.plan)).member("method", known(record.method)).member("path", known(record.path));
  out.member("client", known(record.client)).member("cost", record.cost).member("position", known(record.position));
  out.member("rule", known(record.rule)).name("limits").begin_array();
  for (const auto& name : record.limits) out.value(name);
  out.end_array();
  const Ground* ground = find_ground(record.outcome);
  out.member("decidedBy", ground == nullptr ? std::optional<std::string>() : decided_by(record, *ground));
  const bool timed = ground != nullptr && !ground->clock.empty();
  out.member("clock", timed ? std::optional(std::string(ground->clock)) : std::nullopt);
  out.member("explanation", explain(record));
}

}  // namespace latchkey::access
