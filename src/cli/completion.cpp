#include "cli/completion.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/invocation.hpp"

namespace latchkey::cli {
namespace {

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const auto* sub : app.get_subcommands({})) words += sub->get_name() + ' ';
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

void add_completion(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("completion", "Print the completion script of a shell");
  command->footer("eval \"$(latchkey completion bash)\"\nsource <(latchkey completion zsh)");
  const auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([&invocation, shell] {
    invocation.command = [&invocation, shell] {
      fmt::print("{}", *shell == "bash" ? bash_completion(invocation.app) : zsh_completion(invocation.app));
      return exit_done;
    };
  });
}

}  // namespace latchkey::cli
