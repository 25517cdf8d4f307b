#!/usr/bin/env bash
# CLI11 2.1.2 (Debian 12): an integer option reads `--n 010` as 8, and `--name=` is an error although `--name ''` is not.
#
# One would think: a count on a command line is decimal, and the two spellings of an empty value mean the same.
# Seen: the text goes through strtoll with base 0, so C's prefixes count (010 is 8, 0x10 is 16), while 1e3 and 1.0 are refused;
# the empty value after `=` is taken for a missing one.
# What follows: a check on the text itself for options that count.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v g++ >/dev/null || exit 77
apt-get download -q libcli11-dev=2.1.2+ds-1 >/dev/null 2>&1 || exit 77
dpkg -x libcli11-dev_*.deb root
cat > t.cpp <<'CPP'
#include <CLI/CLI.hpp>
#include <iostream>
int main(int argc, char** argv) {
  CLI::App app;
  int n = 0;
  std::string name = "unset";
  app.add_option("--n", n);
  app.add_option("--name", name);
  try {
    app.parse(argc, argv);
    std::cout << "n " << n << ", name [" << name << "]\n";
  } catch (const CLI::ParseError& error) { std::cout << error.what() << "\n"; }
}
CPP
g++ -std=c++17 -I root/usr/include t.cpp -o t
{ ./t --n 10; ./t --n 010; ./t --n 0x10; ./t --n 1e3; ./t --name ''; ./t --name=; } | tee out
cat > expected <<'T'
n 10, name [unset]
n 8, name [unset]
n 16, name [unset]
Could not convert: --n = 1e3
n 0, name []
--name: 1 required TEXT missing
T
diff expected out
