#include "cli/whole_number.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/cli.hpp"
#include "cli/invocation.hpp"

namespace latchkey::cli {
namespace {

TEST(WholeNumber, TakesDecimalDigitsOnly) {
  for (const char* good : {"0", "1", "60", "1000000", "-3", "99999999999999999999"})
    EXPECT_EQ(whole_number()(good), "") << good;
  for (const char* bad : {"", "-", "010", "00", "-07", "0x10", "0b1", "1.0", "1e3", "+1", " 1", "1 ", "1'000", "١"})
    EXPECT_NE(whole_number()(bad), "") << bad;
}

/// Visits the options of `app` and of all its commands.
void visit_options(CLI::App& app, const std::function<void(CLI::App&, CLI::Option&)>& visit) {
  for (auto* option : app.get_options()) visit(app, *option);
  for (auto* command : app.get_subcommands([](CLI::App*) { return true; })) visit_options(*command, visit);
}

TEST(WholeNumber, GuardsEachOptionThatCounts) {
  CLI::App app;
  const Programs programs{};
  Invocation invocation{programs, "latchkey", app};
  build_app(app, invocation);
  int counts = 0;
  visit_options(app, [&](CLI::App& command, CLI::Option& option) {
    const auto type = option.get_type_name();  // followed by what its validators call themselves
    const bool setting = std::ranges::any_of(config::setting_specs(), [&](const config::SettingSpec& spec) {
      return option.check_lname(spec.flag().substr(2));
    });
    if (setting) return;  // read by its spec, in decimal
    if (type != "N" && !type.starts_with("N:") && !type.starts_with("N ")) return;
    ++counts;
    EXPECT_NO_THROW(option.get_validator("whole number")) << command.get_name() << " " << option.get_name();
  });
  EXPECT_GE(counts, 4);
}

}  // namespace
}  // namespace latchkey::cli
