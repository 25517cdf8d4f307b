#include "feed/record.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "feed/testing/change_feed_suite.hpp"

namespace latchkey::feed {
namespace {

Change sample_change() {
  AccessKey key;
  key.id = *KeyId::parse("0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d");
  key.user_id = "alice";
  key.name = "Straße";
  key.metadata = R"({"a":1})";
  key.requests_per_minute = 1'000'000;
  key.issued_at = {1'767'225'600};
  key.previous = PreviousIssue{{-1}, {1'767'225'600'123}};
  key.expires_at = UnixMillis{0};
  key.disabled = true;
  key.created_at = {1};
  key.updated_at = {2};
  key.updated_by = "key:0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d";
  key.version = Version{300};
  return {300, {2}, "ops", "rotate", key, 0xfedcba9876543210};
}

Change sample_signing_key_change() {
  SigningKey key;
  key.kid = std::string(43, 'k');
  key.public_key.fill(0xff);
  key.state = SigningKeyState::retired;
  key.created_at = key.updated_at = {5};
  return {std::uint64_t{1} << 52U, {5}, "ops", "signing-key", key, 1};
}

LimitList longest_limits() {
  LimitList limits;
  for (char c = 'a'; limits.size() < max_limits; ++c) {
    limits.push_back({std::string(max_limit_name_bytes, c), 1'000'000'000,
                      LimitPeriod{PeriodUnit::month, std::string(max_time_zone_bytes, 'Z'), 31}, LimitPer::user,
                      LimitMode::observe});
  }
  return limits;
}

Change sample_change_of_terms() {
  Change change = sample_change();
  auto& key = std::get<AccessKey>(change.row);
  key.requests_per_minute.reset();
  key.plan = "pro";
  key.limits = LimitList{};
  return change;
}

ScopeList longest_scopes() {
  ScopeList scopes;
  for (char c = 'a'; scopes.size() < 15; ++c) scopes.push_back(std::string(max_scope_bytes, c));
  return scopes;
}

NetworkList longest_networks() {
  NetworkList networks;
  for (int i = 0; networks.size() < max_networks; ++i) {
    networks.push_back(*IpNetwork::parse("1111:2222:3333:4444:5555:6666:7777:88" + std::to_string(10 + i)));
  }
  return networks;
}

Labels most_labels() {
  Labels labels;
  for (char c = 'a'; labels.size() < max_labels; ++c) {
    labels.emplace(std::string(max_label_name_bytes, c), std::string(max_label_value_bytes, c));
  }
  return labels;
}

Change sample_change_of_rules() {
  Change change = sample_change();
  auto& key = std::get<AccessKey>(change.row);
  key.scopes = ScopeList{"orders:read", "reports:*"};
  key.networks = NetworkList{*IpNetwork::parse("10.0.0.0/8"), *IpNetwork::parse("2001:db8::/32")};
  key.labels = {{"team", "billing"}, {"env", ""}};
  return change;
}

Change sample_labelled_change() {
  Change change = sample_change();
  std::get<AccessKey>(change.row).labels = {{"team", "billing"}};
  return change;
}

Change sample_plan_change() {
  Plan plan{"pro", "für Profis", longest_limits(), R"({"a":1.0})", true, {1}, {2}, "ops", {300}};
  return {{300}, {2}, "ops", "plan-update", plan, {1}};
}

Change sample_change_of_a_plans_rules() {
  Change change = sample_plan_change();
  std::get<Plan>(change.row).scopes = ScopeList{};
  std::get<Plan>(change.row).networks = NetworkList{*IpNetwork::parse("192.0.2.1")};
  return change;
}

Change sample_user_change() {
  User user{"alice", "pro", {per_minute_limit(60)}, true, "{}", false, {1}, {2}, "ops", {300}};
  return {{300}, {2}, "ops", "user-disable", user, {1}};
}

TEST(Record, AChangeIsReadAsItWasWritten) {
  for (const Change& change :
       {sample_change(), sample_signing_key_change(), sample_change_of_terms(), sample_plan_change(),
        sample_user_change(), sample_change_of_rules(), sample_labelled_change(), sample_change_of_a_plans_rules()}) {
    const auto read = decode_change(encode_change(change));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, change);
  }
}

TEST(Record, ACutOrLengthenedChangeIsRefused) {
  for (const Change& change : {sample_change(), sample_change_of_terms(), sample_plan_change(), sample_user_change(),
                               sample_change_of_rules(), sample_change_of_a_plans_rules()}) {
    const std::string bytes = encode_change(change);
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_change(bytes.substr(0, size))) << size;
    EXPECT_FALSE(decode_change(bytes + '\0'));
    EXPECT_FALSE(decode_change("\x04" + bytes.substr(1))) << "another version";
  }
}

TEST(Record, OnlyWhatAnOlderReaderCannotApplyIsOfTheNewerVersion) {
  EXPECT_EQ(encode_change(sample_change())[0], 1);
  EXPECT_EQ(encode_change(sample_signing_key_change())[0], 1);
  EXPECT_EQ(encode_change(sample_change_of_terms())[0], 2);
  EXPECT_EQ(encode_change(sample_plan_change())[0], 2);
  EXPECT_EQ(encode_change(sample_user_change())[0], 2);
  EXPECT_EQ(encode_change(sample_change_of_rules())[0], 3);
  EXPECT_EQ(encode_change(sample_labelled_change())[0], 3);
  EXPECT_EQ(encode_change(sample_change_of_a_plans_rules())[0], 3);
  RowsWriter writer;
  writer.add(std::get<AccessKey>(sample_change().row));
  EXPECT_EQ(writer.take()[0], 1);
  writer.add(sample_user_change());
  writer.add(sample_change());
  EXPECT_EQ(writer.take()[0], 2);
  writer.add(sample_change());
  EXPECT_EQ(writer.take()[0], 1) << "another run";
}

TEST(Record, TheLongestRowsFit) {
  Change plan = sample_plan_change();
  std::get<Plan>(plan.row).description.assign(max_description_bytes, 'd');
  std::get<Plan>(plan.row).metadata.assign(max_metadata_bytes, 'm');
  std::get<Plan>(plan.row).updated_by.assign(max_label_bytes, 'u');
  std::get<Plan>(plan.row).scopes = longest_scopes();
  std::get<Plan>(plan.row).networks = longest_networks();
  plan.actor.assign(max_label_bytes, 'a');
  Change key = sample_change_of_terms();
  std::get<AccessKey>(key.row).limits = longest_limits();
  std::get<AccessKey>(key.row).scopes = longest_scopes();
  std::get<AccessKey>(key.row).networks = longest_networks();
  std::get<AccessKey>(key.row).labels = most_labels();
  std::get<AccessKey>(key.row).metadata.assign(max_metadata_bytes, 'm');
  std::get<AccessKey>(key.row).updated_by.assign(max_label_bytes, 'u');
  key.actor.assign(max_label_bytes, 'a');
  for (const Change& change : {plan, key}) EXPECT_EQ(*decode_change(encode_change(change)), change);
}

TEST(Record, TextsThatDecideNothingAreCutRatherThanRefused) {
  Change change = sample_change();
  change.actor.assign(10'000, 'x');
  const auto read = decode_change(encode_change(change));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->actor.size(), max_label_bytes);
  EXPECT_EQ(read->row, change.row);
}

TEST(Record, RowsAreReadAsTheyWereWritten) {
  RowsWriter writer;
  EXPECT_TRUE(writer.empty());
  const auto key = std::get<AccessKey>(sample_change().row);
  const auto signing_key = std::get<SigningKey>(sample_signing_key_change().row);
  const auto plan = std::get<Plan>(sample_plan_change().row);
  const auto user = std::get<User>(sample_user_change().row);
  writer.add(key);
  writer.add(signing_key, Version{7});
  writer.add(plan);
  writer.add(user);
  const std::string rows = writer.take();
  EXPECT_TRUE(writer.empty());
  Replica replica;
  ASSERT_TRUE(decode_rows(rows, replica));
  EXPECT_EQ(replica.keys.at(key.id), key);
  EXPECT_EQ(replica.signing_keys.at(signing_key.kid), std::pair(signing_key, Version{7}));
  EXPECT_EQ(replica.plans.at("pro"), plan);
  EXPECT_EQ(replica.users.at("alice"), user);
  EXPECT_TRUE(decode_rows(writer.take(), replica)) << "none at all";
  EXPECT_FALSE(decode_rows("", replica));
  for (std::size_t size = 2; size < rows.size() - 1; ++size) {
    Replica some;
    const bool whole = decode_rows(rows.substr(0, size), some).has_value();
    EXPECT_TRUE(!whole || some.users.empty()) << size;
  }
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

// What release 0.1.0 put into Redis, read from there: the log's entries and the chunks of a snapshot.
TEST(Record, WhatTheFirstReleaseWroteIsRead) {
  std::ifstream file(LATCHKEY_FIXTURES "/schema-1/records.txt");
  Replica by_log, by_snapshot;
  Seq seq;
  for (std::string kind, hex; file >> kind >> hex;) {
    if (kind == "rows") {
      ASSERT_TRUE(decode_rows(from_hex(hex), by_snapshot));
      continue;
    }
    const auto change = decode_change(from_hex(hex));
    ASSERT_TRUE(change) << hex;
    EXPECT_EQ(change->seq, ++seq);
    by_log.apply(*change);
  }
  EXPECT_EQ(seq, Seq{8});
  EXPECT_EQ(by_log.keys.size(), 4U);
  EXPECT_EQ(by_log.signing_keys, by_snapshot.signing_keys);
  for (const auto& [id, key] : by_log.keys) {
    EXPECT_EQ(by_snapshot.keys.at(id), key) << id.to_string();
  }
}

TEST(Record, OneOfANewerReleaseIsNamedAsSuch) {
  const std::string bytes = "\x04" + encode_change(sample_change()).substr(1);
  EXPECT_NE(decode_change(bytes).error().detail.find("version 4"), std::string::npos);
  Replica replica;
  EXPECT_NE(decode_rows("\x04", replica).error().detail.find("upgrade this service"), std::string::npos);
  EXPECT_EQ(decode_change(std::string(40, '\0')).error().detail, "a record of the feed is broken");
}

}  // namespace
}  // namespace latchkey::feed
