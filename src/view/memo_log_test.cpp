#include "view/memo_log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "base/testing/file_size_limit.hpp"
#include "feed/snapshot_file/format.hpp"
#include "view/testing/sample_rows.hpp"

namespace latchkey::view {
namespace {

constexpr jwt::TokenDigest token_a{{0x1111, 0xaaaa00}};
constexpr jwt::TokenDigest token_b{{0x2222, 0xbbbb00}};
constexpr std::uintmax_t record_bytes = 64;

class MemoLogTest : public ::testing::Test {
 protected:
  MemoLogTest() {
    std::string name = (std::filesystem::temp_directory_path() / "latchkey-memos-XXXXXX").string();
    ::close(::mkstemp(name.data()));
    path_ = name;
    start();
  }
  ~MemoLogTest() override { std::filesystem::remove(path_); }

  /// A new process: an empty view, loaded with `key_` and two signing keys.
  void start(const std::string& secret = "the secret of this data directory") {
    log_.reset();
    view_.emplace();
    view_->apply(signing_key_, {1});
    view_->apply(signing_key_of('b', SigningKeyState::verifying), {2});
    view_->apply(key_);
    log_ = std::move(MemoLog::open(path_, Secret(secret), *view_).value());
    log_->recall();
  }
  void prove(const jwt::TokenDigest& digest, char kid = 'a', std::uint64_t key = 1) {
    const View::Reader reader(*view_);
    const KeyRow& row = *reader.find(id_of(key));
    const UsableKey proof = *reader.usable_key(std::string(43, kid));
    View::Reader::remember(row, Issue::current, digest, proof);
    log_->append(row, row.issued_at(), digest, proof.public_key);
  }
  std::optional<Issue> recall(const jwt::TokenDigest& digest, std::uint64_t key = 1) const {
    const View::Reader reader(*view_);
    return reader.recall(*reader.find(id_of(key)), digest);
  }
  std::uintmax_t file_bytes() const { return std::filesystem::file_size(path_); }

  std::filesystem::path path_;
  AccessKey key_ = key_of(1, 3);
  SigningKey signing_key_ = signing_key_of('a');
  std::optional<View> view_;
  std::unique_ptr<MemoLog> log_;
};

TEST_F(MemoLogTest, WhatWasProvenIsKnownToTheNextProcess) {
  prove(token_a);
  start();
  EXPECT_EQ(recall(token_a), Issue::current);
  EXPECT_EQ(recall(token_b), std::nullopt);
  EXPECT_EQ(log_->stats().recalled, 1U);
}

TEST_F(MemoLogTest, ALaterTokenReplacesAnEarlierOne) {
  prove(token_a);
  prove(token_b);
  start();
  EXPECT_EQ(recall(token_b), Issue::current);
}

TEST_F(MemoLogTest, OfARotatedKeyOnlyWhatTheRowStillNames) {
  prove(token_a);
  key_.previous = PreviousIssue{key_.issued_at, {INT64_MAX}};
  ++key_.issued_at.seconds;
  start();
  EXPECT_EQ(recall(token_a), Issue::earlier);
  key_.previous.reset();
  start();
  EXPECT_EQ(recall(token_a), std::nullopt);
}

TEST_F(MemoLogTest, NothingOfARetiredSigningKey) {
  prove(token_a);
  signing_key_.state = SigningKeyState::retired;
  start();
  EXPECT_EQ(recall(token_a), std::nullopt);
}

TEST_F(MemoLogTest, NothingOfASigningKeyThatOnlyLooksLikeIt) {
  prove(token_a);
  signing_key_.public_key.back() ^= 1;  // the first bytes, which the record names, are the same
  start();
  EXPECT_EQ(recall(token_a), std::nullopt);
}

TEST_F(MemoLogTest, NothingOfAnotherUser) {
  prove(token_a);
  key_.user_id = "another";
  start();
  EXPECT_EQ(recall(token_a), std::nullopt);
}

TEST_F(MemoLogTest, NothingThatAnotherSecretVouchesFor) {
  prove(token_a);
  start("the secret of another data directory");
  EXPECT_EQ(recall(token_a), std::nullopt);
}

TEST_F(MemoLogTest, NoByteOfARecordCanBeChanged) {
  AccessKey other = key_of(1 ^ 0x80, 4);  // the key that a changed id names
  for (std::uintmax_t at = 0; at < record_bytes; ++at) {
    std::filesystem::resize_file(path_, 0);
    start();
    prove(token_a);
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ 0x80);
    file.seekp(static_cast<std::streamoff>(at)).put(byte);
    file.close();
    start();
    EXPECT_EQ(log_->stats().recalled, 0U) << "byte " << at;
    view_->apply(other);
    log_->recall();
    EXPECT_EQ(recall(token_a, 1 ^ 0x80), std::nullopt) << "byte " << at;
    EXPECT_EQ(recall(token_a), std::nullopt) << "byte " << at;
  }
}

TEST_F(MemoLogTest, ATornEndSpoilsNothing) {
  prove(token_a);
  std::ofstream(path_, std::ios::app) << "torn";
  start();
  EXPECT_EQ(file_bytes(), record_bytes);
  prove(token_b, 'b');
  start();
  EXPECT_EQ(recall(token_b), Issue::current);
}

TEST_F(MemoLogTest, IsWrittenAnewWhenMostOfItIsOfNoUse) {
  for (std::uint64_t n = 2; n <= 40; ++n) {
    view_->apply(key_of(n, n + 10));
    prove(token_b, 'a', n);
  }
  prove(token_a);
  EXPECT_EQ(file_bytes(), 40 * record_bytes);
  start();  // this time the view knows one of them
  EXPECT_EQ(log_->stats().dropped, 39U);
  EXPECT_EQ(file_bytes(), record_bytes);
  prove(token_b);
  start();
  EXPECT_EQ(recall(token_b), Issue::current);
  EXPECT_FALSE(std::filesystem::exists(path_.string() + ".new"));
}

TEST_F(MemoLogTest, RepeatedRecordsGoTheSameWay) {
  for (int i = 0; i < 40; ++i) prove(token_a);
  start();
  EXPECT_EQ(recall(token_a), Issue::current);
  EXPECT_EQ(file_bytes(), record_bytes);
}

TEST_F(MemoLogTest, AReloadTakesThemOverAgain) {
  prove(token_a);
  view_->reset();
  view_->apply(signing_key_, {1});
  view_->apply(key_);
  ASSERT_EQ(recall(token_a), std::nullopt);
  log_->recall();
  EXPECT_EQ(recall(token_a), Issue::current);
}

TEST_F(MemoLogTest, WhatOthersDoToTheFileIsFollowed) {
  const std::filesystem::path moved = path_.string() + ".moved";
  for (const auto& happens : std::vector<std::function<void()>>{
           [&] { std::filesystem::remove(path_); }, [&] { std::filesystem::rename(path_, moved); },
           [&] { std::filesystem::resize_file(path_, 0); }, [&] { std::filesystem::resize_file(path_, 10); }}) {
    std::filesystem::remove(path_);
    start();
    prove(token_a);
    happens();
    prove(token_b);
    EXPECT_EQ(file_bytes(), record_bytes);
    start();
    EXPECT_EQ(recall(token_b), Issue::current);
  }
  std::filesystem::remove(moved);
}

TEST_F(MemoLogTest, AFullDiskCostsLaterSignaturesOnly) {
  prove(token_a);
  {
    const FileSizeLimit no_room(record_bytes + 10);
    prove(token_b);
  }
  EXPECT_EQ(log_->stats().left_out, 1U);
  EXPECT_EQ(file_bytes(), record_bytes);
  start();
  EXPECT_EQ(recall(token_a), Issue::current);
}

struct ViewRows final : feed::SnapshotSink {
  explicit ViewRows(View& to) : view(to) {}
  void access_key(const AccessKey& key) override { view.apply(key); }
  void signing_key(const SigningKey& key, Version version) override { view.apply(key, version); }
  void plan(const Plan& plan) override { view.apply(plan); }
  void user(const User& user) override { view.apply(user); }
  View& view;
};

// The files of a replica of release 0.1.0, as it left them: its snapshot, and the memo of one proven token.
TEST(FilesOfSchema1, SnapshotAndMemosAreOfUse) {
  const std::string folder = LATCHKEY_FIXTURES "/schema-1/";
  std::ifstream file(folder + "view.snapshot", std::ios::binary);
  std::string why;
  const auto usable = feed::snapshot_file::examine(file, "/tmp/latchkey-fixture/data/latchkey.db", why);
  ASSERT_TRUE(usable) << why;
  EXPECT_EQ(usable->mark.end.position.seq, Seq{8});
  View view;
  ViewRows rows(view);
  ASSERT_TRUE(feed::snapshot_file::hand_over(file, *usable, rows));
  EXPECT_EQ(view.key_count(), 4U);

  std::ifstream secret_file(folder + "memos.key", std::ios::binary);
  const std::string secret{std::istreambuf_iterator<char>(secret_file), {}};
  const auto copy = std::filesystem::temp_directory_path() / ("latchkey-memos-" + std::to_string(::getpid()));
  std::filesystem::copy_file(folder + "memos", copy, std::filesystem::copy_options::overwrite_existing);
  const auto memos = MemoLog::open(copy, Secret(secret), view);
  ASSERT_TRUE(memos);
  (*memos)->recall();
  EXPECT_GE((*memos)->stats().recalled.load(), 1U);
  std::filesystem::remove(copy);
}

}  // namespace
}  // namespace latchkey::view
