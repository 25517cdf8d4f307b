#include "store/schema_version.hpp"

#include <gtest/gtest.h>

#include <string>

namespace latchkey::store {
namespace {

constexpr std::int64_t next = schema_version + 1;

std::string word(std::int64_t schema, std::int64_t oldest) {
  return std::to_string(schema) + " " + std::to_string(oldest);
}

TEST(SchemaVersion, AReaderGoesOnOnlyWhereTheNewerSchemaSaysSoOfItself) {
  EXPECT_TRUE(check_readable(schema_version, readers_of_schema));
  EXPECT_TRUE(check_readable(schema_version, ""));
  EXPECT_TRUE(check_readable(next, word(next, schema_version)));
  EXPECT_TRUE(check_readable(next, word(next, 1)));
  for (const std::string& readers :
       {word(next, next), std::string(readers_of_schema), word(next + 1, 1), std::string(), std::string("3"),
        std::to_string(next) + " ", std::to_string(next) + " x", word(next, 1) + " ", word(next, 0), word(next, -1),
        std::to_string(next) + "  1"}) {
    const auto checked = check_readable(next, readers);
    ASSERT_FALSE(checked) << '"' << readers << '"';
    EXPECT_NE(checked.error().internal.find("upgrade this service"), std::string::npos);
  }
}

TEST(SchemaVersion, AnOlderDatabaseIsForTheManagementServiceToBringUp) {
  const auto checked = check_readable(schema_version - 1, word(schema_version - 1, 1));
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().internal.find("start the management service"), std::string::npos);
}

TEST(SchemaVersion, AManagementServiceNeedsItsOwn) {
  EXPECT_TRUE(check_writable(schema_version));
  EXPECT_FALSE(check_writable(schema_version - 1));
  EXPECT_FALSE(check_writable(next));
}

}  // namespace
}  // namespace latchkey::store
