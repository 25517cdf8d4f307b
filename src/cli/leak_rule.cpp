#include <fmt/format.h>

#include <memory>

#include "cli/key_commands.hpp"
#include "key/presented_form.hpp"

namespace latchkey::cli {
namespace {

// base64url of `{"alg":"EdDSA","kid":"`: how each minted_header that we mint begins.
constexpr std::string_view minted_header = "eyJhbGciOiJFZERTQSIsImtpZCI6I";

/// Any prefix, or none; header, claims and a signature of 64 octets.
std::string key_pattern() {
  return fmt::format(R"(\b[a-z0-9_]{{0,{}}}{}[A-Za-z0-9_-]{{60,160}}\.[A-Za-z0-9_-]{{100,1400}}\.[A-Za-z0-9_-]{{86}})",
                     max_key_prefix_bytes, minted_header);
}

std::string in_lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

void print_gitleaks(std::string_view keyword) {
  fmt::print(
      "[[rules]]\n"
      "id = \"latchkey-access-key\"\n"
      "description = \"Access key of Latchkey: latchkey key identify says which it is, and --disable ends it\"\n"
      "regex = '''{}'''\n"
      "keywords = [\"{}\"]\n",
      key_pattern(), in_lower_case(keyword));
}

void print_trufflehog(std::string_view keyword) {
  fmt::print(
      "detectors:\n"
      "  - name: latchkey-access-key\n"
      "    keywords:\n"
      "      - {}\n"
      "    regex:\n"
      "      key: '{}'\n",
      keyword, key_pattern());
}

int leak_rule(const Invocation& invocation, const std::string& scanner) {
  const auto resolved = invocation.settings();
  if (!resolved) return complain(resolved.error());
  const std::string& prefix = resolved->settings.key_prefix;
  // With a prefix of their own, files without it need no second look.
  const std::string_view keyword = prefix.empty() ? minted_header : std::string_view(prefix);
  scanner == "gitleaks" ? print_gitleaks(keyword) : print_trufflehog(keyword);
  return exit_done;
}

}  // namespace

void add_leak_rule(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("leak-rule", "Print the rule by which a secret scanner finds access keys");
  command->footer("latchkey leak-rule gitleaks >>.gitleaks.toml\nlatchkey leak-rule trufflehog >trufflehog.yaml");
  const auto scanner = std::make_shared<std::string>();
  command->add_option("scanner", *scanner, "gitleaks or trufflehog")
      ->required()
      ->check(CLI::IsMember({"gitleaks", "trufflehog"}))
      ->type_name("SCANNER");
  add_location_flags(*command, invocation);
  command->callback([&invocation, scanner] {
    invocation.command = [&invocation, scanner] { return leak_rule(invocation, *scanner); };
  });
}

}  // namespace latchkey::cli
