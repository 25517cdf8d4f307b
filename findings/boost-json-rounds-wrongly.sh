#!/usr/bin/env bash
# Boost.JSON 1.81 (Debian 12) parses some decimal numbers to a neighbour of the nearest double: a value changes by being read.
#
# One would think: a JSON parser gives what strtod gives, as the number's own text was printed by a correct printer.
# Seen: 9058728226.756229 becomes 9058728226.7562275. Of a million random numbers of 16 digits with small exponents 5.9 % differ
# from strtod. Numbers of nine digits without an exponent were all right.
# What follows: numbers that must come back as they were sent are kept as text.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v g++ >/dev/null || exit 77
apt-get download -q libboost1.81-dev=1.81.0-5+deb12u1 >/dev/null 2>&1 || exit 77
dpkg -x libboost1.81-dev_*.deb root
cat > t.cpp <<'CPP'
#include <boost/json/src.hpp>
#include <cstdio>
#include <cstdlib>
#include <random>
int main() {
  const char* one = "9058728226.756229";
  std::printf("%s: Boost.JSON %.17g, strtod %.17g\n", one, boost::json::parse(one).to_number<double>(), std::strtod(one, nullptr));
  std::mt19937_64 random(1);
  int other = 0, other_short = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const unsigned long long digits = random() % 10'000'000'000'000'000ull;
    const int exponent = static_cast<int>(random() % 40) - 20;
    char text[64];
    std::snprintf(text, sizeof text, "%llu.%llue%d", digits / 1'000'000, digits % 1'000'000, exponent);
    other += boost::json::parse(text).to_number<double>() != std::strtod(text, nullptr);
    std::snprintf(text, sizeof text, "%llu.%02llu", digits / 1'000'000 % 10'000'000, digits % 100);
    other_short += boost::json::parse(text).to_number<double>() != std::strtod(text, nullptr);
  }
  std::printf("16 digits and an exponent: %d of 1000000 differ\n9 digits: %d differ\n", other, other_short);
}
CPP
g++ -std=c++17 -O1 -I root/usr/include t.cpp -o t
./t | tee out
grep -q '^9058728226.756229: Boost.JSON 9058728226.7562275, strtod 9058728226.7562294$' out
grep -q '^16 digits and an exponent: 58871 of 1000000 differ$' out
grep -q '^9 digits: 0 differ$' out
