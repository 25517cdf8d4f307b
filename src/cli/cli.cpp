#include "cli/cli.hpp"

#include <fmt/format.h>

#include <exception>
#include <memory>
#include <new>
#include <sstream>
#include <system_error>

#include "cli/invocation.hpp"
#include "cli/output.hpp"
#include "cli/suggest.hpp"

namespace latchkey::cli {
namespace {

/// CLI11's help with the footer, which holds the examples, in front.
class ExamplesFirst : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    std::string examples;
    if (mode == CLI::AppFormatMode::Normal && !app->get_footer().empty()) {
      examples = "Examples:\n  ";
      for (const char c : app->get_footer()) examples += c == '\n' ? std::string("\n  ") : std::string(1, c);
      examples += "\n\n";
    }
    return examples + CLI::Formatter::make_help(app, std::move(name), mode);
  }
  std::string make_footer(const CLI::App*) const override { return {}; }
};

int usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  fmt::print(stderr, "latchkey: {}\n", error.what());
  for (int i = 1; i < argc; ++i) {
    const auto near = suggest(app, argv[i]);
    if (!near.empty()) fmt::print(stderr, "Did you mean {}?\n", near);
  }
  fmt::print(stderr, "latchkey --help shows what there is.\n");
  return exit_usage;
}

int check_or_print(const Invocation& invocation) {
  const auto resolved = invocation.settings();
  if (!resolved) return complain(resolved.error());
  if (invocation.print_config) fmt::print("{}", config::print_settings(*resolved));
  if (!invocation.check_config) return exit_done;
  const auto valid = check_configuration(invocation, *resolved);
  return valid ? exit_done : complain(valid.error());
}

int parse_and_run(int argc, char** argv, const Programs& programs) {
  CLI::App app("Access keys for APIs: issue them, limit them, revoke them, and know that it took effect.", "latchkey");
  Invocation invocation{programs, argc > 0 ? argv[0] : "latchkey", app};
  build_app(app, invocation);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    std::ostringstream text;  // --help, --version; CLI11 would write it past our look at what arrived
    const int code = app.exit(wanted, text, text);
    fmt::print("{}", text.str());
    return code;
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error, argc, argv);
  }
  if (invocation.check_config || invocation.print_config) return check_or_print(invocation);
  if (invocation.command) return invocation.command();
  fmt::print(stderr, "{}", app.help());
  return exit_usage;
}

}  // namespace

void build_app(CLI::App& app, Invocation& invocation) {
  app.formatter(std::make_shared<ExamplesFirst>());
  app.set_version_flag("--version", "latchkey " LATCHKEY_VERSION);
  app.require_subcommand(0, 1);
  app.footer(
      "latchkey up\n"
      "latchkey key create --user alice --requests-per-minute 60 --expires 30d\n"
      "latchkey key disable ID --yes");
  add_setting_flags(app, invocation);
  add_up(app, invocation);
  add_services(app, invocation);
  add_key(app, invocation);
  add_plan(app, invocation);
  add_plans(app, invocation);
  add_user(app, invocation);
  add_changes(app, invocation);
  add_explain(app, invocation);
  add_backtest(app, invocation);
  add_usage(app, invocation);
  add_replicas(app, invocation);
  add_signing_key(app, invocation);
  add_store(app, invocation);
  add_limiter(app, invocation);
  add_admin_token(app, invocation);
  add_leak_rule(app, invocation);
  add_completion(app, invocation);
  add_man_page(app, invocation);
}

int run(int argc, char** argv, const Programs& programs) {
  try {
    return finish_output(parse_and_run(argc, argv, programs));
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "latchkey: there is not enough memory, or address space (RLIMIT_AS, ulimit -v)\n");
  } catch (const std::system_error& broken) {
    const bool no_thread = broken.code() == std::errc::resource_unavailable_try_again;
    fmt::print(
        stderr, "latchkey: {}{}\n", broken.what(),
        no_thread ? ": no thread can be started: processes (RLIMIT_NPROC) or address space (RLIMIT_AS) gave out" : "");
  } catch (const std::exception& broken) {
    fmt::print(stderr, "latchkey: {}\n", broken.what());
  }
  return exit_failed;
}

}  // namespace latchkey::cli
