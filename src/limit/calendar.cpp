#include "limit/calendar.hpp"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/mutex.hpp"

namespace latchkey::limit {

struct Calendar::Zone {
  cctz::time_zone rules;
};

namespace {

using cctz::civil_day;
using cctz::civil_month;
using SysSeconds = cctz::time_point<cctz::seconds>;

constexpr std::int64_t first_second = 0;
constexpr std::int64_t last_second = 253'402'300'799;  // of the year 9999

civil_day last_day_of(civil_month month) { return civil_day(month + 1) - 1; }

civil_day anchor_in(civil_month month, unsigned anchor_day) {
  return std::min(civil_day(month) + (static_cast<int>(anchor_day) - 1), last_day_of(month));
}

/// The first day of the period that `day` is in.
civil_day anchor_on_or_before(civil_day day, PeriodUnit period, unsigned anchor_day) {
  switch (period) {
    case PeriodUnit::day:
      return day;
    case PeriodUnit::week: {
      const int weekday = static_cast<int>(cctz::get_weekday(day)) + 1;  // Monday is cctz's 0
      return day - (weekday - static_cast<int>(anchor_day) + 7) % 7;
    }
    case PeriodUnit::month:
      break;
  }
  const civil_month month(day);
  const civil_day anchor = anchor_in(month, anchor_day);
  return anchor <= day ? anchor : anchor_in(month - 1, anchor_day);
}

civil_day next_anchor(civil_day anchor, PeriodUnit period, unsigned anchor_day) {
  switch (period) {
    case PeriodUnit::day:
      return anchor + 1;
    case PeriodUnit::week:
      return anchor + 7;
    case PeriodUnit::month:
      break;
  }
  return anchor_in(civil_month(anchor) + 1, anchor_day);
}

/// The first instant at which the local clock shows midnight of `day`, or later.
SysSeconds beginning_of(civil_day day, const cctz::time_zone& zone) {
  const auto found = zone.lookup(cctz::civil_second(day));
  return found.kind == cctz::time_zone::civil_lookup::SKIPPED ? found.trans : found.pre;
}

UnixMillis millis(SysSeconds t) { return {t.time_since_epoch().count() * 1000}; }

/// cctz also takes paths, "localtime" and fixed offsets of its own spelling; tzdata also has zones that count leap
/// seconds. None of these is an IANA name.
bool is_iana_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '+' || c == '/';
  };
  constexpr std::string_view foreign[] = {"/", "localtime", "Fixed/", "right/", "posix", "Factory"};
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, allowed) &&
         std::ranges::none_of(foreign, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool is_anchor(PeriodUnit period, unsigned day) {
  return period == PeriodUnit::day || (day >= 1 && day <= (period == PeriodUnit::week ? 7U : 31U));
}

/// All calendars that were ever asked for: at most 39 a zone.
class Registry {
 public:
  const Calendar* find(PeriodUnit period, std::string_view zone_name, unsigned anchor_day) {
    const MutexLock guard(mutex_);
    const auto key = std::tuple(period, std::string(zone_name), anchor_day);
    if (const auto known = calendars_.find(key); known != calendars_.end()) return known->second.get();
    const Calendar::Zone* zone = zone_of(zone_name);
    if (zone == nullptr) return nullptr;
    return calendars_.emplace(key, std::make_unique<Calendar>(period, *zone, anchor_day)).first->second.get();
  }

 private:
  /// What is not there is not remembered: names that somebody made up would fill the memory.
  const Calendar::Zone* zone_of(std::string_view name) REQUIRES(mutex_) {
    if (const auto known = zones_.find(name); known != zones_.end()) return known->second.get();
    auto zone = std::make_unique<Calendar::Zone>();
    if (!cctz::load_time_zone(std::string(name), &zone->rules)) return nullptr;
    return zones_.emplace(std::string(name), std::move(zone)).first->second.get();
  }

  Mutex mutex_;
  std::map<std::string, std::unique_ptr<Calendar::Zone>, std::less<>> zones_ GUARDED_BY(mutex_);
  std::map<std::tuple<PeriodUnit, std::string, unsigned>, std::unique_ptr<Calendar>> calendars_ GUARDED_BY(mutex_);
};

}  // namespace

Calendar::Calendar(PeriodUnit period, const Zone& zone, unsigned anchor_day)
    : period_(period), zone_(zone), anchor_day_(anchor_day) {}

PeriodBounds Calendar::at(UnixMillis t) const {
  const std::uint32_t before = writes_.load(std::memory_order_acquire);
  const PeriodBounds last{{start_.load(std::memory_order_relaxed)}, {end_.load(std::memory_order_relaxed)}};
  std::atomic_thread_fence(std::memory_order_acquire);
  const bool whole = before % 2 == 0 && writes_.load(std::memory_order_relaxed) == before;
  if (whole && last.contains(t)) return last;
  const PeriodBounds bounds = compute(t);
  remember(bounds);
  return bounds;
}

void Calendar::remember(const PeriodBounds& bounds) const {
  std::uint32_t before = writes_.load(std::memory_order_relaxed);
  if (before % 2 != 0 || !writes_.compare_exchange_strong(before, before + 1, std::memory_order_acquire)) return;
  std::atomic_thread_fence(std::memory_order_release);
  start_.store(bounds.start.count, std::memory_order_relaxed);
  end_.store(bounds.end.count, std::memory_order_relaxed);
  writes_.store(before + 2, std::memory_order_release);
}

// A day more than the local date: where midnight comes twice, the date goes back after a period has begun.
PeriodBounds Calendar::compute(UnixMillis t) const {
  const std::int64_t second = std::clamp(t.seconds(), first_second, last_second);
  const SysSeconds now{cctz::seconds(second)};
  const civil_day today(cctz::convert(now, zone_.rules));
  civil_day anchor = anchor_on_or_before(today + 1, period_, anchor_day_);
  while (beginning_of(anchor, zone_.rules) > now) anchor = anchor_on_or_before(anchor - 1, period_, anchor_day_);
  const civil_day next = next_anchor(anchor, period_, anchor_day_);
  return {millis(beginning_of(anchor, zone_.rules)), millis(beginning_of(next, zone_.rules))};
}

const Calendar* calendar_of(PeriodUnit period, std::string_view time_zone, unsigned anchor_day) {
  if (!is_iana_name(time_zone) || !is_anchor(period, anchor_day)) return nullptr;
  static Registry* const registry = new Registry;  // never destroyed: a request may outlive main()
  return registry->find(period, time_zone, period == PeriodUnit::day ? 1 : anchor_day);
}

bool is_known_time_zone(std::string_view name) { return calendar_of(PeriodUnit::day, name) != nullptr; }

}  // namespace latchkey::limit
