// The HTTP codec and the router on any octets. The first two octets choose where the input is cut: what comes out must
// not depend on it, and where no body is read, the same requests come out. Each piece is handed over at a new address,
// so that a view kept too long is a use after free.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/codec.hpp"
#include "http/in_memory.hpp"
#include "http/router.hpp"
#include "http/unread_body.hpp"

namespace {

using namespace latchkey::http;

/// Three of the longest requests; more costs its square, since every piece is moved, and finds nothing more.
constexpr std::size_t max_input = 1024;

struct Seen {
  Method method;
  std::string target, path, query, headers, body;
  bool operator==(const Seen&) const = default;
};

struct Outcome {
  std::vector<Seen> requests;
  int refused = 0;
  bool operator==(const Outcome&) const = default;
};

void check(bool sound) {
  if (!sound) std::abort();
}

Seen see(const Head& head) {
  const Request& r = head.request;
  Seen seen{r.method, std::string(r.target), std::string(r.path), std::string(r.query), {}, std::string(r.body)};
  for (const auto& h : r.headers) {
    check(!h.name.empty() && h.name.find_first_of(": \r\n") == std::string_view::npos);
    check(h.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    seen.headers.append(h.name).append(":").append(h.value).append("\n");
  }
  check(head.version == Version::http10 || r.header_count("host") == 1);
  check(!seen.path.empty() && (seen.path.front() == '/' || seen.path == "*"));
  check(seen.body.size() <= 64);
  return seen;
}

/// Passes over what has come of it; true: all of it.
bool pass(UnreadBody& body, std::string& kept, Outcome& outcome) {
  InputBuffer buffer;
  buffer.append(kept);
  const auto status = body.pass(buffer);
  check(buffer.size() <= kept.size());
  kept.assign(buffer.data(), buffer.size());
  if (status == UnreadBody::Status::refused) outcome.refused = 400;
  return status == UnreadBody::Status::passed;
}

Outcome run(std::string_view input, std::size_t cut, bool reads_bodies = true) {
  CodecLimits limits;
  limits.max_head_bytes = 256;
  limits.max_body_bytes = 64;
  limits.max_headers = 8;
  Codec codec(limits, [reads_bodies](const Request&) { return reads_bodies; });
  Outcome outcome;
  std::optional<UnreadBody> unread;
  std::string kept;
  for (const auto piece : {input.substr(0, cut), input.substr(cut)}) {
    kept.append(piece);
    while (!kept.empty()) {
      if (unread) {
        if (!pass(*unread, kept, outcome)) break;
        unread.reset();
        continue;
      }
      std::vector<char> moved(kept.begin(), kept.end());
      std::size_t size = moved.size();
      const auto status = codec.parse(moved.data(), size);
      check(size <= moved.size());
      if (status == Codec::Status::refused) {
        outcome.refused = status_of(codec.refusal().kind);
        check(outcome.refused >= 400);
        return outcome;
      }
      kept.assign(moved.data(), size);
      if (status != Codec::Status::request) break;
      outcome.requests.push_back(see(codec.head()));
      check(codec.consumed() > 0 && codec.consumed() <= size);
      if (codec.body_unread()) unread.emplace(codec.head());
      kept.erase(0, codec.consumed());
      codec.reset();
    }
    if (unread && outcome.refused != 0) break;
  }
  return outcome;
}

Router make_router() {
  const auto echo = [](Exchange& exchange) {
    const auto query = parse_query(exchange.request().query);
    exchange.answer(Answer{query ? 200 : 400, "text/plain", {}, exchange.request().params[0]});
  };
  Router router;
  router.on(Method::get, "/", echo).on(Method::post, "/a", echo).on(Method::get, "/a/{b}", echo);
  router.on(Method::get, "/a/{b}/c/{d}", echo).on_any("/{x}/b", echo);
  return router;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static Router router = make_router();
  const std::string_view input(reinterpret_cast<const char*>(data + 2), std::min(size - 2, max_input));
  const std::size_t cut = input.empty() ? 0 : (data[0] * std::size_t{256} + data[1]) % (input.size() + 1);
  const Outcome whole = run(input, input.size());
  check(run(input, cut) == whole);
  const Outcome unread = run(input, input.size(), false);
  check(run(input, cut, false) == unread);
  check(unread.requests.size() >= whole.requests.size());
  for (std::size_t i = 0; i < whole.requests.size(); ++i) {
    check(unread.requests[i].target == whole.requests[i].target &&
          unread.requests[i].headers == whole.requests[i].headers);
    check(unread.requests[i].body.empty());
  }
  for (const auto& seen : whole.requests) {
    const int status = call(router, seen.method, seen.target, {}, seen.body).status;
    check(status >= 200 && status < 500);
  }
  return 0;
}
