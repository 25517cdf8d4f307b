#pragma once

// token + view + limiter + clock → granted, or a refusal with its reason. Pure: no I/O, no HTTP.
//
// Two steps, so that the caller decides where a signature (100 µs) is computed:
//
//   check()            what can be said at once: any refusal, or a grant by the view's memory of the token
//     └ needs signature → caller moves the token to a worker thread
//   check_signature()  the rest, signature included; remembers a good token
//
// The limiter is asked last, by the route (tokens_service/holder_requests.hpp), and only where the route counts. The
// order of all checks: access/refusal.hpp.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "access/limits_in_force.hpp"
#include "access/refusal.hpp"
#include "base/clock.hpp"
#include "base/ip_address.hpp"
#include "jwt/access_token.hpp"
#include "key/access_key.hpp"
#include "limit/rate_limiter.hpp"
#include "view/memo_log.hpp"
#include "view/serving_gate.hpp"
#include "view/view.hpp"

namespace latchkey::access {

/// A key as the view has it; small, copied out of the view, no allocation.
struct Holder {
  KeyId key_id;
  char user_id_bytes[max_user_id_bytes] = {};
  std::uint8_t user_id_size = 0;
  std::uint32_t requests_per_minute = 0;  // in force, where the bound is one per minute
  LimitsInForce limits{};                 // where the bound is that they are listed
  Bound bound = Bound::per_minute;
  std::optional<UnixMillis> expires_at;
  IssueTime issued_at;
  Version version;         // of what is in force for it
  bool has_rules = false;  // scopes or networks are in force: refusal_of_rules() is to be asked
  std::uint8_t plan_size = 0;
  char plan_bytes[max_limit_name_bytes] = {};
  view::SharedText scopes{};                                         // in force; null: every scope
  std::string_view plan() const { return {plan_bytes, plan_size}; }  // empty: none
  std::string_view user_id() const { return {user_id_bytes, user_id_size}; }
};

/// Why no limiter need be asked about this holder; nullopt: it is to be asked, unless the bound is `unlimited`.
std::optional<Refusal> refusal_of_bound(Bound bound);

/// A refusal, with the key that it concerns where the signature verified.
struct Refused {
  Refusal reason;
  std::optional<Holder> holder;
};

/// Only the signature is missing.
struct NeedsSignature {
  KeyId key_id;  // as it is signed, not as hinted_key_id() has it: a forger may put another one there
};

using Outcome = std::variant<Holder, Refused, NeedsSignature>;

/// The key of the token with a good signature, admitted or not; null if none did.
const Holder* holder_in(const Outcome& outcome);

/// What a request asks of a key that is good.
struct Asked {
  std::optional<IpAddress> address{};     // it comes from; nullopt: nobody knows
  std::span<const std::string> scopes{};  // all of them
};

struct AccessConfig {
  Duration max_staleness = std::chrono::seconds(30);
  const view::ServingGate* gate = &view::ServingGate::always_open();  // outlives the check
};

/// Whether there is a view to decide by, or what is missing.
enum class Readiness : std::uint8_t {
  ready,
  loading,       // the view is not complete
  unregistered,  // the replica is not in the registry, or the view predates the registration
  stale,         // the view is too old
};

/// Any thread may call any method.
class AccessCheck {
 public:
  /// `kept`: where proven tokens are kept for the next process; null: nowhere.
  AccessCheck(const view::View& view, const Clock& clock, AccessConfig config, view::MemoLog* kept = nullptr);

  /// A token of a wrong shape is refused as such whatever the view's age; whatever needs a view that is not fresh is
  /// stale_view. An unknown signing key or key id is refused here, before any signature work. `next` is told which key
  /// it will probably be asked about; null: nobody is.
  Outcome check(std::string_view token, limit::RateLimiter* next = nullptr) const;
  /// check() will be asked about these tokens, one after the other: begins to fetch from memory, of all at once, what
  /// it and `next` are going to look at; of the first `most_expected`, as many as a turn has. Changes nothing.
  void expect(std::span<const std::string_view> tokens, limit::RateLimiter& next) const;
  static constexpr std::size_t most_expected = 64;
  /// Never NeedsSignature.
  Outcome check_signature(std::string_view token) const;

  /// For a holder with has_rules: by the lists that are in force now. Network first, then scope.
  std::optional<Refusal> refusal_of_rules(const Holder& holder, const Asked& asked) const;

  Readiness readiness() const { return readiness_of(view_.freshness()); }

 private:
  struct Candidate;

  Readiness readiness_of(const view::Freshness& freshness) const;
  bool ready(const view::View::Reader& reader) const { return readiness_of(reader.freshness()) == Readiness::ready; }
  Candidate look_up(const view::View::Reader& reader, const jwt::ParsedAccessToken& token) const;
  Outcome decide_proven(const jwt::ParsedAccessToken& parsed, const Ed25519PublicKey& proof,
                        std::string_view token) const;

  const view::View& view_;
  const Clock& clock_;
  const AccessConfig config_;
  view::MemoLog* const kept_;
};

}  // namespace latchkey::access
