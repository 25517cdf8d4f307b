#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "redis/link.hpp"
#include "redis/remedy.hpp"
#include "redis/testing/test_server.hpp"

namespace latchkey::redis {
namespace {

using namespace std::chrono_literals;

TEST(RedisAddress, Parses) {
  const auto full = Address::parse("redis://ops:p%40ss@w0rd@db.example:7000/3");
  ASSERT_TRUE(full) << full.error().detail;
  EXPECT_EQ(full->server.host, "db.example");
  EXPECT_EQ(full->server.port, 7000);
  EXPECT_EQ(full->user, "ops");
  EXPECT_EQ(full->password.reveal(), "p@ss@w0rd");
  EXPECT_EQ(full->database, 3U);
  EXPECT_EQ(full->to_string(), "db.example:7000/3");
  const auto least = Address::parse("redis://localhost");
  ASSERT_TRUE(least);
  EXPECT_EQ(least->to_string(), "localhost:6379/0");
  EXPECT_TRUE(least->password.empty());
  EXPECT_EQ(Address::parse("redis://:secret@[::1]:6380/")->to_string(), "[::1]:6380/0");
}

TEST(RedisAddress, ParsesTlsAndSentinels) {
  const auto tls = Address::parse("rediss://ops:p?ss@db.example/3?ca=/etc/a%26b.pem&name=x.example&cert=c&key=k");
  ASSERT_TRUE(tls) << tls.error().detail;
  EXPECT_EQ(tls->password.reveal(), "p?ss");
  EXPECT_EQ(tls->to_string(), "db.example:6379/3");
  ASSERT_TRUE(tls->tls);
  EXPECT_EQ(tls->tls->authorities, "/etc/a&b.pem");
  EXPECT_EQ(tls->tls->name, "x.example");
  EXPECT_EQ(tls->tls->certificate + tls->tls->key, "ck");
  const auto sentinel = Address::parse(
      "rediss-sentinel://ops:word@a,[::1]:7000/main.1/2?sentinel-password=secret&ca=ca.pem&sentinel-user=asker");
  ASSERT_TRUE(sentinel) << sentinel.error().detail;
  EXPECT_EQ(sentinel->to_string(), "main.1/2 of a:26379,[::1]:7000");
  const Address asked = sentinel->sentinel(1), primary = sentinel->at({"10.0.0.1", 6380});
  EXPECT_EQ(asked.to_string(), "[::1]:7000/0");
  EXPECT_EQ(asked.user, "asker");
  EXPECT_EQ(asked.password.reveal(), "secret");
  EXPECT_EQ(primary.to_string(), "10.0.0.1:6380/2");
  EXPECT_EQ(primary.user, "ops");
  EXPECT_TRUE(asked.tls && primary.tls);
  EXPECT_FALSE(Address::parse("redis-sentinel://a/main")->tls);
}

TEST(RedisAddress, RefusesWithoutRepeatingThePassword) {
  for (const char* url : {"",
                          "redis:",
                          "http://h",
                          "redis://",
                          "redis://:sesame@",
                          "redis://sesame@h",
                          "redis://u:@h",
                          "redis://u:%zz@h",
                          "redis://:sesame@h:0",
                          "redis://:sesame@h:65536",
                          "redis://:sesame@h:1x",
                          "redis://:sesame@h/x",
                          "redis://:sesame@[::1",
                          "redis://:sesame@[::1]x",
                          "redis://:sesame@h/99999",
                          "redis-cluster://:sesame@h",
                          "redis://:sesame@h?ca=x",
                          "rediss://:sesame@h?x=y",
                          "rediss://:sesame@h?ca",
                          "rediss://:sesame@h?ca=",
                          "rediss://:sesame@h?ca=a&ca=b",
                          "rediss://:sesame@h?cert=a",
                          "rediss://:sesame@h?sentinel-user=a",
                          "redis-sentinel://:sesame@h",
                          "redis-sentinel://:sesame@h/",
                          "redis-sentinel://:sesame@h/a b",
                          "redis-sentinel://:sesame@/main",
                          "redis-sentinel://:sesame@a,,b/main",
                          "redis-sentinel://:sesame@h/main/x",
                          "redis-sentinel://:sesame@h/main?ca=x",
                          "redis-sentinel://h/main?sentinel-user=u",
                          "redis-sentinel://h/main?sentinel-password=ses@me"}) {
    const auto refused = Address::parse(url);
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid) << url;
    EXPECT_EQ((refused.error().detail + refused.error().internal).find("sesame"), std::string::npos) << url;
  }
}

TEST(RedisConnection, RunsCommandsOfAnyBytes) {
  TestServer server;
  const auto connection = server.connect();
  const std::string bytes("a\0b\r\n\xff", 6);
  EXPECT_EQ(connection->run({"SET", "key", bytes})->text, "OK");
  EXPECT_EQ(connection->run({"GET", "key"})->text, bytes);
  EXPECT_TRUE(connection->run({"GET", "none"})->is_nil());
  EXPECT_EQ(connection->run({"INCRBY", "n", "41"})->integer, 41);
}

TEST(RedisConnection, PipelinesAndLeavesErrorsInTheirPlace) {
  TestServer server;
  const auto connection = server.connect();
  const std::vector<Command> commands{{"SET", "text", "x"}, {"INCR", "text"}, {"GET", "text"}};
  const auto replies = connection->run_all(commands);
  ASSERT_TRUE(replies);
  ASSERT_EQ(replies->size(), 3U);
  EXPECT_TRUE((*replies)[1].is_error());
  EXPECT_EQ((*replies)[2].text, "x");
  const auto alone = connection->run({"INCR", "text"});
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, ErrorCode::internal);
  EXPECT_FALSE(connection->broken());
}

TEST(RedisConnection, RunsAScriptTheServerHasForgotten) {
  TestServer server;
  const auto connection = server.connect();
  const Script script("return {KEYS[1], tonumber(ARGV[1]) + 1}");
  for (int i = 0; i < 2; ++i) {
    const std::vector<Command> commands{Command::call(script, {"k"}, {"1"}), Command::call(script, {"k"}, {"2"})};
    const auto replies = connection->run_all(commands);
    ASSERT_TRUE(replies);
    EXPECT_EQ((*replies)[0].elements.at(1).integer, 2);
    EXPECT_EQ((*replies)[1].elements.at(1).integer, 3);
    ASSERT_TRUE(connection->run({"SCRIPT", "FLUSH"}));
  }
}

TEST(RedisConnection, AuthenticatesAndSelects) {
  TestServer server;
  server.run({"ACL", "SETUSER", "ops", "on", ">open@sesame", "+@all", "~*"});
  server.run({"CONFIG", "SET", "requirepass", "sesame"});
  const std::string place = "127.0.0.1:" + std::to_string(server.port());
  const auto as_ops = Connection::open(*Address::parse("redis://ops:open%40sesame@" + place + "/7"));
  ASSERT_TRUE(as_ops) << as_ops.error().internal;
  EXPECT_TRUE((*as_ops)->run({"SET", "key", "in 7"}));
  const auto as_default = Connection::open(*Address::parse("redis://:sesame@" + place));
  ASSERT_TRUE(as_default) << as_default.error().internal;
  EXPECT_TRUE((*as_default)->run({"GET", "key"})->is_nil());
  for (const std::string& url : {"redis://" + place, "redis://:wrong-word@" + place, "redis://ops:sesame@" + place}) {
    const auto refused = Connection::open(*Address::parse(url));
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().code, ErrorCode::internal);
    EXPECT_EQ(refused.error().internal.find("wrong-word"), std::string::npos);
  }
}

std::string refused_for(Connection& connection, const Command& command) {
  const auto done = connection.run(command);
  return done ? "" : done.error().internal;
}

TEST(RedisConnection, AMissingPermissionIsNamedWithItsRemedy) {
  TestServer server;
  server.run({"ACL", "SETUSER", "ops", "on", ">sesame", "~latchkey:*", "+ping", "+set", "+eval", "+evalsha"});
  const auto ops = *Connection::open(*Address::parse("redis://ops:sesame@127.0.0.1:" + std::to_string(server.port())));
  const auto as_ops = [&](const Command& command) { return refused_for(*ops, command); };
  EXPECT_NE(as_ops({"GET", "latchkey:x"}).find("may not run 'get'; ACL SETUSER <user> +get;"), std::string::npos);
  EXPECT_NE(as_ops({"SET", "other-secret", "x"}).find("SET failed: the Redis user may not access its keys"),
            std::string::npos);
  EXPECT_EQ(as_ops({"SET", "other-secret", "x"}).find("other-secret"), std::string::npos);
  const Script script("return redis.call('HGET', KEYS[1], 'x')");
  EXPECT_NE(
      as_ops(Command::call(script, {"latchkey:x"}, {})).find("the Redis user may not run a command of this script"),
      std::string::npos)
      << as_ops(Command::call(script, {"latchkey:x"}, {}));
  ASSERT_TRUE(ops->send({"XREAD", "BLOCK", "1", "STREAMS", "latchkey:x", "0"}));
  EXPECT_NE(ops->receive(10s).error().internal.find("may not run 'xread'"), std::string::npos);
  server.run({"ACL", "SETUSER", "ops", "-ping"});
  const auto greeted =
      Connection::open(*Address::parse("redis://ops:sesame@127.0.0.1:" + std::to_string(server.port())));
  EXPECT_NE(greeted.error().internal.find("+ping"), std::string::npos);
}

TEST(RedisRefusal, SaysWhatIsNotSupportedAndRepeatsNoArgument) {
  EXPECT_NE(refusal("READONLY You can't write against a read only replica.", "EVALSHA").find("name the primary"),
            std::string::npos);
  EXPECT_NE(refusal("ERR DB index is out of range", "SELECT").find("`databases`"), std::string::npos);
  EXPECT_EQ(refusal("WRONGTYPE Operation against a key", "GET"), "WRONGTYPE");
  EXPECT_EQ(refusal("CROSSSLOT Keys in request don't hash to the same slot", "EVALSHA"),
            "CROSSSLOT: EVALSHA failed: " + std::string(cluster));
  EXPECT_EQ(refusal("MOVED 1234 10.0.0.1:6379", "XREAD"), "MOVED: XREAD failed: " + std::string(cluster));
  EXPECT_NE(refusal("ERR unknown command 'EVALSHA', with args beginning with: 'x'", "EVALSHA").find("a Sentinel"),
            std::string::npos);
  EXPECT_NE(refusal("NOPERM User o has no permissions to run the 'x; y' command", "GET").find("+get;"),
            std::string::npos);
}

TEST(RedisConnection, ANonAnsweringServerIsUnavailableInTime) {
  TestServer server;
  const auto connection = server.connect({.connect = 1s, .command = 50ms});
  server.pause();
  const auto silent = connection->run({"PING"});
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(connection->broken());
  EXPECT_FALSE(connection->run({"PING"})) << "a late answer must not pass for the next";
  server.resume();
  EXPECT_TRUE(server.connect()->run({"PING"}));
}

TEST(RedisConnection, AWaitingCommandIsLeftAndTakenUpAgain) {
  TestServer server;
  const auto connection = server.connect({.connect = 1s, .command = 50ms});
  ASSERT_TRUE(connection->send({"BLPOP", "list", "0"}));
  auto nothing = connection->receive(10ms);
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->has_value());
  const int wake = ::eventfd(1, EFD_CLOEXEC);
  nothing = connection->receive(std::chrono::hours(1), wake);
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->has_value());
  ::close(wake);
  server.run({"RPUSH", "list", "x"});
  const auto come = connection->receive(60s);
  ASSERT_TRUE(come && come->has_value());
  EXPECT_EQ((*come)->elements.at(1).text, "x");
  EXPECT_TRUE(connection->run({"PING"}));
}

TEST(RedisLink, OpensAgainAfterAPauseThatGrows) {
  TestServer server;
  ManualClock clock;
  Link link(server.address(), {}, clock);
  ASSERT_TRUE(link.get());
  EXPECT_EQ(*link.get(), *link.get());
  EXPECT_EQ(link.generation(), 1U);
  server.kill();
  EXPECT_FALSE((*link.get())->run({"PING"}));
  EXPECT_FALSE(link.get());
  server.start();
  EXPECT_FALSE(link.get()) << "the pause has not passed";
  clock.advance(20ms);
  EXPECT_TRUE(link.get());
  EXPECT_EQ(link.generation(), 2U);
}

}  // namespace
}  // namespace latchkey::redis
