#include <charconv>

#include "http/problem.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/key_json.hpp"
#include "keys_service/routes.hpp"
#include "service/media_type.hpp"
#include "service/query_reader.hpp"

namespace latchkey::keys_service::routes {
namespace {

struct ChangesRequest {
  std::optional<std::string> after;  // as sent
  std::size_t limit = 100;
};

Result<ChangesRequest> parse_request(const http::Request& request) {
  service::QueryReader reader(request.query);
  ChangesRequest changes{reader.text("after"), reader.number("limit", 1, 1000, 100)};
  if (const auto finished = reader.finish(); !finished) return finished.error();
  return changes;
}

// A position, or its seq alone.
Result<Position> parse_after(std::string_view text, Epoch epoch) {
  if (const auto position = Position::parse(text)) return *position;
  Seq seq;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seq.value);
  if (error == std::errc() && stop == text.data() + text.size()) return Position{epoch, seq};
  return Error::invalid("/after", "must be a position such as \"00c0ffee00c0ffee.42\", or its number alone");
}

bool is_gone(Position after, Position head) { return after.epoch != head.epoch || after.seq > head.seq; }

http::Response gone() {
  return http::to_response({"position-gone", "Position gone", 410,
                            "This position belongs to another life of the database. Read the keys anew and follow from "
                            "the position given then."});
}

std::string page_json(const std::vector<Change>& changes, Position after, Position head) {
  JsonWriter out;
  out.begin_object().name("changes").begin_array();
  for (const auto& change : changes) write(out, change, head.epoch);
  const Position next{head.epoch, changes.empty() ? after.seq : changes.back().seq};
  out.end_array().member("nextAfter", next.to_string()).member("position", head.to_string());
  return out.end_object().take();
}

http::Response page(RouteContext& context, Position after, std::size_t limit, Position head) {
  const auto changes = context.parts.store.changes_after(after.seq, limit);
  if (!changes) return to_response(changes.error());
  // Asked again: a store that was restored between the two looks gave changes of another epoch.
  const auto now = context.parts.store.position();
  if (!now) return to_response(now.error());
  const Position last{head.epoch, std::max(head.seq, changes->empty() ? after.seq : changes->back().seq)};
  if (is_gone(last, *now)) return gone();
  head = *now;
  return private_json(200, page_json(*changes, after, head)).with_header("Latchkey-Position", head.to_string());
}

void stream(RouteContext& context, Position after, const jwt::AdminIdentity& admin, Reply reply) {
  if (!context.broadcaster.reserve(admin.subject)) return reply.send(overloaded());
  http::Response head{200, "text/event-stream", {}, {}};
  head.with_header("Cache-Control", "no-store").with_header("X-Accel-Buffering", "no");
  auto out = reply.stream(std::move(head));
  out->write("retry: 1000\n: following " + after.to_string() + "\n\n");
  context.broadcaster.add(std::move(out), after, admin);
}

}  // namespace

void get_changes(RouteContext& context, const Call& call, Reply reply) {
  const auto request = parse_request(call.request);
  if (!request) return reply.send(to_response(request.error()));
  const auto head = context.parts.store.position();
  if (!head) return reply.send(to_response(head.error()));
  const bool streams = service::accepts(call.request, "text/event-stream");

  Position after = streams ? *head : Position{head->epoch, 0};
  std::optional<std::string> asked = request->after;
  if (const auto last = call.request.header("Last-Event-ID"); streams && last && !last->empty()) asked = *last;
  if (asked) {
    const auto parsed = parse_after(*asked, head->epoch);
    if (!parsed) return reply.send(to_response(parsed.error()));
    after = *parsed;
  }
  if (is_gone(after, *head)) return reply.send(gone());
  if (streams) return stream(context, after, call.admin, std::move(reply));
  reply.send(page(context, after, request->limit, *head));
}

}  // namespace latchkey::keys_service::routes
