// latchkey-load: requests over keep-alive connections to a server on this machine; what came of them as JSON.

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "load/load.hpp"

int main(int argc, char** argv) {
  latchkey::bench::Plan plan;
  double seconds = 4;
  CLI::App app("Load on a server of this machine");
  app.add_option("--port", plan.port)->required();
  app.add_option("--tokens", plan.tokens_file, "Bearer tokens, one a line")->required();
  app.add_option("--path", plan.path)->capture_default_str();
  app.add_option("--connections", plan.connections)->capture_default_str()->check(CLI::Range(1, 1024));
  app.add_option("--pipeline", plan.pipeline, "Requests sent at once")->capture_default_str()->check(CLI::Range(1, 64));
  app.add_option("--rate", plan.rate, "Requests a second; 0: as fast as answers come")->capture_default_str();
  app.add_option("--seconds", seconds)->capture_default_str()->check(CLI::Range(0.1, 120.0));
  app.add_option("--requests", plan.requests, "End after so many");
  app.add_flag("--sequential", plan.sequential, "Tokens one after another instead of at random");
  app.add_flag("--tls", plan.tls);
  bool batching = false;
  app.add_flag("--batching", batching, "Clients share their system calls, by io_uring");
  CLI11_PARSE(app, argc, argv);
  plan.duration = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  std::signal(SIGPIPE, SIG_IGN);
  try {
    std::puts((batching ? latchkey::bench::run_batching(plan) : latchkey::bench::run(plan)).to_json().c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "latchkey-load: %s\n", e.what());
    return 1;
  }
  return 0;
}
