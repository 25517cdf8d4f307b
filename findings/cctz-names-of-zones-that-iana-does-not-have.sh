#!/usr/bin/env bash
# cctz 2.3: load_time_zone() succeeds for names that are no IANA zones: absolute paths, "localtime", "posixrules", "posix/…",
# "Fixed/UTC+01:00:00". Of what lies in the zone folder it refuses "right/…" alone, whose seconds count leap seconds.
#
# One would think: it says false for what the time zone database does not list, so its answer checks a name that a user sent.
# Seen: true, with an offset. "localtime" and "posixrules" mean what this machine means by them (Debian 12: New York), so two machines
# compute another midnight from one stored name.
# What follows: a name from outside is compared with the database's own list, or at least with the form of its names, before
# load_time_zone() sees it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v g++ >/dev/null || exit 77
apt-get download -q libcctz-dev=2.3+dfsg1-3 libcctz2=2.3+dfsg1-3 tzdata >/dev/null 2>&1 || exit 77
for package in *.deb; do dpkg -x "$package" root; done
lib=$PWD/root/usr/lib/x86_64-linux-gnu
export TZDIR=$PWD/root/usr/share/zoneinfo
cat > zone.cpp <<'CPP'
#include <cctz/time_zone.h>
#include <cstdio>
#include <string>
int main(int, char** argv) {
  const auto at = std::chrono::system_clock::from_time_t(1800000000);
  while (const char* name = *++argv) {
    cctz::time_zone zone;
    const bool known = cctz::load_time_zone(name, &zone);
    const std::string shown = name[0] == '/' ? "(an absolute path)" : name;
    std::printf("%s: %s, %d s from UTC\n", shown.c_str(), known ? "true" : "false", known ? zone.lookup(at).offset : 0);
  }
}
CPP
g++ -std=c++17 -O0 -I root/usr/include "-L$lib" "-Wl,-rpath,$lib" zone.cpp -lcctz -o zone
[ -e "$TZDIR/right/UTC" ] && [ -e "$TZDIR/posixrules" ] || exit 77
./zone Europe/Berlin Europe/Nowhere Fixed/UTC+01:00:00 posixrules right/UTC posix/Asia/Tokyo "$TZDIR/Asia/Tokyo" | tee out
cat > expected <<'T'
Europe/Berlin: true, 3600 s from UTC
Europe/Nowhere: false, 0 s from UTC
Fixed/UTC+01:00:00: true, 3600 s from UTC
posixrules: true, -18000 s from UTC
right/UTC: false, 0 s from UTC
posix/Asia/Tokyo: true, 32400 s from UTC
(an absolute path): true, 32400 s from UTC
T
diff expected out
