#include <map>

#include "base/time_text.hpp"
#include "jwt/base64url.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/key_json.hpp"
#include "keys_service/last_use.hpp"
#include "keys_service/routes.hpp"
#include "service/query_reader.hpp"

namespace latchkey::keys_service::routes {
namespace {

// The cursor is the last key id of the page before, in base64url.
std::string cursor_after(KeyId id) { return jwt::encode_base64url(id.bytes()); }

std::optional<KeyId> parse_cursor(std::string_view text) {
  KeyId::Bytes bytes;
  if (!jwt::decode_base64url(text, bytes)) return std::nullopt;
  return KeyId::parse(KeyId(bytes).to_string());  // only what is a key id
}

struct PageRequest : store::KeyPageRequest {
  std::optional<UnixMillis> unused_since{};
};

std::optional<UnixMillis> read_unused(service::QueryReader& reader, UnixMillis now) {
  const auto text = reader.text("unusedFor");
  if (!text) return std::nullopt;
  const auto duration = parse_duration(*text);
  if (!duration) {
    reader.note("unusedFor", not_a_duration(*text));
    return std::nullopt;
  }
  return now + -*duration;
}

Result<PageRequest> parse_page_request(std::string_view query, UnixMillis now) {
  service::QueryReader reader(query);
  PageRequest page;
  page.unused_since = read_unused(reader, now);
  page.now = now;
  page.limit = reader.number("limit", 1, 500, 50);
  page.filter.user_id = reader.text("userId");
  page.filter.name = reader.text("name");
  if (const auto status = reader.text("status")) {
    page.filter.status = parse_key_status(*status);
    if (!page.filter.status) reader.note("status", "must be active, disabled, expired or deleted");
  }
  if (const auto text = reader.text("selector")) {
    auto selector = parse_selector(*text);
    if (selector) page.filter.selector = std::move(*selector);
    if (!selector) reader.note("selector", selector.error().detail);
  }
  if (const auto expires = reader.text("expires")) {
    page.filter.never_expires = *expires == "never";
    if (!page.filter.never_expires) reader.note("expires", "must be never; for a moment there is expiresBefore");
  }
  if (const auto before = reader.text("expiresBefore")) {
    page.filter.expires_before = parse_rfc3339(*before);
    if (!page.filter.expires_before) reader.note("expiresBefore", "must be a time such as 2027-01-31T12:00:00Z");
  }
  if (const auto order = reader.text("order")) {
    if (*order != "newest" && *order != "oldest") reader.note("order", "must be newest or oldest");
    if (*order == "oldest") page.order = store::KeyOrder::oldest_first;
  }
  if (const auto cursor = reader.text("cursor")) {
    page.after = parse_cursor(*cursor);
    if (!page.after) reader.note("cursor", "must be a nextCursor as an earlier page gave it");
  }
  if (const auto finished = reader.finish(); !finished) return finished.error();
  return page;
}

/// Plans and users of a page's keys, each asked for once.
class TermsOfPage {
 public:
  explicit TermsOfPage(store::KeyStore& store) : store_(store) {}
  Result<std::optional<Plan>> find_plan(const std::string& name) {
    return once(plans_, name, [&] { return store_.find_plan(name); });
  }
  Result<std::optional<User>> find_user(const std::string& user_id) {
    return once(users_, user_id, [&] { return store_.find_user(user_id); });
  }

 private:
  template <class Row, class Find>
  static Result<std::optional<Row>> once(std::map<std::string, std::optional<Row>>& known, const std::string& name,
                                         Find find) {
    if (const auto found = known.find(name); found != known.end()) return found->second;
    auto row = find();
    if (row) known.emplace(name, *row);
    return row;
  }
  store::KeyStore& store_;
  std::map<std::string, std::optional<Plan>> plans_;
  std::map<std::string, std::optional<User>> users_;
};

/// A page of keys, and when each was used last.
struct UsedPage {
  store::KeyPage page{};
  LastUses uses{};
};

/// Of the keys of `from` those that were not used, up to the page's limit; `from.more`: there may be more behind.
void add_unused(const PageRequest& request, UsedPage& found, store::KeyPage from, const LastUses& uses) {
  for (auto& key : from.keys) {
    if (!is_unused_since(key, uses, *request.unused_since)) continue;
    if (found.page.keys.size() == request.limit) {
      found.page.more = true;
      return;
    }
    if (const auto use = uses.find(key.id); use != uses.end()) found.uses.insert(*use);
    found.page.keys.push_back(std::move(key));
  }
}

/// Reads on past keys that were used, until the page is full; it holds the whole of it, so no page is empty but the last.
Result<UsedPage> page_of_unused(RouteContext& context, PageRequest request) {
  UsedPage found;
  store::KeyPageRequest next = request;
  for (next.limit = 500; !found.page.more;) {
    auto page = context.parts.store.list_keys(next);
    if (!page) return page.error();
    if (page->keys.empty()) break;
    next.after = page->keys.back().id;
    const bool more = page->more;
    const LastUses uses = last_uses_of(context.parts.usage, page->keys);
    add_unused(request, found, std::move(*page), uses);
    if (!more) break;
  }
  return found;
}

Result<UsedPage> read_page(RouteContext& context, const PageRequest& request) {
  if (request.unused_since) return page_of_unused(context, request);
  auto page = context.parts.store.list_keys(request);
  if (!page) return page.error();
  LastUses uses = last_uses_of(context.parts.usage, page->keys);
  return UsedPage{std::move(*page), std::move(uses)};
}

Result<std::string> page_json(store::KeyStore& store, const UsedPage& used, Epoch epoch, UnixMillis now) {
  const store::KeyPage& page = used.page;
  TermsOfPage rows(store);
  JsonWriter out;
  out.begin_object().name("keys").begin_array();
  for (const auto& key : page.keys) {
    out.begin_object();
    const auto terms = commands::terms_of(rows, key);
    if (!terms) return terms.error();
    write_members(out, key, epoch, now);
    write_last_use(out, used.uses, key.id);
    write_effective(out, key, *terms);
    out.end_object();
  }
  const auto cursor = page.more ? std::optional(cursor_after(page.keys.back().id)) : std::nullopt;
  return out.end_array().member("nextCursor", cursor).end_object().take();
}

http::Response page_of_keys(RouteContext& context, const http::Request& request) {
  const auto page_request = parse_page_request(request.query, context.parts.clock.wall());
  if (!page_request) return to_response(page_request.error());
  const auto page = read_page(context, *page_request);
  if (!page) return to_response(page.error());
  const auto position = context.parts.store.position();
  if (!position) return to_response(position.error());
  auto body = page_json(context.parts.store, *page, position->epoch, page_request->now);
  return body ? private_json(200, std::move(*body)) : to_response(body.error());
}

}  // namespace

void list_keys(RouteContext& context, const Call& call, Reply reply) {
  reply.send(page_of_keys(context, call.request));
}

}  // namespace latchkey::keys_service::routes
