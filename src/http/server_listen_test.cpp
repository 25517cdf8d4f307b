// A server at several addresses, and at Unix sockets.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/testing/temporary_directory.hpp"
#include "http/router.hpp"
#include "http/server.hpp"
#include "http/testing/test_certificate.hpp"
#include "http/testing/test_client.hpp"

namespace latchkey::http {
namespace {

class ListeningServer : public ::testing::Test {
 protected:
  ListeningServer() {
    router_.on(Method::get, "/peer", [](Exchange& exchange) {
      const Peer& peer = exchange.peer();
      const std::string from = peer.over_unix_socket ? "unix" : peer.address ? peer.address->to_string() : "unknown";
      exchange.answer(Answer{200, "text/plain", {}, std::to_string(exchange.thread_index()) + " " + from});
    });
  }

  void start(std::string listen, std::shared_ptr<TlsCredentials> tls = nullptr) {
    ServerConfig config;
    config.listen = std::move(listen);
    config.threads = 3;
    config.tls = std::move(tls);
    server_ = std::make_unique<Server>(std::move(config), router_);
    const auto started = server_->start();
    ASSERT_TRUE(started) << started.error().detail;
  }

  TemporaryDirectory folder_;
  const std::string path_ = (folder_.path() / "a.sock").string();
  Router router_;
  std::unique_ptr<Server> server_;
};

TEST_F(ListeningServer, IsReachedAtEachAddressAndKnowsItsPeer) {
  start("127.0.0.1:0, 127.0.0.1:0,unix:" + path_);
  const auto urls = server_->urls();
  ASSERT_EQ(urls.size(), 3U);
  EXPECT_NE(urls[0], urls[1]);
  EXPECT_EQ(urls[2], "unix:" + path_);
  for (const auto& url : {urls[0], urls[1]}) {
    TestClient client(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    EXPECT_EQ(client.get("/peer").body.substr(2), "127.0.0.1") << url;
  }
  TestClient client(path_);
  EXPECT_EQ(client.get("/peer").body.substr(2), "unix");
  EXPECT_EQ(client.get("/peer").body.substr(2), "unix") << "the connection stays";
}

TEST_F(ListeningServer, GivesTheClientsOfAUnixSocketToAllItsThreads) {
  start("unix:" + path_);
  std::map<std::string, int> clients;
  std::vector<TestClient> open;
  for (int i = 0; i < 9; ++i) open.emplace_back(path_);
  for (auto& client : open) ++clients[client.get("/peer").body.substr(0, 1)];
  EXPECT_EQ(clients, (std::map<std::string, int>{{"0", 3}, {"1", 3}, {"2", 3}}));
  EXPECT_EQ(server_->port(), 0);
  EXPECT_EQ(server_->stats().connections_total, 9U);
}

TEST_F(ListeningServer, SpeaksTlsOverTcpOnly) {
  const TestCertificate certificate;
  start("127.0.0.1:0,unix:" + path_, TlsCredentials::load(certificate.files()).value());
  TestClient over_tls(server_->port(), Over::tls);
  EXPECT_EQ(over_tls.get("/peer").status, 200);
  TestClient plain(path_);
  EXPECT_EQ(plain.get("/peer").status, 200);
}

TEST_F(ListeningServer, TakesTheFileAwayAtItsEnd) {
  start("unix:" + path_);
  std::vector<TestClient> clients;
  for (int i = 0; i < 6; ++i) EXPECT_EQ(clients.emplace_back(path_).get("/peer").status, 200);
  server_->stop(std::chrono::seconds(10));
  EXPECT_FALSE(std::filesystem::exists(path_));
  for (auto& client : clients) EXPECT_TRUE(client.at_end());
}

TEST_F(ListeningServer, StartsAtAllAddressesOrAtNone) {
  start("unix:" + path_);
  ServerConfig config;
  config.listen = "127.0.0.1:0,unix:" + (folder_.path() / "b.sock").string() + ",unix:" + path_;
  Server second(std::move(config), router_);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().detail.find("another process does"), std::string::npos) << started.error().detail;
  TestClient client(path_);
  EXPECT_EQ(client.get("/peer").status, 200) << "the first is untouched";
}

}  // namespace
}  // namespace latchkey::http
