#!/usr/bin/env bash
# Of three C++ calendar libraries in Debian 12, two are wrong about months to come although the system's time zone data is right.
#
# One would think: libdate-tz and ICU read the same zone files as cctz, or rules as new.
# Seen: libdate-tz 3.0.1 with the system's files has no summer time after 2037 (it reads the listed transitions and ignores the
# closing rule of the file); ICU 72.1 carries rules of 2022 and none newer: it has no America/Ciudad_Juarez (its offset reads 0).
# cctz 2.3 agrees with `date` on all three.
# What follows: a monthly quota "in Europe/Berlin" is computed with cctz.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v g++ >/dev/null && [ -e /usr/share/zoneinfo/America/Ciudad_Juarez ] || exit 77
apt-get download -q libcctz-dev=2.3+dfsg1-3 libcctz2=2.3+dfsg1-3 libhowardhinnant-date-dev=3.0.1+ds-5 libdate-tz3=3.0.1+ds-5 \
  libicu-dev libicu72 >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
lib=$PWD/root/usr/lib/x86_64-linux-gnu
cat > cctz.cpp <<'CPP'
#include <cctz/time_zone.h>
#include <cstdio>
#include <cstdlib>
int main(int, char** argv) {
  cctz::time_zone zone;
  const bool known = cctz::load_time_zone(argv[1], &zone);
  const auto at = std::chrono::system_clock::from_time_t(std::atoll(argv[2]));
  std::printf("%s %d\n", known ? "known" : "unknown", zone.lookup(at).offset / 3600);
}
CPP
cat > date.cpp <<'CPP'
#include <cstdio>
#include <cstdlib>
#include <date/tz.h>
int main(int, char** argv) {
  const auto at = std::chrono::system_clock::from_time_t(std::atoll(argv[2]));
  const auto info = date::locate_zone(argv[1])->get_info(at);
  std::printf("known %d\n", int(info.offset.count() / 3600));
}
CPP
cat > icu.cpp <<'CPP'
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <unicode/timezone.h>
int main(int, char** argv) {
  const std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(argv[1]));
  int32_t raw = 0, summer = 0;
  UErrorCode error = U_ZERO_ERROR;
  zone->getOffset(std::atoll(argv[2]) * 1000.0, false, raw, summer, error);
  std::printf("%s %d\n", *zone == icu::TimeZone::getUnknown() ? "unknown" : "known", (raw + summer) / 3600000);
}
CPP
flags=(-std=c++17 -O0 -I root/usr/include "-L$lib" "-Wl,-rpath,$lib")
g++ "${flags[@]}" cctz.cpp -lcctz -o cctz
g++ "${flags[@]}" -DUSE_OS_TZDB=1 date.cpp -ldate-tz -o date
g++ "${flags[@]}" icu.cpp -licui18n -licuuc -o icu
show() { # show ZONE UTC
  local at; at=$(date -u -d "$2" +%s)
  echo "$1 $2: system $(TZ=$1 date -d "@$at" +%:::z), cctz $(./cctz "$1" "$at"), libdate-tz $(./date "$1" "$at"), ICU $(./icu "$1" "$at")"
}
{ show Europe/Berlin 2036-07-01T00:00Z; show Europe/Berlin 2038-07-01T00:00Z; show America/Ciudad_Juarez 2026-12-01T00:00Z; } | tee out
cat > expected <<'T'
Europe/Berlin 2036-07-01T00:00Z: system +02, cctz known 2, libdate-tz known 2, ICU known 2
Europe/Berlin 2038-07-01T00:00Z: system +02, cctz known 2, libdate-tz known 1, ICU known 2
America/Ciudad_Juarez 2026-12-01T00:00Z: system -07, cctz known -7, libdate-tz known -7, ICU unknown 0
T
diff expected out
