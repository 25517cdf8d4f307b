// One suite for all ways of reaching a server: in plain text or TLS, with a client's certificate, through Sentinels.

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "redis/link.hpp"
#include "redis/testing/test_sentinel.hpp"

namespace latchkey::redis {
namespace {

using namespace std::chrono_literals;

struct Way {
  const char* name;
  bool tls;
  bool client_certificate;
  bool sentinel;
};

std::string name_of(const testing::TestParamInfo<Way>& info) { return info.param.name; }

class RedisWay : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (GetParam().client_certificate) server_.run({"CONFIG", "SET", "tls-auth-clients", "yes"});
  }
  /// `user`: "name:password@".
  Address address(const std::string& user = "", const std::string& database = "") const {
    std::string url = GetParam().sentinel ? sentinel_->url(user, "main" + database) : server_.url(user);
    if (!GetParam().sentinel && !database.empty()) url.insert(std::min(url.find('?'), url.size()), database);
    if (GetParam().client_certificate) url += "&cert=" + certificate_.file() + "&key=" + certificate_.key();
    auto parsed = Address::parse(url);
    if (!parsed) throw std::runtime_error(parsed.error().detail);
    return *parsed;
  }

  const TestCertificate certificate_;
  const TestCertificate* const used_ = GetParam().tls ? &certificate_ : nullptr;
  TestServer server_{{}, used_};
  std::unique_ptr<TestSentinel> sentinel_ =
      GetParam().sentinel ? std::make_unique<TestSentinel>(server_, used_) : nullptr;
  ManualClock clock_;
};

TEST_P(RedisWay, RunsCommandsOfAnySizeAndScripts) {
  Link link(address(), {}, clock_);
  const auto got = link.get();
  ASSERT_TRUE(got) << got.error().internal;
  Connection& connection = **got;
  const std::string large(300'000, 'x');
  EXPECT_EQ(connection.run({"SET", "large", large})->text, "OK");
  EXPECT_EQ(connection.run({"GET", "large"})->text, large);
  std::vector<Command> commands;
  for (int i = 0; i < 2'000; ++i) commands.push_back({"APPEND", "small", std::string("a\0\n", 3)});
  const auto replies = connection.run_all(commands);
  ASSERT_TRUE(replies);
  EXPECT_EQ(replies->back().integer, 6'000);
  const Script script("return tonumber(ARGV[1]) + 1");
  EXPECT_EQ(connection.run(Command::call(script, {}, {"41"}))->integer, 42);
}

TEST_P(RedisWay, LogsInAndSelects) {
  server_.run({"ACL", "SETUSER", "ops", "on", ">open@sesame", "~latchkey:*", "+ping", "+select", "+role", "+set"});
  Link link(address("ops:open%40sesame@", "/7"), {}, clock_);
  const auto got = link.get();
  ASSERT_TRUE(got) << got.error().internal;
  EXPECT_TRUE((*got)->run({"SET", "latchkey:x", "in 7"}));
  EXPECT_NE((*got)->run({"GET", "latchkey:x"}).error().internal.find("may not run 'get'"), std::string::npos);
  EXPECT_EQ(server_.run({"EXISTS", "latchkey:x"}).integer, 0) << "that is database 0";
  Link other(address("ops:wrong-word@"), {}, clock_);
  const auto refused = other.get();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().internal.find("WRONGPASS: AUTH failed"), std::string::npos) << refused.error().internal;
}

TEST_P(RedisWay, ASilentServerIsUnavailableInTimeAndFoundAgain) {
  Link link(address(), {.connect = 500ms, .command = 50ms}, clock_);
  const auto opens = [&] {
    for (int i = 0; i < 500 && !link.get(); ++i) clock_.advance(2s);
    return link.get().has_value();
  };
  ASSERT_TRUE(opens());
  server_.pause();
  EXPECT_EQ((*link.get())->run({"PING"}).error().code, ErrorCode::unavailable);
  EXPECT_FALSE(link.get());
  server_.resume();
  ASSERT_TRUE(opens());
  EXPECT_EQ((*link.get())->run({"PING"})->text, "PONG");
}

TEST_P(RedisWay, AWaitingCommandIsLeftAndTakenUpAgain) {
  Link link(address(), {.connect = 5s, .command = 5s}, clock_);
  Connection& connection = **link.get();
  ASSERT_TRUE(connection.send({"BLPOP", "list", "0"}));
  auto nothing = connection.receive(10ms);
  ASSERT_TRUE(nothing) << nothing.error().internal;
  EXPECT_FALSE(nothing->has_value());
  const int wake = ::eventfd(1, EFD_CLOEXEC);
  nothing = connection.receive(std::chrono::hours(1), wake);
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->has_value());
  ::close(wake);
  server_.run({"RPUSH", "list", std::string(100'000, 'x')});
  const auto come = connection.receive(60s);
  ASSERT_TRUE(come && come->has_value());
  EXPECT_EQ((*come)->elements.at(1).text.size(), 100'000U);
  EXPECT_TRUE(connection.run({"PING"}));
}

INSTANTIATE_TEST_SUITE_P(Ways, RedisWay,
                         testing::Values(Way{"PlainText", false, false, false}, Way{"Tls", true, false, false},
                                         Way{"TlsWithCertificate", true, true, false},
                                         Way{"Sentinel", false, false, true}, Way{"SentinelTls", true, false, true}),
                         name_of);

std::string refused(const std::string& url) {
  const auto address = Address::parse(url);
  if (!address) return address.error().detail;
  const auto opened = Connection::open(*address);
  return opened ? "opened" : opened.error().internal;
}

bool contains(const std::string& text, const std::string& word) { return text.contains(word); }

#define EXPECT_SAID(text, word) EXPECT_PRED2(contains, text, word)

TEST(RedisTls, ACertificateThatNobodyVouchesForIsRefused) {
  const TestCertificate certificate, other;
  TestServer server({}, &certificate);
  const std::string place = "rediss://localhost:" + std::to_string(server.port());
  EXPECT_SAID(refused(place), "the server's certificate is not trusted");
  EXPECT_SAID(refused(place + "?ca=" + other.file()), "?ca=FILE names its authority");
  EXPECT_EQ(refused(place + "?ca=" + certificate.file()), "opened");
}

TEST(RedisTls, ACertificateOfAnotherNameIsRefused) {
  const TestCertificate certificate("DNS:redis.example");
  TestServer server({}, &certificate);
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const std::string url =
        "rediss://" + std::string(host) + ":" + std::to_string(server.port()) + "?ca=" + certificate.file();
    EXPECT_SAID(refused(url), std::string("not made out to ") + host);
    EXPECT_SAID(refused(url + "&name=other.example"), "not made out to other.example");
    EXPECT_EQ(refused(url + "&name=redis.example"), "opened");
  }
}

TEST(RedisTls, SaysWhatTheOtherSideSpeaks) {
  const TestCertificate certificate;
  TestServer plain, tls({}, &certificate);
  const auto at = [](const TestServer& server) { return "localhost:" + std::to_string(server.port()); };
  const std::string no_tls = refused("rediss://" + at(plain));
  EXPECT_TRUE(no_tls.contains("does not speak TLS") || no_tls.contains("no handshake within")) << no_tls;
  EXPECT_SAID(refused("redis://" + at(tls)), "where this port speaks TLS: rediss://");
  tls.run({"CONFIG", "SET", "tls-auth-clients", "yes"});
  EXPECT_SAID(refused(tls.url()), "?cert=FILE&key=FILE");
  EXPECT_EQ(refused(tls.url() + "&cert=" + certificate.file() + "&key=" + certificate.key()), "opened");
}

TEST(RedisTls, FilesAreReadForEachConnection) {
  const TestCertificate certificate, other;
  TestServer server({}, &certificate);
  const TemporaryDirectory directory;
  const auto exchanged = directory / "ca.pem";
  const std::string url = "rediss://localhost:" + std::to_string(server.port()) + "?ca=" + exchanged.string();
  std::filesystem::copy_file(other.file(), exchanged);
  EXPECT_SAID(refused(url), "is not trusted");
  std::filesystem::copy_file(certificate.file(), exchanged, std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(refused(url), "opened");
}

TEST(RedisTls, FilesAreNamedWithTheCause) {
  const TestCertificate certificate, other;
  const auto why = [](Tls tls) {
    const auto checked = check_tls_files(tls);
    return checked ? "good" : checked.error().detail;
  };
  EXPECT_EQ(why({.authorities = certificate.file(), .certificate = certificate.file(), .key = certificate.key()}),
            "good");
  EXPECT_SAID(why({.authorities = "/nowhere/ca.pem"}), "/nowhere/ca.pem");
  EXPECT_SAID(why({.authorities = certificate.key()}), "no certificate in PEM form");
  EXPECT_SAID(why({.certificate = certificate.file(), .key = other.key()}), other.key());
}

TEST(RedisSentinel, FollowsAFailover) {
  TestServer first;
  TestServer second({"--replicaof", "127.0.0.1 " + std::to_string(first.port())});
  TestSentinel sentinel(first);
  ManualClock clock;
  Link link(*Address::parse(sentinel.url()), {}, clock);
  ASSERT_TRUE(link.get());
  EXPECT_EQ((*link.get())->server().port, first.port());
  const auto knows_both = [&] {
    return sentinel.server().run({"SENTINEL", "REPLICAS", "main"}).elements.size() == 1 &&
           first.run({"INFO", "replication"}).text.contains("state=online");
  };
  for (int i = 0; i < 3'000 && !knows_both(); ++i) std::this_thread::sleep_for(10ms);
  first.kill();
  EXPECT_FALSE((*link.get())->run({"PING"}));
  const auto leads_to_second = [&] {
    clock.advance(1s);
    const auto got = link.get();
    return got && (*got)->server().port == second.port() && (*got)->run({"SET", "x", "1"});
  };
  bool followed = leads_to_second();
  for (int i = 0; i < 6'000 && !followed; ++i) {
    std::this_thread::sleep_for(10ms);
    followed = leads_to_second();
  }
  EXPECT_TRUE(followed) << (link.get() ? "" : link.get().error().internal);
  EXPECT_EQ(link.generation(), 2U);
}

TEST(RedisSentinel, LeavesAPrimaryThatWasSucceededAlthoughItAnswers) {
  TestServer first, second;
  TestSentinel sentinel(first);
  ManualClock clock;
  Link link(*Address::parse(sentinel.url()), {}, clock);
  ASSERT_TRUE(link.get());
  sentinel.name(second);
  EXPECT_EQ((*link.get())->server().port, first.port()) << "not asked yet";
  clock.advance(2s);
  EXPECT_EQ((*link.get())->server().port, second.port());
  EXPECT_EQ(link.generation(), 2U);
  sentinel.server().kill();
  clock.advance(2s);
  EXPECT_EQ(link.generation(), 2U);
  EXPECT_TRUE(link.get()) << "no Sentinel answers: what is known serves";
}

TEST(RedisSentinel, LeavesAPrimaryThatCannotBeWrittenToAtOnce) {
  TestServer first, second;
  TestSentinel sentinel(first);
  ManualClock clock;
  Link link(*Address::parse(sentinel.url()), {}, clock);
  ASSERT_TRUE(link.get());
  sentinel.name(second);
  first.run({"CONFIG", "SET", "min-replicas-to-write", "1"});
  EXPECT_EQ((*link.get())->run({"SET", "x", "1"}).error().code, ErrorCode::unavailable);
  EXPECT_EQ((*link.get())->server().port, second.port());
}

TEST(RedisSentinel, PassesOverOneThatIsDead) {
  TestServer primary;
  TestSentinel dead(primary), living(primary);
  dead.server().kill();
  ManualClock clock;
  Link link(*Address::parse("redis-sentinel://" + dead.hosts() + "," + living.hosts() + "/main"), {}, clock);
  EXPECT_TRUE(link.get()) << link.get().error().internal;
}

TEST(RedisSentinel, SaysWhatIsWrong) {
  TestServer primary, replica({"--replicaof", "127.0.0.1 " + std::to_string(primary.port())});
  TestSentinel sentinel(primary);
  ManualClock clock;
  const auto why = [&](const std::string& url) {
    Link link(*Address::parse(url), {}, clock);
    const auto got = link.get();
    return got ? "led there" : got.error().internal;
  };
  EXPECT_SAID(why(sentinel.url("", "other")), "knows no primary named other");
  EXPECT_SAID(why("redis-sentinel://127.0.0.1:" + std::to_string(primary.port()) + "/main"),
              "this is no Redis Sentinel");
  sentinel.name(replica);
  EXPECT_SAID(why(sentinel.url()), "not the primary main");
  sentinel.server().run({"ACL", "SETUSER", "default", "resetpass", ">sesame"});
  EXPECT_SAID(why(sentinel.url()), "NOAUTH");
}

TEST(RedisSentinel, HasAUserOfItsOwn) {
  TestServer primary;
  TestSentinel sentinel(primary);
  sentinel.server().run(
      {"ACL", "SETUSER", "asker", "on", ">open@sesame", "+ping", "+sentinel|get-master-addr-by-name"});
  sentinel.server().run({"ACL", "SETUSER", "default", "off"});
  ManualClock clock;
  Link link(*Address::parse(sentinel.url() + "?sentinel-user=asker&sentinel-password=open%40sesame"), {}, clock);
  EXPECT_TRUE(link.get()) << link.get().error().internal;
}

}  // namespace
}  // namespace latchkey::redis
