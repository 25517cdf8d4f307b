// `latchkey limiter`: what an operator tells the shared limiter.

#include <fmt/format.h>

#include "cli/invocation.hpp"

namespace latchkey::cli {

void add_limiter(CLI::App& app, Invocation& invocation) {
  auto* group = app.add_subcommand("limiter", "The limiter that replicas share");
  group->require_subcommand(1);
  group->footer("LATCHKEY_LIMITER=redis://redis.internal latchkey limiter begin");
  auto* command = group->add_subcommand("begin", "Say that nothing was admitted before the first replica starts");
  command->footer(
      "LATCHKEY_LIMITER=redis://redis.internal latchkey limiter begin\n\n"
      "A Redis without memory answers every key with 429 for 61 s, since nobody can say what was admitted before. "
      "Where no\n"
      "replica has run yet, say so: within a minute the first one finds it open. A Redis that has counted stays as it "
      "is.\n"
      "Never say so after Redis has lost its data while replicas ran: what they admitted could be admitted again.");
  add_location_flags(*command, invocation);
  command->callback([&invocation] {
    invocation.command = [&invocation] {
      const auto resolved = invocation.settings();
      if (!resolved) return complain(resolved.error());
      const auto done = invocation.programs.begin_limiter(resolved->settings);
      if (!done) return complain(done.error());
      fmt::print("{}\n", *done);
      return int{exit_done};
    };
  });
}

}  // namespace latchkey::cli
