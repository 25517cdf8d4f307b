// latchkey-bench: a store with many keys, the view of it, and how soon a command counts; figures as JSON.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "fmt/format.h"
#include "scale/engine.hpp"
#include "scale/measures.hpp"

namespace latchkey::bench {
namespace {

struct Options {
  std::string directory;
  std::uint64_t keys = 10'000'000;   // in the largest view
  std::uint64_t stored = 1'000'000;  // in the store
  std::uint64_t tokens = 2000;       // minted, for the first requests
  double seconds = 5;                // of each measure that is bounded by time
  bool fill_only = false;
  std::string store, stream;
};

std::string view_sizes(std::uint64_t most) {
  std::string sizes;
  for (std::uint64_t keys = 100'000; keys <= most; keys *= 10) {
    sizes += (sizes.empty() ? "" : ",") + measure_view(keys);
  }
  return "[" + sizes + "]";
}

std::string measure_all(const Options& options) {
  const std::filesystem::path directory(options.directory);
  fill_sqlite(directory, options.stored, options.tokens);
  const Engine engine = sqlite_engine(directory);
  return fmt::format(R"({{"view":{},"load":{},"firstRequestMicros":{},"enforced":{},"commands":{},"fsync":{}}})",
                     view_sizes(options.keys), measure_load(engine),
                     measure_first_request(engine, directory / "access-keys"),
                     measure_enforced(engine, options.stored, options.seconds),
                     measure_commands(engine, options.stored, options.seconds), measure_fsync(directory));
}

std::string run(const Options& options) {
  if (options.store.empty()) {
    if (!options.fill_only) return measure_all(options);
    fill_sqlite(options.directory, options.stored, options.tokens);
    return "{}";
  }
  const Engine engine =
      options.stream.empty() ? postgres_engine(options.store) : relayed_engine(options.store, options.stream);
  return measure_enforced(engine, options.stored, options.seconds);
}

}  // namespace
}  // namespace latchkey::bench

int main(int argc, char** argv) {
  latchkey::bench::Options options;
  CLI::App app("Many keys in the embedded engine; with --store only how soon commands count there");
  auto* directory = app.add_option("--directory", options.directory, "An empty or new data directory");
  app.add_option("--keys", options.keys, "In the largest view")->capture_default_str();
  app.add_option("--stored", options.stored, "In the store")->capture_default_str();
  app.add_option("--tokens", options.tokens, "To mint, into DIRECTORY/access-keys")->capture_default_str();
  app.add_option("--seconds", options.seconds)->capture_default_str()->check(CLI::Range(0.1, 60.0));
  app.add_flag("--fill-only", options.fill_only, "Make the store and the tokens, measure nothing");
  auto* store = app.add_option("--store", options.store, "A postgresql:// URL, with such sample keys in it");
  app.add_option("--stream", options.stream, "A redis:// URL, to which a relay copies its changes")->needs(store);
  CLI11_PARSE(app, argc, argv);
  if (!*directory == !*store) return app.exit(CLI::RequiredError("one of --directory and --store"));
  try {
    std::puts(latchkey::bench::run(options).c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "latchkey-bench: %s\n", e.what());
    return 1;
  }
  return 0;
}
