#include "feed/rows_digest.hpp"

#include <bit>
#include <cstring>

namespace latchkey::feed {
namespace {

/// Words in, one word out: multiply and rotate as xxHash's rounds do, and its last mixing. Of a fixed length for each
/// kind of row, but for the text at the end; its size is among the words.
class Mixer {
 public:
  explicit Mixer(std::uint64_t kind) : state_(kind * second) {}
  void word(std::uint64_t value) {
    state_ ^= std::rotl(value * second, 31) * first;
    state_ = std::rotl(state_, 27) * first + third;
  }
  void number(std::int64_t value) { word(static_cast<std::uint64_t>(value)); }
  void bytes(const void* from, std::size_t size) {
    const auto* at = static_cast<const unsigned char*>(from);
    word(size);
    for (; size > 0;) {
      std::uint64_t value = 0;
      const std::size_t taken = size < sizeof value ? size : sizeof value;
      std::memcpy(&value, at, taken);
      word(value);
      at += taken;
      size -= taken;
    }
  }
  void text(std::string_view text) { bytes(text.data(), text.size()); }
  RowsDigest finish() const {
    std::uint64_t out = state_;
    out = (out ^ out >> 33U) * second;
    out = (out ^ out >> 29U) * third;
    return out ^ out >> 32U;
  }

 private:
  static constexpr std::uint64_t first = 0x9e3779b185ebca87ULL, second = 0xc2b2ae3d27d4eb4fULL,
                                 third = 0x165667b19e3779f9ULL;
  std::uint64_t state_;
};

enum Kind : std::uint64_t { access_key = 1, signing_key = 2, a_plan = 3, a_user = 4, terms = 5 };

/// Only where there are any, so that other rows have the digest that releases before had for them.
template <class Row>
void mix_access_rules(Mixer& mixer, const Row& row) {
  if (!has_access_rules(row)) return;
  mixer.word(std::uint64_t{row.scopes.has_value()} | std::uint64_t{row.networks.has_value()} << 1U);
  if (row.scopes) mixer.text(scopes_json(*row.scopes));
  if (row.networks) mixer.text(networks_json(*row.networks));
}

constexpr std::uint64_t flag(bool is, unsigned bit) { return std::uint64_t{is} << bit; }

}  // namespace

RowsDigest digest_of(const KeyFacts& facts) {
  if (facts.deleted) return 0;
  Mixer mixer(access_key);
  mixer.bytes(facts.id.bytes().data(), facts.id.bytes().size());
  mixer.word(facts.version.value);
  mixer.word(std::uint64_t{facts.requests_per_minute} << 8U | flag(facts.disabled, 0) |
             flag(facts.previous.has_value(), 1) | flag(facts.expires_at.has_value(), 2) | flag(facts.terms != 0, 3));
  if (facts.terms != 0) mixer.word(facts.terms);
  mixer.number(facts.issued_at.seconds);
  if (facts.previous) {
    mixer.number(facts.previous->issued_at.seconds);
    mixer.number(facts.previous->valid_until.count);
  }
  if (facts.expires_at) mixer.number(facts.expires_at->count);
  mixer.bytes(facts.user_id.data(), facts.user_id.size());
  return mixer.finish();
}

RowsDigest digest_of(const AccessKey& key, Version version) {
  const bool usable = key.user_id.size() <= max_user_id_bytes;
  return digest_of(KeyFacts{key.id, usable ? std::string_view(key.user_id) : std::string_view(), version,
                            key.requests_per_minute.value_or(0), digest_of_terms(key), key.issued_at, key.previous,
                            key.expires_at, key.disabled, key.deleted});
}

RowsDigest digest_of(const Plan& plan, Version version) {
  if (plan.deleted) return 0;
  Mixer mixer(a_plan);
  mixer.word(version.value);
  mixer.text(plan.name);
  mixer.text(to_json(std::span(plan.limits)));
  mix_access_rules(mixer, plan);
  return mixer.finish();
}

RowsDigest digest_of(const User& user, Version version) {
  if (user.deleted) return 0;
  Mixer mixer(a_user);
  mixer.word(version.value);
  mixer.word(flag(user.disabled, 0) | flag(user.plan.has_value(), 1));
  mixer.text(user.user_id);
  mixer.text(user.plan.value_or(""));
  mixer.text(to_json(std::span(user.limits)));
  return mixer.finish();
}

std::uint64_t digest_of_terms(const AccessKey& key) {
  if (!has_terms(key)) return 0;
  Mixer mixer(terms);
  mixer.word(flag(key.plan.has_value(), 0) | flag(key.limits.has_value(), 1));
  mixer.text(key.plan.value_or(""));
  if (key.limits) mixer.text(to_json(std::span(*key.limits)));
  mix_access_rules(mixer, key);
  return mixer.finish() | 1U;  // never 0
}

RowsDigest digest_of(const SigningKey& key, Version version) {
  if (key.state == SigningKeyState::retired) return 0;
  Mixer mixer(signing_key);
  mixer.word(version.value);
  mixer.word(static_cast<std::uint64_t>(key.state));
  mixer.bytes(key.public_key.data(), key.public_key.size());
  mixer.bytes(key.kid.data(), key.kid.size());
  return mixer.finish();
}

}  // namespace latchkey::feed
