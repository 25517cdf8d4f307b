#pragma once

// What is counted of a request, and what is kept of a refusal. Pure values.

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/clock.hpp"
#include "base/ip_address.hpp"
#include "key/key_id.hpp"

namespace latchkey::usage {

/// The part of an address that is kept: /24 of IPv4, /48 of IPv6. All zero: unknown.
struct AddressPrefix {
  std::array<std::uint8_t, 6> octets{};
  bool is_v4 = true;

  static AddressPrefix of(const IpAddress& address);
  bool is_known() const { return octets != decltype(octets){}; }
  /// "10.1.2.0/24", "2001:db8:1::/48"; empty: unknown.
  std::string to_string() const;
};

/// One request. `outcome` is a place in the recorder's list of names.
struct Use {
  KeyId key{};               // all zero: no signature has proved one
  std::string_view plan{};   // in force at the request; empty: none
  std::uint8_t outcome = 0;  // 0: admitted
  std::uint32_t cost = 0;    // of an admitted one
  UnixMillis time{};         // by the wall clock
  AddressPrefix address{};   // of the client, where it is known
};

constexpr std::uint8_t admitted = 0;  // of every list of names
constexpr std::uint8_t would_limit =
    1;  // admitted, and a limit in mode `observe` would have refused it: counted besides
constexpr std::string_view admitted_name = "admitted";
constexpr std::string_view would_limit_name = "would-limit";

/// At most `size` bytes of text in place.
template <std::size_t size>
class ShortText {
 public:
  ShortText() = default;
  ShortText(std::string_view text)  // NOLINT(google-explicit-constructor): what does not fit is cut
      : size_(static_cast<std::uint8_t>(text.size() < size ? text.size() : size)) {
    std::memcpy(bytes_, text.data(), size_);
  }
  std::string_view text() const { return {bytes_, size_}; }

 private:
  static_assert(size < 256);
  char bytes_[size] = {};
  std::uint8_t size_ = 0;
};

/// One refused request: what `latchkey explain` needs of it. Travels with usage, is kept for 24 hours.
struct Refusal {
  ShortText<40> id;          // Latchkey-Request-Id
  UnixMillis time{};         // by the replica's wall clock
  KeyId key{};               // all zero: none was proved
  ShortText<40> reason{};    // "rate-limited", as in the request log
  ShortText<64> limit{};     // the names of limits that refused, comma separated
  ShortText<64> rule{};      // the name of the rule that the request fell under
  ShortText<48> position{};  // of the view that decided
  ShortText<52> network{};   // the client's network, as AddressPrefix writes it
  bool sampled = false;      // more of this key were refused in that second than were kept
};

}  // namespace latchkey::usage
