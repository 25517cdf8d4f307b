#include "cli/backtest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.hpp"
#include "base/time_text.hpp"
#include "limit/active_limit.hpp"

namespace latchkey::cli {
namespace {

constexpr std::int64_t most_drift_ms = 10'000;  // of a wall clock against the boot clock, between two lines

std::string logged_text(const json::object& line, std::string_view name) {
  const auto* value = line.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t logged_number(const json::object& line, std::string_view name, std::int64_t otherwise) {
  const auto* value = line.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : otherwise;
}

bool is_limits_refusal(std::string_view outcome) {
  return outcome == "rate-limited" || outcome == "quota-exceeded" || outcome == "cost-exceeds-limit";
}

/// The limiter of one boot: another boot is another clock.
class Replica {
 public:
  Replica(const LimitList& limits, const MakeLimiter& make_limiter) : make_limiter_(make_limiter) {
    for (const LimitSpec& spec : limits) active_.push_back(*limit::active_limit(spec, "backtest"));
  }

  bool refuses(const LoggedRequest& request) {
    const std::int64_t ahead = request.time.count - request.clock_ms;
    if (!ahead_ || std::abs(ahead - *ahead_) > most_drift_ms || request.clock_ms < now_ms_) begin(request);
    ahead_ = ahead;
    clock_->advance(std::chrono::milliseconds(request.clock_ms - now_ms_));
    clock_->set_wall(request.time);
    now_ms_ = request.clock_ms;
    const limit::Charge charge{request.key, limit::owner_of_user(request.user_id), active_, request.cost};
    const auto verdict = limiter_->try_charge(charge);
    return verdict && !verdict->admitted();
  }

 private:
  void begin(const LoggedRequest& request) {
    limiter_.reset();
    clock_ = std::make_unique<ManualClock>(request.time, BootTime{request.clock_ms * 1'000'000});
    limiter_ = make_limiter_(*clock_);
    now_ms_ = request.clock_ms;
  }

  const MakeLimiter& make_limiter_;
  std::vector<limit::ActiveLimit> active_;
  std::optional<std::int64_t> ahead_;
  std::int64_t now_ms_ = 0;
  std::unique_ptr<ManualClock> clock_;
  std::unique_ptr<limit::RateLimiter> limiter_;
};

Result<LimitSpec> parse_limit(std::string_view text, std::size_t number, LimitPer per) {
  const auto slash = text.find('/');
  const std::string_view count = text.substr(0, slash);
  LimitSpec spec{.name = fmt::format("limit-{}", number), .requests = 0, .span = LimitWindow{60}, .per = per};
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), spec.requests);
  const auto window = slash == std::string_view::npos ? std::nullopt : parse_duration(text.substr(slash + 1));
  const bool good = error == std::errc() && end == count.data() + count.size() && spec.requests > 0 &&
                    spec.requests <= max_limit_requests && window && *window <= std::chrono::hours(24);
  if (!good) {
    return Error(
        ErrorCode::invalid,
        fmt::format("--limit \"{}\": give a number of requests and a window of at most a day, such as 100/1m or "
                    "5000/1d, several with commas",
                    text));
  }
  spec.span = LimitWindow{static_cast<std::uint32_t>(window->count())};
  return spec;
}

}  // namespace

std::optional<LoggedRequest> read_logged(std::string_view line) {
  const auto parsed = parse_json(line);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  const json::object& members = parsed->get_object();
  const std::string outcome = logged_text(members, "outcome");
  const bool refused = is_limits_refusal(outcome);
  const auto key = KeyId::parse(logged_text(members, "keyId"));
  const auto time = parse_rfc3339(logged_text(members, "time"));
  if (!key || !time || (outcome != "admitted" && !refused)) return std::nullopt;
  const std::string original = logged_text(members, "originalPath");
  return LoggedRequest{.time = *time,
                       .clock_ms = logged_number(members, "clockMillis", time->count),
                       .key = *key,
                       .user_id = logged_text(members, "userId"),
                       .plan = logged_text(members, "plan"),
                       .cost = static_cast<std::uint32_t>(logged_number(members, "cost", 1)),
                       .refused = refused,
                       .method = logged_text(members, original.empty() ? "method" : "originalMethod"),
                       .path = original.empty() ? logged_text(members, "path") : original};
}

Result<LimitList> parse_limit_list(std::string_view text, LimitPer per) {
  LimitList limits;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::string_view piece = text.substr(begin, text.find(',', begin) - begin);
    auto limit = parse_limit(piece, limits.size() + 1, per);
    if (!limit) return limit.error();
    // The limiter counts what a number of requests per minute says in a way of its own, and knows it by this name.
    const bool plain = per == LimitPer::key && limit->span == decltype(limit->span)(LimitWindow{per_minute_seconds});
    if (plain && std::ranges::find(limits, per_minute_name, &LimitSpec::name) == limits.end()) {
      limit->name = per_minute_name;
    }
    limits.push_back(std::move(*limit));
    begin += piece.size() + 1;
  }
  if (limits.size() <= max_limits) return limits;
  return Error(ErrorCode::invalid, fmt::format("--limit: at most {} limits", max_limits));
}

Backtest replay(std::vector<LoggedRequest>& requests, const LimitList& limits, const MakeLimiter& make_limiter) {
  // By the wall clock first: boots follow each other there. Lines of one boot are then put in the order of its clock.
  std::ranges::stable_sort(requests, {}, &LoggedRequest::time);
  const auto of_one_boot = [](const LoggedRequest& one, const LoggedRequest& other) {
    return std::abs((one.time.count - one.clock_ms) - (other.time.count - other.clock_ms)) <= most_drift_ms;
  };
  for (auto first = requests.begin(); first != requests.end();) {
    const auto end =
        std::find_if(first, requests.end(), [&](const auto& other) { return !of_one_boot(*first, other); });
    std::stable_sort(first, end, [](const auto& one, const auto& other) { return one.clock_ms < other.clock_ms; });
    first = end;
  }
  Replica replica(limits, make_limiter);
  Backtest result;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    BacktestDay& day = result.days[to_rfc3339(requests[i].time).substr(0, 10)];
    ++day.requests;
    if (requests[i].refused) ++day.refused_in_log;
    if (!replica.refuses(requests[i])) continue;
    ++day.refused;
    result.refused.push_back(i);
  }
  return result;
}

}  // namespace latchkey::cli
