#include <charconv>

#include "base/time_text.hpp"
#include "http/problem.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/audit_json.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/key_json.hpp"
#include "keys_service/routes.hpp"
#include "service/media_type.hpp"
#include "service/query_reader.hpp"

namespace latchkey::keys_service::routes {
namespace {

struct ChangesRequest {
  std::optional<std::string> after;  // as sent
  store::AuditQuery query;
  bool filters = false;  // anything but `after` and `limit` was asked for
};

std::optional<UnixMillis> time_in(service::QueryReader& reader, std::string_view name) {
  const auto text = reader.text(name);
  if (!text) return std::nullopt;
  const auto time = parse_rfc3339(*text);
  if (!time) reader.note(name, "must be an RFC 3339 time such as 2027-01-31T12:00:00Z");
  return time;
}

std::optional<KeyId> key_in(service::QueryReader& reader) {
  const auto text = reader.text("keyId");
  if (!text) return std::nullopt;
  const auto id = KeyId::parse(*text);
  if (!id) reader.note("keyId", "must be a key id such as 0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d");
  return id;
}

Result<ChangesRequest> parse_request(const http::Request& request) {
  service::QueryReader reader(request.query);
  ChangesRequest changes{reader.text("after"), {}};
  store::AuditQuery& query = changes.query;
  query.limit = reader.number("limit", 1, 1000, 100);
  const auto order = reader.text("order");
  if (order && *order != "asc" && *order != "desc") reader.note("order", "must be asc or desc");
  query.newest_first = order == "desc";
  query.key_id = key_in(reader);
  query.user_id = reader.text("userId");
  query.actor = reader.text("actor");
  query.since = time_in(reader, "since");
  query.until = time_in(reader, "until");
  changes.filters = query.newest_first || query.key_id || query.user_id || query.actor || query.since || query.until;
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

Error streams_are_whole() {
  return Error::invalid("", "An event stream has every change: it takes `after` alone, no filter and no order.");
}

http::Response gone() {
  return http::to_response({"position-gone", "Position gone", 410,
                            "This position belongs to another life of the database. Read the keys anew and follow from "
                            "the position given then."});
}

std::string page_json(const store::AuditPage& page, Seq after, Position head) {
  JsonWriter out;
  out.begin_object().name("changes").begin_array();
  for (const auto& entry : page.entries) write(out, entry, head.epoch);
  const Position next{head.epoch, page.entries.empty() ? after : page.entries.back().change.seq};
  out.end_array().member("nextAfter", next.to_string()).member("more", page.more);
  return out.member("position", head.to_string()).end_object().take();
}

Seq newest_of(const store::AuditPage& page) {
  if (page.entries.empty()) return {};
  return std::max(page.entries.front().change.seq, page.entries.back().change.seq);
}

http::Response page(RouteContext& context, const store::AuditQuery& query, Position head) {
  const auto found = context.parts.store.audit(query);
  if (!found) return to_response(found.error());
  // Asked again: a store that was restored between the two looks gave changes of another epoch.
  const auto now = context.parts.store.position();
  if (!now) return to_response(now.error());
  const Position last{head.epoch, std::max({head.seq, newest_of(*found), query.after.value_or(Seq{})})};
  if (is_gone(last, *now)) return gone();
  head = *now;
  return private_json(200, page_json(*found, query.after.value_or(Seq{}), head))
      .with_header("Latchkey-Position", head.to_string());
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
  auto request = parse_request(call.request);
  if (!request) return reply.send(to_response(request.error()));
  const auto head = context.parts.store.position();
  if (!head) return reply.send(to_response(head.error()));
  const bool streams = service::accepts(call.request, "text/event-stream");
  if (streams && request->filters) return reply.send(to_response(streams_are_whole()));

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
  if (asked || !request->query.newest_first) request->query.after = after.seq;
  reply.send(page(context, request->query, *head));
}

}  // namespace latchkey::keys_service::routes
