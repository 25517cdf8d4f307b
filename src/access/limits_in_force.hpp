#pragma once

// How much a key may do, from its own row and from the rows of its plan and user: key/in_force.hpp over what the view
// has, without an allocation.
//
//   plan "pro": per-minute 60, daily 5,000 per user; the key: requestsPerMinute 5
//   → per-minute 5 (the key's), daily 5,000 (the plan's)
//
// Most keys have one limit that a number of requests per minute says: their list stays empty, and the limiter has a
// shorter way for them.

#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "limit/active_limit.hpp"
#include "view/row.hpp"
#include "view/terms.hpp"

namespace latchkey::access {

enum class Bound : std::uint8_t {
  per_minute,    // one limit, which a number of requests per minute says
  listed,        // others, or several: LimitsInForce has them
  unlimited,     // none, and the key says that it needs none
  none,          // none, or the plan that holds is not there: refused
  unknown_zone,  // one that refuses is of a time zone that this system does not know: refused
  too_many,      // more than max_limits, which only a hand edit makes: refused
};

/// The limits of one request with their names: windows first, then periods. A copy of what the view has, so that it
/// outlives the view's reader; copying costs what is in it.
class LimitsInForce {
 public:
  std::size_t size() const { return active_.size(); }
  bool empty() const { return active_.empty(); }
  const limit::ActiveLimit& operator[](std::size_t i) const { return active_[i]; }
  std::string_view name(std::size_t i) const { return {names_[i].text, names_[i].size}; }

  /// False: there is no room for one more.
  bool put(std::string_view name, const limit::ActiveLimit& active);
  /// What keys with one number of requests per minute have.
  static LimitsInForce per_minute(std::uint32_t requests, Version version);
  void set_user(const limit::OwnerId& user) { user_ = user; }
  /// For the limiter; lives as long as this. `epoch`: of the view.
  limit::Charge charge(const KeyId& key, std::uint32_t cost, Epoch epoch);

 private:
  struct Name {
    char text[max_limit_name_bytes];
    std::uint8_t size;
  };
  boost::container::static_vector<limit::ActiveLimit, max_limits> active_;
  boost::container::static_vector<Name, max_limits> names_;
  limit::OwnerId user_;
};

struct Bounds {
  Bound bound = Bound::per_minute;
  std::uint32_t requests_per_minute = 0;  // where `bound` is per_minute
  Version version = {};  // of what is in force: grows with every change that alters it, of whichever row
};

/// `limits`: empty before; afterwards of meaning where the bound is `listed`.
Bounds bounds_of(const view::KeyRow& row, const view::TermsInForce& terms, LimitsInForce& limits);

/// One limit in force, for what shows them.
struct ShownLimit {
  LimitSpec spec;
  limit::ActiveLimit active;
};
/// All of them whatever the bound, in the order of LimitsInForce; at most max_limits. Those of an unknown zone are left
/// out. Empty where the key needs none.
std::vector<ShownLimit> limits_to_show(const view::KeyRow& row, const view::TermsInForce& terms);

}  // namespace latchkey::access
