// The server over TLS: the same answers, and what is TLS's own.

#include <fstream>
#include <future>

#include "http/testing/test_certificate.hpp"
#include "http/testing/test_server.hpp"

namespace latchkey::http {
namespace {

std::string name_of(X509* certificate) {
  char name[64] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  return name;
}

class Tls : public testing::Test {
 protected:
  static ServerConfig config_with(std::shared_ptr<TlsCredentials> credentials) {
    ServerConfig config;
    config.tls = std::move(credentials);
    config.head_timeout = std::chrono::milliseconds(500);
    return config;
  }

  TestCertificate certificate{"first"};
  std::shared_ptr<TlsCredentials> credentials = TlsCredentials::load(certificate.files()).value();
  TestServer server{config_with(credentials)};
};

TEST_F(Tls, AnswersOneAfterAnother) {
  TestClient client(server.port(), Over::tls);
  EXPECT_EQ(client.get("/hello").body, "hello");
  EXPECT_EQ(client.get("/large").body, std::string(100'000, 'L'));
  EXPECT_EQ(client.get("/later").body, "hello");
  EXPECT_EQ(client.get("/nowhere").status, 404);
}

TEST_F(Tls, AnswersABatch) {
  TestClient client(server.port(), Over::tls);
  std::string batch;
  for (int i = 0; i < 500; ++i) batch += "GET /hello HTTP/1.1\r\nHost: t\r\n\r\n";
  client.send(batch);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(client.read_reply().body, "hello") << i;
}

TEST_F(Tls, TakesLargeBodies) {
  TestClient client(server.port(), Over::tls);
  const std::string body(60'000, 'b');
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n" + body);
  EXPECT_EQ(client.read_reply().body, body);
}

TEST_F(Tls, SaysGoodbye) {
  TestClient client(server.port(), Over::tls);
  client.send("GET /hello HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_FALSE(client.receive());
  EXPECT_TRUE(client.was_told_the_end());
}

TEST_F(Tls, AnswersWhatCameBeforeAGoodbye) {
  TestClient client(server.port(), Over::tls);
  const std::string request = "GET /later HTTP/1.1\r\nHost: t\r\n\r\n";
  client.send_last(request + request + "GET /hel");
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_FALSE(client.receive());
  EXPECT_TRUE(client.was_told_the_end());
}

TEST_F(Tls, StreamsAndHearsTheClientMeanwhile) {
  std::promise<std::shared_ptr<Stream>> opened;
  server.router().on(Method::get, "/stream", [&](Exchange& exchange) {
    opened.set_value(exchange.defer().stream(Response{200, "text/plain", {}, {}}));
  });
  TestClient client(server.port(), Over::tls);
  client.send("GET /stream HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto stream = opened.get_future().get();
  stream->write("one");
  EXPECT_NE(client.read_until("one\r\n"), "");
  client.send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n");  // pipelined
  stream->close();
  client.read_until("0\r\n\r\n");
  EXPECT_EQ(client.read_reply().body, "hello");
}

TEST_F(Tls, TellsPlainHttpToUseHttps) {
  TestClient client(server.port());
  const auto reply = client.get("/hello");
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("https"), std::string::npos) << reply.body;
}

TEST_F(Tls, ClosesOnGarbage) {
  TestClient client(server.port());
  client.send(std::string(64, '\xff'));
  client.read_all();
  EXPECT_TRUE(TestServer::eventually([&] { return server.stats().connections_open == 0; }));
  EXPECT_EQ(server.stats().malformed_total, 1U);
}

TEST_F(Tls, AHandshakeHasTheTimeOfAHead) {
  TestClient client(server.port());
  client.send("\x16\x03\x01");
  EXPECT_EQ(client.read_all(), "");
}

/// What a client says first.
std::string client_hello() {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_connect(ssl.get());
  char* octets = nullptr;
  const long size = BIO_get_mem_data(out, &octets);
  return {octets, static_cast<std::size_t>(size)};
}

TEST_F(Tls, TheOldestUnfinishedHandshakeMakesRoom) {
  ServerConfig config = config_with(credentials);
  config.head_timeout = std::chrono::seconds(60);
  config.threads = 1;
  config.max_handshakes = 4;
  TestServer bounded(config);
  std::vector<TestClient> finished, unfinished;
  for (int i = 0; i < 6; ++i) finished.emplace_back(bounded.port(), Over::tls);
  for (int i = 0; i < 10; ++i) {
    unfinished.emplace_back(bounded.port());
    if (i % 2 == 0) unfinished.back().send(client_hello());
    ASSERT_TRUE(TestServer::eventually([&] { return bounded.stats().connections_total == 7U + i; }));
  }
  EXPECT_TRUE(TestServer::eventually([&] { return bounded.stats().handshakes_ended == 6; }));
  EXPECT_EQ(bounded.stats().connections_open, 10U);
  for (std::size_t i = 0; i < 6; ++i) unfinished[i].read_all();  // ended
  for (auto& client : finished) EXPECT_EQ(client.get("/hello").body, "hello") << "these have proved something";
  EXPECT_EQ(TestClient(bounded.port(), Over::tls).get("/hello").body, "hello");
  EXPECT_EQ(bounded.stats().handshakes_ended, 7U) << "it had to be counted while it shook hands";
}

TEST_F(Tls, ANewCertificateIsForNewConnections) {
  TestClient old(server.port(), Over::tls);
  EXPECT_EQ(name_of(old.certificate()), "first");
  certificate.write("second");
  ASSERT_TRUE(credentials->reload());
  EXPECT_EQ(name_of(TestClient(server.port(), Over::tls).certificate()), "second");
  EXPECT_EQ(old.get("/hello").body, "hello");
}

TEST_F(Tls, ABadCertificateChangesNothing) {
  std::ofstream(certificate.files().certificate) << "not PEM";
  const auto reloaded = credentials->reload();
  ASSERT_FALSE(reloaded);
  EXPECT_NE(reloaded.error().detail.find(certificate.files().certificate), std::string::npos);
  EXPECT_EQ(name_of(TestClient(server.port(), Over::tls).certificate()), "first");
}

TEST(TlsCredentials, MustBelongTogether) {
  const TestCertificate one, other;
  EXPECT_FALSE(TlsCredentials::load({one.files().certificate, other.files().key}));
  EXPECT_FALSE(TlsCredentials::load({one.files().certificate, "/nowhere"}));
  EXPECT_FALSE(TlsCredentials::load({"/nowhere", one.files().key}));
}

}  // namespace
}  // namespace latchkey::http
