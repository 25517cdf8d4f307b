// Expected instants: Python's zoneinfo, scanned minute by minute for the first one at which the local time is midnight or
// later.

#include "limit/calendar.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/time_text.hpp"

namespace latchkey::limit {
namespace {

UnixMillis at(const std::string& text) { return *parse_rfc3339(text); }

struct Case {
  const char* zone;
  PeriodUnit period;
  unsigned anchor;
  const char* start;
  const char* end;
};

const Case cases[] = {
    {"UTC", PeriodUnit::day, 1, "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"},
    // 23 and 25 hours
    {"Europe/Berlin", PeriodUnit::day, 1, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
    {"Europe/Berlin", PeriodUnit::day, 1, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
    // half an hour of summer time; an offset of quarters
    {"Australia/Lord_Howe", PeriodUnit::day, 1, "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"},
    {"Asia/Kathmandu", PeriodUnit::month, 1, "2025-12-31T18:15:00Z", "2026-01-31T18:15:00Z"},
    // midnights that do not exist
    {"Africa/Cairo", PeriodUnit::day, 1, "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},
    {"Asia/Beirut", PeriodUnit::day, 1, "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"},
    {"America/Havana", PeriodUnit::day, 1, "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"},
    {"America/Santiago", PeriodUnit::day, 1, "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"},
    {"Atlantic/Azores", PeriodUnit::day, 1, "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"},
    // midnights that come twice, and one that a clock just does not reach the first time
    {"America/Havana", PeriodUnit::day, 1, "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
    {"Atlantic/Azores", PeriodUnit::day, 1, "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"},
    {"America/Santiago", PeriodUnit::day, 1, "2026-04-04T03:00:00Z", "2026-04-05T04:00:00Z"},
    // clocks went from 00:01 back to 23:01 of the day before
    {"America/St_Johns", PeriodUnit::day, 1, "2006-10-29T02:30:00Z", "2006-10-30T03:30:00Z"},
    // a day that was left out
    {"Pacific/Apia", PeriodUnit::day, 1, "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},
    {"Pacific/Apia", PeriodUnit::day, 1, "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
    // rules of after 2037, rules of after 2022
    {"Europe/Berlin", PeriodUnit::month, 1, "2061-06-30T22:00:00Z", "2061-07-31T22:00:00Z"},
    {"America/Mexico_City", PeriodUnit::month, 1, "2026-07-01T06:00:00Z", "2026-08-01T06:00:00Z"},
    // anchors, clamped anew in each month
    {"UTC", PeriodUnit::month, 31, "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"},
    {"UTC", PeriodUnit::month, 31, "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"},
    {"UTC", PeriodUnit::month, 31, "2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z"},
    {"UTC", PeriodUnit::month, 30, "2028-02-29T00:00:00Z", "2028-03-30T00:00:00Z"},
    {"UTC", PeriodUnit::month, 29, "2026-02-28T00:00:00Z", "2026-03-29T00:00:00Z"},
    {"UTC", PeriodUnit::month, 15, "2025-12-15T00:00:00Z", "2026-01-15T00:00:00Z"},
    {"Europe/Berlin", PeriodUnit::month, 30, "2026-10-29T23:00:00Z", "2026-11-29T23:00:00Z"},
    // ISO weeks: Monday 1; 2026-11-30 is a Monday
    {"UTC", PeriodUnit::week, 1, "2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z"},
    {"UTC", PeriodUnit::week, 7, "2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z"},
    {"UTC", PeriodUnit::week, 2, "2026-11-24T00:00:00Z", "2026-12-01T00:00:00Z"},
    {"Europe/Berlin", PeriodUnit::week, 1, "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"},
};

TEST(CalendarTest, PeriodsBeginAndEndWhereTheLocalDayDoes) {
  for (const Case& each : cases) {
    SCOPED_TRACE(std::string(each.zone) + " " + each.start + " anchor " + std::to_string(each.anchor));
    const Calendar* calendar = calendar_of(each.period, each.zone, each.anchor);
    ASSERT_NE(calendar, nullptr);
    const PeriodBounds expected{at(each.start), at(each.end)};
    const std::int64_t length = expected.end.count - expected.start.count;
    for (const std::int64_t offset : {std::int64_t{0}, std::int64_t{1}, length / 2, length - 1}) {
      const PeriodBounds found = calendar->at({expected.start.count + offset});
      EXPECT_EQ(found, expected) << to_rfc3339(found.start) << " to " << to_rfc3339(found.end);
    }
    EXPECT_EQ(calendar->at({expected.start.count - 1}).end, expected.start);
    EXPECT_EQ(calendar->at(expected.end).start, expected.end);
  }
}

/// Over years in which much happened, at moments near the bounds and far from them.
TEST(CalendarTest, PeriodsLeaveNoGapAndDoNotOverlap) {
  std::mt19937_64 random(20261130);
  const char* zones[] = {"America/St_Johns", "Pacific/Apia",      "Africa/Cairo",     "America/Havana",
                         "Atlantic/Azores",  "Africa/Casablanca", "America/Santiago", "Asia/Pyongyang",
                         "Asia/Gaza",        "Antarctica/Troll",  "Europe/Dublin",    "America/Vancouver",
                         "Pacific/Kwajalein"};
  for (const char* zone : zones) {
    for (const PeriodUnit period : {PeriodUnit::day, PeriodUnit::week, PeriodUnit::month}) {
      const Calendar* calendar = calendar_of(period, zone, 1 + random() % 7);
      ASSERT_NE(calendar, nullptr) << zone;
      for (int i = 0; i < 300; ++i) {
        const UnixMillis t{static_cast<std::int64_t>(random() % 2'500'000'000'000)};
        const PeriodBounds bounds = calendar->at(t);
        ASSERT_TRUE(bounds.contains(t)) << zone << " " << to_rfc3339(t);
        ASSERT_EQ(calendar->at(bounds.start), bounds) << zone << " " << to_rfc3339(t);
        ASSERT_EQ(calendar->at({bounds.end.count - 1}), bounds) << zone << " " << to_rfc3339(t);
        ASSERT_EQ(calendar->at(bounds.end).start, bounds.end) << zone << " " << to_rfc3339(t);
      }
    }
  }
}

TEST(CalendarTest, OnlyNamesOfTheTimeZoneDatabaseAreZones) {
  for (const char* name : {"UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "America/Port-au-Prince"}) {
    EXPECT_NE(calendar_of(PeriodUnit::day, name), nullptr) << name;
  }
  for (const char* name : {"", "Europe/Atlantis", "/usr/share/zoneinfo/UTC", "../zoneinfo/UTC", "Europe/../UTC",
                           "localtime", "Fixed/UTC+01:00:00", "right/UTC", "posix/UTC", "libc:UTC", "file:UTC",
                           "Europe/Berlin\n", "posixrules", "tzdata.zi", "Europe"}) {
    EXPECT_EQ(calendar_of(PeriodUnit::day, name), nullptr) << name;
  }
  EXPECT_EQ(calendar_of(PeriodUnit::week, "UTC", 0), nullptr);
  EXPECT_EQ(calendar_of(PeriodUnit::week, "UTC", 8), nullptr);
  EXPECT_EQ(calendar_of(PeriodUnit::month, "UTC", 32), nullptr);
}

TEST(CalendarTest, OneCalendarForAllWhoAskForTheSame) {
  EXPECT_EQ(calendar_of(PeriodUnit::month, "Europe/Berlin", 5), calendar_of(PeriodUnit::month, "Europe/Berlin", 5));
  EXPECT_EQ(calendar_of(PeriodUnit::day, "Europe/Berlin", 5), calendar_of(PeriodUnit::day, "Europe/Berlin", 1));
}

}  // namespace
}  // namespace latchkey::limit
