// Requests with a body that nobody reads: answered at once, their body passed over to the octet or the connection
// ended, and nothing in it ever taken for a request.

#include <mutex>

#include "http/testing/test_server.hpp"

namespace latchkey::http {
namespace {

/// Reads no body of "/unread…"; notes what it is asked.
class Unreading final : public Handler {
 public:
  bool reads_body(const Request& head) const override { return !head.path.starts_with("/unread"); }
  void handle(Exchange& exchange) override {
    const Request& request = exchange.request();
    {
      const std::lock_guard lock(mutex_);
      seen_ += std::string(request.path) + "(" + std::string(request.body) + ") ";
    }
    if (request.path != "/unread/later") return exchange.answer(Answer{200, {}, {}, request.path});
    std::thread([later = exchange.defer()]() mutable { later.answer(Response{200, {}, {}, "later"}); }).detach();
  }
  std::string seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  mutable std::mutex mutex_;
  std::string seen_;  // guarded by mutex_
};

class UnreadBodies : public testing::Test {
 protected:
  UnreadBodies() {
    if (!server_.start()) throw std::runtime_error("no server");
  }
  TestClient client() { return TestClient(server_.port()); }
  static ServerConfig config() {
    ServerConfig config;
    config.listen = "127.0.0.1:0";
    return config;
  }

  Unreading handler_;
  Server server_{config(), handler_};
};

const std::string head = "POST /unread HTTP/1.1\r\nHost: t\r\n";
const std::string next = "GET /next HTTP/1.1\r\nHost: t\r\n\r\n";
const std::string trap = "GET /trap HTTP/1.1\r\nHost: t\r\n\r\n";  // as a body

std::string with_length(const std::string& body) {
  return head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string chunked_body(const std::string& body) {
  std::string text = head + "Transfer-Encoding: chunked\r\n\r\n";
  for (const char c : body) text.append("1;x=y\r\n").append(1, c).append("\r\n");
  return text + "0\r\nTrailer: GET /trap\r\n\r\n";
}

TEST_F(UnreadBodies, AreAnsweredBeforeTheyCome) {
  for (const std::string framing : {"Content-Length: 36\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"}) {
    auto c = client();
    c.send(head + framing);
    EXPECT_EQ(c.read_reply().body, "/unread") << framing;
  }
}

TEST_F(UnreadBodies, ArePassedOverHoweverTheyAreCut) {
  for (const std::string& request : {with_length(trap), chunked_body(trap), with_length(std::string(65'536, 'x'))}) {
    const std::string all = request + next;
    const std::size_t from = request.find("\r\n\r\n");
    for (std::size_t cut = from; cut <= all.size(); cut += all.size() > 1000 ? 16'387 : 7) {
      const bool head_first = cut >= from + 4;
      auto c = client();
      c.send(all.substr(0, cut));
      const std::string first = head_first ? c.read_reply().body : std::string();
      c.send(all.substr(cut));
      ASSERT_EQ(head_first ? first : c.read_reply().body, "/unread") << cut;
      ASSERT_EQ(c.read_reply().body, "/next") << "after " << cut << " octets of\n" << request.substr(0, 200);
    }
  }
  EXPECT_EQ(handler_.seen().find("/trap"), std::string::npos);
  EXPECT_EQ(handler_.seen().find("/unread(x"), std::string::npos) << "they are not handed over either";
}

TEST_F(UnreadBodies, MayFollowEachOther) {
  auto c = client();
  c.send(with_length(trap) + chunked_body(trap) + next + with_length("") + chunked_body("") + next);
  for (const char* body : {"/unread", "/unread", "/next", "/unread", "/unread", "/next"}) {
    EXPECT_EQ(c.read_reply().body, body);
  }
}

TEST_F(UnreadBodies, OfRequestsThatAreAnsweredLater) {
  auto c = client();
  std::string request = with_length(trap);
  request.replace(request.find("/unread"), 7, "/unread/later");
  c.send(request + next);
  EXPECT_EQ(c.read_reply().body, "later");
  EXPECT_EQ(c.read_reply().body, "/next");
}

TEST_F(UnreadBodies, ThatAreTooLongEndTheConnection) {
  auto c = client();
  c.send(head + "Content-Length: 65537\r\n\r\n" + trap);
  const auto reply = c.read_reply();
  EXPECT_EQ(reply.body, "/unread") << "and no 413";
  EXPECT_NE(reply.head.find("\r\nConnection: close\r\n"), std::string::npos);
  c.send(trap);
  EXPECT_TRUE(c.at_end());

  auto chunks = client();
  chunks.send(head + "Transfer-Encoding: chunked\r\n\r\n10001\r\n" + trap);
  EXPECT_EQ(chunks.read_reply().body, "/unread");
  EXPECT_TRUE(chunks.at_end());
  EXPECT_EQ(handler_.seen().find("/trap"), std::string::npos);
}

TEST_F(UnreadBodies, ThatAreMalformedEndTheConnection) {
  auto c = client();
  c.send(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + trap);
  EXPECT_EQ(c.read_reply().body, "/unread");
  EXPECT_TRUE(c.at_end());
  EXPECT_EQ(handler_.seen(), "/unread() ");
}

// It got its answer instead of the invitation: what it sends now may be the body or the next request.
TEST_F(UnreadBodies, OfAClientThatWaitsToBeInvitedEndTheConnection) {
  for (const std::string& length :
       {"Content-Length: " + std::to_string(trap.size()), std::string("Transfer-Encoding: chunked")}) {
    auto c = client();
    c.send(head + "Expect: 100-continue\r\n" + length + "\r\n\r\n");
    const auto reply = c.read_reply();
    EXPECT_EQ(reply.status, 200);
    EXPECT_NE(reply.head.find("\r\nConnection: close\r\n"), std::string::npos);
    c.send(trap);
    EXPECT_TRUE(c.at_end());
  }
  auto c = client();
  c.send(head + "Expect: 100-continue\r\nContent-Length: " + std::to_string(trap.size()) + "\r\n\r\n" + trap + next);
  EXPECT_EQ(c.read_reply().body, "/unread") << "it did not wait, so this is the body";
  EXPECT_EQ(c.read_reply().body, "/next");
  EXPECT_EQ(handler_.seen().find("/trap"), std::string::npos);
}

TEST_F(UnreadBodies, ThatDoNotComeEndTheConnectionSoon) {
  auto c = client();
  c.send(head + "Content-Length: 100\r\n\r\nsome");
  EXPECT_EQ(c.read_reply().body, "/unread");
  EXPECT_TRUE(c.at_end()) << "and no 408";
  EXPECT_EQ(handler_.seen(), "/unread() ");
}

TEST_F(UnreadBodies, OtherRequestsAreReadAsEver) {
  auto c = client();
  c.send("POST /read HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(c.read_reply().status, 200);
  EXPECT_EQ(handler_.seen(), "/read(body) ");
  c.send("POST /read HTTP/1.1\r\nHost: t\r\nContent-Length: 65537\r\n\r\n");
  EXPECT_EQ(c.read_reply().status, 413);
}

}  // namespace
}  // namespace latchkey::http
