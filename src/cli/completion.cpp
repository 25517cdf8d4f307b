#include "cli/completion.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/invocation.hpp"

namespace latchkey::cli {
namespace {

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const auto* sub : app.get_subcommands({})) {
    if (!sub->get_group().empty()) words += sub->get_name() + ' ';
  }
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) words += "--" + name + ' ';
  }
  return words;
}

/// "path) words ;;" for the app and all below it; the path is the subcommands' names, each after a slash.
void append_cases(std::string& out, const CLI::App& app, const std::string& path) {
  out += fmt::format("    \"{}\") words=\"{}\" ;;\n", path, words_of(app));
  for (const auto* sub : app.get_subcommands({})) append_cases(out, *sub, path + '/' + sub->get_name());
}

void append_paths(std::string& out, const CLI::App& app, const std::string& path) {
  for (const auto* sub : app.get_subcommands({})) {
    const std::string below = path + '/' + sub->get_name();
    out += (out.empty() ? "" : "|") + below;
    append_paths(out, *sub, below);
  }
}

std::string fish_quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find_first_of("\\'", at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return "'" + text + "'";
}

/// One line a word that may follow the subcommands of `path`, which end in a space.
void append_fish(std::string& out, const CLI::App& app, const std::string& path) {
  for (const auto* sub : app.get_subcommands({})) {
    if (sub->get_group().empty()) continue;
    out += fmt::format("complete -c latchkey -f -n '__latchkey_at {}' -a {} -d {}\n", path, sub->get_name(),
                       fish_quoted(sub->get_description()));
    append_fish(out, *sub, path + sub->get_name() + ' ');
  }
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) {
      out += fmt::format("complete -c latchkey -n '__latchkey_at {}' -l {}{} -d {}\n", path, name,
                         option->get_expected_min() > 0 ? " -r" : "", fish_quoted(option->get_description()));
    }
  }
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  append_cases(cases, app, "");
  std::string paths;
  append_paths(paths, app, "");
  return fmt::format(R"sh(# bash completion of latchkey: eval "$(latchkey completion bash)"
_latchkey() {{
  local at="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at/${{COMP_WORDS[i]}}" in
    {}) at="$at/${{COMP_WORDS[i]}}" ;;
    esac
  done
  case "$at" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _latchkey latchkey
)sh",
                     paths, cases);
}

std::string zsh_completion(const CLI::App& app) {
  return "#compdef latchkey\n# zsh completion of latchkey: source <(latchkey completion zsh)\n"
         "autoload -Uz bashcompinit && bashcompinit\n" +
         bash_completion(app);
}

std::string fish_completion(const CLI::App& app) {
  std::string out =
      "# fish completion of latchkey: latchkey completion fish | source\n"
      "function __latchkey_at\n"
      "  set -l words (string match -v -- '-*' (commandline -opc)[2..])\n"
      "  test \"$words\" = \"$argv\"\n"
      "end\n";
  append_fish(out, app, "");
  return out;
}

void add_completion(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("completion", "Print the completion script of a shell");
  command->footer(
      "eval \"$(latchkey completion bash)\"\nsource <(latchkey completion zsh)\nlatchkey completion fish | source");
  const auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&invocation, shell] {
    invocation.command = [&invocation, shell] {
      const auto script = *shell == "bash"  ? bash_completion(invocation.app)
                          : *shell == "zsh" ? zsh_completion(invocation.app)
                                            : fish_completion(invocation.app);
      fmt::print("{}", script);
      return exit_done;
    };
  });
}

}  // namespace latchkey::cli
