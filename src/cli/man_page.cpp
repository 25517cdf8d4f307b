#include "cli/man_page.hpp"

#include <fmt/format.h>

#include <sstream>

#include "cli/invocation.hpp"

namespace latchkey::cli {
namespace {

constexpr const char* settings_group = "Settings";

/// Text that roff takes as it is.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

std::string option_entry(const CLI::Option& option) {
  const auto name = option.get_positional() ? option.get_name() : option.get_name(false, true);
  const auto value = option.get_expected_min() > 0 && !option.get_positional() ? option.get_type_name() : std::string();
  return fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff(name), value.empty() ? "" : " \\fI" + roff(value) + "\\fR",
                     roff(option.get_description()));
}

std::string options_of(const CLI::App& app, bool settings) {
  std::string out;
  for (const auto* option : app.get_options()) {
    if (option->get_group().empty() || option->get_lnames() == std::vector<std::string>{"help"}) continue;
    if ((option->get_group() == settings_group) == settings) out += option_entry(*option);
  }
  return out;
}

std::string examples_of(const CLI::App& app) {
  std::istringstream lines(app.get_footer());
  std::string out;
  for (std::string line; std::getline(lines, line);) out += roff(line) + "\n";
  return out.empty() ? out : ".PP\n.nf\n.RS\n" + out + ".RE\n.fi\n";
}

void append_commands(std::string& out, const CLI::App& app, const std::string& path) {
  for (const auto* sub : app.get_subcommands({})) {
    if (sub->get_group().empty()) continue;
    const auto name = path + " " + sub->get_name();
    out += fmt::format(".SS {}\n{}.\n{}{}", roff(name), roff(sub->get_description()), options_of(*sub, false),
                       examples_of(*sub));
    append_commands(out, *sub, name);
  }
}

}  // namespace

std::string man_page(const CLI::App& app, const std::string& date) {
  std::string commands;
  append_commands(commands, app, "latchkey");
  return fmt::format(
      ".TH LATCHKEY 1 {} \"latchkey {}\" \"User Commands\"\n"
      ".SH NAME\nlatchkey \\- access keys for APIs: issue, limit and revoke them\n"
      ".SH SYNOPSIS\n.B latchkey\n.I COMMAND\n[\\fIOPTION\\fR...]\n"
      ".SH DESCRIPTION\n{}\n"
      ".SH COMMANDS\n{}"
      ".SH SETTINGS\nFlag over environment over configuration file over default. The variable and the default of each "
      "stand behind it.\n{}"
      ".SH EXIT STATUS\n.TP\n0\ndone\n.TP\n1\nfailed\n.TP\n2\nused wrongly\n.TP\n4\nnot authorised\n"
      ".SH FILES\n.TP\n/etc/latchkey/latchkey.toml\nthe configuration of the packaged services\n"
      ".TP\n/var/lib/latchkey\ntheir data directory: database, secrets, request log\n",
      date, LATCHKEY_VERSION, roff(app.get_description()), commands, options_of(app, true));
}

void add_man_page(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("man", "Print the manual page latchkey(1)");
  command->group("");  // for packages; no person types it
  command->footer("latchkey man | man -l -");
  const auto date = std::make_shared<std::string>();
  command->add_option("--date", *date, "The page's date, YYYY-MM-DD");
  command->callback([&invocation, date] {
    invocation.command = [&invocation, date] {
      fmt::print("{}", man_page(invocation.app, *date));
      return exit_done;
    };
  });
}

}  // namespace latchkey::cli
