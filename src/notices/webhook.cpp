#include "notices/webhook.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "admin_identity/provider_url.hpp"
#include "base/time_text.hpp"
#include "http_client/http_client.hpp"

namespace latchkey::notices {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::size_t max_answer_bytes = 4096;
constexpr std::chrono::seconds patience{10};

const unsigned char* octets_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), octets_of(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string from_base64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), octets_of(text), static_cast<int>(text.size()));
  if (size < 0) return {};
  std::size_t padding = 0;
  while (padding < 2 && text.size() > padding && text[text.size() - 1 - padding] == '=') ++padding;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

bool is_expiry(const Notice& notice) { return notice.kind.starts_with("key.expire"); }

}  // namespace

Result<Secret> parse_webhook_secret(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
  const Error wrong(ErrorCode::invalid, "must hold whsec_ and base64 of 24 to 64 octets, as Standard Webhooks have it");
  if (!text.starts_with(secret_prefix)) return wrong;
  std::string key = from_base64(text.substr(secret_prefix.size()));
  if (key.size() < 24 || key.size() > 64) return wrong;
  return Secret(std::move(key));
}

void write_data(JsonWriter& out, const Notice& notice) {
  out.member("noticeId", notice.id);
  if (notice.key_id) {
    out.member("keyId", notice.key_id->to_string());
  } else {
    out.member("keyId", nullptr);
  }
  out.member("userId", notice.user_id);
  if (is_expiry(notice)) out.member("expiresAt", UnixMillis{notice.about});
}

std::string webhook_body(const Notice& notice) {
  JsonWriter out;
  out.begin_object().member("type", notice.kind).member("timestamp", notice.at).name("data").begin_object();
  write_data(out, notice);
  return out.end_object().end_object().take();
}

std::vector<std::string> webhook_headers(const Notice& notice, std::string_view body, const Secret& key,
                                         UnixMillis sent) {
  const std::string id = fmt::format("notice-{}", notice.id);
  const std::string time = fmt::format("{}", sent.seconds());
  const std::string signed_text = fmt::format("{}.{}.{}", id, time, body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.reveal().data(), static_cast<int>(key.reveal().size()), octets_of(signed_text),
       signed_text.size(), digest.data(), &size);
  const std::string signature = base64({reinterpret_cast<const char*>(digest.data()), size});
  return {"webhook-id: " + id, "webhook-timestamp: " + time, "webhook-signature: v1," + signature};
}

Result<void> deliver(const NoticeTarget& target, const Notice& notice, UnixMillis now) {
  http_client::HttpRequest request;
  request.method = "POST";
  request.target.url = target.url;
  request.body = webhook_body(notice);
  request.headers = webhook_headers(notice, *request.body, target.key, now);
  request.max_bytes = max_answer_bytes;
  bool refused = false;
  request.allowed = [&](const IpAddress& address) {
    refused = !target.allow_private && admin_identity::is_private(address);
    return !refused;
  };
  std::size_t seen = 0;
  const auto reply = http_client::follow(
      request, [&](std::string_view piece) { return (seen += piece.size()) < max_answer_bytes; }, patience);
  if (refused) return Error(ErrorCode::unavailable, "its address is private: allow_private = true permits that");
  if (!reply) return reply.error();
  if (reply->status >= 200 && reply->status < 300) return {};
  return Error(ErrorCode::unavailable, fmt::format("it answered {}", reply->status));
}

}  // namespace latchkey::notices
