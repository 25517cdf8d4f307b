#include "store/chain.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

#include "base/json_writer.hpp"
#include "store/terms_rows.hpp"

namespace latchkey::store {
namespace {

class Sha256 {
 public:
  Sha256() {
    if (EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) throw std::runtime_error("no SHA-256");
  }
  Sha256& add(std::span<const std::uint8_t> octets) {
    EVP_DigestUpdate(context_.get(), octets.data(), octets.size());
    return *this;
  }
  Sha256& add(std::string_view text) {
    EVP_DigestUpdate(context_.get(), text.data(), text.size());
    return *this;
  }
  Sha256& add(std::uint64_t number) {
    std::array<std::uint8_t, 8> octets;
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
    return add(octets);
  }
  ChainHash finish() {
    ChainHash hash;
    EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr);
    return hash;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

std::optional<std::int64_t> count_of(const std::optional<UnixMillis>& time) {
  return time ? std::optional(time->count) : std::nullopt;
}

std::string text_of(const std::optional<std::string>& text) { return text ? "=" + *text : std::string(); }

void write_public(JsonWriter& out, const AccessKey& key) {
  const AccessRuleTexts rules = access_rule_texts(key);
  out.value("key").value(key.id.to_string()).value(to_string(key.role)).value(key.requests_per_minute);
  out.value(key.issued_at.seconds);
  out.value(key.previous ? std::optional(key.previous->issued_at.seconds) : std::nullopt);
  out.value(key.previous ? std::optional(key.previous->valid_until.count) : std::nullopt);
  out.value(count_of(key.expires_at)).value(key.disabled).value(key.deleted).value(key.created_at.count);
  out.value(text_of(key.plan)).value(key.limits ? to_json(std::span(*key.limits)) : std::string());
  out.value(text_of(rules.scopes)).value(text_of(rules.networks)).value(text_of(labels_text(key)));
}

void write_public(JsonWriter& out, const SigningKey& key) {
  std::string hex;
  for (const auto octet : key.public_key) hex += fmt::format("{:02x}", octet);
  out.value("signing-key").value(key.kid).value(hex).value(to_string(key.state)).value(key.created_at.count);
}

void write_public(JsonWriter& out, const Plan& plan) {
  const AccessRuleTexts rules = access_rule_texts(plan);
  out.value("plan").value(plan.name).value(plan.description).value(plan.metadata);
  out.value(to_json(std::span(plan.limits))).value(text_of(rules.scopes)).value(text_of(rules.networks));
  out.value(plan.deleted).value(plan.created_at.count);
}

void write_public(JsonWriter& out, const User& user) {
  out.value("user").value(text_of(user.plan)).value(to_json(std::span(user.limits)));
  out.value(user.disabled).value(user.deleted).value(user.created_at.count);
}

std::string public_members(const Change& change) {
  JsonWriter out;
  out.begin_array().value(change.at.count).value(change.action);
  std::visit([&](const auto& row) { write_public(out, row); }, change.row);
  return out.end_array().take();
}

std::string personal_members(const Change& change, const AuditNote& note) {
  JsonWriter out;
  out.begin_array().value(change.actor);
  if (const auto* key = std::get_if<AccessKey>(&change.row)) {
    out.value(key->user_id).value(key->name).value(key->metadata);
  } else if (const auto* user = std::get_if<User>(&change.row)) {
    out.value(user->user_id).value("").value(user->metadata);
  }
  out.value(note.address).value(note.user_agent).value(note.reason).value(note.role).value(note.application);
  return out.end_array().take();
}

ChainHash personal_hash(const ChainSalt& salt, const Change& change, const AuditNote& note) {
  return Sha256().add(salt).add(personal_members(change, note)).finish();
}

ChainHash hash_of(const ChainHash& previous, const Change& change, const ChainHash& personal) {
  Sha256 hash;
  hash.add(previous).add(change.seq.value).add(change.nonce.value);
  return hash.add(public_members(change)).add(personal).finish();
}

}  // namespace

ChainLink make_link(const ChainHash& previous, const Change& change, const AuditNote& note, Random& random) {
  ChainLink link{.seq = change.seq, .salt = ChainSalt{}};
  random.fill(*link.salt);
  link.personal = personal_hash(*link.salt, change, note);
  link.hash = hash_of(previous, change, link.personal);
  return link;
}

bool ChainWalk::step(const ChainLink& link, const Change* change, const AuditNote& note) {
  if (report_.broken) return false;
  if (!begun_) {
    begun_ = true;
    report_.begins_after = report_.end = link.seq;
    report_.head = link.hash;
    return true;
  }
  const Seq due = report_.end + 1;
  if (link.seq != due) return broken(due, "its link is gone");
  if (change == nullptr) return broken(due, "the change is gone");
  const bool erased = !link.salt;
  if (!erased && personal_hash(*link.salt, *change, note) != link.personal) {
    return broken(due, "personal members, or what is noted of the command, are not as they were written");
  }
  if (hash_of(report_.head, *change, link.personal) != link.hash) {
    return broken(due, "the change is not as it was written, or its link was replaced");
  }
  report_.end = due;
  report_.head = link.hash;
  ++(erased ? report_.erased : report_.whole);
  return true;
}

bool ChainWalk::broken(Seq seq, std::string why) {
  report_.broken = BrokenLink{seq, std::move(why)};
  return false;
}

std::string hex_of(const ChainHash& hash) {
  std::string text;
  for (const auto octet : hash) text += fmt::format("{:02x}", octet);
  return text;
}

std::string to_text(const ChainReport& report, Epoch epoch) {
  const auto position = [&](Seq seq) { return Position{epoch, seq}.to_string(); };
  std::string text = fmt::format("{} changes are as they were written", report.whole);
  if (report.erased > 0) text += fmt::format(", {} are erased and in their place", report.erased);
  if (report.begins_after > Seq{}) {
    text +=
        fmt::format("\nthe chain begins after {}: what was there before is not in it", position(report.begins_after));
  }
  if (report.unlinked > 0) text += fmt::format("\n{} newer changes are not linked yet", report.unlinked);
  text += fmt::format("\nup to {}, hash {}", position(report.end), hex_of(report.head));
  if (report.broken) text += fmt::format("\nbroken at {}: {}", position(report.broken->seq), report.broken->why);
  return text;
}

}  // namespace latchkey::store
