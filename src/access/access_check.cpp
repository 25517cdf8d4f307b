#include "access/access_check.hpp"

#include <algorithm>
#include <cstring>

#include "jwt/access_token.hpp"
#include "jwt/digest.hpp"
#include "jwt/memo_hash.hpp"

namespace latchkey::access {
namespace {

using view::KeyRow;
using view::View;

Refused refused(Refusal reason) { return {reason, std::nullopt}; }

void describe(Holder& holder, const KeyRow& row) {
  holder.key_id = row.id();
  const std::string_view user_id = row.user_id();
  std::memcpy(holder.user_id_bytes, user_id.data(), user_id.size());
  holder.user_id_size = static_cast<std::uint8_t>(user_id.size());
  holder.requests_per_minute = row.requests_per_minute();
  holder.expires_at = row.expires_at();
  holder.issued_at = row.issued_at();
  holder.version = row.version();
}

Holder holder_of(const KeyRow& row) {
  Holder holder;
  describe(holder, row);
  return holder;
}

/// A deleted plan is there for its version only.
const view::PlanRow* plan_in(const view::TermsInForce& terms) {
  return terms.plan == nullptr || terms.plan->deleted ? nullptr : terms.plan;
}

const ScopeList* scopes_in(const view::TermsInForce& terms) {
  if (terms.own != nullptr && terms.own->scopes) return &*terms.own->scopes;
  const auto* plan = plan_in(terms);
  return plan != nullptr && plan->scopes ? &*plan->scopes : nullptr;
}

const NetworkList* networks_in(const view::TermsInForce& terms) {
  if (terms.own != nullptr && terms.own->networks) return &*terms.own->networks;
  const auto* plan = plan_in(terms);
  return plan != nullptr && plan->networks ? &*plan->networks : nullptr;
}

void set_rules(Holder& holder, const view::TermsInForce& terms) {
  const auto* plan = plan_in(terms);
  if (plan != nullptr) {
    holder.plan_size = static_cast<std::uint8_t>(std::min(plan->name.size(), sizeof holder.plan_bytes));
    std::memcpy(holder.plan_bytes, plan->name.data(), holder.plan_size);
  }
  const bool own = terms.own != nullptr && terms.own->scopes;
  if (own) {
    holder.scopes = terms.own->scopes_text;
  } else if (plan != nullptr) {
    holder.scopes = plan->scopes_text;
  }
  holder.has_rules = holder.scopes != nullptr || networks_in(terms) != nullptr;
}

/// What more than the row itself says; a refusal by the user.
std::optional<Refusal> apply_terms(Holder& holder, const KeyRow& row, const view::TermsInForce& terms) {
  set_rules(holder, terms);
  const Bounds bounds = bounds_of(row, terms, holder.limits);
  holder.bound = bounds.bound;
  holder.requests_per_minute = bounds.requests_per_minute;
  holder.version = bounds.version;
  if (terms.user != nullptr && terms.user->disabled && !terms.user->deleted) return Refusal::user_disabled;
  return std::nullopt;
}

/// The order's end, for a token that is proven to be this issue of the row's key: issue, status, user, expiry. The holder
/// is made where it is answered, for most requests are granted.
Outcome outcome_of_issue(const View::Reader& reader, const KeyRow& row, Issue issue, const Clock& clock) {
  Outcome outcome(std::in_place_type<Holder>);
  Holder& holder = *std::get_if<Holder>(&outcome);
  describe(holder, row);
  const auto refused = refusal_of_issue(row, issue, [&clock] { return clock.wall(); });
  if (!refused && !reader.may_have_terms(row)) return outcome;
  std::optional<Refusal> refusal = refused ? std::optional(refusal_of(*refused)) : std::nullopt;
  if ((!refused || *refused == IssueRefusal::expired) && reader.may_have_terms(row)) {
    if (const auto by_user = apply_terms(holder, row, reader.terms_of(row))) refusal = by_user;
  }
  if (refusal) {
    const Holder known = holder;
    outcome = Refused{*refusal, known};
  }
  return outcome;
}

}  // namespace

std::optional<Refusal> refusal_of_bound(Bound bound) {
  if (bound == Bound::none) return Refusal::no_limit;
  if (bound == Bound::unknown_zone) return Refusal::unknown_time_zone;
  if (bound == Bound::too_many) return Refusal::limit_not_enforced;
  return std::nullopt;
}

const Holder* holder_in(const Outcome& outcome) {
  if (const auto* granted = std::get_if<Holder>(&outcome)) return granted;
  const auto* refused = std::get_if<Refused>(&outcome);
  return refused != nullptr && refused->holder ? &*refused->holder : nullptr;
}

/// A token that names a usable signing key and a key id in the view; or why not.
struct AccessCheck::Candidate {
  std::optional<Refused> refused;
  const KeyRow* row = nullptr;
  view::UsableKey signing_key;
};

AccessCheck::AccessCheck(const View& view, const Clock& clock, AccessConfig config, view::MemoLog* kept)
    : view_(view), clock_(clock), config_(config), kept_(kept) {}

Readiness AccessCheck::readiness_of(const view::Freshness& freshness) const {
  if (!freshness.complete) return Readiness::loading;
  const BootTime now = clock_.boot();
  if (now - freshness.current_as_of > config_.max_staleness) return Readiness::stale;
  return config_.gate->admits(freshness.current_as_of, now) ? Readiness::ready : Readiness::unregistered;
}

AccessCheck::Candidate AccessCheck::look_up(const View::Reader& reader, const jwt::ParsedAccessToken& token) const {
  if (!ready(reader)) return {refused(Refusal::stale_view), nullptr, {}};
  const auto signing_key = reader.usable_key(token.kid);
  const KeyRow* row = signing_key ? reader.find(token.claims.key_id) : nullptr;
  if (row == nullptr) return {refused(Refusal::unknown_key), nullptr, {}};
  return {std::nullopt, row, *signing_key};
}

namespace {

// What an earlier process proved is known by its SHA-256 until it is used.
std::optional<Issue> recall(const View::Reader& reader, const KeyRow& row, const jwt::TokenDigest& digest,
                            std::string_view token) {
  auto issue = reader.recall(row, digest);
  if (issue || !jwt::memo_hash_is_keyed()) return issue;
  const auto kept = jwt::digest_of(token);
  issue = reader.recall(row, kept);
  if (issue) reader.replace(row, *issue, kept, digest);
  return issue;
}

}  // namespace

// What is remembered of a key among millions is far away in memory; part of the way it comes beside the hash.
Outcome AccessCheck::check(std::string_view token, limit::RateLimiter* next) const {
  if (token.size() > jwt::max_token_bytes) return refused(Refusal::malformed);  // before it is hashed
  const View::Reader reader(view_);
  // The shortcut of a token that the view remembers: its digest stands for shape, signing key and signature, which were
  // all found good before. The key id is read where such tokens have it; nothing else of the token is parsed.
  if (const auto id = jwt::hinted_key_id(token); id && ready(reader)) {
    if (const KeyRow* probable = reader.prefetch(*id)) {
      if (next != nullptr) next->expect({&*id, 1});
      const auto digest = jwt::memo_hash_of(token);
      // The row that was fetched is nearly always the right one; its id tells.
      const KeyRow* row = probable->id() == *id ? probable : reader.find(*id);
      const auto issue = row == nullptr ? std::nullopt : recall(reader, *row, digest, token);
      if (issue) return outcome_of_issue(reader, *row, *issue, clock_);
    }
  }
  const auto parsed = jwt::parse_access_token(token);
  if (!parsed) return refused(refusal_of(parsed.error()));
  if (const auto candidate = look_up(reader, *parsed); candidate.refused) return *candidate.refused;
  return NeedsSignature{parsed->claims.key_id};
}

std::optional<Refusal> AccessCheck::refusal_of_rules(const Holder& holder, const Asked& asked) const {
  const View::Reader reader(view_);
  const KeyRow* row = reader.find(holder.key_id);
  if (row == nullptr) return Refusal::stale_view;  // the view is being loaded anew
  const view::TermsInForce terms = reader.terms_of(*row);
  if (const auto* networks = networks_in(terms); networks != nullptr && !contains(*networks, asked.address)) {
    return Refusal::network_not_allowed;
  }
  const auto* scopes = scopes_in(terms);
  const bool covered = scopes == nullptr || std::all_of(asked.scopes.begin(), asked.scopes.end(),
                                                        [&](const auto& scope) { return covers(*scopes, scope); });
  return covered ? std::nullopt : std::optional(Refusal::insufficient_scope);
}

void AccessCheck::expect(std::span<const std::string_view> tokens, limit::RateLimiter& next) const {
  std::array<KeyId, most_expected> ids;
  std::size_t count = 0;
  for (const std::string_view token : tokens.first(std::min(tokens.size(), ids.size()))) {
    if (const auto id = jwt::hinted_key_id(token)) ids[count++] = *id;
  }
  const std::span<const KeyId> expected(ids.data(), count);
  View::Reader(view_).prefetch(expected);
  next.expect(expected);
}

Outcome AccessCheck::check_signature(std::string_view token) const {
  const auto parsed = jwt::parse_access_token(token);
  if (!parsed) return refused(refusal_of(parsed.error()));
  Ed25519PublicKey tried;
  {
    const View::Reader reader(view_);
    const auto candidate = look_up(reader, *parsed);
    if (candidate.refused) return *candidate.refused;
    tried = candidate.signing_key.public_key;
  }
  // No reader meanwhile: rows that are replaced in these 100 µs would have to wait for it.
  if (!jwt::verify(*parsed, tried)) return refused(Refusal::bad_signature);
  return decide_proven(*parsed, tried, token);
}

Outcome AccessCheck::decide_proven(const jwt::ParsedAccessToken& parsed, const Ed25519PublicKey& proof,
                                   std::string_view token) const {
  const View::Reader reader(view_);
  const auto candidate = look_up(reader, parsed);  // again: the view has moved on
  if (candidate.refused) return *candidate.refused;
  if (candidate.signing_key.public_key != proof) return refused(Refusal::unknown_key);
  const KeyRow& row = *candidate.row;
  const auto named = issue_named(row, parsed.claims.user_id, parsed.claims.issued_at);
  if (named) {
    View::Reader::remember(row, *named, jwt::memo_hash_of(token), candidate.signing_key);
    if (kept_ != nullptr) kept_->append(row, parsed.claims.issued_at, jwt::digest_of(token), proof);
    return outcome_of_issue(reader, row, *named, clock_);
  }
  // Remembers the rejected token, so that its next refusal needs no signature; not where the memo is for the previous
  // issue, which may still pass.
  if (!row.previous()) View::Reader::remember(row, Issue::earlier, jwt::memo_hash_of(token), candidate.signing_key);
  return Refused{Refusal::rotated, holder_of(row)};
}

}  // namespace latchkey::access
