#include "cli/import_line.hpp"

#include <gtest/gtest.h>

#include "cli/csv.hpp"

namespace latchkey::cli {
namespace {

TEST(Csv, FieldsAreReadAsRfc4180HasThem) {
  const auto rows = parse_csv(
      "\xef\xbb\xbf"
      "a,b\r\n\"x,y\",\"say \"\"hi\"\"\nthere\"\n\nlast,\n");
  ASSERT_TRUE(rows) << rows.error().detail;
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_EQ((*rows)[0].fields, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ((*rows)[1].fields, (std::vector<std::string>{"x,y", "say \"hi\"\nthere"}));
  EXPECT_EQ((*rows)[2].fields, (std::vector<std::string>{"last", ""}));
  EXPECT_EQ((*rows)[2].line, 5U);
  for (const std::string field : {"plain", "a,b", "a\"b", "two\nlines", ""}) {
    EXPECT_EQ(parse_csv(csv_field(field) + ",x")->at(0).fields.at(0), field);
  }
}

TEST(Csv, WhatIsNoneIsRefusedWithItsLine) {
  for (const char* text : {"a\n\"b", "a\n\"b\"c", "a\nb\"c\""}) {
    const auto rows = parse_csv(text);
    ASSERT_FALSE(rows) << text;
    EXPECT_TRUE(rows.error().detail.starts_with("line 2: ")) << rows.error().detail;
  }
}

TEST(Import, ARowOfCsvIsABody) {
  const auto lines = read_import(
      "userId,requestsPerMinute,labels,scopes,networks,metadata,name\n"
      "alice,60,team=x;env=prod,a b,10.0.0.0/8,\"{\"\"n\"\": 1.0}\",\"Smith, A\"\n"
      "bob,,,,,,\n",
      ImportForm::csv);
  ASSERT_TRUE(lines) << lines.error().detail;
  ASSERT_EQ(lines->size(), 2U);
  EXPECT_EQ((*lines)[0].body,
            R"({"userId":"alice","requestsPerMinute":60,"labels":{"team":"x","env":"prod"},"scopes":["a","b"],)"
            R"("networks":["10.0.0.0/8"],"metadata":{"n":1.0},"name":"Smith, A"})");
  EXPECT_EQ((*lines)[1].body, R"({"userId":"bob"})");
}

TEST(Import, TheSameLineHasTheSameNameWhateverElseTheFileHolds) {
  const auto keys = [](const char* text) {
    std::vector<std::string> names;
    for (const auto& line : *read_import(text, ImportForm::json_lines)) names.push_back(line.idempotency_key);
    return names;
  };
  const auto first = keys("{\"userId\":\"a\"}\n{\"userId\":\"b\"}\n{\"userId\":\"a\"}\n");
  const auto mended = keys("{\"userId\": \"c\"}\n\n{\"userId\": \"a\" }\n{\"userId\":\"a\"}\n");
  ASSERT_EQ(first.size(), 3U);
  EXPECT_NE(first[0], first[2]) << "two keys of the same kind are two";
  EXPECT_EQ(mended[1], first[0]);
  EXPECT_EQ(mended[2], first[2]);
}

TEST(Import, WhatCannotBeMeantIsRefusedWithItsLine) {
  for (const char* text : {"[]", "{\"a\":1}\n{", "x"}) EXPECT_FALSE(read_import(text, ImportForm::json_lines)) << text;
  for (const char* text : {"", "bogus\n1\n", "userId\na,b\n", "userId,labels\na,team\n", "userId,metadata\na,{\n"}) {
    const auto lines = read_import(text, ImportForm::csv);
    ASSERT_FALSE(lines) << text;
    EXPECT_TRUE(lines.error().detail.starts_with("line ")) << lines.error().detail;
  }
  EXPECT_FALSE(import_form_of("keys.txt"));
}

}  // namespace
}  // namespace latchkey::cli
