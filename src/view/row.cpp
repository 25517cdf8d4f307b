#include "view/row.hpp"

#include <cstring>
#include <new>

#include "view/terms.hpp"

namespace latchkey::view {

std::string_view KeyRow::usable_user_id(const AccessKey& key) {
  return key.user_id.size() <= max_user_id_bytes ? std::string_view(key.user_id) : std::string_view("");
}

// In memory: the row of fixed size, the user id behind it, then for the few keys that have terms a pointer to them.
// The pointer is copied by memcpy, since it stands at any address.
KeyRow* KeyRow::create(void* place, const AccessKey& key, Version version, const RowLinks& links) {
  auto* row = new (place) KeyRow(key, version, links);
  const std::string_view user_id = usable_user_id(key);
  auto* behind = static_cast<std::byte*>(place) + sizeof(KeyRow);
  std::memcpy(behind, user_id.data(), user_id.size());
  if (links.terms != nullptr) std::memcpy(behind + user_id.size(), &links.terms, sizeof links.terms);
  return row;
}

const KeyTerms* KeyRow::read_terms() const {
  const KeyTerms* terms = nullptr;
  std::memcpy(&terms, reinterpret_cast<const std::byte*>(this + 1) + user_id_size_, sizeof terms);
  return terms;
}

KeyRow::KeyRow(const AccessKey& key, Version version, const RowLinks& links)
    : id_(key.id),
      issued_at_(key.issued_at),
      version_(version),
      requests_per_minute_(key.requests_per_minute.value_or(0)),
      user_id_size_(static_cast<std::uint8_t>(usable_user_id(key).size())),
      user_tag_(links.user_tag) {
  if (links.terms != nullptr) flags_ |= terms_flag;
  if (key.disabled) flags_ |= disabled_flag;
  if (key.deleted) flags_ |= deleted_flag;
  if (key.expires_at) {
    flags_ |= expires_flag;
    expires_at_ = *key.expires_at;
  }
  if (key.previous) {
    flags_ |= previous_flag;
    previous_ = *key.previous;
  }
}

std::optional<PreviousIssue> KeyRow::previous() const {
  if ((flags_ & previous_flag) == 0) return std::nullopt;
  return previous_;
}

std::optional<UnixMillis> KeyRow::expires_at() const {
  if ((flags_ & expires_flag) == 0) return std::nullopt;
  return expires_at_;
}

// Example: a key issued at 10 is rotated at 20 with grace. The new row's current issue is 20 and has no memo yet;
// its earlier issue is 10, so it takes over the old row's memo of 10. The old token still passes without a signature
// check.
void KeyRow::inherit_memos(const KeyRow& replaced) {
  if (user_id() != replaced.user_id()) return;
  Memo& earlier = memos_[static_cast<std::size_t>(Issue::earlier)];
  if (issued_at_ == replaced.issued_at_) {
    memos_[static_cast<std::size_t>(Issue::current)].copy_from(replaced.memo(Issue::current));
    const auto before = previous(), before_replaced = replaced.previous();
    const bool same = before ? before_replaced && before->issued_at == before_replaced->issued_at : !before_replaced;
    if (same) earlier.copy_from(replaced.memo(Issue::earlier));
  } else if (previous() && previous_.issued_at == replaced.issued_at_) {
    earlier.copy_from(replaced.memo(Issue::current));
  }
}

feed::RowsDigest KeyRow::digest() const {
  return feed::digest_of(feed::KeyFacts{id_, user_id(), version_, requests_per_minute_,
                                        terms() == nullptr ? 0 : terms()->digest, issued_at_, previous(), expires_at(),
                                        disabled(), deleted()});
}

AccessKey KeyRow::as_access_key() const {
  AccessKey key;
  key.id = id_;
  key.user_id = user_id();
  key.requests_per_minute.reset();
  if (requests_per_minute_ != 0) key.requests_per_minute = requests_per_minute_;
  if (const KeyTerms* own = terms()) {
    key.plan = own->plan;
    key.limits = own->limits;
    key.scopes = own->scopes;
    key.networks = own->networks;
  }
  key.issued_at = issued_at_;
  key.previous = previous();
  key.expires_at = expires_at();
  key.disabled = disabled();
  key.deleted = deleted();
  key.version = version_;
  return key;
}

}  // namespace latchkey::view
